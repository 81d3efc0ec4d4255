/** Tokens for agents, and when to give the next one. */
import type { AgentTokens } from '../../app/plugin.js'
import type { Clock } from '../../kit/clock.js'
import type { Mailbox } from './mailbox.js'

/** A token is followed by the next one when this much of its life is over. */
const RENEW_AT = 0.5

/** Resolves with a token of the mailbox's agent, and notes when it is to be followed by another. */
export async function issueTo(tokens: AgentTokens, clock: Clock, box: Mailbox) {
  const issued = await tokens.issue(box)
  const nowMs = clock.wallMs()
  box.renewAtMs = nowMs + (issued.expiresAtMs - nowMs) * RENEW_AT
  return issued
}
