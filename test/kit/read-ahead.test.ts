import t from 'tap'
import { readAhead } from '../../src/kit/read-ahead.js'

t.test('each is asked once, in their order', async t => {
  const asked: string[] = []
  readAhead(['a', 'b', 'c'], name => asked.push(name))
  t.same(asked, ['a', 'b', 'c'])
})
