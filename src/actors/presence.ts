/** Who is here, as the world is told: a session that began is told of when it gets a socket, and once when it ends. */
import type { Fact, HearFact } from './ports.js'
import type { Cell } from './session/cell.js'
import type { SessionFact } from './session/session.events.js'

type PresenceFact = Extract<Fact, { readonly sessionId: string }>

export interface PresenceOptions {
  readonly wallMs: () => number
  readonly tell: HearFact
}

export class Presence {
  /** Sessions of which it was told, by this process or the one before, that they are here. */
  readonly #here = new Set<Cell>()
  readonly #options: PresenceOptions

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  /** Hears what a session went through. A takeover is told with the new generation; nothing older follows it. */
  hear(cell: Cell, fact: SessionFact): void {
    if (fact === 'restored') this.#here.add(cell)
    else if (fact === 'joined' || fact === 'returned') {
      this.#here.add(cell)
      this.#tell(cell, 'online')
    } else if (fact === 'left' && this.#here.delete(cell)) this.#tell(cell, 'offline')
  }

  #tell({ role, sessionId, identity: { id, generation } }: Cell, presence: 'online' | 'offline'): void {
    const type: PresenceFact['type'] = `${role}.${presence}`
    this.#options.tell({ type, atMs: this.#options.wallMs(), id, sessionId, generation })
  }
}
