/** What is done by mail: showing that an address is one's own, and getting in again without the password. */
import type { Transaction } from 'kysely'
import type { PluginHost } from '../../app/plugin.js'
import { allowanceKey } from '../../http/allowance-key.js'
import { badRequest } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { Account, Accounts } from '../accounts/accounts.js'
import { Buckets } from '../accounts/buckets.js'
import type { Codes } from './codes.js'
import { mustBeGood, mustWait } from '../accounts/door.js'
import type { Hashing } from '../accounts/hashing.js'
import { nameKey } from '../accounts/name.js'
import type { Outbox } from './outbox.js'
import type { Standings } from '../accounts/standings.js'
import type { AccessTables } from '../tables.js'

export interface MailboxOptions {
  readonly clock: Clock
  readonly room: Room<AccessTables>
  readonly accounts: Accounts
  readonly standings: Standings
  readonly hashing: Hashing
  readonly codes: Codes
  readonly outbox: Outbox
  /** There is something to send. */
  readonly wake: () => void
  readonly audit: PluginHost['audit']
  readonly passwordMin: number
  /** Hears of what went wrong after the answer. */
  readonly failed: (error: unknown) => void
}

/** Mails that one address may ask for, and that one account is sent: a few at once, then one in five minutes. */
const BURST = 5
const PER_S = 1 / 300

export class Mailbox {
  readonly #options: MailboxOptions
  readonly #asking: Buckets
  readonly #asked: Buckets
  #busy: Promise<void> = Promise.resolve()

  constructor(options: MailboxOptions) {
    this.#options = options
    this.#asking = new Buckets(options.clock, PER_S, BURST)
    this.#asked = new Buckets(options.clock, PER_S, BURST)
  }

  /** Mails the code that confirms a new account, when the transaction holds. */
  async welcome(tx: Transaction<AccessTables>, account: Account): Promise<void> {
    const { codes, outbox } = this.#options
    const code = await codes.make(tx, account.account_id, 'confirm')
    await outbox.write(tx, {
      to: account.name,
      subject: 'Confirm your address',
      text: `Somebody has registered with this address. If it was you, confirm it within a day by this code:\n\n${code}\n\nIf not, nothing needs to be done.\n`,
    })
  }

  /** Mails the code by which a new account is given its password, when the transaction holds. */
  async invite(tx: Transaction<AccessTables>, account: Account): Promise<void> {
    const { codes, outbox } = this.#options
    const code = await codes.make(tx, account.account_id, 'reset')
    await outbox.write(tx, {
      to: account.name,
      subject: 'Choose a password',
      text: `Somebody has registered with this address. If it was you, choose a password within an hour by this code:\n\n${code}\n\nIf not, nothing needs to be done.\n`,
    })
  }

  /** Resolves with the account that a code has confirmed; rejects with a 400 when it is not good. */
  async confirm(code: string): Promise<Account> {
    const { room, codes, audit } = this.#options
    const account = await room.transact(async tx => {
      const accountId = await codes.take(tx, code, 'confirm')
      if (accountId === null) return null
      return await tx
        .updateTable('accounts')
        .set({ unconfirmed: false })
        .where('account_id', '=', accountId)
        .returningAll()
        .executeTakeFirstOrThrow()
    })
    if (account === null) throw notGood()
    audit({ kind: 'account.confirmed', actor: account.name, subject: account.name, detail: {} })
    return account
  }

  /** Has a code mailed by which the password can be replaced. Whether there is such an account shows neither here nor by how long it takes. */
  forgot(email: string, remote: string): void {
    const address = allowanceKey(remote)
    mustWait(this.#asking.waitMs(address))
    this.#asking.take(address)
    const key = nameKey(email)
    if (this.#asked.waitMs(key) > 0) return
    this.#asked.take(key)
    this.#busy = this.#busy.then(() => this.#mailReset(email)).catch(this.#options.failed)
  }

  /** Gives the account that a code was mailed to another password; rejects with a 400 when the code is not good. */
  async reset(code: string, password: string): Promise<void> {
    const { room, codes, accounts, hashing, standings, audit, passwordMin } = this.#options
    // Of the password alone: a code is not spent on one that is refused.
    mustBeGood(password, '', passwordMin)
    const passwordHash = await hashing.hash(password)
    const accountId = await room.transact(tx => codes.take(tx, code, 'reset'))
    const account = accountId === null ? null : await accounts.setPassword(accountId, passwordHash, true)
    if (account === null) throw notGood()
    standings.changed(account)
    const detail = { by: 'mail' }
    audit({ kind: 'account.password_set', actor: account.name, subject: account.name, detail })
  }

  /** Resolves when what was asked for is written. */
  settled(): Promise<void> {
    return this.#busy
  }

  async #mailReset(email: string): Promise<void> {
    const { room, accounts, codes, outbox, wake } = this.#options
    const account = await accounts.byName(email)
    if (account === undefined || account.disabled_at !== null) return
    await room.transact(async tx => {
      const code = await codes.make(tx, account.account_id, 'reset')
      await outbox.write(tx, {
        to: account.name,
        subject: 'Another password',
        text: `Somebody has asked for another password for ${account.name}. If it was you, use this code within an hour:\n\n${code}\n\nIf not, nothing needs to be done: without it the password stays.\n`,
      })
    })
    wake()
  }
}

const notGood = () => badRequest('code: it is not good any more: ask for another')
