/**
 * What people may do. Each role may also do what those before it may:
 *
 *   user      has an account, and sees what is its own
 *   viewer    sees the mesh
 *   operator  acts on it
 *   admin     lets others in: accounts and enrolment keys
 */
import type { Caller } from './caller.js'
import { HttpError, unauthorised } from './faults.js'
import type { Route } from './router.js'

export const ACCOUNT_ROLES = ['user', 'viewer', 'operator', 'admin'] as const
export type AccountRole = (typeof ACCOUNT_ROLES)[number]
/** Of those who run the mesh. */
export type OperatorRole = Exclude<AccountRole, 'user'>

/** Returns the role that a person needs for a route; null when anyone may ask. */
export function roleFor({ access, method, people }: Pick<Route, 'access' | 'method' | 'people'>) {
  if (access === 'open') return null
  if (access === 'local') return 'viewer'
  if (access !== 'agent') return access
  return people ?? (method === 'GET' ? 'viewer' : 'operator')
}

/** Throws a 401 or a 403 that says which role is wanted, unless the caller may use the route. */
export function mayUse(
  route: Pick<Route, 'access' | 'method' | 'people'>,
  caller: Caller,
  isLocal: boolean,
): void {
  const { access } = route
  const wanted = roleFor(route)
  if (wanted === null || (access === 'local' && isLocal) || (access === 'agent' && caller.kind === 'agent'))
    return
  if (caller.kind === 'stranger' && access === 'agent')
    throw unauthorised(
      'this needs the header `Authorization: Bearer <sessionToken>`, which registering gives, or the token of an operator',
      wanted,
    )
  mustHave(caller, wanted)
}

/** Throws a 401 or a 403 that says which role is wanted, unless the caller has it. */
export function mustHave(caller: Caller, wanted: AccountRole): void {
  if (caller.kind === 'stranger') throw unauthorised(undefined, wanted)
  const role = roleOf(caller)
  if (role !== null && ACCOUNT_ROLES.indexOf(role) >= ACCOUNT_ROLES.indexOf(wanted)) return
  throw new HttpError(
    403,
    'forbidden',
    role === null
      ? `this is for people with the role ${wanted}, not for agents`
      : `this needs the role ${wanted}; yours is ${role}`,
    {},
    [],
    { role: wanted },
  )
}

const roleOf = (caller: Caller): AccountRole | null =>
  caller.kind === 'operator' ? caller.role : caller.kind === 'user' ? 'user' : null
