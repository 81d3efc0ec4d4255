/** Waits for what real processes and sockets do in their own time. */
import { setTimeout as wait } from 'node:timers/promises'

/** What takes a moment may take a minute where the cores are busy with something else, ms. */
export const PATIENCE_MS = 60_000

/** Resolves as soon as `held` returns something true, and to that; rejects after `withinMs` naming `what`. */
export async function until<T>(
  what: string,
  held: () => T | Promise<T>,
  withinMs = PATIENCE_MS,
): Promise<Exclude<Awaited<T>, false | null | undefined>> {
  const giveUp = performance.now() + withinMs
  for (;;) {
    const value = await held()
    if (value) return value as Exclude<Awaited<T>, false | null | undefined> // true, as just checked
    if (performance.now() > giveUp) throw new Error(`waited ${withinMs} ms in vain: ${what}`)
    await wait(10)
  }
}
