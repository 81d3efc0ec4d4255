/** People without accounts: whoever says `as-viewer` is one, in a coordinator that has this plug-in. */
import type { Plugin } from '../../src/app/plugin.js'
import type { Caller } from '../../src/http/caller.js'
import { ACCOUNT_ROLES, type AccountRole } from '../../src/http/roles.js'

/** Knows people by the name of their role. */
export const badges: Plugin = {
  name: 'badges',
  start: async () => ({
    routes: [],
    recognise: bearer => {
      const role = ACCOUNT_ROLES.find(each => bearer === `as-${each}`)
      return role === undefined ? null : person(role)
    },
    stop: async () => undefined,
  }),
}

function person(role: AccountRole): Caller {
  const who = { name: role, accountId: role, signInId: null, expiresAtMs: null }
  return role === 'user' ? { kind: 'user', ...who } : { kind: 'operator', role, ...who }
}
