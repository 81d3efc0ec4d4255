/** What admins do to accounts, by whichever endpoint: what is changed holds for tokens at once, and is written down. */
import type { PluginHost } from '../../app/plugin.js'
import { notFound } from '../../http/faults.js'
import type { AccountRole } from '../../http/roles.js'
import type { Account, AccountChange, Accounts } from './accounts.js'
import { type Door, mustBeGood } from './door.js'
import type { Hashing } from './hashing.js'
import type { Standings } from './standings.js'

export interface DeskOptions {
  readonly accounts: Accounts
  readonly standings: Standings
  readonly hashing: Hashing
  readonly door: Door
  readonly audit: PluginHost['audit']
  /** Characters that a password has at least. */
  readonly passwordMin: number
}

export interface AccountWish {
  readonly name: string
  readonly role: AccountRole
  readonly password: string
}

/** Each rejects with what stands against it, an `HttpError`; `actor` is who does it, as the audit tells. */
export class Desk {
  readonly #options: DeskOptions

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /** Resolves with a new account. */
  async create(
    { name, role, password }: AccountWish,
    actor: string,
    options: { readonly onlyFirst?: boolean } = {},
  ): Promise<Account> {
    const { accounts, hashing, audit } = this.#options
    this.mustBeGood(password, name)
    const passwordHash = await hashing.hash(password)
    const account = await accounts.create({ name, role, passwordHash }, options)
    audit({ kind: 'account.created', actor, subject: account.name, detail: { role } })
    return account
  }

  /** Resolves with the account as it is then. */
  async change(name: string, change: AccountChange, actor: string): Promise<Account> {
    const { accounts, standings, audit } = this.#options
    const account = await accounts.change(name, change)
    standings.changed(account)
    const detail = { ...change, ...(change.name !== undefined && { before: name }) }
    audit({ kind: 'account.changed', actor, subject: account.name, detail })
    return account
  }

  /** Gives an account another password, and resolves with it. */
  async setPassword(name: string, password: string, actor: string): Promise<Account> {
    const { accounts, door } = this.#options
    const account = await door.setPassword(await accounts.called(name), password, actor)
    if (account === null) throw notFound(`there is no account ${name}`)
    return account
  }

  /** Resolves with the account as it was. */
  async remove(name: string, actor: string): Promise<Account> {
    const { accounts, standings, audit } = this.#options
    const account = await accounts.remove(name)
    standings.removed(account.account_id)
    audit({ kind: 'account.removed', actor, subject: account.name, detail: {} })
    return account
  }

  /** Throws a 400 that says what is wrong with a password for an account of this name. */
  mustBeGood(password: string, name: string): void {
    mustBeGood(password, name, this.#options.passwordMin)
  }
}
