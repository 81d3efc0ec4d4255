/**
 * How people get an account by themselves, where the operator lets them, and how one of them becomes the first admin. Both
 * are off unless a setting says otherwise.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Transaction } from 'kysely'
import type { PluginHost } from '../../app/plugin.js'
import { allowanceKey } from '../../http/allowance-key.js'
import { conflict, HttpError } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { Account, Accounts } from './accounts.js'
import type { Attempts } from './attempts.js'
import { Buckets } from './buckets.js'
import { mustBeGood, mustWait } from './door.js'
import type { Hashing } from './hashing.js'
import type { Mailbox } from '../mail/mailbox.js'
import { newPassword } from './password.js'
import type { Standings } from './standings.js'
import type { AccessTables } from '../tables.js'

export interface SignUpOptions {
  readonly clock: Clock
  readonly accounts: Accounts
  readonly standings: Standings
  readonly hashing: Hashing
  readonly attempts: Attempts
  readonly random: Random
  readonly mailbox: Pick<Mailbox, 'welcome' | 'invite' | 'forgot'>
  /** There is mail to send. */
  readonly wake: () => void
  readonly audit: PluginHost['audit']
  readonly mode: 'off' | 'open' | 'confirmed'
  readonly promoteSecret: string | null
  readonly passwordMin: number
  /** Hears of what went wrong after the answer. */
  readonly failed: (error: unknown) => void
}

/** Accounts that one address may register: a few at once, then one a minute. */
const BURST = 10
const PER_S = 1 / 60
/** What is tried when the secret is; no account has this name. */
const PROMOTION = 'the promotion'

export class SignUp {
  readonly #options: SignUpOptions
  readonly #addresses: Buckets
  #busy: Promise<void> = Promise.resolve()

  constructor(options: SignUpOptions) {
    this.#options = options
    this.#addresses = new Buckets(options.clock, PER_S, BURST)
  }

  /** Resolves with the new account, which has the role `user`; rejects with a 400, 403, 409 or 429. */
  async register(email: string, password: string, remote: string): Promise<Account> {
    const { mode, mailbox, passwordMin } = this.#options
    mustBeGood(password, email, passwordMin)
    const address = this.#admitted(remote)
    return mode === 'confirmed'
      ? this.#create(email, password, address, (tx, made) => mailbox.welcome(tx, made))
      : this.#create(email, password, address)
  }

  /**
   * Registers an account by mail: with a password, the code in it confirms the address; without one, it lets a password be
   * chosen. Whether there is such an account already shows only to whoever reads its mail. Throws a 400, 403 or 429.
   */
  registerByMail(email: string, password: string | null, remote: string): void {
    const { mailbox, random, passwordMin, failed } = this.#options
    if (password !== null) mustBeGood(password, email, passwordMin)
    const address = this.#admitted(remote)
    const register = async () => {
      if ((await this.#options.accounts.byName(email)) !== undefined) return mailbox.forgot(email, remote)
      await this.#create(email, password ?? newPassword(random), address, (tx, made) =>
        password === null ? mailbox.invite(tx, made) : mailbox.welcome(tx, made),
      )
    }
    this.#busy = this.#busy.then(register).catch(failed)
  }

  /** Resolves when what was asked for is done. */
  settled(): Promise<void> {
    return this.#busy
  }

  /** Makes an account the first admin; rejects with a 403, 404, 409 or 429. */
  async promote(userId: number, secret: string, remote: string): Promise<Account> {
    const { promoteSecret, accounts, attempts, standings, audit } = this.#options
    if (promoteSecret === null)
      throw new HttpError(
        403,
        'promotion_off',
        'PROMOTE_SECRET is not set: `boson users first` makes an admin',
      )
    const address = allowanceKey(remote)
    mustWait(attempts.begin(PROMOTION, address, true))
    if (!isSame(secret, promoteSecret)) {
      audit({
        kind: 'account.promotion_refused',
        actor: 'nobody',
        subject: String(userId),
        detail: { address },
      })
      throw new HttpError(403, 'wrong_secret', 'this is not the PROMOTE_SECRET')
    }
    attempts.succeeded(PROMOTION, address, true)
    const account = await accounts.promoteFirst(userId)
    if (account === 'not_first') throw conflict('there is an admin already, who makes others')
    if (account === undefined) throw new HttpError(404, 'not_found', `there is no user ${userId}`)
    standings.changed(account)
    audit({ kind: 'account.promoted', actor: account.name, subject: account.name, detail: { address } })
    return account
  }

  /** Returns what limits count an address by that may register now; throws a 403 or a 429. */
  #admitted(remote: string): string {
    if (this.#options.mode === 'off')
      throw new HttpError(403, 'sign_up_off', 'nobody registers here by themselves: an admin makes accounts')
    const address = allowanceKey(remote)
    mustWait(this.#addresses.waitMs(address))
    this.#addresses.take(address)
    return address
  }

  /** Makes an account, whose address is confirmed by what is mailed, where something is. */
  async #create(
    name: string,
    password: string,
    address: string,
    mail?: (tx: Transaction<AccessTables>, account: Account) => Promise<void>,
  ): Promise<Account> {
    const { accounts, hashing, wake, audit } = this.#options
    const passwordHash = await hashing.hash(password)
    const unconfirmed = mail !== undefined
    const account = await accounts.create(
      { name, role: 'user', passwordHash, unconfirmed },
      unconfirmed ? { alongWith: mail } : {},
    )
    if (unconfirmed) wake()
    audit({ kind: 'account.registered', actor: account.name, subject: account.name, detail: { address } })
    return account
  }
}

/** In time that says nothing about either, their lengths neither. */
const isSame = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted))
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
