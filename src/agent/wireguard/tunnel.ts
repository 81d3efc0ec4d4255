/**
 * The links of an agent over a real WireGuard interface. For each peer, a loopback socket that WireGuard takes
 * for the peer itself:
 *
 *   application ─ interface ─ WireGuard ◄─ udp 127.0.0.1 ─► LinkSocket ◄─ send / deliver ─► relay
 *
 * The socket belongs to the peer's key, not to the link: when the same peer comes back on another link,
 * WireGuard's endpoint stays and no packet is lost to the change. When another peer takes over what is sent through
 * one, as on the move from one exit to the next, it does so when it carries.
 *
 * A peer that can be reached without us is steered there: then the two WireGuards talk past this process.
 */
import { endpointText, readEndpoint } from '../../protocol/address.js'
import { systemClock, type Clock } from '../../kit/clock.js'
import { systemRandom, type Random } from '../../kit/random.js'
import type { Log } from '../../app/mesh.js'
import type { FullTunnel } from '../exit/full-tunnel.js'
import type { TunnelMetrics } from '../link.js'
import type { OwnFigures, OwnSocket, Peer, Tunnel } from '../ports.js'
import type { Ledger } from '../system/ledger.js'
import { publicOf } from '../../protocol/proof.js'
import { run as runTool, type Run } from '../system/run.js'
import { AddressClaims } from './address-claims.js'
import { parseCidr } from './cidr.js'
import { Device } from './device.js'
import { Handshake } from './handshake.js'
import { LinkSocket } from './link-socket.js'
import { PeerTable } from './peer-table.js'
import type { PeerEntry } from './wg.js'

/**
 * Bytes that an inner packet may have. The relay is a TCP stream and fragments nothing, so what counts is the
 * direct path that may come later: WireGuard over UDP and IPv6 adds 80, and 1460 is the smallest MTU in wide
 * use (DS-Lite, some clouds).
 */
export const DEFAULT_MTU = 1380
/** Between handshake initiations to somebody who does not answer WireGuard takes 5 s; a keepalive asks for them, s. */
const BECKON_S = 5
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
  /** UDP port of an interface that is made; 0 or none: any. */
  readonly port?: number
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
  /** As its link was opened, all that it wants: what WireGuard is told while it is not steered. */
  entry: PeerEntry
  /** Its WireGuard and ours understand each other. */
  hasAgreed: boolean
  /** As WireGuard was told instead; null: it sends through the link. */
  steered: PeerEntry | null
  /** The newest link to this peer: what WireGuard sends goes there. Null while the first is being opened. */
  link: Link | null
}

export class WireGuardTunnel implements Tunnel, OwnSocket {
  readonly sealed = true
  /** Packets for WireGuard that the system did not take. */
  sendErrors = 0
  readonly #options: WireGuardTunnelOptions
  readonly #run: Run
  readonly #clock: Clock
  readonly #publicKey: string
  readonly #links = new Map<number, Link>()
  readonly #peers = new Map<string, Promise<PeerState>>()
  readonly #claims = new AddressClaims()
  #ownPort: number | null = null
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
    const { device } = await this.#ready()
    const key = base64(peer.peerKey)
    const state = await this.#peer(key, device)
    const allowedIps = this.#accepted(peer.allowedIps)
    state.entry = { ...state.entry, allowedIps, keepaliveS: peer.keepaliveS }
    const heirs = this.#claims.want(key, allowedIps)
    const losers = state.hasAgreed ? this.#claims.take(key) : []
    try {
      await this.#tell([...heirs, key, ...losers])
    } catch (error) {
      if (state.link === null) this.#claims.drop(key)
      throw error
    }
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
    // Before the peer is gone others have what it had, so that no packet is without a way.
    await this.#tell(this.#claims.drop(peer.key))
    const { table } = await this.#ready()
    // Opened again in the meantime: the entry is the new one's.
    if (!this.#peers.has(peer.key)) await table.remove(peer.key)
  }

  async steer(link: number, to: Parameters<OwnSocket['steer']>[1]): Promise<void> {
    const peer = this.#links.get(link)?.peer
    if (peer === undefined) return
    const { table } = await this.#ready()
    // What is repeated here would come to the peer after it has gone, and fetch it back.
    peer.handshake.stop()
    peer.steered =
      to === null ? null : { ...peer.entry, endpoint: endpointText(to.at), keepaliveS: to.keepaliveS }
    await table.steer(this.#entryOf(peer))
  }

  async beckon(publicKey: Uint8Array, at: string): Promise<void> {
    const { table } = await this.#ready()
    const key = base64(publicKey)
    // WireGuard waits before it tries a peer again, but not before it tries a new one.
    await table.remove(key)
    await table.set({ publicKey: key, endpoint: at, allowedIps: [], keepaliveS: BECKON_S })
  }

  async unbeckon(publicKey: Uint8Array): Promise<void> {
    const { table } = await this.#ready()
    await table.remove(base64(publicKey))
  }

  async figures(): Promise<ReadonlyMap<number, OwnFigures>> {
    const { device } = await this.#ready()
    const peers = new Map((await device.dump()).peers.map(each => [each.publicKey, each]))
    const figures = new Map<number, OwnFigures>()
    for (const [link, { peer }] of this.#links) {
      const { endpoint = null, sentBytes = 0, receivedBytes = 0 } = peers.get(peer.key) ?? {}
      const at = endpoint === null || endpoint === peer.entry.endpoint ? null : readEndpoint(endpoint)
      figures.set(link, { at, sentBytes, receivedBytes })
    }
    return figures
  }

  get ownPort(): number | null {
    return this.#ownPort
  }

  /** Gives back the interface, the routes and all else that was taken from the machine. */
  async stop(): Promise<void> {
    const up = await this.#up?.catch(() => null)
    // Commands on their way would find no interface, or a new one of someone else.
    await this.#addressing
    this.#links.clear()
    for (const peer of this.#peers.values()) end(await peer)
    this.#peers.clear()
    this.#claims.clear()
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
    const { ledger, log, privateKey, port = 0, random = systemRandom, fullTunnel } = this.#options
    const device: Device = await Device.open({
      name: this.#options.interface ?? null,
      privateKey,
      port,
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
    this.#ownPort = device.listenPort
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
    const handshake = new Handshake({
      clock: this.#clock,
      first: this.#publicKey > key,
      repeat: send,
      agreed: () => this.#agreed(state),
    })
    const socket = await LinkSocket.open({
      port: device.listenPort,
      heard: packet => {
        handshake.sent(packet, this.#clock.now())
        send(packet)
      },
      failed: () => void this.sendErrors++,
    })
    const endpoint = `127.0.0.1:${socket.port}`
    const entry = { publicKey: key, endpoint, allowedIps: [], keepaliveS: 0 }
    const state: PeerState = { key, socket, handshake, entry, hasAgreed: false, steered: null, link: null }
    return state
  }

  /** The peer carries: it takes over what it wants. */
  #agreed(state: PeerState): void {
    state.hasAgreed = true
    const losers = this.#claims.take(state.key)
    if (losers.length === 0) return
    // What cannot be done now is done when the other peer goes.
    this.#tell([state.key, ...losers]).catch((error: unknown) =>
      this.#options.log.debug({ err: error }, 'the addresses of a peer did not move to the next one'),
    )
  }

  /** Tells WireGuard what these peers have now: in this order, so that an address goes from one to the other at once. */
  async #tell(keys: readonly string[]): Promise<void> {
    const { table } = await this.#ready()
    const states = await Promise.all(keys.flatMap(key => this.#peers.get(key) ?? []))
    await Promise.all(states.map(state => table.set(this.#entryOf(state))))
  }

  #entryOf(state: PeerState): PeerEntry {
    return { ...(state.steered ?? state.entry), allowedIps: this.#claims.heldBy(state.key) }
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
