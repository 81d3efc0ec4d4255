/** Session tokens of clients: each names the client, its session, and the route that it was given with. */
import type { RouteStory } from '../../actors/ports.js'
import type { Agents } from '../agents/agents.js'
import type { Mailbox } from '../agents/mailbox.js'

export interface ClientToken {
  readonly sessionToken: string
  /** ms since 1970 UTC. */
  readonly expiresAt: number
}

/** A client that asks again so soon, and is told the same, is given the same token, ms. */
const SAME_FOR_MS = 60_000

export class ClientTokens {
  readonly #agents: Pick<Agents, 'tokens' | 'timing' | 'clock'>
  readonly #given = new WeakMap<Mailbox, ClientToken & { readonly about: string; readonly untilMs: number }>()

  constructor(agents: Pick<Agents, 'tokens' | 'timing' | 'clock'>) {
    this.#agents = agents
  }

  /** Resolves with a token that is good as long as the client is kept without being heard. */
  async of(box: Mailbox, story: RouteStory | null): Promise<ClientToken> {
    const { tokens, timing, clock } = this.#agents
    const route = story === null ? {} : { nodeId: story.nodeId, routeId: story.routeId }
    const claims = { clientId: box.id, sessionId: box.session.sessionId, ...route }
    const about = JSON.stringify(claims)
    const before = this.#given.get(box)
    if (before?.about === about && clock.wallMs() < before.untilMs) return before
    const lifeMs = timing.clientKeptS * 1_000
    const { token, expiresAtMs } = await tokens.issue({ id: box.id, role: 'client', claims, lifeMs })
    const given = {
      sessionToken: token,
      expiresAt: expiresAtMs,
      about,
      untilMs: clock.wallMs() + SAME_FOR_MS,
    }
    this.#given.set(box, given)
    return given
  }
}
