/** Samples of each node's figures, what they add up to, and the newest of each. */
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('metric_samples')
    .addColumn('id', 'text', column => column.notNull())
    .addColumn('source', 'text', column => column.notNull())
    .addColumn('at', 'timestamptz', column => column.notNull())
    .addColumn('figures', sql`float8[]`, column => column.notNull())
    .addPrimaryKeyConstraint('metric_samples_pkey', ['id', 'at', 'source'])
    .execute()
  await db.schema.createIndex('metric_samples_at').on('metric_samples').column('at').execute()
  await db.schema
    .createTable('metric_latest')
    .addColumn('id', 'text', column => column.notNull())
    .addColumn('source', 'text', column => column.notNull())
    .addColumn('at', 'timestamptz', column => column.notNull())
    .addColumn('figures', sql`float8[]`, column => column.notNull())
    .addPrimaryKeyConstraint('metric_latest_pkey', ['id', 'source'])
    // Room on each page for the next version of its rows: an update then touches no index.
    .modifyEnd(sql`with (fillfactor = 60)`)
    .execute()
  await db.schema
    .createTable('metric_sums')
    .addColumn('id', 'text', column => column.notNull())
    .addColumn('interval', 'text', column =>
      column.notNull().check(sql`interval in ('minute', 'hour', 'day')`),
    )
    .addColumn('at', 'timestamptz', column => column.notNull())
    .addColumn('samples', 'integer', column => column.notNull())
    .addColumn('counts', sql`integer[]`, column => column.notNull())
    .addColumn('sums', sql`float8[]`, column => column.notNull())
    .addColumn('mins', sql`float8[]`, column => column.notNull())
    .addColumn('maxs', sql`float8[]`, column => column.notNull())
    .addPrimaryKeyConstraint('metric_sums_pkey', ['id', 'interval', 'at'])
    .modifyEnd(sql`with (fillfactor = 80)`)
    .execute()
  await db.schema.createIndex('metric_sums_at').on('metric_sums').columns(['interval', 'at']).execute()
}

export const history: Migration = { up }
