/** A list of the coordinator as a view shows it: its filters, its rows, what to do when there are none, and the way on. */
import type { ComponentChildren } from 'preact'
import { useView } from '../live/hooks.js'
import { queryFor } from './filters.js'
import { Fault } from './parts.js'
import { type Column, Pages, Table } from './table.js'

export interface ListProps<N extends string, R> {
  /** The endpoint, and the name that the rows have in its answer. */
  readonly path: string
  readonly rows: N
  /** What of the address's query is for the endpoint, beside order and page; and what always is. */
  readonly filters: readonly string[]
  readonly fixed?: Readonly<Record<string, string>>
  readonly columns: readonly Column<R>[]
  readonly keyOf: (row: R) => string
  /** What one row is, for counting: `route`. */
  readonly noun: string
  /** Said when no row meets the filters. */
  readonly empty: ComponentChildren
  /** Where a row leads. */
  readonly addressOf?: (row: R) => string
  /** Rows that stand out. */
  readonly isMarked?: (row: R) => boolean
  /** How often it is looked at, ms. */
  readonly everyMs?: number
  /** The fields that filter. */
  readonly children?: ComponentChildren
}

type Page<N extends string, R> = Readonly<Record<N, readonly R[]>> & {
  readonly total: number
  readonly next: string | null
}

/** Rows of a page. */
const ROWS = '50'

export function List<N extends string, R>(props: ListProps<N, R>) {
  const { path, rows, filters, fixed, columns, keyOf, noun, empty, everyMs, children } = props
  const { addressOf, isMarked } = props
  const query = queryFor([...filters, 'sort', 'after'], { limit: ROWS, ...fixed })
  const { value: page, fault } = useView<Page<N, R>>(`${path}${query}`, everyMs)
  return (
    <>
      {children !== undefined && <div class="filters">{children}</div>}
      {fault !== null && <Fault>{fault}</Fault>}
      {page === null && fault === null && <div class="table-place" aria-busy="true" />}
      {page !== null && (
        <>
          {page.total === 0 ? (
            empty
          ) : (
            <Table
              caption={`${noun}s`}
              columns={columns}
              rows={page[rows]}
              keyOf={keyOf}
              {...(addressOf !== undefined && { addressOf })}
              {...(isMarked !== undefined && { isMarked })}
            />
          )}
          <Pages total={page.total} shown={page[rows].length} next={page.next} noun={noun} />
        </>
      )}
    </>
  )
}
