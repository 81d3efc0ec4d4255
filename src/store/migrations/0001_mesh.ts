/**
 * The tables of the mesh. There are no foreign keys: rows arrive in bulk, in no order, and after a restored
 * backup perhaps without each other; none of that may make a whole write fail.
 */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Room on each page for the next version of its rows: an update then touches no index. */
const roomy = sql`with (fillfactor = 60)`
const now = sql`now()`

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('identities')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('role', 'text', column => column.notNull().check(sql`role in ('node', 'client')`))
    .addColumn('public_key', 'bytea', column => column.notNull().unique())
    .addColumn('overlay_index', 'integer', column => column.unique())
    .addColumn('overlay4', sql`inet`, column => column.notNull().unique())
    .addColumn('overlay6', sql`inet`, column => column.notNull().unique())
    .addColumn('generation', 'bigint', column => column.notNull().defaultTo(0))
    .addColumn('agent', 'text', column => column.notNull())
    .addColumn('country', 'text')
    .addColumn('region', 'text')
    .addColumn('latitude', 'float8')
    .addColumn('longitude', 'float8')
    .addColumn('max_sessions', 'bigint')
    .addColumn('bandwidth_mbps', 'float8')
    .addColumn('is_exit', 'boolean', column => column.notNull())
    .addColumn('tags', sql`text[]`, column => column.notNull())
    .addColumn('created_at', 'timestamptz', column => column.notNull().defaultTo(now))
    .addColumn('revoked_at', 'timestamptz')
    .modifyEnd(roomy)
    .execute()

  await db.schema
    .createTable('sessions')
    .addColumn('session_id', 'text', column => column.primaryKey())
    .addColumn('identity_id', 'text', column => column.notNull())
    .addColumn('generation', 'bigint', column => column.notNull())
    // Unique where it is not null, which is what UNIQUE means.
    .addColumn('ticket_hash', 'bytea', column => column.unique())
    .addColumn('state', 'text', column =>
      column.notNull().check(sql`state in ('online', 'suspended', 'closed')`),
    )
    .addColumn('started_at', 'timestamptz', column => column.notNull())
    .addColumn('changed_at', 'timestamptz', column => column.notNull())
    .addColumn('closed_at', 'timestamptz')
    .modifyEnd(roomy)
    .execute()
  await db.schema
    .createIndex('sessions_closed_at')
    .on('sessions')
    .column('closed_at')
    .where(sql.ref('closed_at'), 'is not', null)
    .execute()

  await db.schema
    .createTable('routes')
    .addColumn('route_id', 'text', column => column.primaryKey())
    .addColumn('link', 'bigint', column => column.notNull())
    .addColumn('client_id', 'text', column => column.notNull())
    .addColumn('node_id', 'text', column => column.notNull())
    .addColumn('request', 'jsonb', column => column.notNull())
    .addColumn('explanation', 'jsonb', column => column.notNull())
    .addColumn('state', 'text', column => column.notNull().check(sql`state in ('active', 'ended')`))
    .addColumn('assigned_at', 'timestamptz', column => column.notNull())
    .addColumn('ended_at', 'timestamptz')
    .addColumn('cause', 'text')
    .modifyEnd(roomy)
    .execute()
  await db.schema
    .createIndex('routes_ended_at')
    .on('routes')
    .column('ended_at')
    .where(sql.ref('ended_at'), 'is not', null)
    .execute()

  await db.schema
    .createTable('audit_events')
    .addColumn('seq', 'bigint', column => column.generatedAlwaysAsIdentity().primaryKey())
    .addColumn('audit_id', 'text', column => column.notNull().unique())
    .addColumn('at', 'timestamptz', column => column.notNull())
    .addColumn('kind', 'text', column => column.notNull())
    .addColumn('actor', 'text', column => column.notNull())
    .addColumn('subject', 'text', column => column.notNull())
    .addColumn('detail', 'jsonb', column => column.notNull())
    .execute()
  await db.schema.createIndex('audit_events_at').on('audit_events').columns(['at', 'seq']).execute()

  await db.schema
    .createTable('enrolment_keys')
    .addColumn('key_id', 'text', column => column.primaryKey())
    .addColumn('secret_hash', 'bytea', column => column.notNull().unique())
    .addColumn('role', 'text', column => column.check(sql`role in ('node', 'client')`))
    .addColumn('uses_left', 'bigint', column => column.check(sql`uses_left >= 0`))
    .addColumn('expires_at', 'timestamptz')
    .addColumn('note', 'text', column => column.notNull())
    .addColumn('created_at', 'timestamptz', column => column.notNull())
    .addColumn('revoked_at', 'timestamptz')
    .execute()

  await db.schema
    .createTable('server_meta')
    .addColumn('key', 'text', column => column.primaryKey())
    .addColumn('value', 'jsonb', column => column.notNull())
    .execute()
}

export const mesh: Migration = { up }
