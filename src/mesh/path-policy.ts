/** Which ways packets may travel: what agents ask for themselves, and which of several wishes holds. */
import type { WireOf } from '../protocol/messages.js'

/** `direct-only` never uses our relay nor TURN; `relay-only` shows no address; `auto` takes the best there is. */
export type PathPolicy = NonNullable<WireOf<'register'>['policy']>

/** Returns the one policy that honours all of them; null when one wants the relay only and another never. */
export function strictest(policies: Iterable<PathPolicy>): PathPolicy | null {
  const wanted = new Set(policies)
  wanted.delete('auto')
  if (wanted.size > 1) return null
  const [only = 'auto'] = wanted
  return only
}
