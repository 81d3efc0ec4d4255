/** VPN servers that send heartbeats, and what they sent. */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const FIGURES = [
  'uptime_s',
  'mem_total_mb',
  'mem_free_mb',
  'cpu_total_pct',
  'softirq_pct',
  'bw_rx_mbps',
  'bw_tx_mbps',
  'bw_total_mbps',
  'pps_rx',
  'pps_tx',
  'pps_total',
  'conn_est_rate_s',
  'active_conns',
  'conntrack_usage_pct',
  'rx_dropped',
  'tx_dropped',
  'latency_p50_ms',
  'latency_p95_ms',
  'packet_loss_pct',
]

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('vpn_servers')
    .addColumn('server_id', 'text', column => column.primaryKey())
    .addColumn('name', 'text', column => column.notNull())
    .addColumn('description', 'text', column => column.notNull().defaultTo(''))
    .addColumn('is_active', 'boolean', column => column.notNull().defaultTo(true))
    .addColumn('created_at', 'timestamptz', column => column.notNull())
    .addColumn('last_heartbeat_at', 'timestamptz', column => column.notNull())
    // Room on each page for the next version of its rows: an update then touches no index.
    .modifyEnd(sql`with (fillfactor = 60)`)
    .execute()
  let heartbeats = db.schema
    .createTable('server_heartbeats')
    .addColumn('id', 'bigint', column => column.generatedAlwaysAsIdentity().primaryKey())
    .addColumn('server_id', 'text', column => column.notNull())
    .addColumn('received_at', 'timestamptz', column => column.notNull())
    .addColumn('generated_at', 'timestamptz', column => column.notNull())
    .addColumn('ready_at', 'timestamptz')
    .addColumn('iface', 'text')
    .addColumn('ping_target', 'text')
    .addColumn('load1', 'text')
  for (const figure of FIGURES) heartbeats = heartbeats.addColumn(figure, 'float8')
  await heartbeats.execute()
  await db.schema
    .createIndex('server_heartbeats_server')
    .on('server_heartbeats')
    .columns(['server_id', 'id'])
    .execute()
  await db.schema
    .createIndex('server_heartbeats_received_at')
    .on('server_heartbeats')
    .column('received_at')
    .execute()
}

export const heartbeats: Migration = { up }
