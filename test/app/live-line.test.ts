import t from 'tap'
import { asBytes, asMs, LiveLine, type Output, pathText } from '../../src/app/live-line.js'

t.test('a path is told with the reason why it is not direct', async t => {
  const link = { link: 1, peerId: 'fra-1', via: null, tier: null, rttMs: null, lossPct: null }
  t.equal(pathText(null), 'opening')
  t.equal(pathText({ ...link, state: 'direct', reason: null }), 'direct')
  t.equal(pathText({ ...link, state: 'direct', via: 'wireguard', reason: null }), 'direct by wireguard')
  t.equal(pathText({ ...link, state: 'relayed', reason: 'starting' }), 'relayed')
  t.equal(pathText({ ...link, state: 'relayed', reason: 'symmetric_both' }), 'relayed (symmetric_both)')
})

t.test('away from a terminal each change is one line', async t => {
  const { out, line } = screen({})
  line.show(moment('fra-1 DE  relayed', '12 ms'))
  line.show(moment('fra-1 DE  relayed', '13 ms'))
  line.show(moment('hel-2 FI  relayed', '40 ms'))
  line.end()
  t.equal(out(), 'fra-1 DE  relayed\nhel-2 FI  relayed\n')
})

t.test('with --json each change is one object', async t => {
  const { out, line } = screen({ json: true, isTTY: true })
  line.show(moment('fra-1', '12 ms'))
  line.show(moment('fra-1', '13 ms'))
  line.show(moment('hel-2', '40 ms'))
  t.same(
    out()
      .trim()
      .split('\n')
      .map(each => JSON.parse(each) as unknown),
    [{ text: 'fra-1' }, { text: 'hel-2' }],
  )
})

t.test('on a terminal the line is rewritten in place and never wraps', async t => {
  const { out, line } = screen({ isTTY: true, columns: 20 })
  line.show(moment('fra-1', '12 ms'))
  line.show(moment('fra-1', '12 ms'))
  line.show(moment('fra-1', 'a very long figure indeed'))
  line.end()
  t.equal(out(), '\r\u001b[Kfra-1  12 ms\r\u001b[Kfra-1  a very long \n')
})

t.test('a remark stands above the live line', async t => {
  const { out, err, line } = screen({ isTTY: true })
  line.show(moment('fra-1', ''))
  line.note('moved to hel-2')
  t.equal(err(), '\r\u001b[Kmoved to hel-2\n')
  t.equal(out(), '\r\u001b[Kfra-1fra-1')
})

t.test('figures are written as people read them', async t => {
  t.same([0, 999, 1_000, 9_949, 12_345, 999_499, 999_500, 3.2e9].map(asBytes), [
    '0 B',
    '999 B',
    '1.0 kB',
    '9.9 kB',
    '12 kB',
    '999 kB',
    '1.0 MB',
    '3.2 GB',
  ])
  t.same([null, 0.34, 9.96, 123.4].map(asMs), ['', '0.3 ms', '10 ms', '123 ms'])
})

function screen({
  json = false,
  isTTY = false,
  columns,
}: {
  json?: boolean
  isTTY?: boolean
  columns?: number
}) {
  const texts = { out: '', err: '' }
  const to = (name: 'out' | 'err'): Output => ({
    isTTY,
    ...(columns !== undefined && { columns }),
    write: text => (texts[name] += text),
  })
  const line = new LiveLine({ json, out: to('out'), err: to('err') })
  return { line, out: () => texts.out, err: () => texts.err }
}

function moment(text: string, figures: string) {
  return { text, figures, data: { text } }
}
