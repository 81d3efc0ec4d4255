/**
 * How much of a table is air, estimated from what the planner knows: how many rows there are, and how wide each column
 * is on average. From these follows how many pages the rows would fill if they were written anew; the rest is bloat. It
 * is the estimate that DBAs have used since check_postgres, with the padding between columns reckoned column by column.
 *
 * What the planner knows is a sample, so it is wrong by a tenth at best, and by more where the widths of rows vary much
 * or the table was not analyzed since it changed. Measuring it (pgstattuple) reads the whole table. TOAST and indexes are
 * not looked at.
 */
export interface Heap {
  /** Of its main fork, bytes. */
  readonly size: number
  readonly rows: number
  readonly blockSize: number
  /** How full VACUUM FULL would make its pages, percent. */
  readonly fillFactor: number
}

/** In the order in which they are stored. */
export interface Column {
  /** As `pg_attribute.attlen`: bytes; -1 and -2: it varies. */
  readonly length: number
  /** As `pg_attribute.attalign`. */
  readonly align: string
  /** Of values that are not null, on average, bytes; null: nobody has analyzed it, or it may not be seen. */
  readonly width: number | null
  /** The part of rows in which it is null. */
  readonly nulls: number
}

/** Of a page, bytes. */
const PAGE_HEADER = 24
/** Of a row, in its page, bytes. */
const LINE_POINTER = 4
/** Of a row, without the bitmap that says which columns are null, bytes. */
const ROW_HEADER = 23
/** Where rows and their values begin, bytes. */
const MAX_ALIGN = 8
const ALIGNS: Readonly<Record<string, number>> = { c: 1, s: 2, i: 4, d: 8 }

/** Returns the bytes that would be free again if the table were written anew; null: its columns are not known. */
export function bloatOf(
  { size, rows, blockSize, fillFactor }: Heap,
  columns: readonly Column[],
): number | null {
  if (size === 0 || rows <= 0) return size
  const width = widthOf(columns)
  if (width === null) return null
  const perPage = Math.max(
    1,
    Math.floor(((blockSize - PAGE_HEADER) * fillFactor) / 100 / (LINE_POINTER + width)),
  )
  return Math.max(0, size - Math.ceil(rows / perPage) * blockSize)
}

/** Returns the mean width of a row with its header, bytes. */
function widthOf(columns: readonly Column[]): number | null {
  const hasNulls = columns.some(({ nulls }) => nulls > 0)
  const header = aligned(ROW_HEADER + (hasNulls ? Math.ceil(columns.length / 8) : 0), MAX_ALIGN)
  let width = header
  // Where a value ends is known as so many bytes beyond a multiple of the grain: after a text, only that it is a byte.
  let [grain, beyond] = [MAX_ALIGN, 0]
  const pad = (align: number): number => {
    const known = aligned(beyond, Math.min(align, grain)) - beyond
    return grain >= align ? known : known + (align - grain) / 2
  }
  for (const { width: mean, length, align: kind, nulls } of columns) {
    if (mean === null) return null
    const isPacked = length < 0 && mean <= PACKED_MAX
    const align = isPacked ? 1 : (ALIGNS[kind] ?? 1)
    const padding = pad(align)
    width += (1 - nulls) * (padding + mean)
    if (length < 0) [grain, beyond] = [1, 0]
    else if (grain < align || nulls > 0) [grain, beyond] = [align, length]
    else beyond += padding + length
  }
  return width + pad(MAX_ALIGN)
}

/** Values whose length varies and that are no longer are stored without padding, bytes. */
const PACKED_MAX = 127

const aligned = (at: number, align: number): number => Math.ceil(at / align) * align
