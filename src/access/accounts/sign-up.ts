/**
 * How people get an account by themselves, where the operator lets them, and how one of them becomes the first admin. Both
 * are off unless a setting says otherwise.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { PluginHost } from '../../app/plugin.js'
import { allowanceKey } from '../../http/allowance-key.js'
import { conflict, HttpError } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import type { Account, Accounts } from './accounts.js'
import type { Attempts } from './attempts.js'
import { Buckets } from './buckets.js'
import { mustBeGood, mustWait } from './door.js'
import type { Hashing } from './hashing.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Standings } from './standings.js'

export interface SignUpOptions {
  readonly clock: Clock
  readonly accounts: Accounts
  readonly standings: Standings
  readonly hashing: Hashing
  readonly attempts: Attempts
  readonly mailbox: Pick<Mailbox, 'welcome'>
  /** There is mail to send. */
  readonly wake: () => void
  readonly audit: PluginHost['audit']
  readonly mode: 'off' | 'open' | 'confirmed'
  readonly promoteSecret: string | null
  readonly passwordMin: number
}

/** Accounts that one address may register: a few at once, then one a minute. */
const BURST = 10
const PER_S = 1 / 60
/** What is tried when the secret is; no account has this name. */
const PROMOTION = 'the promotion'

export class SignUp {
  readonly #options: SignUpOptions
  readonly #addresses: Buckets

  constructor(options: SignUpOptions) {
    this.#options = options
    this.#addresses = new Buckets(options.clock, PER_S, BURST)
  }

  /** Resolves with the new account, which has the role `user`; rejects with a 400, 403, 409 or 429. */
  async register(email: string, password: string, remote: string): Promise<Account> {
    const { mode, accounts, hashing, mailbox, wake, audit, passwordMin } = this.#options
    if (mode === 'off')
      throw new HttpError(403, 'sign_up_off', 'nobody registers here by themselves: an admin makes accounts')
    const address = allowanceKey(remote)
    mustBeGood(password, email, passwordMin)
    mustWait(this.#addresses.waitMs(address))
    this.#addresses.take(address)
    const passwordHash = await hashing.hash(password)
    const unconfirmed = mode === 'confirmed'
    const account = await accounts.create(
      { name: email, role: 'user', passwordHash, unconfirmed },
      unconfirmed ? { alongWith: (tx, made) => mailbox.welcome(tx, made) } : {},
    )
    if (unconfirmed) wake()
    audit({ kind: 'account.registered', actor: account.name, subject: account.name, detail: { address } })
    return account
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
}

/** In time that says nothing about either, their lengths neither. */
const isSame = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted))
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
