/**
 * Watching by those who only ask now and then. Each question keeps the actor watched for a while longer; whoever stops
 * asking stops watching.
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import { Ring } from '../../kit/ring.js'
import type { ActorId, ActorStep, MeshApi } from '../ports.js'

/** How long nobody has to ask before an actor is watched no more, ms. */
const LEASE_MS = 30_000
/** Actors that are watched in this way at most; another one is refused. */
const WATCHED_MAX = 64
/** Steps that wait for the next question; older ones are lost, which their numbers tell. */
const STEPS = 500

export type NumberedStep = ActorStep & { readonly seq: number }

interface Lease {
  readonly steps: Ring<NumberedStep>
  readonly waiting: Set<() => void>
  readonly stop: () => void
  seq: number
}

export class Leases {
  readonly #clock: Clock
  readonly #mesh: Pick<MeshApi, 'watchActor'>
  readonly #leases = new Map<ActorId, Lease>()
  readonly #ends: Deadlines<ActorId>

  constructor(clock: Clock, mesh: Pick<MeshApi, 'watchActor'>) {
    this.#clock = clock
    this.#mesh = mesh
    this.#ends = new Deadlines(clock, id => this.#end(id))
  }

  /**
   * Resolves with the steps after number `after`, as soon as there are any, or with none after `waitMs`. `unknown`: there is
   * no such actor. `too_many`: so many others are watched.
   */
  async after(
    id: ActorId,
    after: number,
    waitMs: number,
  ): Promise<readonly NumberedStep[] | 'unknown' | 'too_many'> {
    const lease = this.#leases.get(id) ?? this.#begin(id)
    if (typeof lease === 'string') return lease
    const newer = () => lease.steps.values().filter(({ seq }) => seq > after)
    this.#ends.set(id, LEASE_MS + waitMs)
    const now = newer()
    if (now.length > 0 || waitMs === 0) return now
    await new Promise<void>(resolve => {
      const done = () => {
        lease.waiting.delete(done)
        this.#clock.clearTimeout(timer)
        resolve()
      }
      const timer = this.#clock.setTimeout(done, waitMs)
      lease.waiting.add(done)
    })
    return newer()
  }

  #begin(id: ActorId): Lease | 'unknown' | 'too_many' {
    if (this.#leases.size >= WATCHED_MAX) return 'too_many'
    const steps = new Ring<NumberedStep>(STEPS)
    const watched = this.#mesh.watchActor(id, step => this.#heard(id, step))
    if (watched === null) return 'unknown'
    const lease: Lease = { steps, waiting: new Set(), stop: watched.stop, seq: 0 }
    this.#leases.set(id, lease)
    for (const step of watched.recent) this.#heard(id, step)
    return lease
  }

  #heard(id: ActorId, step: ActorStep): void {
    const lease = this.#leases.get(id)
    if (lease === undefined) return
    lease.steps.push({ ...step, seq: ++lease.seq })
    for (const done of lease.waiting) done()
  }

  #end(id: ActorId): void {
    const lease = this.#leases.get(id)
    this.#leases.delete(id)
    lease?.stop()
    for (const done of lease?.waiting ?? []) done()
  }
}
