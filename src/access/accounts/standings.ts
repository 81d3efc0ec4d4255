/**
 * What tokens are worth now: the accounts of those that are about, in memory, so that a request costs no question to the
 * database. What is changed here holds at once; what another coordinator changed, within half a minute.
 */
import type { Revocations } from '../../app/plugin.js'
import type { Caller } from '../../http/caller.js'
import type { Clock } from '../../kit/clock.js'
import type { Claims } from './account-tokens.js'
import type { Account, Accounts } from './accounts.js'
import type { SignIn, SignIns } from './sign-ins.js'
import { TIMING } from './timing.js'

export interface StandingsOptions {
  readonly clock: Clock
  readonly accounts: Pick<Accounts, 'byId' | 'byIds'>
  readonly signIns: Pick<SignIns, 'endedSince'>
  readonly revocations: Pick<Revocations, 'tell'>
}

interface Standing {
  readonly account: Pick<Account, 'name' | 'role' | 'epoch' | 'disabled_at'>
  /** The last token that came of it ends by then, ms since 1970 UTC. */
  untilMs: number
}

const STRANGER: Caller = { kind: 'stranger', bearer: null }

export class Standings {
  readonly #options: StandingsOptions
  readonly #accounts = new Map<string, Standing>()
  /** Sign-ins that have ended, and until when a token of them may come, ms since 1970 UTC. */
  readonly #ended = new Map<string, number>()

  constructor(options: StandingsOptions) {
    this.#options = options
  }

  /** Returns who holds a token that says this. */
  callerOf(claims: Claims): Caller | Promise<Caller> {
    const standing = this.#accounts.get(claims.accountId)
    return standing === undefined ? this.#ask(claims) : this.#callerOf(claims, standing)
  }

  /** The account is like this from now on; when it became so by `account.epoch`, tokens before it end. */
  changed(account: Account): void {
    const known = this.#accounts.get(account.account_id)
    if (known !== undefined && known.account.epoch > account.epoch) return
    this.#keep(account, known?.untilMs ?? 0)
    if (known === undefined || known.account.epoch !== account.epoch)
      this.#options.revocations.tell({ accountId: account.account_id, signInId: null })
  }

  removed(accountId: string): void {
    const gone = { name: '', role: 'user', epoch: Number.POSITIVE_INFINITY, disabled_at: null } as const
    this.#accounts.set(accountId, { account: gone, untilMs: this.#tokensEndMs() })
    this.#options.revocations.tell({ accountId, signInId: null })
  }

  ended({ accountId, signInId }: SignIn): void {
    this.#ended.set(signInId, this.#tokensEndMs())
    this.#options.revocations.tell({ accountId, signInId })
  }

  /** Learns what has changed in the database, and forgets what no token can be of any more. */
  async look(): Promise<void> {
    const { clock, accounts, signIns } = this.#options
    const nowMs = clock.wallMs()
    for (const signIn of await signIns.endedSince(nowMs - TIMING.longTokenMs))
      if (!this.#ended.has(signIn.signInId)) this.ended(signIn)
    for (const [signInId, untilMs] of this.#ended) if (untilMs <= nowMs) this.#ended.delete(signInId)
    for (const [accountId, { untilMs }] of this.#accounts)
      if (untilMs <= nowMs) this.#accounts.delete(accountId)
    const known = [...this.#accounts].filter(([, { account }]) => Number.isFinite(account.epoch))
    if (known.length === 0) return
    const found = new Map(
      (await accounts.byIds(known.map(([accountId]) => accountId))).map(each => [each.account_id, each]),
    )
    for (const [accountId] of known) {
      const account = found.get(accountId)
      if (account === undefined) this.removed(accountId)
      else this.changed(account)
    }
  }

  async #ask(claims: Claims): Promise<Caller> {
    const account = await this.#options.accounts.byId(claims.accountId)
    if (account === undefined) return STRANGER
    // It may have been changed while the database was asked.
    const standing = this.#accounts.get(claims.accountId) ?? this.#keep(account, claims.expiresAtMs)
    return this.#callerOf(claims, standing)
  }

  #callerOf({ accountId, signInId, epoch, expiresAtMs }: Claims, standing: Standing): Caller {
    const { name, role, epoch: newest, disabled_at } = standing.account
    if (epoch !== newest || disabled_at !== null || this.#ended.has(signInId)) return STRANGER
    standing.untilMs = Math.max(standing.untilMs, expiresAtMs)
    const person = { name, accountId, signInId, expiresAtMs }
    return role === 'user' ? { kind: 'user', ...person } : { kind: 'operator', role, ...person }
  }

  #keep({ account_id, name, role, epoch, disabled_at }: Account, untilMs: number): Standing {
    const standing = {
      account: { name, role, epoch, disabled_at },
      untilMs: Math.max(untilMs, this.#tokensEndMs()),
    }
    this.#accounts.set(account_id, standing)
    return standing
  }

  /** The last token that was issued until now ends by then. */
  #tokensEndMs(): number {
    return this.#options.clock.wallMs() + TIMING.longTokenMs
  }
}
