/** What becomes one statement: rows in order, and columns as literals. */
import t from 'tap'
import { column, literalOf } from '../../src/kit/column.js'
import { inOrder } from '../../src/store/in-order.js'

t.test('any number of rows comes in the order of their keys, a statement at a time', async t => {
  for (const count of [0, 1, 999, 2_000, 2_001, 9_500]) {
    const keys = Array.from({ length: count }, (_, i) => `k-${(i * 7_919) % count}`)
    const statements: (readonly string[])[] = []
    for await (const rows of inOrder(keys, key => key, 1_000)) statements.push(rows)
    t.strictSame(statements.flat(), keys.toSorted(), `${count} rows`)
    t.strictSame(
      statements.map(rows => rows.length),
      Array.from({ length: Math.ceil(count / 1_000) }, (_, i) => Math.min(1_000, count - i * 1_000)),
    )
  }
})

t.test('a column is spelled as PostgreSQL reads arrays', async t => {
  const rows = [
    'plain',
    'a "word"',
    'back\\slash',
    '{curly, with comma}',
    '',
    'NULL',
    'zwölf',
    null,
    undefined,
  ]
  t.equal(
    column(rows, row => row),
    '{"plain","a \\"word\\"","back\\\\slash","{curly, with comma}","","NULL","zwölf",NULL,NULL}',
  )
  t.equal(
    column([1, -2.5, true, false], row => row),
    '{1,-2.5,true,false}',
  )
  t.equal(
    column([['a', 'b'], []], tags => literalOf(tags)),
    '{"{\\"a\\",\\"b\\"}","{}"}',
  )
})
