/** A table of rows that the coordinator has filtered, sorted and cut. Narrow, each row becomes a card. */
import type { ComponentChildren } from 'preact'
import { narrow, route } from '../route.js'
import { count, plural } from './format.js'

export interface Column<R> {
  readonly name: string
  /** What the list can be sorted by; absent: not by this. */
  readonly sort?: string
  readonly kind?: 'number' | 'tight'
  readonly cell: (row: R) => ComponentChildren
}

export function Table<R>(props: {
  readonly columns: readonly Column<R>[]
  readonly rows: readonly R[]
  readonly keyOf: (row: R) => string
  /** What the rows are, for those who hear the page. */
  readonly caption: string
}) {
  const { columns, rows, keyOf, caption } = props
  return (
    <div class="table-place">
      <table class="table">
        <caption class="hidden-visually">{caption}</caption>
        <thead>
          <tr>
            {columns.map(column => (
              <Head key={column.name} column={column} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={keyOf(row)}>
              {columns.map(({ name, kind, cell }) => (
                <td key={name} class={kind} data-label={name}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The order is in the address, as the endpoint takes it: a name, with a minus before it for the reverse. */
function Head<R>({ column: { name, sort, kind } }: { column: Column<R> }) {
  if (sort === undefined)
    return (
      <th scope="col" class={kind}>
        {name}
      </th>
    )
  const now = route.value.query['sort']
  const order = now === sort ? 'ascending' : now === `-${sort}` ? 'descending' : undefined
  return (
    <th scope="col" class={kind} {...(order !== undefined && { 'aria-sort': order })}>
      <button
        type="button"
        onClick={() => narrow({ sort: order === 'ascending' ? `-${sort}` : sort, after: undefined })}
      >
        {name} {order === 'ascending' ? '↑' : order === 'descending' ? '↓' : ''}
      </button>
    </th>
  )
}

/** How many rows there are, and the way to the next ones. */
export function Pages(props: { total: number; shown: number; next: string | null; noun: string }) {
  const { after } = route.value.query
  return (
    <div class="table-foot">
      <span>
        {props.shown < props.total
          ? `${count(props.shown)} of ${plural(props.total, props.noun)}`
          : plural(props.total, props.noun)}
      </span>
      <span class="filters">
        {after !== undefined && (
          <button type="button" class="button" onClick={() => narrow({ after: undefined })}>
            First page
          </button>
        )}
        {props.next !== null && (
          <button type="button" class="button" onClick={() => narrow({ after: props.next ?? undefined })}>
            Next page
          </button>
        )}
      </span>
    </div>
  )
}
