/**
 * The parts of peers over a database of their own, with an other side that fails where a test wants it to. Time stands
 * still until the test moves it.
 */
import type { Test } from 'tap'
import { MIGRATIONS } from '../../src/access/migrations.js'
import { PeerBook } from '../../src/access/peers/book.js'
import { PeerDesk } from '../../src/access/peers/desk.js'
import { PeerCounts } from '../../src/access/peers/figures.js'
import { KeyMaker, type KeyPolicy } from '../../src/access/peers/key-maker.js'
import { keyText } from '../../src/access/wireguard/key.js'
import { PeerQueue } from '../../src/access/peers/queue.js'
import { Reconciler } from '../../src/access/peers/reconciler.js'
import { Secrets } from '../../src/access/peers/secrets.js'
import { Watch } from '../../src/access/peers/watch.js'
import type { Entitlements, PeerProvisioner, ProvisionedPeer, WantedPeer } from '../../src/access/ports.js'
import type { AccessTables } from '../../src/access/tables.js'
import { openVault } from '../../src/app/vault.js'
import { systemRandom } from '../../src/kit/random.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { openStore, StoreUnavailable } from '../../src/store/index.js'
import type { Room } from '../../src/store/rooms.js'
import { shortFolder } from './short-folder.js'
import { SimulatedClock } from './simulated-clock.js'

/** What may go wrong: before the other side has done it, after it has, or in our database once it has. */
export type Fault = 'before' | 'after' | 'database' | 'refused'

interface Client {
  readonly name: string
  readonly publicKey: Uint8Array
  readonly privateKey: string
  readonly overlay4: string
  enabled: boolean
  usedBytes: number
}

/** A wg-easy as far as peers can tell: it makes keys and addresses, and finds a client again by its name. */
export class Elsewhere implements PeerProvisioner {
  readonly name = 'wg-easy'
  /** By what it calls them. */
  readonly clients = new Map<string, Client>()
  /** What goes wrong next, one fault a call. */
  readonly faults: Fault[] = []
  /** Set: the database fails until it is cleared. */
  isDatabaseAway = false
  calls = 0
  #next = 2

  async apply(peer: WantedPeer): Promise<ProvisionedPeer> {
    this.calls++
    const fault = this.faults.shift()
    if (fault === 'before') throw new Error('connection refused')
    if (fault === 'refused')
      throw Object.assign(new Error('it will not have it'), { code: 'PROVISION_REFUSED' })
    const found = [...this.clients].find(([, { name }]) => name === peer.identityId)
    const [externalId, client] = found ?? [`id-${this.#next}`, null]
    let made = client
    if (made === null) {
      const pair = newKeyPair()
      const privateKey = keyText(pair.privateKey)
      const overlay4 = `10.8.0.${this.#next++}`
      const { publicKey } = pair
      made = { name: peer.identityId, publicKey, privateKey, overlay4, enabled: true, usedBytes: 0 }
      this.clients.set(externalId, made)
    }
    made.enabled = peer.enabled
    if (fault === 'after') throw new Error('connection reset')
    if (fault === 'database') this.isDatabaseAway = true
    const { publicKey, overlay4 } = made
    // Whoever does not know yet that it is there may not know its key either.
    const privateKey = peer.externalId === null ? made.privateKey : null
    return { publicKey, privateKey, presharedKey: null, overlay4, overlay6: null, externalId }
  }

  async remove({ identityId }: WantedPeer): Promise<void> {
    this.calls++
    const fault = this.faults.shift()
    if (fault === 'before') throw new Error('connection refused')
    for (const [id, { name }] of this.clients) if (name === identityId) this.clients.delete(id)
    if (fault === 'after') throw new Error('connection reset')
    if (fault === 'database') this.isDatabaseAway = true
  }

  async server() {
    return {
      publicKey: keyText(newKeyPair().publicKey),
      endpoint: '192.0.2.1:51820',
      allowedIps: ['0.0.0.0/0'],
      dns: [],
    }
  }

  async present() {
    return new Map([...this.clients.values()].map(each => [keyText(each.publicKey), each.enabled]))
  }

  async usage() {
    return new Map([...this.clients.values()].map(each => [keyText(each.publicKey), each.usedBytes]))
  }
}

/** Lets everyone but those who are named. */
export class LetMost implements Entitlements {
  readonly denied = new Set<string>()
  readonly charged: (readonly [string, number, number])[] = []
  readonly #hearers = new Set<(accountId: string) => void>()

  changed(accountId: string): void {
    for (const hear of this.#hearers) hear(accountId)
  }

  async settled(): Promise<void> {}

  of() {
    return { state: 'active', untilMs: null, usedBytes: 0, limitBytes: null, deviceLimit: 5 } as const
  }

  termsOf(identityId: string) {
    const denial = { code: 'not_entitled', reason: 'the tariff has ended', retryAfterMs: 60_000 } as const
    return { denial: this.denied.has(identityId) ? denial : null, groups: [], bytesPerSecond: null }
  }

  onChange(hear: (accountId: string) => void): () => void {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  charge(source: string, peerId: number, totalBytes: number): void {
    this.charged.push([source, peerId, totalBytes])
  }
}

/** Resolves with what makes the parts anew, each time with no peers, and accounts `acc_1` and `acc_2` that may have three. */
export async function peerBenches(t: Test) {
  const store = await openStore({
    dataDir: shortFolder(),
    overlay4: '10.77.0.0/16',
    overlay6: 'fd77:b050::/64',
  })
  t.teardown(() => store.close())
  const room = await store.room<AccessTables>('access', MIGRATIONS)
  for (const accountId of ['acc_1', 'acc_2'])
    await addAccount(room, { accountId, devices: 3, nowMs: new SimulatedClock().wallMs() })
  return async (policy: KeyPolicy = 'wg-easy', provisioner: PeerProvisioner['name'] = 'wg-easy') => {
    await room.ask(db => db.deleteFrom('peers').execute())
    return benchOf(room, policy, provisioner)
  }
}
export type PeerBench = ReturnType<typeof benchOf>

function benchOf(whole: Room<AccessTables>, policy: KeyPolicy, provisioner: PeerProvisioner['name']) {
  const elsewhere = new Elsewhere()
  const room: Room<AccessTables> = {
    ...whole,
    ask: async work => {
      if (elsewhere.isDatabaseAway) throw new StoreUnavailable('the database cannot be asked now')
      return await whole.ask(work)
    },
  }
  const clock = new SimulatedClock()
  const entitlements = new LetMost()
  const audited: { readonly kind: string; readonly subject: string }[] = []
  const warned: string[] = []
  const audit = (event: { readonly kind: string; readonly subject: string }) => void audited.push(event)
  const log = { debug() {}, info() {}, warn: (_: object, text: string) => void warned.push(text), error() {} }
  const secrets = new Secrets(openVault('a-key-that-is-known-to-this-test-only', systemRandom))
  const keys = new KeyMaker(policy, secrets)
  const queue = new PeerQueue({ room, clock, secrets })
  const counts = new PeerCounts()
  const provisioners = [elsewhere]
  const common = { room, clock, queue, provisioners, entitlements, audit, counts, log, secrets }
  const reconciler = new Reconciler(common)
  const book = new PeerBook({ room, clock, keys, provisioner })
  const desk = new PeerDesk({ ...common, book, reconciler })
  const mesh = { identity: () => null }
  const watch = new Watch({ ...common, mesh, wake: () => reconciler.wake() })
  return {
    room: whole,
    elsewhere,
    clock,
    entitlements,
    audited,
    warned,
    secrets,
    queue,
    counts,
    reconciler,
    book,
    desk,
    watch,
  }
}

interface NewAccount {
  readonly accountId: string
  readonly devices: number
  readonly nowMs: number
}

/** Adds an account with a tariff that lasts thirty days. */
export async function addAccount(
  room: Room<AccessTables>,
  { accountId, devices, nowMs }: NewAccount,
): Promise<void> {
  const now = new Date(nowMs)
  const terms = {
    grace_hours: 0,
    device_limit: devices,
    traffic_limit_bytes: null,
    throttled_bytes: 0,
    throttle_kbps: 64,
    node_groups: [],
  }
  await room.transact(async tx => {
    await tx
      .insertInto('accounts')
      .values({
        account_id: accountId,
        name: accountId,
        name_key: accountId,
        role: 'user',
        password_hash: '',
        epoch: 0,
        disabled_at: null,
        created_at: now,
        last_sign_in_at: null,
      })
      .execute()
    const { tariff_id } = await tx
      .insertInto('tariffs')
      .values({
        name: `for ${accountId}`,
        description: '',
        price: '9.90',
        currency: 'EUR',
        duration_days: 30,
        ...terms,
        archived_at: null,
        created_at: now,
      })
      .returning('tariff_id')
      .executeTakeFirstOrThrow()
    await tx
      .insertInto('subscriptions')
      .values({
        account_id: accountId,
        tariff_id,
        is_current: true,
        starts_at: now,
        ends_at: new Date(nowMs + 30 * 86_400_000),
        ...terms,
        granted_by: 'test',
        ended_because: null,
        created_at: now,
      })
      .execute()
  })
}
