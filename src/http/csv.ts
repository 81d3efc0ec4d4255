/** Tables for spreadsheets: RFC 4180, and nothing in them is a formula. */

type Cell = string | number | null

/** Spreadsheets take a cell that begins so for a formula. */
const FORMULA = /^[=+\-@\t\r]/
const SPECIAL = /[",\r\n]/

/** Returns the rows under their names; unknown is empty. Text that would be a formula begins with an apostrophe. */
export function csv<R>(rows: readonly R[], columns: Readonly<Record<string, (row: R) => Cell>>): string {
  const lines = [Object.keys(columns), ...rows.map(row => Object.values(columns).map(cellOf => cellOf(row)))]
  return lines.map(cells => `${cells.map(spelled).join(',')}\r\n`).join('')
}

function spelled(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const plain = FORMULA.test(cell) ? `'${cell}` : cell
  return SPECIAL.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
