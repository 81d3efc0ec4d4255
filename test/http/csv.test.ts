import t from 'tap'
import { csv } from '../../src/http/csv.js'

t.test('rows stand under the names of their columns, and unknown is empty', async t => {
  const rows = [
    { id: 'fra-1', bytes: 12 },
    { id: 'ams-1', bytes: null },
  ]
  t.equal(csv(rows, { id: row => row.id, bytes: row => row.bytes }), 'id,bytes\r\nfra-1,12\r\nams-1,\r\n')
})

t.test('text with commas, quotes and line ends is quoted', async t => {
  t.equal(
    csv(['a,b', 'say "hi"', 'two\nlines'], { text: row => row }),
    'text\r\n"a,b"\r\n"say ""hi"""\r\n"two\nlines"\r\n',
  )
})

t.test('no cell is a formula', async t => {
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1']) {
    const cell = csv([text], { text: row => row }).slice('text\r\n'.length)
    t.match(cell, /^"?'/, JSON.stringify(text))
  }
  t.equal(csv([-1], { number: row => row }), 'number\r\n-1\r\n', 'a number is none')
})
