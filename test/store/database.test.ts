import pg from 'pg'
import t from 'tap'
import type { Database } from '../../src/store/database.js'
import { openStore } from '../../src/store/index.js'
import { startPostgres } from '../parts/postgres.js'

/** What the catalogue says of a column; a question mark where it may be null. */
type Columns = { readonly [Table in keyof Database]: { readonly [Column in keyof Database[Table]]: string } }

const columns: Columns = {
  identities: {
    id: 'text',
    role: 'text',
    public_key: 'bytea',
    overlay_index: 'integer?',
    overlay4: 'inet',
    overlay6: 'inet',
    generation: 'bigint',
    agent: 'text',
    country: 'text?',
    region: 'text?',
    latitude: 'double precision?',
    longitude: 'double precision?',
    max_sessions: 'bigint?',
    bandwidth_mbps: 'double precision?',
    is_exit: 'boolean',
    tags: 'ARRAY',
    cost_weight: 'double precision?',
    policy: 'text',
    can: 'ARRAY',
    created_at: 'timestamp with time zone',
    revoked_at: 'timestamp with time zone?',
  },
  sessions: {
    session_id: 'text',
    identity_id: 'text',
    generation: 'bigint',
    ticket_hash: 'bytea?',
    state: 'text',
    started_at: 'timestamp with time zone',
    changed_at: 'timestamp with time zone',
    closed_at: 'timestamp with time zone?',
  },
  routes: {
    route_id: 'text',
    link: 'bigint',
    client_id: 'text',
    node_id: 'text',
    request: 'jsonb',
    explanation: 'jsonb',
    state: 'text',
    assigned_at: 'timestamp with time zone',
    ended_at: 'timestamp with time zone?',
    cause: 'text?',
    history: 'jsonb?',
  },
  paths: {
    path_id: 'text',
    link: 'bigint',
    route_id: 'text',
    client_id: 'text',
    node_id: 'text',
    policy: 'text',
    tier: 'text',
    via: 'text?',
    since: 'timestamp with time zone',
    reason: 'text?',
    opened_at: 'timestamp with time zone',
    closed_at: 'timestamp with time zone?',
    closed_because: 'text?',
    client: 'jsonb',
    node: 'jsonb',
    attempts: 'jsonb',
    history: 'jsonb',
  },
  steerings: {
    identity_id: 'text',
    steering: 'jsonb',
    changed_at: 'timestamp with time zone',
  },
  audit_events: {
    seq: 'bigint',
    audit_id: 'text',
    at: 'timestamp with time zone',
    kind: 'text',
    actor: 'text',
    subject: 'text',
    detail: 'jsonb',
  },
  enrolment_keys: {
    key_id: 'text',
    secret_hash: 'bytea',
    role: 'text?',
    uses_left: 'bigint?',
    expires_at: 'timestamp with time zone?',
    note: 'text',
    created_at: 'timestamp with time zone',
    revoked_at: 'timestamp with time zone?',
  },
  server_meta: { key: 'text', value: 'jsonb' },
}

const postgres = await startPostgres(t)
if ('missing' in postgres) {
  t.test(`the tables: ${postgres.missing}`, { skip: true }, async () => {})
} else {
  t.test('the tables are what the program takes them for', async t => {
    const databaseUrl = await postgres.schema()
    const store = await openStore({ overlay4: '10.77.0.0/16', overlay6: 'fd77::/64', databaseUrl })
    await store.close()
    const client = new pg.Client({ connectionString: databaseUrl })
    await client.connect()
    const { rows } = await client.query(`
      select table_name, column_name, data_type || case is_nullable when 'YES' then '?' else '' end as type
      from information_schema.columns
      where table_schema = current_schema() and table_name not like 'kysely%'`)
    await client.end()
    const found: Record<string, Record<string, string>> = {}
    for (const row of rows) (found[row.table_name] ??= {})[row.column_name] = row.type
    t.strictSame(found, columns)
  })
}
