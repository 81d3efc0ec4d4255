import type { ClientFacts } from './client-facts.js'
import { canPunch, type Nat } from './nat.js'
import type { NodeFacts } from './node-facts.js'
import { strictest } from './path-policy.js'

/**
 * How packets between a client and a node will travel, as far as their NATs and policies tell: `turned` by TURN or
 * else the relay, `none` where only a direct way is allowed and there will be none. Null is unknown.
 */
export type Outlook = 'direct' | 'turned' | 'relayed' | 'none' | null

export function outlookOf(
  client: Pick<ClientFacts, 'nat' | 'policy'>,
  node: Pick<NodeFacts, 'nat' | 'policy'>,
): Outlook {
  const policy = strictest([client.policy, node.policy])
  if (policy === null) return 'none'
  if (policy === 'relay-only') return 'relayed'
  const { verdict } = canPunch(client.nat, node.nat)
  if (verdict === 'yes') return 'direct'
  if (verdict === 'maybe') return null
  if (policy === 'direct-only') return 'none'
  return isBlocked(client.nat) || isBlocked(node.nat) ? 'relayed' : 'turned'
}

const isBlocked = (nat: Nat): boolean => nat.udp === 'blocked'
