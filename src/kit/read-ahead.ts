/**
 * Reading ahead: when a few things out of very many are about to be used, each is a wait for memory. Asked for a figure
 * one right after the other they are waited for side by side, which takes hardly longer than one of them.
 */

/** What was read, added up. It means nothing, and is kept so that no compiler finds the reading needless. */
let read = 0

/** Reads a figure of each; what stands next to it in memory is at hand afterwards. */
export function readAhead<T>(things: readonly T[], figure: (thing: T) => number): void {
  for (const thing of things) read = (read + figure(thing)) | 0
}
