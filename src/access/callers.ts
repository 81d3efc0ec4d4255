/** Whose things a caller may see and touch here: users their own, operators everybody’s. */
import type { Caller } from '../http/caller.js'
import { HttpError } from '../http/faults.js'

/** Whether the caller may see and change what belongs to others. */
export const isOperator = (caller: Caller): boolean =>
  caller.kind === 'operator' && (caller.role === 'operator' || caller.role === 'admin')

/** Returns the only account whose things the caller may see; null: everybody’s. */
export const ownerOf = (caller: Caller): string | null => (isOperator(caller) ? null : accountOf(caller))

/** Returns the caller’s own account; throws a 409 when it has none. */
export function accountOf(caller: Caller): string {
  const accountId = 'accountId' in caller ? caller.accountId : null
  if (accountId === null) throw new HttpError(409, 'no_account', 'SECRET_TOKEN has no account')
  return accountId
}
