/**
 * Which ways packets may travel: what agents ask for themselves, what the operator's rules say of them, and which
 * of several wishes holds.
 *
 *   client:anna=relay-only node:fra-1=direct-only tag:office=direct-only *=auto
 */
import { isId } from '../protocol/schema.js'
import type { WireOf } from '../protocol/messages.js'

/** `direct-only` never uses our relay nor TURN; `relay-only` shows no address; `auto` takes the best there is. */
export type PathPolicy = NonNullable<WireOf<'register'>['policy']>

const POLICIES: readonly string[] = ['auto', 'relay-only', 'direct-only'] satisfies readonly PathPolicy[]
const isPolicy = (text: string): text is PathPolicy => POLICIES.includes(text)

/** What holds for an end or a pair; null when one of those who may say wants the relay only and another never. */
export type Agreed = PathPolicy | null

/** Returns the one policy that honours all of them. */
export function strictest(policies: Iterable<Agreed>): Agreed {
  const wanted = new Set(policies)
  wanted.delete('auto')
  if (wanted.size > 1 || wanted.has(null)) return null
  const [only = 'auto'] = wanted
  return only
}

/** Returns whether some policy honours both. Asked of every node for every route: no more than a comparison. */
export const areCompatible = (one: Agreed, other: Agreed): boolean =>
  one !== null && other !== null && (one === other || one === 'auto' || other === 'auto')

/** Returns the one policy that honours both, as `strictest` does. */
export const agreed = (one: Agreed, other: Agreed): Agreed =>
  areCompatible(one, other) ? (one === 'auto' ? other : one) : null

export interface PolicyRule {
  readonly kind: 'client' | 'node' | 'tag' | '*'
  /** Id or tag; empty for `*`. */
  readonly name: string
  readonly policy: PathPolicy
}

/** Whom a rule may be about. */
export interface Ruled {
  readonly role: 'client' | 'node'
  readonly id: string
  readonly profile: { readonly tags: readonly string[]; readonly policy: PathPolicy }
}

/**
 * Returns what holds for an end: its own wish and the operator's, whichever is stricter. Of the operator's rules
 * one about the id counts before those about its tags, and these before `*`.
 */
export function policyOf(rules: readonly PolicyRule[], { role, id, profile }: Ruled): Agreed {
  const about = (matches: (rule: PolicyRule) => boolean) => rules.filter(matches).map(rule => rule.policy)
  const byId = about(rule => rule.kind === role && rule.name === id)
  const byTag = about(rule => rule.kind === 'tag' && profile.tags.includes(rule.name))
  const said = [byId, byTag, about(rule => rule.kind === '*')].find(found => found.length > 0) ?? []
  return strictest([profile.policy, ...said])
}

/** A rule cannot be read; the message says which, and what was wanted. */
export class PolicyRuleError extends Error {
  readonly code = 'BAD_POLICY_RULE'
}

/** Returns the rules of a text, separated by blanks or commas; throws a PolicyRuleError. */
export function readPolicyRules(text: string): PolicyRule[] {
  const rules = text
    .split(/[\s,]+/)
    .filter(part => part !== '')
    .map(readRule)
  const seen = new Set<string>()
  for (const { kind, name } of rules) {
    const who = kind === '*' ? kind : `${kind}:${name}`
    if (seen.has(who)) throw new PolicyRuleError(`one rule about ${who}; there are two`)
    seen.add(who)
  }
  return rules
}

function readRule(rule: string): PolicyRule {
  const [who = '', policy = '', ...more] = rule.split('=')
  if (more.length > 0 || !isPolicy(policy))
    throw new PolicyRuleError(`${JSON.stringify(rule)} to end in =${POLICIES.join(', =')}`)
  if (who === '*') return { kind: '*', name: '', policy }
  const [kind = '', name = ''] = who.split(':')
  if ((kind !== 'client' && kind !== 'node' && kind !== 'tag') || !isId(name) || who !== `${kind}:${name}`)
    throw new PolicyRuleError(`${JSON.stringify(rule)} to begin with client:ID, node:ID, tag:TAG or *`)
  return { kind, name, policy }
}
