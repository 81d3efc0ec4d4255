/** Opens the store: PostgreSQL when its address is given, otherwise a database in the data directory. */
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import type { Store } from '../actors/ports.js'
import { type Clock, systemClock } from '../kit/clock.js'
import type { Database } from './database.js'
import { lookAtTables, onePooled } from './backup/tables.js'
import type { StoreLog } from './log.js'
import { MIGRATIONS } from './migrations/index.js'
import { migrate } from './migrations/migrate.js'
import { MESH_TABLES, pendingOf } from './migrations/pending.js'
import { type OverlayOptions, OverlayPool } from './overlay-pool.js'
import { settleOverlay } from './overlay-settled.js'
import { openDirectory } from './pglite-directory.js'
import { postgresPool } from './postgres-pool.js'
import { RETENTION, type Retention } from './retention.js'
import { type OpenRoom, roomsOf } from './rooms.js'
import { asStoreError } from './sql-errors.js'
import { SqlStore } from './sql-store.js'
import { type BackUp, backsUpPglite, backsUpPostgres, type UpgradeOptions } from './upgrade.js'

export interface StoreOptions extends OverlayOptions {
  /** `postgres://…`; when it is missing, `dataDir` is wanted. */
  readonly databaseUrl?: string | undefined
  /** Where the embedded database lives, in `pglite`. Lock it first with `lockDataDir`. */
  readonly dataDir?: string | undefined
  readonly log?: StoreLog
  /** How long one statement may take, ms; 5,000. */
  readonly queryTimeoutMs?: number
  readonly retention?: Partial<Retention>
  readonly clock?: Pick<Clock, 'now' | 'wallMs'>
  /** Looks at a database that was used before, before its tables are changed. */
  readonly upgrade?: UpgradeOptions
}

export type OpenStore = Store & {
  readonly kind: 'pglite' | 'postgres'
  /** Opens the tables of a plug-in, which live in the same database. */
  readonly room: OpenRoom
  readonly backUp: BackUp
}

const QUERY_TIMEOUT_MS = 5_000
/** A migration may rewrite a large table, ms. */
const MIGRATION_TIMEOUT_MS = 300_000

/**
 * Opens the store and brings its tables to this version. Rejects with `StoreUnavailable`, `MigrationFailed` or
 * `BadOverlay`, each of which says what to do.
 */
export async function openStore(options: StoreOptions): Promise<OpenStore> {
  const pool = new OverlayPool(options)
  try {
    const { kind, db, backUp } = await (options.databaseUrl
      ? openPostgres(options, options.databaseUrl)
      : openPglite(options))
    await settleOverlay(db, pool).catch(async error => {
      await db.destroy()
      throw error
    })
    const retention = { ...RETENTION, ...options.retention }
    return Object.assign(new SqlStore(db, { kind, pool, retention, clock: options.clock ?? systemClock }), {
      room: roomsOf(kind, db),
      backUp,
    })
  } catch (error) {
    throw asStoreError(error)
  }
}

async function openPostgres(options: StoreOptions, databaseUrl: string) {
  const { log, upgrade, queryTimeoutMs = QUERY_TIMEOUT_MS } = options
  const backUp = backsUpPostgres(databaseUrl)
  const patient = postgresPool({ databaseUrl, queryTimeoutMs: MIGRATION_TIMEOUT_MS, log })
  await prepare(patient, backUp, upgrade).catch(async error => {
    await patient.end()
    throw error
  })
  await migrateThrough(patient, log)
  return {
    kind: 'postgres' as const,
    db: kyselyOver(postgresPool({ databaseUrl, queryTimeoutMs, log })),
    backUp,
  }
}

async function openPglite({ dataDir, log, upgrade, queryTimeoutMs = QUERY_TIMEOUT_MS }: StoreOptions) {
  if (dataDir === undefined) throw new TypeError('openStore: wanted a databaseUrl or a dataDir')
  const { pool, isNew, finish } = await openDirectory({ dataDir, queryTimeoutMs, log })
  const backUp = backsUpPglite(pool)
  try {
    const patient = pool.patient(MIGRATION_TIMEOUT_MS)
    if (!isNew) await prepare(patient, backUp, upgrade)
    await migrateThrough(patient, log)
  } catch (error) {
    await pool.end()
    throw error
  }
  finish()
  return { kind: 'pglite' as const, db: kyselyOver(pool), backUp }
}

async function prepare(
  pool: PostgresPool,
  backUp: BackUp,
  upgrade: UpgradeOptions | undefined,
): Promise<void> {
  if (upgrade === undefined) return
  const { migrations } = await onePooled(pool, ask => lookAtTables(ask, { count: false }))
  const pending = pendingOf(migrations, upgrade.rooms)
  if (migrations[MESH_TABLES.name] !== undefined && pending.length > 0)
    await upgrade.before({ pending, backUp })
}

async function migrateThrough(pool: PostgresPool, log: StoreLog | undefined): Promise<void> {
  const db = kyselyOver(pool)
  try {
    const applied = await migrate(db, MIGRATIONS)
    if (applied.length > 0) log?.info({ migrations: applied }, 'the tables were brought to this version')
  } finally {
    await db.destroy()
  }
}

const kyselyOver = (pool: PostgresPool) => new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
