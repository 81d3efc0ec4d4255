/** Codes that are mailed: whoever sends one back reads that mailbox. Good once, for a while, and only the newest. */
import { createHash } from 'node:crypto'
import type { Transaction } from 'kysely'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { AccessTables } from '../tables.js'

export type Purpose = AccessTables['mail_codes']['purpose']

/** How long a code is good, ms: until one has looked at the mail, or has it before one's eyes. */
const LIFE_MS: Readonly<Record<Purpose, number>> = { confirm: 24 * 3_600_000, reset: 3_600_000 }

export class Codes {
  readonly #clock: Clock
  readonly #random: Random

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** Resolves with a new code, 128 bits; the one before for the same purpose is worth nothing. */
  async make(tx: Transaction<AccessTables>, accountId: string, purpose: Purpose): Promise<string> {
    const code = Buffer.from(this.#random.bytes(16)).toString('base64url')
    const values = {
      code_hash: hashOf(code),
      expires_at: new Date(this.#clock.wallMs() + LIFE_MS[purpose]),
    }
    await tx
      .insertInto('mail_codes')
      .values({ account_id: accountId, purpose, ...values })
      .onConflict(conflict => conflict.columns(['account_id', 'purpose']).doUpdateSet(values))
      .execute()
    return code
  }

  /** Takes a code; resolves with the account that it was made for, or null when it is not good. */
  async take(tx: Transaction<AccessTables>, code: string, purpose: Purpose): Promise<string | null> {
    const taken = await tx
      .deleteFrom('mail_codes')
      .where('code_hash', '=', hashOf(code))
      .where('purpose', '=', purpose)
      .where('expires_at', '>', new Date(this.#clock.wallMs()))
      .returning('account_id')
      .executeTakeFirst()
    return taken?.account_id ?? null
  }
}

/** 128 bits of chance need no slow hash. */
const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest()
