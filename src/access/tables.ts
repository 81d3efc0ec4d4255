/** The tables of this room, as Kysely sees them. */
import type { ColumnType, Generated, GeneratedAlways } from 'kysely'
import type { AccountRole } from '../http/roles.js'
import type { Outcome, PaymentStatus, ProviderName } from './payments/payment-provider.js'

export interface AccessTables {
  accounts: Accounts
  sign_ins: SignIns
  mails: Mails
  mail_codes: MailCodes
  tariffs: Tariffs
  subscriptions: Subscriptions
  peers: Peers
  payments: Payments
  payment_events: PaymentEvents
  peer_usage: PeerUsage
  usage_marks: UsageMarks
  peer_counters: PeerCounters
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
  /** When its token was last traded for the next one; null: never. */
  renewed_at: Date | null
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
  /** When it was refused for good: it is not tried any more. */
  refused_at: Date | null
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

/** What is sold. */
interface Tariffs {
  tariff_id: GeneratedAlways<number>
  name: string
  description: string
  /** Decimal, as text: `9.90`. */
  price: string
  /** ISO 4217. */
  currency: string
  duration_days: number
  /** How long somebody may go on when it has ended, h. */
  grace_hours: number
  /** Peers at once. */
  device_limit: number
  /** null: no limit. */
  traffic_limit_bytes: number | null
  /** How much more may go, slowly, when the limit is reached. */
  throttled_bytes: number
  /** How slowly. */
  throttle_kbps: number
  /** Only nodes in one of these groups; empty: any. */
  node_groups: string[]
  /** It is sold no more, and goes on for those who have it. */
  archived_at: Date | null
  created_at: ColumnType<Date, Date, never>
}

/** A tariff that an account has, or had: on the terms of when it was bought. One of an account is current. */
interface Subscriptions {
  subscription_id: GeneratedAlways<number>
  account_id: ColumnType<string, string, never>
  tariff_id: number
  is_current: boolean
  starts_at: Date
  ends_at: Date
  grace_hours: number
  device_limit: number
  traffic_limit_bytes: number | null
  throttled_bytes: number
  throttle_kbps: number
  node_groups: string[]
  used_bytes: Generated<number>
  granted_by: string
  /** Why it ended before its time; null: it did not. */
  ended_because: string | null
  created_at: ColumnType<Date, Date, never>
}

/** A WireGuard key of an account, and where it is known. Those that were removed stay, so that their bytes do. */
interface Peers {
  peer_id: GeneratedAlways<number>
  account_id: ColumnType<string, string, never>
  name: string
  /** null: it is made where the peer will be. */
  public_key: Uint8Array | null
  /** Sealed, where we made it. */
  private_key: Uint8Array | null
  preshared_key: Uint8Array | null
  /** When its private key was shown; null: it was not, or is not known here. */
  key_shown_at: Date | null
  overlay4: string | null
  overlay6: string | null
  /** In our mesh: `peer-17`. */
  identity_id: GeneratedAlways<string>
  provisioner: 'mesh' | 'wg-easy' | 'ssh'
  external_id: string | null
  /** Its owner, or an operator, wants it to work. */
  is_active: boolean
  /** An operator switched it off, and its owner cannot switch it on. */
  is_held: Generated<boolean>
  /** Whether the other side was last told that it may carry; null: it was told nothing yet. */
  applied: boolean | null
  /** Counts the changes of what it is to be. */
  revision: Generated<number>
  /** When it is to be set up again; null: it is as it should be. */
  due_at: Date | null
  /** Somebody sets it up until then; null: nobody. */
  leased_until: Date | null
  /** How often it could not be set up, in a row. */
  attempts: number
  error: string | null
  removed_at: Date | null
  created_at: ColumnType<Date, Date, never>
}

interface Payments {
  payment_id: GeneratedAlways<number>
  account_id: ColumnType<string, string, never>
  tariff_id: number
  amount: string
  currency: string
  provider: ProviderName
  /** What the provider calls it; null: it has not said so yet. */
  provider_payment_id: string | null
  status: PaymentStatus
  /** Key that the peer is made with, if the account has none. */
  public_key: Uint8Array | null
  /** What it was granted to, once it is paid. */
  subscription_id: number | null
  /** Who asked for it, and the `Idempotency-Key` that it was asked for with. */
  created_by: ColumnType<string, string, never>
  idempotency_key: ColumnType<string | null, string | null, never>
  /** What an operator had to say. */
  note: string | null
  created_at: ColumnType<Date, Date, never>
  changed_at: Date
  expires_at: Date
}

/** What providers have told, each once. */
interface PaymentEvents {
  provider: ProviderName
  event_id: string
  payment_id: number | null
  kind: string
  outcome: Outcome
  /** What was not as expected. */
  note: string | null
  received_at: ColumnType<Date, Date, never>
}

/** How much of what a source has counted since ever is charged already: a path of the mesh, or a peer elsewhere. */
interface PeerUsage {
  source: string
  peer_id: number
  charged_bytes: number
  changed_at: Date
  /** It counts no more; null: it does. */
  ended_at: Date | null
}

/** Until when a coordinator has charged everything that ended. */
interface UsageMarks {
  server_id: string
  charged_at: Date
}

/** Counters of WireGuard elsewhere, which begin anew now and then; see wireguard/counters.ts. */
interface PeerCounters {
  /** Whose counters they are: `wg-easy`, `ssh`. */
  source: string
  /** Base64, as those who count spell it. */
  public_key: string
  last_bytes: ColumnType<string | number, number, number>
  total_bytes: ColumnType<string | number, number, number>
}
