/**
 * The links of an agent over a real WireGuard interface. For each peer, a loopback socket that WireGuard takes
 * for the peer itself:
 *
 *   application ─ interface ─ WireGuard ◄─ udp 127.0.0.1 ─► LinkSocket ◄─ send / deliver ─► relay
 *
 * The socket belongs to the peer's key, not to the link: when the same peer comes back on another link,
 * WireGuard's endpoint stays and no packet is lost to the change.
 */
import { systemClock, type Clock } from '../../kit/clock.js'
import { systemRandom, type Random } from '../../kit/random.js'
import type { Log } from '../../app/mesh.js'
import type { FullTunnel } from '../exit/full-tunnel.js'
import type { TunnelMetrics } from '../link.js'
import type { Peer, Tunnel } from '../ports.js'
import type { Ledger } from '../system/ledger.js'
import { publicOf } from '../../protocol/proof.js'
import { run as runTool, type Run } from '../system/run.js'
import { parseCidr } from './cidr.js'
import { Device } from './device.js'
import { Handshake } from './handshake.js'
import { LinkSocket } from './link-socket.js'
import { PeerTable } from './peer-table.js'

/**
 * Bytes that an inner packet may have. The relay is a TCP stream and fragments nothing, so what counts is the
 * direct path that may come later: WireGuard over UDP and IPv6 adds 80, and 1460 is the smallest MTU in wide
 * use (DS-Lite, some clouds).
 */
export const DEFAULT_MTU = 1380
/** WireGuard's own bytes around an inner packet: header 16, tag 16. */
const WIREGUARD_OVERHEAD = 32
/** IPv6 asks for no less. */
const SMALLEST_MTU = 1280

export interface WireGuardTunnelOptions {
  /** The agent's WireGuard private key, base64. */
  readonly privateKey: string
  /** What is taken from the machine is written down here. */
  readonly ledger: Ledger
  readonly log: Log
  /** Interface name: attached to when it exists, else made. Without one: the first free `boson0`, `boson1`, … */
  readonly interface?: string
  readonly mtu?: number
  /** Sends everything through the peer when the coordinator allows it; without one, a default route is ignored. */
  readonly fullTunnel?: FullTunnel
  readonly run?: Run
  readonly clock?: Clock
  readonly random?: Random
}

interface Link {
  readonly send: (packet: Uint8Array) => void
  readonly peer: PeerState
  sentBytes: number
  receivedBytes: number
  lastReceivedAtMs: number | null
}

interface PeerState {
  readonly key: string
  readonly socket: LinkSocket
  readonly handshake: Handshake
  /** The newest link to this peer: what WireGuard sends goes there. Null while the first is being opened. */
  link: Link | null
}

export class WireGuardTunnel implements Tunnel {
  readonly sealed = true
  /** Packets for WireGuard that the system did not take. */
  sendErrors = 0
  readonly #options: WireGuardTunnelOptions
  readonly #run: Run
  readonly #clock: Clock
  readonly #publicKey: string
  readonly #links = new Map<number, Link>()
  readonly #peers = new Map<string, Promise<PeerState>>()
  #up: Promise<{ device: Device; table: PeerTable }> | null = null
  #addressing: Promise<void> = Promise.resolve()

  constructor(options: WireGuardTunnelOptions) {
    this.#options = options
    this.#run = options.run ?? runTool
    this.#clock = options.clock ?? systemClock
    this.#publicKey = base64(publicOf(Buffer.from(options.privateKey, 'base64')))
  }

  /** Makes the interface, or attaches to it; returns its name. Rejects with a `SystemError` that says what is missing. */
  async start(): Promise<string> {
    const { device } = await (this.#up ??= this.#bring())
    return device.name
  }

  addressed(own: { overlay4: string; overlay6: string; mtu: number }): Promise<void> {
    const addressing = this.#address(own)
    this.#addressing = addressing.catch(() => {})
    return addressing
  }

  async open(peer: Peer, send: (packet: Uint8Array) => void): Promise<void> {
    const { device, table } = await this.#ready()
    const key = base64(peer.peerKey)
    const state = await this.#peer(key, device)
    const allowedIps = this.#accepted(peer.allowedIps)
    await table.set({
      publicKey: key,
      endpointPort: state.socket.port,
      allowedIps,
      keepaliveS: peer.keepaliveS,
    })
    const known = this.#links.get(peer.link)
    const link: Link = { sentBytes: 0, receivedBytes: 0, lastReceivedAtMs: null, ...known, send, peer: state }
    this.#links.set(peer.link, link)
    state.link = link
    if (allowedIps.some(each => parseCidr(each).everything)) await this.#options.fullTunnel?.cover(device)
  }

  deliver(link: number, packet: Uint8Array): void {
    const to = this.#links.get(link)
    if (to === undefined) return
    const nowMs = this.#clock.now()
    to.receivedBytes += packet.length
    to.lastReceivedAtMs = nowMs
    if (to.peer.handshake.received(packet, nowMs)) to.peer.socket.send(packet)
  }

  async close(link: number): Promise<void> {
    const closed = this.#links.get(link)
    if (closed === undefined) return
    this.#links.delete(link)
    const { peer } = closed
    if (peer.link !== closed) return
    this.#peers.delete(peer.key)
    end(peer)
    const { table } = await this.#ready()
    // Opened again in the meantime: the entry is the new one's.
    if (!this.#peers.has(peer.key)) await table.remove(peer.key)
  }

  /** Gives back the interface, the routes and all else that was taken from the machine. */
  async stop(): Promise<void> {
    const up = await this.#up?.catch(() => null)
    // Commands on their way would find no interface, or a new one of someone else.
    await this.#addressing
    this.#links.clear()
    for (const peer of this.#peers.values()) end(await peer)
    this.#peers.clear()
    await up?.device.close()
    await this.#options.ledger.giveBackAll()
    this.#up = null
  }

  metrics(link: number): TunnelMetrics | null {
    const state = this.#links.get(link)
    if (state === undefined) return null
    const { sentBytes, receivedBytes, lastReceivedAtMs } = state
    return {
      rttMs: state.peer.handshake.rttMs,
      sentBytes,
      receivedBytes,
      lastReceivedMs: lastReceivedAtMs === null ? null : this.#clock.now() - lastReceivedAtMs,
    }
  }

  async #address(own: { overlay4: string; overlay6: string; mtu: number }): Promise<void> {
    await this.start()
    const { device } = await this.#ready()
    await device.address([own.overlay4, own.overlay6])
    await device.resize(Math.max(SMALLEST_MTU, Math.min(this.#mtu, own.mtu - WIREGUARD_OVERHEAD)))
  }

  get #mtu(): number {
    return this.#options.mtu ?? DEFAULT_MTU
  }

  async #ready(): Promise<{ device: Device; table: PeerTable }> {
    if (this.#up === null) throw new Error('the tunnel is not up: addressed() comes before open()')
    return this.#up
  }

  async #bring(): Promise<{ device: Device; table: PeerTable }> {
    const { ledger, log, privateKey, random = systemRandom, fullTunnel } = this.#options
    const device: Device = await Device.open({
      name: this.#options.interface ?? null,
      privateKey,
      mtu: this.#mtu,
      ledger,
      run: this.#run,
      clock: this.#clock,
      random,
      log,
      rebuilt: async () => {
        await table.reapply()
        await fullTunnel?.recover(device)
      },
    })
    const table = new PeerTable(device, this.#run, ledger)
    return { device, table }
  }

  /** Two links to one peer may be opened at the same moment: both wait for the one socket. */
  #peer(key: string, device: Device): Promise<PeerState> {
    const known = this.#peers.get(key)
    if (known !== undefined) return known
    const opening = this.#openPeer(key, device)
    this.#peers.set(key, opening)
    opening.catch(() => this.#peers.delete(key))
    return opening
  }

  async #openPeer(key: string, device: Device): Promise<PeerState> {
    const send = (packet: Uint8Array) => {
      if (state.link === null) return
      state.link.sentBytes += packet.length
      state.link.send(packet)
    }
    const handshake = new Handshake({ clock: this.#clock, first: this.#publicKey > key, repeat: send })
    const socket = await LinkSocket.open({
      port: device.listenPort,
      heard: packet => {
        handshake.sent(packet, this.#clock.now())
        send(packet)
      },
      failed: () => void this.sendErrors++,
    })
    const state: PeerState = { key, socket, handshake, link: null }
    return state
  }

  /** Only who asked for it sends everything through a peer. */
  #accepted(allowedIps: readonly string[]): readonly string[] {
    return allowedIps.filter(each => this.#options.fullTunnel !== undefined || !parseCidr(each).everything)
  }
}

function end({ socket, handshake }: PeerState): void {
  handshake.stop()
  socket.close()
}

/** Returns a key as `wg` writes it. */
const base64 = (key: Uint8Array): string => Buffer.from(key).toString('base64')
