/**
 * Signing in and out, and changing one's password: what is checked, in which order, and what is written down.
 *
 *   address ─→ account ─→ name and address ─→ password (hashing.ts) ─→ not disabled ─→ sign-in, token
 *     └ bounded            └ bounded             └ of nobody's it takes as long
 */
import type { PluginHost } from '../../app/plugin.js'
import { allowanceKey } from '../../http/allowance-key.js'
import { badRequest, HttpError } from '../../http/faults.js'
import type { AccountTokens } from './account-tokens.js'
import type { Account, Accounts } from './accounts.js'
import type { Attempts } from './attempts.js'
import type { SignInCounts } from './figures.js'
import type { Hashing } from './hashing.js'
import { nameKey } from './name.js'
import { complaintOf } from './password.js'
import type { Begun, SignIns } from './sign-ins.js'
import type { Standings } from './standings.js'
import { TIMING } from './timing.js'

export interface DoorOptions {
  readonly accounts: Accounts
  readonly signIns: SignIns
  readonly standings: Standings
  readonly tokens: AccountTokens
  readonly hashing: Hashing
  readonly attempts: Attempts
  readonly counts: SignInCounts
  readonly audit: PluginHost['audit']
  /** Characters that a password has at least. */
  readonly passwordMin: number
}

/** What whoever signed in holds. */
export interface SignedIn {
  readonly token: string
  readonly expiresAtMs: number
  readonly refreshToken: string
  readonly account: Account
}

/** How long what a door gives is good, ms; absent: the token by the role of the account, the sign-in until it was idle. */
export interface Lives {
  readonly tokenMs?: number
  readonly idleMs?: number
}

export class Door {
  readonly #options: DoorOptions

  constructor(options: DoorOptions) {
    this.#options = options
  }

  /** Resolves with a new sign-in; rejects with a 401, 403, 429 or 503 that says what was wrong. */
  async signIn(name: string, password: string, remote: string, lives: Lives = {}): Promise<SignedIn> {
    const { accounts, audit, counts } = this.#options
    const address = allowanceKey(remote)
    this.#mustWait(this.#options.attempts.addressWaitMs(address))
    const account = await this.#matching(await accounts.byName(name), nameKey(name), password, address)
    const signedIn = await this.#begin(account, address, lives)
    counts.good++
    audit({ kind: 'account.signed_in', actor: account.name, subject: account.name, detail: { address } })
    return signedIn
  }

  /** Resolves with the next token, and the refresh token that replaces this one. */
  async renew(refreshToken: string, lives: Pick<Lives, 'tokenMs'> = {}): Promise<SignedIn> {
    const { signIns, standings, counts } = this.#options
    const renewal = await signIns.renew(refreshToken)
    if (renewal.outcome === 'renewed') {
      counts.renewed++
      return this.#holding(renewal.account, renewal.begun, lives)
    }
    counts.refusedRenewals++
    if (renewal.outcome === 'reused' && renewal.hasEnded) {
      standings.ended(renewal.signIn)
      await this.#tell('account.token_reused', renewal.signIn.accountId, 'nobody')
    }
    throw new HttpError(401, 'signed_out', 'this refresh token is good no more: sign in again', BEARER)
  }

  /** Ends a sign-in, or the one of a refresh token; what is not good any more ends nothing. */
  async signOut(by: { readonly signInId: string } | { readonly refreshToken: string }): Promise<void> {
    const { signIns, standings } = this.#options
    const signIn = await ('signInId' in by ? signIns.end(by.signInId) : signIns.endBy(by.refreshToken))
    if (signIn === null) return
    standings.ended(signIn)
    await this.#tell('account.signed_out', signIn.accountId)
  }

  /** Gives the account another password, which its owner proves by the old one; every sign-in ends, and a new one begins. */
  async changePassword(
    accountId: string,
    { password, newPassword }: { readonly password: string; readonly newPassword: string },
    remote: string,
  ): Promise<SignedIn> {
    const { accounts } = this.#options
    const address = allowanceKey(remote)
    const found = await accounts.byId(accountId)
    const account = await this.#matching(found, found?.name_key ?? '', password, address)
    const changed = await this.setPassword(account, newPassword, account.name)
    return this.#begin(changed ?? account, address, {})
  }

  /** Gives the account another password; resolves with null when it is gone. */
  async setPassword(account: Account, password: string, actor: string): Promise<Account | null> {
    const { accounts, hashing, standings, audit } = this.#options
    mustBeGood(password, account.name, this.#options.passwordMin)
    const changed = await accounts.setPassword(account.account_id, await hashing.hash(password))
    if (changed === null) return null
    standings.changed(changed)
    audit({ kind: 'account.password_set', actor, subject: account.name, detail: {} })
    return changed
  }

  /** Counts the attempt; resolves with the account when the password is its own, or rejects with a 401 or a 429. */
  async #matching(
    account: Account | undefined,
    key: string,
    password: string,
    address: string,
  ): Promise<Account> {
    const { attempts, accounts, signIns, hashing, counts, audit } = this.#options
    const isStrange = await signIns.isStrange(account?.account_id ?? NOBODY, address)
    this.#mustWait(attempts.begin(key, address, isStrange))
    const matches = await hashing.matches(account?.password_hash ?? null, password)
    if (account === undefined || !matches) {
      counts.bad++
      if (account !== undefined)
        audit({
          kind: 'account.sign_in_refused',
          actor: 'nobody',
          subject: account.name,
          detail: { address },
        })
      throw new HttpError(401, 'wrong_password', 'name or password is wrong', BEARER)
    }
    attempts.succeeded(key, address, isStrange)
    if (!hashing.isCurrent(account.password_hash))
      await accounts.rehash(account, await hashing.hash(password))
    return account
  }

  #mustWait(waitMs: number): void {
    if (waitMs > 0) this.#options.counts.held++
    mustWait(waitMs)
  }

  async #begin(account: Account, address: string, lives: Lives): Promise<SignedIn> {
    if (account.disabled_at !== null)
      throw new HttpError(403, 'disabled', 'this account is disabled: an admin can enable it')
    if (account.unconfirmed)
      throw new HttpError(403, 'unconfirmed', 'send the code that was mailed to POST /auth/confirm first')
    const begun = await this.#options.signIns.begin(account, address, lives.idleMs)
    if (begun === null)
      throw new HttpError(401, 'signed_out', 'this account was changed meanwhile: sign in again', BEARER)
    return this.#holding(account, begun, lives)
  }

  #holding(account: Account, { signInId, refreshToken }: Begun, lives: Lives): SignedIn {
    const { account_id: accountId, epoch, role } = account
    const lifeMs = lives.tokenMs ?? (role === 'user' ? TIMING.longTokenMs : TIMING.tokenMs)
    const { token, expiresAtMs } = this.#options.tokens.issue({ accountId, signInId, epoch }, lifeMs)
    return { token, expiresAtMs, refreshToken, account }
  }

  async #tell(kind: string, accountId: string, actor?: string): Promise<void> {
    const account = await this.#options.accounts.byId(accountId)
    const subject = account?.name ?? accountId
    this.#options.audit({ kind, actor: actor ?? subject, subject, detail: {} })
  }
}

/** Throws a 400 that says what is wrong with a password. */
export function mustBeGood(password: string, name: string, min: number): void {
  const complaint = complaintOf(password, name, min)
  if (complaint !== null) throw badRequest(`password: ${complaint}`, [{ at: 'password', message: complaint }])
}

/** Names no account, and is asked about like one: what takes time for those that exist takes it for others too. */
const NOBODY = ''
/** Throws a 429 unless there is nothing to wait for. */
export function mustWait(waitMs: number): void {
  if (waitMs <= 0) return
  const waitS = Math.ceil(waitMs / 1_000)
  throw new HttpError(429, 'too_many_attempts', `too many attempts: come back in ${waitS} s`, {
    'Retry-After': String(waitS),
  })
}

const BEARER = { 'WWW-Authenticate': 'Bearer realm="boson"' }
