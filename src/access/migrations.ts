/** Every change of this room's tables, in order. A migration that was released is never edited. */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const accounts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('accounts')
      .addColumn('account_id', 'text', column => column.primaryKey())
      .addColumn('name', 'text', column => column.notNull())
      // In the same order whatever the database’s language is.
      .addColumn('name_key', sql`text collate "C"`, column => column.notNull().unique())
      .addColumn('role', 'text', column =>
        column.notNull().check(sql`role in ('user', 'viewer', 'operator', 'admin')`),
      )
      .addColumn('password_hash', 'text', column => column.notNull())
      .addColumn('epoch', 'integer', column => column.notNull())
      .addColumn('disabled_at', 'timestamptz')
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .addColumn('last_sign_in_at', 'timestamptz')
      .execute()

    await db.schema
      .createTable('sign_ins')
      .addColumn('sign_in_id', 'text', column => column.primaryKey())
      .addColumn('account_id', 'text', column =>
        column.notNull().references('accounts.account_id').onDelete('cascade'),
      )
      .addColumn('secret_hash', 'bytea', column => column.notNull())
      .addColumn('address', 'text', column => column.notNull())
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .addColumn('expires_at', 'timestamptz', column => column.notNull())
      .addColumn('ended_at', 'timestamptz')
      .execute()
    await db.schema
      .createIndex('sign_ins_account')
      .on('sign_ins')
      .columns(['account_id', 'address'])
      .execute()
    await db.schema.createIndex('sign_ins_created_at').on('sign_ins').column('created_at').execute()
    await db.schema
      .createIndex('sign_ins_ended_at')
      .on('sign_ins')
      .column('ended_at')
      .where(sql.ref('ended_at'), 'is not', null)
      .execute()
  },
}

const signUp: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('accounts')
      .addColumn('user_id', 'bigint', column => column.generatedAlwaysAsIdentity().unique())
      .addColumn('unconfirmed', 'boolean', column => column.notNull().defaultTo(false))
      .execute()
  },
}

const mail: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('mails')
      .addColumn('mail_id', 'bigserial', column => column.primaryKey())
      .addColumn('recipient', 'text', column => column.notNull())
      .addColumn('subject', 'text', column => column.notNull())
      .addColumn('body', 'bytea', column => column.notNull())
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .addColumn('due_at', 'timestamptz', column => column.notNull())
      .addColumn('attempts', 'integer', column => column.notNull())
      .addColumn('sent_at', 'timestamptz')
      .addColumn('error', 'text')
      .execute()
    await db.schema
      .createIndex('mails_due')
      .on('mails')
      .column('due_at')
      .where(sql.ref('sent_at'), 'is', null)
      .execute()
    await db.schema
      .createTable('mail_codes')
      .addColumn('code_hash', 'bytea', column => column.primaryKey())
      .addColumn('account_id', 'text', column =>
        column.notNull().references('accounts.account_id').onDelete('cascade'),
      )
      .addColumn('purpose', 'text', column => column.notNull().check(sql`purpose in ('confirm', 'reset')`))
      .addColumn('expires_at', 'timestamptz', column => column.notNull())
      .addUniqueConstraint('mail_codes_newest', ['account_id', 'purpose'])
      .execute()
  },
}

const business: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('tariffs')
      .addColumn('tariff_id', 'bigint', column => column.primaryKey().generatedAlwaysAsIdentity())
      .addColumn('name', 'text', column => column.notNull().unique())
      .addColumn('description', 'text', column => column.notNull())
      .addColumn('price', 'numeric(14, 2)', column => column.notNull().check(sql`price >= 0`))
      .addColumn('currency', 'text', column => column.notNull().check(sql`currency ~ '^[A-Z]{3}$'`))
      .addColumn('duration_days', 'integer', column => column.notNull().check(sql`duration_days > 0`))
      .addColumn('grace_hours', 'integer', column => column.notNull().check(sql`grace_hours >= 0`))
      .addColumn('device_limit', 'integer', column => column.notNull().check(sql`device_limit > 0`))
      .addColumn('traffic_limit_bytes', 'bigint')
      .addColumn('throttled_bytes', 'bigint', column => column.notNull())
      .addColumn('throttle_kbps', 'integer', column => column.notNull())
      .addColumn('node_groups', sql`text[]`, column => column.notNull())
      .addColumn('archived_at', 'timestamptz')
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .execute()

    await db.schema
      .createTable('subscriptions')
      .addColumn('subscription_id', 'bigint', column => column.primaryKey().generatedAlwaysAsIdentity())
      .addColumn('account_id', 'text', column =>
        column.notNull().references('accounts.account_id').onDelete('cascade'),
      )
      .addColumn('tariff_id', 'bigint', column =>
        column.notNull().references('tariffs.tariff_id').onDelete('restrict'),
      )
      .addColumn('is_current', 'boolean', column => column.notNull())
      .addColumn('starts_at', 'timestamptz', column => column.notNull())
      .addColumn('ends_at', 'timestamptz', column => column.notNull())
      .addColumn('grace_hours', 'integer', column => column.notNull())
      .addColumn('device_limit', 'integer', column => column.notNull())
      .addColumn('traffic_limit_bytes', 'bigint')
      .addColumn('throttled_bytes', 'bigint', column => column.notNull())
      .addColumn('throttle_kbps', 'integer', column => column.notNull())
      .addColumn('node_groups', sql`text[]`, column => column.notNull())
      .addColumn('used_bytes', 'bigint', column => column.notNull().defaultTo(0))
      .addColumn('granted_by', 'text', column => column.notNull())
      .addColumn('ended_because', 'text')
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .execute()
    await db.schema
      .createIndex('subscriptions_current')
      .unique()
      .on('subscriptions')
      .column('account_id')
      .where(sql.ref('is_current'), '=', true)
      .execute()
    await db.schema.createIndex('subscriptions_tariff').on('subscriptions').column('tariff_id').execute()

    await db.schema
      .createTable('peers')
      .addColumn('peer_id', 'bigint', column => column.primaryKey().generatedAlwaysAsIdentity())
      .addColumn('account_id', 'text', column =>
        column.notNull().references('accounts.account_id').onDelete('restrict'),
      )
      .addColumn('name', 'text', column => column.notNull())
      .addColumn('public_key', 'bytea', column => column.unique())
      .addColumn('private_key', 'bytea')
      .addColumn('preshared_key', 'bytea')
      .addColumn('key_shown_at', 'timestamptz')
      .addColumn('overlay4', 'text')
      .addColumn('overlay6', 'text')
      .addColumn('identity_id', 'text', column =>
        column.generatedAlwaysAs(sql`'peer-'::text || peer_id::text`).stored().notNull().unique(),
      )
      .addColumn('provisioner', 'text', column =>
        column.notNull().check(sql`provisioner in ('mesh', 'wg-easy', 'ssh')`),
      )
      .addColumn('external_id', 'text')
      .addColumn('is_active', 'boolean', column => column.notNull())
      .addColumn('is_held', 'boolean', column => column.notNull().defaultTo(false))
      .addColumn('applied', 'boolean')
      .addColumn('revision', 'integer', column => column.notNull().defaultTo(0))
      .addColumn('due_at', 'timestamptz')
      .addColumn('leased_until', 'timestamptz')
      .addColumn('attempts', 'integer', column => column.notNull())
      .addColumn('error', 'text')
      .addColumn('removed_at', 'timestamptz')
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .execute()
    await db.schema.createIndex('peers_account').on('peers').column('account_id').execute()
    for (const column of ['overlay4', 'overlay6'] as const)
      await db.schema
        .createIndex(`peers_${column}`)
        .unique()
        .on('peers')
        .columns(['provisioner', column])
        .where(sql.ref('removed_at'), 'is', null)
        .execute()
    await db.schema
      .createIndex('peers_due')
      .on('peers')
      .column('due_at')
      .where(sql.ref('due_at'), 'is not', null)
      .execute()

    await db.schema
      .createTable('payments')
      .addColumn('payment_id', 'bigint', column => column.primaryKey().generatedAlwaysAsIdentity())
      .addColumn('account_id', 'text', column =>
        column.notNull().references('accounts.account_id').onDelete('restrict'),
      )
      .addColumn('tariff_id', 'bigint', column =>
        column.notNull().references('tariffs.tariff_id').onDelete('restrict'),
      )
      .addColumn('amount', 'numeric(14, 2)', column => column.notNull())
      .addColumn('currency', 'text', column => column.notNull())
      .addColumn('provider', 'text', column => column.notNull())
      .addColumn('provider_payment_id', 'text')
      .addColumn('status', 'text', column =>
        column.notNull().check(sql`status in ('pending', 'completed', 'failed', 'expired', 'refunded')`),
      )
      .addColumn('public_key', 'bytea')
      .addColumn('subscription_id', 'bigint', column => column.references('subscriptions.subscription_id'))
      .addColumn('created_by', 'text', column => column.notNull())
      .addColumn('idempotency_key', 'text')
      .addColumn('note', 'text')
      .addColumn('created_at', 'timestamptz', column => column.notNull())
      .addColumn('changed_at', 'timestamptz', column => column.notNull())
      .addColumn('expires_at', 'timestamptz', column => column.notNull())
      .addUniqueConstraint('payments_at_provider', ['provider', 'provider_payment_id'])
      .addUniqueConstraint('payments_asked_once', ['created_by', 'idempotency_key'])
      .execute()
    await db.schema
      .createIndex('payments_pending')
      .on('payments')
      .column('expires_at')
      .where(sql.ref('status'), '=', 'pending')
      .execute()
    await db.schema
      .createIndex('payments_account')
      .on('payments')
      .columns(['account_id', 'payment_id'])
      .execute()

    await db.schema
      .createTable('payment_events')
      .addColumn('provider', 'text', column => column.notNull())
      .addColumn('event_id', 'text', column => column.notNull())
      .addColumn('payment_id', 'bigint')
      .addColumn('kind', 'text', column => column.notNull())
      .addColumn('outcome', 'text', column => column.notNull())
      .addColumn('note', 'text')
      .addColumn('received_at', 'timestamptz', column => column.notNull())
      .addPrimaryKeyConstraint('payment_events_once', ['provider', 'event_id'])
      .execute()
    await db.schema
      .createIndex('payment_events_received_at')
      .on('payment_events')
      .column('received_at')
      .execute()

    await db.schema
      .createTable('peer_usage')
      .addColumn('source', 'text', column => column.primaryKey())
      .addColumn('peer_id', 'bigint', column => column.notNull().references('peers.peer_id'))
      .addColumn('charged_bytes', 'bigint', column => column.notNull())
      .addColumn('changed_at', 'timestamptz', column => column.notNull())
      .addColumn('ended_at', 'timestamptz')
      .execute()
    await db.schema
      .createIndex('peer_usage_ended_at')
      .on('peer_usage')
      .column('ended_at')
      .where(sql.ref('ended_at'), 'is not', null)
      .execute()

    await db.schema
      .createTable('usage_marks')
      .addColumn('server_id', 'text', column => column.primaryKey())
      .addColumn('charged_at', 'timestamptz', column => column.notNull())
      .execute()

    await db.schema
      .createTable('peer_counters')
      .addColumn('source', 'text', column => column.notNull())
      .addColumn('public_key', 'text', column => column.notNull())
      .addColumn('last_bytes', 'bigint', column => column.notNull())
      .addColumn('total_bytes', 'bigint', column => column.notNull())
      .addPrimaryKeyConstraint('peer_counters_once', ['source', 'public_key'])
      .execute()
  },
}

const refusedMail: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('mails').addColumn('refused_at', 'timestamptz').execute()
  },
}

const renewedAt: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('sign_ins').addColumn('renewed_at', 'timestamptz').execute()
  },
}

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_accounts': accounts,
  '0002_sign_up': signUp,
  '0003_mail': mail,
  '0004_business': business,
  '0005_refused_mail': refusedMail,
  '0006_renewed_at': renewedAt,
}
