/** Rounds in turn: ours, the limit, ours, the limit … so that whatever else the machine does meets both alike. */

/** Returns the middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2
}

/** Runs each of `sides` once per round, in order; returns the results of each side by its name. */
export async function interleave<S extends string, R>(
  rounds: number,
  sides: Readonly<Record<S, () => R | Promise<R>>>,
  say: (text: string) => void,
): Promise<Record<S, R[]>> {
  const names = Object.keys(sides) as S[] // exactly the keys of the record
  const results = Object.fromEntries(names.map(name => [name, []])) as unknown as Record<S, R[]> // one list each
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      say(`round ${round}/${rounds} ${name}`)
      results[name].push(await sides[name]())
    }
  }
  return results
}
