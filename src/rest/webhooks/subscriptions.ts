/** Who is to be called: kept in the database, and in memory as it is asked for with every event. Secrets only ever sealed. */
import type { Room } from '../../store/rooms.js'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { Vault } from '../../app/plugin.js'
import type { EventType } from './events.js'
import type { WebhookTables } from './tables.js'

export interface Webhook {
  readonly id: string
  readonly url: string
  readonly events: readonly EventType[]
  readonly description: string
  readonly active: boolean
  readonly createdAtMs: number
  readonly changedAtMs: number
  /** Until when the secret before the last rotation is good too; null: there is none. */
  readonly oldSecretUntilMs: number | null
  /** Since when nothing has arrived. */
  readonly failingSinceMs: number | null
  readonly disabledBecause: string | null
}

export type WebhookWish = Pick<Webhook, 'url' | 'events' | 'description' | 'active'>

export interface SubscriptionsOptions {
  readonly room: Room<WebhookTables>
  readonly clock: Clock
  readonly random: Random
  readonly vault: Vault
}

interface Entry extends Webhook {
  readonly secret: Uint8Array
  readonly oldSecret: Uint8Array | null
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #byId = new Map<string, Entry>()
  readonly #hearers = new Set<() => void>()

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  async load(): Promise<void> {
    const rows = await this.#options.room.ask(db =>
      db.selectFrom('webhooks').selectAll().orderBy('id').execute(),
    )
    for (const row of rows)
      this.#byId.set(row.id, {
        id: row.id,
        url: row.url,
        events: row.events,
        description: row.description,
        active: row.active,
        createdAtMs: row.created_at.getTime(),
        changedAtMs: row.changed_at.getTime(),
        oldSecretUntilMs: row.old_secret_until?.getTime() ?? null,
        failingSinceMs: row.failing_since?.getTime() ?? null,
        disabledBecause: row.disabled_because,
        secret: row.secret,
        oldSecret: row.old_secret,
      })
  }

  get size(): number {
    return this.#byId.size
  }

  all(): readonly Webhook[] {
    return [...this.#byId.values()]
  }

  /** Returns how many there are of each kind. */
  standing(): Readonly<Record<'active' | 'failing' | 'off', number>> {
    const counted = { active: 0, failing: 0, off: 0 }
    for (const { active, failingSinceMs } of this.#byId.values())
      counted[!active ? 'off' : failingSinceMs === null ? 'active' : 'failing']++
    return counted
  }

  of(id: string): Webhook | undefined {
    return this.#byId.get(id)
  }

  /** Returns whether any active webhook wants events of this type. */
  wants(type: string): boolean {
    for (const { active, events } of this.#byId.values())
      if (active && events.some(wanted => wanted === type)) return true
    return false
  }

  /** Calls `hear` after every change of who is called for what. */
  onChange(hear: () => void): void {
    this.#hearers.add(hear)
  }

  /** Returns the secrets that an event is signed with, the newest first; none when the vault cannot open them. */
  secretsOf(id: string): readonly string[] {
    const { clock, vault } = this.#options
    const entry = this.#byId.get(id)
    if (entry === undefined) return []
    const isOldGood = entry.oldSecretUntilMs !== null && clock.wallMs() < entry.oldSecretUntilMs
    return [entry.secret, isOldGood ? entry.oldSecret : null].flatMap(sealed =>
      sealed === null ? [] : (vault.open(sealed, placeOf(id)) ?? []),
    )
  }

  /** Resolves with the new webhook, and with its secret, which is shown once. */
  async create(wish: WebhookWish): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
    const { clock, random } = this.#options
    const id = `wh_${Buffer.from(random.bytes(8)).toString('hex')}`
    const { secret, sealed } = this.#newSecret(id)
    const nowMs = clock.wallMs()
    const entry: Entry = {
      ...wish,
      id,
      createdAtMs: nowMs,
      changedAtMs: nowMs,
      oldSecretUntilMs: null,
      failingSinceMs: null,
      disabledBecause: null,
      secret: sealed,
      oldSecret: null,
    }
    await this.#options.room.ask(db => db.insertInto('webhooks').values(rowOf(entry)).execute())
    this.#byId.set(id, entry)
    this.#tell()
    return { webhook: entry, secret }
  }

  /** Changes the fields given; one that is switched on again begins without its failures. */
  async change(id: string, wish: Partial<WebhookWish>): Promise<Webhook | null> {
    const begun = wish.active === true ? { failingSinceMs: null, disabledBecause: null } : {}
    const webhook = await this.#update(id, { ...wish, ...begun, changedAtMs: this.#options.clock.wallMs() })
    this.#tell()
    return webhook
  }

  /** Gives the webhook another secret; the one before is good for `graceMs` more. Resolves with null when there is no such webhook. */
  async rotate(
    id: string,
    graceMs: number,
  ): Promise<{ readonly webhook: Webhook; readonly secret: string } | null> {
    const entry = this.#byId.get(id)
    if (entry === undefined) return null
    const { secret, sealed } = this.#newSecret(id)
    const nowMs = this.#options.clock.wallMs()
    const webhook = await this.#update(id, {
      secret: sealed,
      oldSecret: graceMs > 0 ? entry.secret : null,
      oldSecretUntilMs: graceMs > 0 ? nowMs + graceMs : null,
      changedAtMs: nowMs,
    })
    return webhook && { webhook, secret }
  }

  /** Writes down since when nothing has arrived; null: something has. */
  async failing(id: string, sinceMs: number | null): Promise<void> {
    await this.#update(id, { failingSinceMs: sinceMs })
  }

  async disable(id: string, because: string): Promise<void> {
    const changedAtMs = this.#options.clock.wallMs()
    await this.#update(id, { active: false, disabledBecause: because, changedAtMs })
    this.#tell()
  }

  /** Resolves with false when there is no such webhook. What waits for it is forgotten. */
  async delete(id: string): Promise<boolean> {
    if (!this.#byId.has(id)) return false
    await this.#options.room.ask(db => db.deleteFrom('webhooks').where('id', '=', id).execute())
    this.#byId.delete(id)
    this.#tell()
    return true
  }

  #newSecret(id: string): { readonly secret: string; readonly sealed: Uint8Array } {
    const { random, vault } = this.#options
    const secret = `whsec_${Buffer.from(random.bytes(32)).toString('base64url')}`
    return { secret, sealed: vault.seal(secret, placeOf(id)) }
  }

  /** Writes what changes and nothing else: another field may change at the same time. */
  async #update(id: string, change: Partial<Omit<Entry, 'id' | 'createdAtMs'>>): Promise<Webhook | null> {
    const entry = this.#byId.get(id)
    if (entry === undefined) return null
    const row = rowOf({ ...entry, ...change })
    const changes = Object.fromEntries(
      (Object.keys(change) as (keyof typeof change)[]).map(field => [COLUMNS[field], row[COLUMNS[field]]]),
    )
    await this.#options.room.ask(db => db.updateTable('webhooks').set(changes).where('id', '=', id).execute())
    const now = this.#byId.get(id)
    if (now === undefined) return null
    const changed = { ...now, ...change }
    this.#byId.set(id, changed)
    return changed
  }

  #tell(): void {
    for (const hear of this.#hearers) hear()
  }
}

/** A secret opens only in the row that it was made for. */
const placeOf = (id: string): string => `webhook ${id}`

const rowOf = (entry: Entry) => ({
  id: entry.id,
  url: entry.url,
  events: JSON.stringify(entry.events),
  description: entry.description,
  active: entry.active,
  secret: entry.secret,
  old_secret: entry.oldSecret,
  old_secret_until: dateOf(entry.oldSecretUntilMs),
  created_at: new Date(entry.createdAtMs),
  changed_at: new Date(entry.changedAtMs),
  failing_since: dateOf(entry.failingSinceMs),
  disabled_because: entry.disabledBecause,
})

const COLUMNS = {
  url: 'url',
  events: 'events',
  description: 'description',
  active: 'active',
  secret: 'secret',
  oldSecret: 'old_secret',
  oldSecretUntilMs: 'old_secret_until',
  changedAtMs: 'changed_at',
  failingSinceMs: 'failing_since',
  disabledBecause: 'disabled_because',
} as const

const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms))
