/**
 * Many rows in the order of their keys, a statement's worth at a time. Sorting a hundred thousand at once would keep
 * the event loop for a tenth of a second, so short runs are sorted in turns and merged as they are asked for.
 */
import { othersTurn } from './turns.js'

/** Rows that are sorted in one turn: about 2 ms. */
const RUN_ROWS = 2_000

/** Yields all of `values` in the order of their keys, `rows` at a time. */
export async function* inOrder<T>(
  values: readonly T[],
  keyOf: (value: T) => string,
  rows: number,
): AsyncGenerator<readonly T[]> {
  const before = (a: T, b: T) => keyOf(a) < keyOf(b)
  let runs: Iterable<T>[] = []
  for (let at = 0; at < values.length; at += RUN_ROWS) {
    if (at > 0) await othersTurn()
    runs.push(values.slice(at, at + RUN_ROWS).sort((a, b) => (before(a, b) ? -1 : 1)))
  }
  while (runs.length > 1) runs = pairs(runs).map(([a, b]) => (b === undefined ? a : merged(a, b, before)))
  let statement: T[] = []
  for (const value of runs[0] ?? []) {
    statement.push(value)
    if (statement.length < rows) continue
    yield statement
    statement = []
  }
  if (statement.length > 0) yield statement
}

function* merged<T>(a: Iterable<T>, b: Iterable<T>, before: (a: T, b: T) => boolean): Generator<T> {
  const left = a[Symbol.iterator]()
  const right = b[Symbol.iterator]()
  let l = left.next()
  let r = right.next()
  while (!l.done || !r.done) {
    if (r.done || (!l.done && !before(r.value, l.value))) {
      yield (l as IteratorYieldResult<T>).value // one of them is not done
      l = left.next()
    } else {
      yield r.value
      r = right.next()
    }
  }
}

const pairs = <T>(all: readonly T[]): [T, T | undefined][] =>
  all.flatMap((one, i) => (i % 2 === 0 ? [[one, all[i + 1]] as [T, T | undefined]] : []))
