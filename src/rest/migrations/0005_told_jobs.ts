/** Jobs that are told over sessions: more kinds, those that were taken back, and when the node had them. */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table server_tasks
      drop constraint server_tasks_type_check,
      drop constraint server_tasks_status_check,
      add constraint server_tasks_type_check check (type in (
        'updateConfig', 'restart', 'maintenance', 'add_key', 'del_key', 'custom', 'reprobe', 'logLevel', 'bundle'
      )),
      add constraint server_tasks_status_check check (status in (
        'pending', 'delivered', 'done', 'failed', 'expired', 'cancelled'
      )),
      add column accepted_at timestamptz`.execute(db)
}

export const toldJobs: Migration = { up }
