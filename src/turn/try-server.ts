/**
 * Tries a STUN or TURN server as a client would: a Binding, and with a credential an allocation that is ended at once.
 * Over UDP, TCP or TLS, by the server's URL.
 */
import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { connect as secureConnect } from 'node:tls'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { type Endpoint, familyOf } from '../protocol/address.js'
import { type Allocated, TurnClient } from './client.js'
import { TurnError } from './errors.js'
import { FrameReader } from './framing.js'
import { UdpSocket } from './udp.js'

export interface TryOptions {
  /** `stun:host:port`, `turn:host:port?transport=udp`, `turns:host:port`. */
  readonly url: string
  /** null: no allocation is tried. */
  readonly credential: { readonly username: string; readonly password: string } | null
  readonly clock: Clock
  readonly random: Random
  /** For all of it, ms. */
  readonly withinMs: number
}

export interface Tried {
  /** How the server sees us. */
  readonly mapped: Endpoint
  /** null: no allocation was tried. */
  readonly relayed: Endpoint | null
  readonly roundTripMs: number
}

const URI = /^(stun|turn|turns):(?:\[([\da-fA-F:.]+)\]|([^:?[\]]+))(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/
const PORT = 3_478
const TLS_PORT = 5_349

/** Resolves when the server did all that was asked; rejects with a TurnError or the system's error. */
export async function tryServer({ url, credential, clock, random, withinMs }: TryOptions): Promise<Tried> {
  const { host, port, transport } = read(url)
  const { address } = isIP(host) === 0 ? await lookup(host) : { address: host }
  let give = (_error: Error): void => {}
  const failure = new Promise<never>((_, reject) => {
    give = reject
  })
  // Whoever waits is the race below.
  failure.catch(() => {})
  const timer = clock.setTimeout(
    () => give(new TurnError('no_answer', `no answer within ${withinMs} ms`)),
    withinMs,
  )
  let wire: Wire | undefined
  let client: TurnClient | undefined
  try {
    const opened = await Promise.race([
      open({
        transport,
        host,
        at: { address, port },
        received: bytes => void client?.received(bytes),
        failed: give,
      }),
      failure,
    ])
    wire = opened
    client = new TurnClient({
      clock,
      random,
      send: opened.send,
      reliable: transport !== 'udp',
      ...credential,
    })
    const startedMs = clock.now()
    const mapped = await Promise.race([client.binding(), failure])
    const roundTripMs = clock.now() - startedMs
    const relayed = credential === null ? null : (await Promise.race([allocated(client), failure])).relayed
    return { mapped, relayed, roundTripMs }
  } finally {
    clock.clearTimeout(timer)
    client?.close()
    wire?.close()
  }
}

/** The server gives the address back before we say that all is well. */
async function allocated(client: TurnClient): Promise<Allocated> {
  const found = await client.allocate()
  await client.refresh(0)
  return found
}

interface Wire {
  readonly send: (bytes: Buffer) => void
  close(): void
}

interface WireOptions {
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly host: string
  readonly at: Endpoint
  readonly received: (bytes: Buffer) => void
  readonly failed: (error: Error) => void
}

async function open(options: WireOptions): Promise<Wire> {
  const { transport, at, received, failed } = options
  if (transport !== 'udp') return openStream(options)
  const socket = await UdpSocket.open({
    address: familyOf(at.address) === 6 ? '::' : '0.0.0.0',
    port: 0,
    bufferBytes: 65_536,
    received,
    failed,
  })
  return { send: bytes => socket.send(bytes, at), close: () => socket.close() }
}

function openStream({ transport, host, at, received, failed }: WireOptions): Promise<Wire> {
  const to = { host: at.address, port: at.port }
  return new Promise(resolve => {
    const ready = () => resolve({ send: bytes => void socket.write(bytes), close: () => socket.destroy() })
    const socket: Socket =
      transport === 'tcp'
        ? connect(to, ready)
        : secureConnect({ ...to, ...(isIP(host) === 0 && { servername: host }) }, ready)
    const frames = new FrameReader()
    socket.on('error', failed)
    socket.on('close', () => failed(new TurnError('no_answer', 'the server closed the connection')))
    socket.on('data', chunk => {
      for (const frame of frames.read(chunk) ?? []) received(frame)
    })
  })
}

function read(url: string) {
  const [, scheme, six, name, digits, over] = URI.exec(url) ?? []
  const host = six ?? name
  if (host === undefined) throw new TurnError('bad_url', `wanted a URI such as turn:host:port, got ${url}`)
  const secure = scheme === 'turns'
  const transport = secure ? ('tls' as const) : over === 'tcp' ? ('tcp' as const) : ('udp' as const)
  return { host, port: digits === undefined ? (secure ? TLS_PORT : PORT) : Number(digits), transport }
}
