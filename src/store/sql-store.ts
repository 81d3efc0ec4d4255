/** The store in SQL, the same for PGlite and PostgreSQL. */
import { type Kysely, sql, type Transaction } from 'kysely'
import type {
  AuditEvent,
  Change,
  EndedPath,
  EnrolmentKey,
  EnrolOutcome,
  EnrolRequest,
  PathRecord,
  Restored,
  Store,
} from '../actors/ports.js'
import type { Clock } from '../kit/clock.js'
import { writeNewest } from './bulk.js'
import type { Database } from './database.js'
import { enrol } from './enrol.js'
import { newestInTurns } from './newest.js'
import type { OverlayPool } from './overlay-pool.js'
import { prune } from './prune.js'
import type { Retention } from './retention.js'
import {
  auditEventOf,
  enrolmentKeyOf,
  identityColumns,
  identityOf,
  pathOf,
  routeOf,
  sessionOf,
  steeringOf,
} from './rows.js'
import { asStoreError } from './sql-errors.js'

export interface SqlStoreOptions {
  readonly kind: 'pglite' | 'postgres'
  readonly pool: OverlayPool
  readonly clock: Pick<Clock, 'wallMs' | 'now'>
  readonly retention: Retention
}

export class SqlStore implements Store {
  readonly kind: 'pglite' | 'postgres'
  readonly #db: Kysely<Database>
  readonly #options: SqlStoreOptions
  #prunedAtMs = Number.NEGATIVE_INFINITY

  constructor(db: Kysely<Database>, options: SqlStoreOptions) {
    this.kind = options.kind
    this.#db = db
    this.#options = options
  }

  async load(): Promise<Restored> {
    return this.#transaction(async tx => {
      const identities = await tx
        .selectFrom('identities')
        .select(identityColumns)
        .orderBy(sql`id collate "C"`)
        .execute()
      const sessions = await tx
        .selectFrom('sessions')
        .selectAll()
        .where('state', '<>', 'closed')
        .orderBy(sql`session_id collate "C"`)
        .execute()
      const routes = await tx
        .selectFrom('routes')
        .selectAll()
        .where('state', '=', 'active')
        .orderBy(sql`route_id collate "C"`)
        .execute()
      const paths = await tx
        .selectFrom('paths')
        .selectAll()
        .where('closed_at', 'is', null)
        .orderBy(sql`path_id collate "C"`)
        .execute()
      const steerings = await tx
        .selectFrom('steerings')
        .selectAll()
        .orderBy(sql`identity_id collate "C"`)
        .execute()
      return {
        identities: identities.map(identityOf),
        sessions: sessions.map(sessionOf),
        routes: routes.map(routeOf),
        paths: paths.map(pathOf),
        steerings: steerings.map(steeringOf),
      }
    })
  }

  async write(changes: readonly Change[]): Promise<void> {
    const newest = await newestInTurns(changes)
    const nowMs = this.#options.clock.wallMs()
    const pruning = nowMs - this.#prunedAtMs >= this.#options.retention.everyMs
    if (changes.length === 0 && !pruning) return
    const more = await this.#transaction(async tx => {
      await writeNewest(tx, newest, this.#options.pool)
      return pruning && (await prune(tx, this.#options.retention, nowMs))
    })
    if (pruning && !more) this.#prunedAtMs = nowMs
  }

  async enrol(request: EnrolRequest): Promise<EnrolOutcome> {
    return this.#asking(() => enrol(this.#db, this.#options.pool, request))
  }

  async addEnrolmentKey(key: EnrolmentKey): Promise<void> {
    await this.#asking(() =>
      this.#db
        .insertInto('enrolment_keys')
        .values({
          key_id: key.keyId,
          secret_hash: key.secretHash,
          role: key.role,
          uses_left: key.usesLeft,
          expires_at: dateOf(key.expiresAtMs),
          note: key.note,
          created_at: new Date(key.createdAtMs),
          revoked_at: dateOf(key.revokedAtMs),
        })
        .onConflict(conflict => conflict.column('key_id').doNothing())
        .execute(),
    )
  }

  async enrolmentKeys(): Promise<readonly EnrolmentKey[]> {
    const rows = await this.#asking(() =>
      this.#db
        .selectFrom('enrolment_keys')
        .selectAll()
        .orderBy('created_at')
        .orderBy(sql`key_id collate "C"`)
        .execute(),
    )
    return rows.map(enrolmentKeyOf)
  }

  async revokeEnrolmentKey(keyId: string, nowMs: number): Promise<boolean> {
    const result = await this.#asking(() =>
      this.#db
        .updateTable('enrolment_keys')
        .set({ revoked_at: sql`coalesce(revoked_at, ${new Date(nowMs)})` })
        .where('key_id', '=', keyId)
        .executeTakeFirst(),
    )
    return result.numUpdatedRows > 0n
  }

  async auditEvents(limit: number): Promise<readonly AuditEvent[]> {
    const rows = await this.#asking(() =>
      this.#db
        .selectFrom('audit_events')
        .selectAll()
        .orderBy('at', 'desc')
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute(),
    )
    return rows.map(auditEventOf)
  }

  async pathsBetween(a: string, b: string, limit: number): Promise<readonly PathRecord[]> {
    const rows = await this.#asking(() =>
      this.#db
        .selectFrom('paths')
        .selectAll()
        .where(q => q.or([q.and({ client_id: a, node_id: b }), q.and({ client_id: b, node_id: a })]))
        .orderBy('opened_at', 'desc')
        .orderBy(sql`path_id collate "C"`, 'desc')
        .limit(limit)
        .execute(),
    )
    return rows.map(pathOf)
  }

  async endedPaths(sinceMs: number, after: EndedPath | null, limit: number): Promise<readonly PathRecord[]> {
    const mark = after && [new Date(after.closedAtMs ?? sinceMs), after.pathId]
    const rows = await this.#asking(() =>
      this.#db
        .selectFrom('paths')
        .selectAll()
        .where('closed_at', '>=', new Date(sinceMs))
        .$if(mark !== null, q =>
          q.where(sql<boolean>`(closed_at, path_id collate "C") > (${mark?.[0]}, ${mark?.[1]})`),
        )
        .orderBy('closed_at')
        .orderBy(sql`path_id collate "C"`)
        .limit(limit)
        .execute(),
    )
    return rows.map(pathOf)
  }

  async ping(): Promise<number> {
    const beganMs = this.#options.clock.now()
    await this.#asking(() => sql`select 1`.execute(this.#db))
    return this.#options.clock.now() - beganMs
  }

  async close(): Promise<void> {
    await this.#db.destroy()
  }

  #transaction<T>(run: (tx: Transaction<Database>) => Promise<T>): Promise<T> {
    return this.#asking(() => this.#db.transaction().execute(run))
  }

  /** Turns what the driver throws into the store's own errors. */
  async #asking<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      throw asStoreError(error)
    }
  }
}

const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms))
