/** Orders rows that are all here, as the address says it: for lists that the coordinator tells whole. */

type Key = string | number | null

/** `sort`: a name, with a minus before it for the reverse; absent: as they came. Unknown values are last, always. */
export function sorted<R>(
  rows: readonly R[],
  sort: string | undefined,
  keyOf: (row: R, name: string) => Key | undefined,
): readonly R[] {
  if (sort === undefined) return rows
  const isDown = sort.startsWith('-')
  const name = isDown ? sort.slice(1) : sort
  return rows.toSorted((a, b) => compared(keyOf(a, name) ?? null, keyOf(b, name) ?? null, isDown))
}

function compared(a: Key, b: Key, isDown: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  const order =
    typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en')
  return isDown ? -order : order
}
