import fc from 'fast-check'
import t from 'tap'
import { HttpError } from '../../src/http/faults.js'
import { listed } from '../../src/http/listing.js'

interface Row {
  readonly id: string
  readonly load: number | null
}
const page = (rows: readonly Row[], query: { limit: number; after?: string; sort?: string }) =>
  listed(
    'rows',
    rows,
    query,
    row => row.id,
    row => row.load,
  )

t.test('pages follow one another and tell each row once, in every order', async () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1 }), load: fc.option(fc.integer()) }), {
        selector: row => row.id,
      }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(undefined, 'load', '-load'),
      (rows, limit, sort) => {
        const seen: Row[] = []
        let after: string | null = null
        do {
          const query = { limit, ...(sort && { sort }), ...(after !== null && { after }) }
          const answer: ReturnType<typeof page> = page(rows, query)
          if (answer.total !== rows.length || answer.count !== answer.rows.length) return false
          seen.push(...answer.rows)
          after = answer.next
        } while (after !== null)
        const whole = page(rows, { limit: 10_000, ...(sort && { sort }) }).rows
        return JSON.stringify(seen) === JSON.stringify(whole) && seen.length === rows.length
      },
    ),
    { seed: 5 },
  )
})

t.test('what is unknown comes last, whichever way the order goes', async t => {
  const rows = [
    { id: 'a', load: null },
    { id: 'b', load: 2 },
    { id: 'c', load: 9 },
  ]
  const order = (sort: string) => page(rows, { limit: 9, sort }).rows.map(row => row.id)
  t.same(order('load'), ['b', 'c', 'a'])
  t.same(order('-load'), ['c', 'b', 'a'])
})

t.test('a row that goes meanwhile takes no other with it', async t => {
  const rows = ['a', 'b', 'c', 'd'].map(id => ({ id, load: 1 }))
  const first = page(rows, { limit: 2 })
  const rest = rows.filter(({ id }) => id !== 'b')
  t.same(
    page(rest, { limit: 2, ...(first.next !== null && { after: first.next }) }).rows.map(({ id }) => id),
    ['c', 'd'],
  )
})

t.test('a cursor that is none of ours is refused', async t => {
  t.throws(
    () => page([], { limit: 2, after: 'nonsense' }),
    new HttpError(400, 'bad_request', 'after: wanted `next` of the page before'),
  )
})
