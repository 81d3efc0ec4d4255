/**
 * A wg-easy on loopback that answers as the real ones do, by their versions: paths, fields, status codes, and what they
 * make of an Authorization header. WireGuard itself is a few numbers here.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { newKeyPair } from '../../src/protocol/proof.js'

/** `seed` is what the first VPN API was written for: `/clients`, and nothing to disable one. */
export type Version = 7 | 13 | 14 | 15 | 'seed'

export interface FakeClient {
  readonly id: string | number
  name: string
  enabled: boolean
  readonly address: string
  readonly privateKey: string
  readonly publicKey: string
  readonly presharedKey: string
  readonly createdAt: string
  rx: number
  tx: number
  /** 15: it has an end, which has passed. */
  hasEnded: boolean
}

export interface WgEasyOptions {
  /** As its operator chose it; null: it asks for none, as those before 15 may. */
  readonly password?: string | null
}

export const PASSWORD = 'pa$$word of a wg-easy'
export const USERNAME = 'admin'

type Handler = (request: IncomingMessage, response: ServerResponse) => boolean

export class FakeWgEasy {
  readonly url: string
  readonly clients: FakeClient[] = []
  /** What it was asked: `POST /api/client`. */
  readonly asked: string[] = []
  /** Answers before it does; returns whether it did. */
  intercept: Handler = () => false
  /** Hears of each client that it has made, before it says so. */
  made: (client: FakeClient) => void = () => undefined
  version: Version
  readonly #password: string | null
  #sessions = new Set<string>()
  #count = 0

  constructor(url: string, version: Version, { password = PASSWORD }: WgEasyOptions) {
    this.url = url
    this.version = version
    this.#password = password
  }

  /** It is started anew: nobody is signed in any more, and WireGuard counts from the beginning. */
  restart(): void {
    this.#sessions.clear()
    for (const client of this.clients) client.rx = client.tx = 0
  }

  /** Makes a client, as its page does. */
  create(name: string): FakeClient {
    const keys = newKeyPair()
    this.#count++
    const client: FakeClient = {
      id:
        this.version === 15
          ? this.#count
          : `00000000-0000-4000-8000-${String(this.#count).padStart(12, '0')}`,
      name,
      enabled: true,
      address: `10.8.0.${this.#count + 1}`,
      privateKey: Buffer.from(keys.privateKey).toString('base64'),
      publicKey: Buffer.from(keys.publicKey).toString('base64'),
      presharedKey: Buffer.alloc(32, this.#count).toString('base64'),
      createdAt: new Date(1_700_000_000_000 + this.#count * 1_000).toISOString(),
      rx: 0,
      tx: 0,
      hasEnded: false,
    }
    this.clients.push(client)
    return client
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '', this.url).pathname
    this.asked.push(`${request.method} ${path}`)
    if (this.intercept(request, response)) return
    const body = await bodyOf(request)
    if (path === '/api/session' && request.method === 'POST' && this.version !== 'seed')
      return this.#signIn(body, response)
    const refusal = this.#refusal(request)
    if (refusal !== null && (path.startsWith('/api/') || this.version !== 14))
      return json(response, refusal.status, refusal.body)
    const base = {
      7: '/api/wireguard/client',
      13: '/api/wireguard/client',
      14: '/api/wireguard/client',
      15: '/api/client',
      seed: '/clients',
    }[this.version]
    if (path !== base && !path.startsWith(`${base}/`)) return json(response, 404, { statusCode: 404 })
    const [, id, verb] = path.slice(base.length).split('/')
    this.#serve(request.method ?? '', id, verb, body, response)
  }

  #serve(
    method: string,
    id: string | undefined,
    verb: string | undefined,
    body: Body,
    response: ServerResponse,
  ): void {
    const client = this.clients.find(one => String(one.id) === id)
    switch (`${method} ${id === undefined ? '' : 'id'} ${verb ?? ''}`.trim()) {
      case 'GET':
        return json(
          response,
          200,
          this.clients.map(one => this.#listed(one)),
        )
      case 'POST': {
        const made = this.create(String(body['name']))
        this.made(made)
        if (this.version === 15) return json(response, 200, { success: true, clientId: made.id })
        return json(response, 200, this.version === 14 ? { success: true } : this.#listed(made))
      }
      case 'DELETE id':
        if (client !== undefined) this.clients.splice(this.clients.indexOf(client), 1)
        else if (this.version === 'seed') return json(response, 404, { error: 'not found' })
        return this.#done(response)
      case 'POST id enable':
      case 'POST id disable':
        return this.#toggle(client, verb === 'enable', response)
      case 'GET id configuration':
        if (client === undefined) return json(response, 404, { statusCode: 404 })
        response.writeHead(200, { 'content-type': 'text/plain' }).end(this.#configuration(client))
        return
      default:
        json(response, 404, { statusCode: 404 })
    }
  }

  #toggle(client: FakeClient | undefined, enabled: boolean, response: ServerResponse): void {
    if (this.version === 'seed') return json(response, 404, { error: 'not found' })
    if (client === undefined)
      return this.version === 15 ? this.#done(response) : json(response, 404, { error: 'Client Not Found' })
    if (enabled && client.hasEnded) return json(response, 422, { statusCode: 422 })
    client.enabled = enabled
    // WireGuard forgets a peer that is taken away from it, and what it has counted.
    if (!enabled) client.rx = client.tx = 0
    this.#done(response)
  }

  #done(response: ServerResponse): void {
    if (this.version === 14 || this.version === 15) return json(response, 200, { success: true })
    response.writeHead(204).end()
  }

  #listed(client: FakeClient): object {
    const { id, name, enabled, publicKey, createdAt, address, rx, tx } = client
    if (this.version === 'seed') return { id, name, publicKey }
    const counts = enabled ? { transferRx: rx, transferTx: tx } : { transferRx: null, transferTx: null }
    const common = {
      id,
      name,
      enabled,
      publicKey,
      createdAt,
      updatedAt: createdAt,
      latestHandshakeAt: null,
      ...counts,
    }
    return this.version === 15
      ? {
          ...common,
          ipv4Address: address,
          ipv6Address: 'fdcc:ad94:bacf:61a4::cafe:2',
          expiresAt: null,
          oneTimeLink: null,
        }
      : { ...common, address, allowedIPs: undefined, persistentKeepalive: '0' }
  }

  #configuration({ privateKey, presharedKey, address }: FakeClient): string {
    const six = this.version === 15 ? ', fdcc:ad94:bacf:61a4::cafe:2/112' : ''
    return `
[Interface]
PrivateKey = ${privateKey}
Address = ${address}/24${six}
DNS = 1.1.1.1
MTU = 1420

[Peer]
PublicKey = ${SERVER_KEY}
PresharedKey = ${presharedKey}
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 0
Endpoint = vpn.example.org:51820`
  }

  /** What a stranger is told; null: it is none. */
  #refusal(request: IncomingMessage): { readonly status: number; readonly body: object } | null {
    const { authorization, cookie } = request.headers
    if (this.#password === null) return null
    if (cookie !== undefined && this.#sessions.has(cookie) && this.version !== 'seed') return null
    switch (this.version) {
      case 7:
        return { status: 401, body: { error: 'Not Logged In' } }
      case 13:
        if (authorization === this.#password) return null
        return {
          status: 401,
          body: { error: authorization === undefined ? 'Not Logged In' : 'Incorrect Password' },
        }
      case 14:
      case 'seed':
        if (authorization === this.#password) return null
        return { status: 500, body: { statusCode: 500, stack: [] } }
      case 15: {
        const [method, value = ''] = (authorization ?? '').split(' ')
        if (authorization === undefined) return { status: 401, body: { statusCode: 401 } }
        if (method !== 'Basic')
          return { status: 400, body: { statusCode: 400, statusMessage: 'Invalid Basic Authorization' } }
        const isKnown = Buffer.from(value, 'base64').toString() === `${USERNAME}:${this.#password}`
        return isKnown ? null : { status: 401, body: { statusCode: 401, statusMessage: 'Session failed' } }
      }
    }
  }

  #signIn(body: Body, response: ServerResponse): void {
    const isKnown =
      body['password'] === this.#password && (this.version !== 15 || body['username'] === USERNAME)
    if (!isKnown) return json(response, 401, { error: 'Incorrect Password' })
    const cookie = `${this.version === 15 ? 'wg-easy' : 'connect.sid'}=s${this.#sessions.size}-${this.asked.length}`
    this.#sessions.add(cookie)
    response.setHeader('set-cookie', `${cookie}; Path=/; HttpOnly`)
    this.#done(response)
  }
}

export const SERVER_KEY = Buffer.alloc(32, 7).toString('base64')

type Body = Readonly<Record<string, unknown>>

/** Starts one, which ends with the test. */
export async function startWgEasy(
  t: Test,
  version: Version,
  options: WgEasyOptions = {},
): Promise<FakeWgEasy> {
  const server = createServer((request, response) => void fake.answer(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  const fake = new FakeWgEasy(`http://127.0.0.1:${port}/`, version, options)
  t.teardown(
    () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return fake
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer) // no encoding is set
  const text = Buffer.concat(pieces).toString()
  return text === '' ? {} : (JSON.parse(text) as Body) // what our own client writes
}
