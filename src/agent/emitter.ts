/**
 * Typed events with any number of listeners. A listener that throws does not disturb whoever emitted:
 * its error surfaces as an uncaught exception of its own turn.
 */
export type Listener<T> = (event: T) => void

export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>()

  /** Calls `listener` at every `type`; returns what takes it away again. */
  on<K extends keyof Events>(type: K, listener: Listener<Events[K]>): () => void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  emit<K extends keyof Events>(type: K, event: Events[K]): void {
    for (const listener of this.#listeners.get(type) ?? []) {
      try {
        ;(listener as Listener<Events[K]>)(event) // stored by `on` under the same type
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
