/** What the agent holds of its session: the ticket above all, kept where a restart of the agent finds it. */
import type { WireOf } from '../protocol/messages.js'
import type { AgentMemory, SavedSession } from './ports.js'

/** A session that stands, as an agent shows it. */
export interface Standing {
  /** Names the session in logs and at the operator's. */
  readonly sessionId: string
  readonly generation: number
  /** This identity's addresses in the mesh, with prefix length. */
  readonly overlay4: string
  readonly overlay6: string
  /** True when links and routes of before are still there. */
  readonly resumed: boolean
}

export class Session {
  readonly #memory: AgentMemory
  readonly #unsaved: (error: unknown) => void
  #saved: SavedSession | null
  #standing: Standing | null = null
  #links: readonly number[] = []

  /** `unsaved` hears when the memory fails; the session goes on without it. */
  constructor(memory: AgentMemory, unsaved: (error: unknown) => void) {
    this.#memory = memory
    this.#unsaved = unsaved
    try {
      this.#saved = memory.load()
    } catch (error) {
      this.#saved = null
      unsaved(error)
    }
  }

  /** What `registered` said, with the newest ticket; null when there is nothing to resume. */
  get saved(): SavedSession | null {
    return this.#saved
  }

  get standing(): Standing | null {
    return this.#standing
  }

  /** The links that the coordinator listed when the session came to stand. */
  get links(): readonly number[] {
    return this.#links
  }

  stand(said: WireOf<'registered'> | WireOf<'resumed'>): void {
    const before = this.#saved
    const { ticket, sessionId, generation } = said
    if (said.type === 'registered') {
      const { overlay4, overlay6, beatEveryMs, silenceMs, relayMtu, iceServers = [] } = said
      this.#save({ ticket, overlay4, overlay6, beatEveryMs, silenceMs, relayMtu, iceServers })
    } else if (before !== null) {
      this.#save({ ...before, ticket, iceServers: said.iceServers ?? before.iceServers })
    }
    const { overlay4 = '', overlay6 = '' } = this.#saved ?? {}
    this.#links = said.links
    this.#standing = { sessionId, generation, overlay4, overlay6, resumed: said.type === 'resumed' }
  }

  renewed({ ticket, iceServers }: WireOf<'renewed'>): void {
    const saved = this.#saved
    if (saved !== null) this.#save({ ...saved, ticket, iceServers: iceServers ?? saved.iceServers })
  }

  /** The socket is gone; the ticket stays. */
  fall(): void {
    this.#standing = null
  }

  forget(): void {
    this.#save(null)
  }

  #save(session: SavedSession | null): void {
    this.#saved = session
    try {
      this.#memory.save(session)
    } catch (error) {
      this.#unsaved(error)
    }
  }
}

/** Returns a memory that lasts as long as the process. */
export function volatileMemory(): AgentMemory {
  let held: SavedSession | null = null
  return {
    load: () => held,
    save: session => {
      held = session
    },
  }
}
