/** A table of rows that the coordinator has filtered, sorted and cut. Narrow, each row becomes a card. */
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { narrow, route } from '../route.js'
import { count, plural } from './format.js'
import { openRow, useRows } from './rows.js'
import type { Tone } from './tone.js'

export interface Column<R> {
  readonly name: string
  /** What the list can be sorted by; absent: not by this. */
  readonly sort?: string
  /** `name`: may be long, and is broken only then. */
  readonly kind?: 'number' | 'tight' | 'name'
  /** What its figures are, as a hint at its head. */
  readonly about?: string
  /** Its share, such as `20%`; where every column has one, nothing moves when rows change. */
  readonly width?: string
  readonly cell: (row: R) => ComponentChildren
}

export function Table<R>(props: {
  readonly columns: readonly Column<R>[]
  readonly rows: readonly R[]
  readonly keyOf: (row: R) => string
  /** What the rows are, for those who hear the page. */
  readonly caption: string
  /** Where a row leads when it is clicked, or Enter is pressed on it. */
  readonly addressOf?: (row: R) => string
  /** Rows that stand out. */
  readonly isMarked?: (row: R) => boolean
  /** Rows in which something is wrong. */
  readonly toneOf?: (row: R) => Tone
}) {
  const { columns, rows, keyOf, caption, addressOf, isMarked, toneOf } = props
  const place = useRef<HTMLDivElement>(null)
  useRows(place)
  return (
    <div ref={place} class="table-place">
      <table class={columns.every(({ width }) => width !== undefined) ? 'table fixed' : 'table'}>
        <caption class="hidden-visually">{caption}</caption>
        <colgroup>
          {columns.map(({ name, width }) => (
            <col key={name} {...(width !== undefined && { style: { width } })} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {columns.map(column => (
              <Head key={column.name} column={column} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr
              key={keyOf(row)}
              data-marked={isMarked?.(row) === true}
              data-tone={toneOf?.(row)}
              {...(addressOf !== undefined && {
                tabIndex: -1,
                'data-row': addressOf(row),
                onClick: openRow,
              })}
            >
              {columns.map(({ name, kind, cell }) => (
                <td key={name} class={kind} data-label={name}>
                  {/* One box: in a card the name is beside it, whatever it holds. */}
                  <div class="cell">{cell(row)}</div>
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
function Head<R>({ column: { name, sort, kind, about } }: { column: Column<R> }) {
  if (sort === undefined)
    return (
      <th scope="col" class={kind} title={about}>
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
