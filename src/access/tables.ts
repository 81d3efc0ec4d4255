/** The tables of this room, as Kysely sees them. */
import type { ColumnType, Generated, GeneratedAlways } from 'kysely'
import type { AccountRole } from '../http/roles.js'

export interface AccessTables {
  accounts: Accounts
  sign_ins: SignIns
  mails: Mails
  mail_codes: MailCodes
}

interface Accounts {
  account_id: ColumnType<string, string, never>
  /** As it was given. */
  name: string
  /** As it is looked for; see name.ts. */
  name_key: string
  role: AccountRole
  /** A PHC string. */
  password_hash: string
  /** Counts what ends every token before it: another password, another role, being disabled. */
  epoch: number
  disabled_at: Date | null
  created_at: ColumnType<Date, Date, never>
  last_sign_in_at: Date | null
  /** The number that the first systems knew an account by. */
  user_id: GeneratedAlways<number>
  /** Its address was not shown to be its own yet. */
  unconfirmed: Generated<boolean>
}

/** A sign-in is a family of refresh tokens: each renewal replaces the secret, and the one before it is worth nothing. */
interface SignIns {
  sign_in_id: string
  account_id: string
  /** SHA-256 of the newest secret. */
  secret_hash: Uint8Array
  /** What limits count the address by that signed in. */
  address: string
  created_at: ColumnType<Date, Date, never>
  expires_at: Date
  ended_at: Date | null
}

/** Mail that is to leave, or has left. */
interface Mails {
  /** The order in which they were written. */
  mail_id: Generated<number>
  recipient: string
  subject: string
  /** Sealed. */
  body: Uint8Array
  created_at: ColumnType<Date, Date, never>
  /** When it is tried next. While it is on its way: when it is taken for lost. */
  due_at: Date
  attempts: number
  sent_at: Date | null
  /** Why it did not leave the last time. */
  error: string | null
}

/** What was mailed and may come back, one for each account and purpose. */
interface MailCodes {
  /** SHA-256. */
  code_hash: Uint8Array
  account_id: string
  purpose: 'confirm' | 'reset'
  expires_at: Date
}
