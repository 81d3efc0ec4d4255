/**
 * Peers at a wg-easy. It makes the keys, gives the addresses, and has no names that are unique: a peer is found again by
 * the name that it has in the mesh, so that whatever was cut short is finished, not done twice.
 *
 *   apply    listed? ─no─→ create, list again ─→ enabled as wanted? ─no─→ enable, disable ─→ keys, once
 */
import type { CallAnswer } from '../../http/call.js'
import type { Clock } from '../../kit/clock.js'
import type { PeerProvisioner, PeerServer, ProvisionedPeer, WantedPeer } from '../ports.js'
import type { Counters } from '../wireguard/counters.js'
import { keyText } from '../wireguard/key.js'
import { readClients, type WgEasyClient } from './clients.js'
import { type ClientConfiguration, readConfiguration } from './configuration.js'
import type { WgEasyDoor } from './door.js'
import { WgEasyError } from './errors.js'

export interface WgEasyOptions {
  readonly clock: Clock
  readonly door: WgEasyDoor
  readonly counters: Counters
}

/** An operator of wg-easy seldom gives it another address, ms. */
const SERVER_KEPT_MS = 60_000

export class WgEasy implements PeerProvisioner {
  readonly name = 'wg-easy'
  readonly #options: WgEasyOptions
  /** wg-easy writes all of its clients at once: changes come one after another. */
  #turn: Promise<unknown> = Promise.resolve()
  #server: { readonly server: PeerServer; readonly untilMs: number } | null = null

  constructor(options: WgEasyOptions) {
    this.#options = options
  }

  apply(peer: WantedPeer): Promise<ProvisionedPeer> {
    return this.#inTurn(() => this.#apply(peer))
  }

  remove(peer: WantedPeer): Promise<void> {
    return this.#inTurn(async () => {
      for (const client of mine(await this.#list(), peer)) await this.#delete(client)
    })
  }

  async server(): Promise<PeerServer | null> {
    const { clock } = this.#options
    if (this.#server !== null && clock.now() < this.#server.untilMs) return this.#server.server
    const [first] = await this.#list()
    if (first === undefined)
      throw new WgEasyError('WG_EASY_ANSWER', 'wg-easy tells of itself to its clients only, and has none yet')
    const { server } = await this.#configurationOf(first)
    this.#server = { server, untilMs: clock.now() + SERVER_KEPT_MS }
    return server
  }

  async present(): Promise<ReadonlyMap<string, boolean>> {
    return new Map((await this.#list()).map(({ publicKey, enabled }) => [keyText(publicKey), enabled]))
  }

  usage(): Promise<ReadonlyMap<string, number>> {
    return this.#options.counters.read(async () => countsOf(await this.#list()))
  }

  async #apply(peer: WantedPeer): Promise<ProvisionedPeer> {
    if (peer.publicKey !== null && peer.externalId === null)
      throw new WgEasyError(
        'PROVISION_REFUSED',
        'wg-easy makes the keys of its clients: it takes none of their own making',
      )
    const found = await this.#find(peer)
    const { publicKey, overlay4, overlay6, externalId } = peer
    if (found === undefined && !peer.enabled && publicKey !== null && overlay4 !== null)
      return { publicKey, privateKey: null, presharedKey: null, overlay4, overlay6, externalId }
    const client = found ?? (await this.#create(peer))
    const isKnown = isKeyOf(client, publicKey)
    const told = isKnown && client.overlay4 !== null ? null : await this.#configurationOf(client)
    await this.#enable(client, peer.enabled)
    return {
      publicKey: client.publicKey,
      privateKey: isKnown ? null : (told?.privateKey ?? null),
      presharedKey: isKnown ? null : (told?.presharedKey ?? null),
      overlay4: client.overlay4 ?? told?.overlay4 ?? noAddress(),
      overlay6: client.overlay6 ?? told?.overlay6 ?? null,
      externalId: client.id,
    }
  }

  /** Resolves with the peer's client; the others of its name are deleted, for they were made at the same time. */
  async #find(peer: WantedPeer): Promise<WgEasyClient | undefined> {
    const [client, ...others] = mine(await this.#list(), peer)
    for (const other of others) await this.#delete(other)
    return client
  }

  async #create(peer: WantedPeer): Promise<WgEasyClient> {
    this.#expect(await this.#options.door.ask('POST', '', bodyOf(peer)), 'create a client')
    // Most versions do not say what they have made.
    const client = await this.#find(peer)
    if (client === undefined)
      throw new WgEasyError('WG_EASY_ANSWER', 'wg-easy created a client, and does not list it')
    return client
  }

  async #enable(client: WgEasyClient, enabled: boolean): Promise<void> {
    if (client.enabled === enabled) return
    const { door } = this.#options
    if (enabled) {
      const answer = await door.ask('POST', `/${client.id}/enable`)
      if (answer.status === 422)
        throw new WgEasyError(
          'PROVISION_REFUSED',
          'the client has an end at wg-easy, which has passed: clear it there',
        )
      return this.#expect(answer, 'enable a client')
    }
    const knowsHow = await this.#ending(client, async () => {
      const answer = await door.ask('POST', `/${client.id}/disable`)
      if (answer.status !== 404) this.#expect(answer, 'disable a client')
      return answer.status !== 404
    })
    // Some know no such thing. What must not carry must not be there then.
    if (!knowsHow) await this.#delete(client)
  }

  async #delete(client: WgEasyClient): Promise<void> {
    await this.#ending(client, async () => {
      const answer = await this.#options.door.ask('DELETE', `/${client.id}`)
      if (answer.status !== 404) this.#expect(answer, 'delete a client')
    })
  }

  /** Does what has a client's counters begin anew, and keeps what they said. */
  async #ending<T>(client: WgEasyClient, work: () => Promise<T>): Promise<T> {
    const done = await work()
    await this.#options.counters.read(async () => countsOf([client]), [client.publicKey])
    return done
  }

  async #configurationOf({ id }: WgEasyClient): Promise<ClientConfiguration> {
    const answer = await this.#options.door.ask('GET', `/${id}/configuration`)
    this.#expect(answer, 'tell a configuration')
    return readConfiguration(answer.body.toString())
  }

  async #list(): Promise<readonly WgEasyClient[]> {
    return readClients(await this.#options.door.list())
  }

  #expect({ status }: CallAnswer, what: string): void {
    if (status < 200 || status > 299)
      throw new WgEasyError('WG_EASY_ANSWER', `wg-easy was to ${what}, and answered ${status}`)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/**
 * Returns the clients that are this peer, the one that it is known by first. An id alone is no proof: wg-easy may give it
 * to another client when this one is gone.
 */
const mine = (clients: readonly WgEasyClient[], peer: WantedPeer): readonly WgEasyClient[] =>
  clients
    .filter(client => client.name === peer.identityId || isKeyOf(client, peer.publicKey))
    .toSorted((a, b) => Number(isKeyOf(b, peer.publicKey)) - Number(isKeyOf(a, peer.publicKey)))

const isKeyOf = ({ publicKey }: WgEasyClient, key: Uint8Array | null): boolean =>
  key !== null && Buffer.compare(publicKey, key) === 0

/** What every version asks for; they ignore what they do not know. */
const bodyOf = ({ identityId }: WantedPeer) => ({ name: identityId, description: null, expiresAt: null })

const countsOf = (clients: readonly WgEasyClient[]): ReadonlyMap<string, number> =>
  new Map(clients.flatMap(({ publicKey, bytes }) => (bytes === null ? [] : [[keyText(publicKey), bytes]])))

function noAddress(): never {
  throw new WgEasyError('WG_EASY_ANSWER', 'wg-easy tells no IPv4 address of a client')
}
