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

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_accounts': accounts,
  '0002_sign_up': signUp,
  '0003_mail': mail,
}
