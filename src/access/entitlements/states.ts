/** What an account can be entitled to, by name. */
import type { Entitlement } from '../ports.js'

export const ENTITLEMENT_STATES = [
  'active',
  'grace',
  'throttled',
  'used_up',
  'ended',
  'none',
  'disabled',
] as const satisfies readonly Entitlement['state'][]
