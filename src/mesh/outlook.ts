import type { ClientFacts } from './client-facts.js'
import { canKindsPunch } from './nat.js'
import type { NatKind } from './nat-kind.js'
import type { NodeFacts } from './node-facts.js'
import { agreed } from './path-policy.js'

/**
 * How packets between a client and a node will travel, as far as their NATs and policies tell: `turned` by TURN or
 * else the relay, `none` where only a direct way is allowed and there will be none. Null is unknown.
 */
export type Outlook = 'direct' | 'turned' | 'relayed' | 'none' | null

export function outlookOf(client: End, node: End): Outlook {
  const policy = agreed(client.policy, node.policy)
  if (policy === null) return 'none'
  if (policy === 'relay-only') return 'relayed'
  const { verdict } = canKindsPunch(client.nat, node.nat, areBehindSame(client, node))
  if (verdict === 'yes') return 'direct'
  if (verdict === 'maybe') return null
  if (policy === 'direct-only') return 'none'
  return isBlocked(client.nat) || isBlocked(node.nat) ? 'relayed' : 'turned'
}

type End = Pick<ClientFacts & NodeFacts, 'nat' | 'seenAt' | 'policy'>

const areBehindSame = (a: End, b: End): boolean =>
  a.seenAt !== null && a.seenAt === b.seenAt && a.nat.nat !== false && b.nat.nat !== false
const isBlocked = (nat: NatKind): boolean => nat.udp === 'blocked'
