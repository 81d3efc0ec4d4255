/**
 * What operators see of living actors. Nothing is kept of anyone until somebody looks at them, and nothing any more when
 * the last one looks away.
 *
 *   watch ─→ the actor's source is asked to tell its steps ─→ a ring of the last of them ─→ whoever watches
 */
import type { Clock } from '../../kit/clock.js'
import { Ring } from '../../kit/ring.js'
import type { ActorId, ActorKind, ActorRow, ActorStep, ActorView, Statechart } from '../ports.js'

/** A step as a source tells it. */
export type Told = Omit<ActorStep, 'atMs' | 'order' | 'actor'>

/** Where actors of one kind are found. */
export interface ActorSource {
  readonly kind: ActorKind
  readonly statechart: Statechart
  /** Every actor of this kind. A row is to be looked at at once, or settled: its fields are what they are when they are read. */
  rows(): Iterable<ActorRow>
  row(name: string): ActorRow | null
  /** What is shown beside the row. */
  detail(name: string): Detail
  /** Calls `hear` with what the actor does from now on; returns what ends that. */
  attach(name: string, hear: (step: Told) => void): () => void
}

type Detail = Omit<ActorView, keyof ActorRow | 'watched'>

/** Of an actor that is gone. */
export const UNKNOWN: Detail = { context: null, value: null, unreadBytes: null, timers: [], neighbours: [] }

/** Steps that are kept of an actor that is watched. */
const STEPS = 100

interface Watched {
  readonly recent: Ring<ActorStep>
  readonly hearers: Set<(step: ActorStep) => void>
  readonly detach: () => void
}

export class Tap {
  readonly #clock: Clock
  readonly #sources = new Map<ActorKind, ActorSource>()
  readonly #watched = new Map<ActorId, Watched>()
  #told = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Adds a kind of actors. */
  add(source: ActorSource): void {
    this.#sources.set(source.kind, source)
  }

  get statecharts(): Readonly<Partial<Record<ActorKind, Statechart>>> {
    return Object.fromEntries([...this.#sources].map(([kind, { statechart }]) => [kind, statechart]))
  }

  /** How many actors somebody looks at. */
  get watched(): number {
    return this.#watched.size
  }

  *rows(kinds: readonly ActorKind[] | null): Generator<ActorRow> {
    for (const source of this.#sources.values())
      if (kinds === null || kinds.includes(source.kind)) yield* source.rows()
  }

  /** Returns an actor with all that is known of it; null when there is none of this name. */
  view(id: ActorId): ActorView | null {
    const { source, name } = this.#find(id)
    const row = source?.row(name) ?? null
    if (source === undefined || row === null) return null
    return { ...row, ...source.detail(name), watched: this.#watched.has(id) }
  }

  /**
   * Calls `hear` with each step of the actor from now on; returns its last steps, which are known only since somebody
   * watches it, and what ends the watching. null: there is no such actor.
   */
  watch(
    id: ActorId,
    hear: (step: ActorStep) => void,
  ): { readonly recent: readonly ActorStep[]; readonly stop: () => void } | null {
    const { source, name } = this.#find(id)
    if (source === undefined || source.row(name) === null) return null
    const watched = this.#watched.get(id) ?? this.#begin(id, source, name)
    watched.hearers.add(hear)
    return {
      recent: watched.recent.values(),
      stop: () => {
        watched.hearers.delete(hear)
        if (watched.hearers.size > 0 || this.#watched.get(id) !== watched) return
        watched.detach()
        this.#watched.delete(id)
      },
    }
  }

  #begin(id: ActorId, source: ActorSource, name: string): Watched {
    const recent = new Ring<ActorStep>(STEPS)
    const hearers = new Set<(step: ActorStep) => void>()
    const detach = source.attach(name, told => {
      const step = { atMs: this.#clock.wallMs(), order: ++this.#told, actor: id, ...told }
      recent.push(step)
      for (const hear of hearers) hear(step)
    })
    const watched = { recent, hearers, detach }
    this.#watched.set(id, watched)
    return watched
  }

  #find(id: ActorId): { readonly source: ActorSource | undefined; readonly name: string } {
    const slash = id.indexOf('/')
    const [kind, name] = slash < 0 ? [id, ''] : [id.slice(0, slash), id.slice(slash + 1)]
    return { source: this.#sources.get(kind as ActorKind), name } // none when there is no such kind
  }
}
