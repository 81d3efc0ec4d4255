/** The tables of this room, as Kysely sees them. */
import type { ColumnType, Generated, GeneratedAlways } from 'kysely'
import type { AccountRole } from '../http/roles.js'

export interface AccessTables {
  accounts: Accounts
  sign_ins: SignIns
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
