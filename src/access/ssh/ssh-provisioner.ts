/**
 * Peers on a WireGuard host of one's own. It has no names and knows nothing of being disabled: a peer that may not carry is
 * not there. Addresses are given here, and the host keeps a list of the keys that we have added, so that nothing else on it
 * is ever touched.
 */
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { PeerProvisioner, PeerServer, ProvisionedPeer, WantedPeer } from '../ports.js'
import type { AccessTables } from '../tables.js'
import type { Counters } from '../wireguard/counters.js'
import { hostPortText } from '../wireguard/host-port.js'
import { keyText } from '../wireguard/key.js'
import type { Addresses, PeerAddresses } from './addresses.js'
import { HostError } from './errors.js'
import type { HostAnswer } from './script-lines.js'
import type { WireGuardHost } from './wireguard-host.js'

export interface SshProvisionerOptions {
  readonly clock: Clock
  readonly room: Room<AccessTables>
  readonly host: Pick<WireGuardHost, 'apply' | 'list' | 'remove' | 'makeKey' | 'makesKeys'>
  readonly addresses: Addresses
  readonly counters: Counters
  /** WG_APPLY_ENABLED: otherwise the host is told nothing. */
  readonly isOn: boolean
  /** What clients are told of the other end, as far as the host does not tell it. */
  readonly server: ServerTold
}

export interface ServerTold extends Pick<PeerServer, 'allowedIps' | 'dns'> {
  /** `host:port`; null: the host at the port where its WireGuard listens. */
  readonly endpoint: string | null
  readonly host: string
}

/** Of a peer that has no key yet. */
const NO_KEY = ''
/** The host's own key seldom becomes another, ms. */
const SERVER_KEPT_MS = 60_000

export class SshProvisioner implements PeerProvisioner {
  readonly name = 'ssh'
  readonly #options: SshProvisionerOptions
  #server: { readonly server: PeerServer; readonly untilMs: number } | null = null

  constructor(options: SshProvisionerOptions) {
    this.#options = options
  }

  async apply(peer: WantedPeer): Promise<ProvisionedPeer> {
    this.#mustBeOn()
    const { addresses, host } = this.#options
    const { publicKey, privateKey } =
      peer.publicKey === null ? await this.#newKeys() : { publicKey: peer.publicKey, privateKey: null }
    const { overlay4, overlay6 } = await addresses.of(peer.peerId, await this.#othersOf(peer))
    if (peer.enabled) await host.apply({ publicKey, overlay4, overlay6 })
    else await this.#takeAway([publicKey])
    return {
      publicKey,
      privateKey,
      presharedKey: null,
      overlay4,
      overlay6,
      externalId: null,
    }
  }

  async remove({ publicKey }: WantedPeer): Promise<void> {
    this.#mustBeOn()
    if (publicKey !== null) await this.#takeAway([publicKey])
  }

  async server(): Promise<PeerServer> {
    const { clock, host, server: told } = this.#options
    if (this.#server !== null && clock.now() < this.#server.untilMs) return this.#server.server
    this.#mustBeOn()
    const { publicKey, port } = await host.list()
    const endpoint = told.endpoint ?? hostPortText(told.host, port)
    const server = { publicKey, endpoint, allowedIps: told.allowedIps, dns: told.dns }
    this.#server = { server, untilMs: clock.now() + SERVER_KEPT_MS }
    return server
  }

  async usage(): Promise<ReadonlyMap<string, number>> {
    this.#mustBeOn()
    return this.#options.counters.read(async () => countsOf(await this.#options.host.list()))
  }

  /** One whose addresses are others than it was given carries nothing. */
  async present(): Promise<ReadonlyMap<string, boolean>> {
    this.#mustBeOn()
    const { peers } = await this.#options.host.list()
    const given = await this.#given()
    return new Map(
      peers.flatMap(({ isOurs, publicKey, allowedIps }) =>
        isOurs ? [[publicKey, isSame(allowedIps, given.get(publicKey))]] : [],
      ),
    )
  }

  async tidy(): Promise<number> {
    this.#mustBeOn()
    // In this order: the database knows a key before the host does.
    const { peers } = await this.#options.host.list()
    const given = await this.#given()
    // A key that the host makes now is written down by nobody yet.
    if (this.#options.host.makesKeys && given.has(NO_KEY)) return 0
    const orphans = peers.filter(({ isOurs, publicKey }) => isOurs && !given.has(publicKey))
    if (orphans.length > 0) await this.#takeAway(orphans.map(({ publicKey }) => bytesOf(publicKey)))
    return orphans.length
  }

  /** Resolves with the addresses of everyone's peers on the host, by public key in base64. */
  async #given(): Promise<ReadonlyMap<string, PeerAddresses>> {
    const rows = await this.#options.room.ask(db =>
      db
        .selectFrom('peers')
        .select(['public_key', 'overlay4', 'overlay6'])
        .where('provisioner', '=', 'ssh')
        .where(eb => eb.or([eb('removed_at', 'is', null), eb('due_at', 'is not', null)]))
        .execute(),
    )
    return new Map(
      rows.map(({ public_key, overlay4, overlay6 }) => [
        public_key === null ? NO_KEY : keyText(public_key),
        { overlay4: overlay4 ?? '', overlay6 },
      ]),
    )
  }

  /** Resolves with what tells addresses of peers that are not ours; only who has none yet needs to know. */
  async #othersOf({ overlay4 }: WantedPeer): Promise<(overlay4: string) => boolean> {
    if (overlay4 !== null) return () => false
    const { peers } = await this.#options.host.list()
    const taken = new Set(peers.flatMap(({ isOurs, allowedIps }) => (isOurs ? [] : allowedIps)))
    return address => taken.has(`${address}/32`)
  }

  async #takeAway(publicKeys: readonly Uint8Array[]): Promise<void> {
    const { counters, host } = this.#options
    await counters.read(async () => countsOf(await host.remove(publicKeys)), publicKeys)
  }

  async #newKeys(): Promise<{ readonly publicKey: Uint8Array; readonly privateKey: string }> {
    const { host } = this.#options
    if (!host.makesKeys)
      throw new HostError('PROVISION_REFUSED', 'it has no key yet, and the host makes none')
    const { publicKey, privateKey } = await host.makeKey()
    return { publicKey: bytesOf(publicKey), privateKey }
  }

  #mustBeOn(): void {
    if (!this.#options.isOn)
      throw new HostError('SSH_OFF', 'WG_APPLY_ENABLED is 0: nothing is told to the WireGuard host')
  }
}

const countsOf = ({ peers }: HostAnswer): ReadonlyMap<string, number> =>
  new Map(peers.flatMap(({ isOurs, publicKey, bytes }) => (isOurs ? [[publicKey, bytes]] : [])))

function isSame(allowedIps: readonly string[], given: PeerAddresses | undefined): boolean {
  if (given === undefined) return false
  const wanted = [`${given.overlay4}/32`, ...(given.overlay6 === null ? [] : [`${given.overlay6}/128`])]
  return allowedIps.toSorted().join() === wanted.toSorted().join()
}

/** Of a key that was read already, and found to be one. */
const bytesOf = (publicKey: string): Uint8Array => Uint8Array.from(Buffer.from(publicKey, 'base64'))
