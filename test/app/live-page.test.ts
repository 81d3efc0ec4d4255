/** Pages that are looked at again and again: on a terminal, elsewhere, and while the coordinator is away. */
import t from 'tap'
import { CommandError, EXIT } from '../../src/app/exit-codes.js'
import { LivePage, type PageOutput } from '../../src/app/live-page.js'
import { show, showOptions } from '../../src/app/watching.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const [OPEN, CLOSE] = ['\u001b[?1049h\u001b[?25l', '\u001b[?25h\u001b[?1049l']

t.test('on a terminal the page is drawn in place, cut to its size, and left standing at the end', async t => {
  const { out, written, said } = screen({ isTTY: true, columns: 10, rows: 4 })
  const page = new LivePage({ json: false, hint: 'Ctrl-C ends', out, err: out })
  page.show('one\ntwo is a long line\nthree\nfour', {})
  t.ok(written().startsWith(OPEN), 'a screen of its own, without a cursor')
  t.same(lines(said()), ['one', 'two is a l', '… 2 more l', 'Ctrl-C end'])
  t.notMatch(written(), '\u001b[2J', 'nothing is wiped, so nothing flickers')

  const before = written()
  page.show('one\ntwo is a long line\nthree\nfour', {})
  t.equal(written(), before, 'what did not change is not drawn')
  page.note('gone')
  t.equal(lines(said()).at(-1), 'gone')
  page.show('one', {})
  t.same(lines(said()), ['one', '', '', 'Ctrl-C end'], 'the remark is gone with the next page')

  out.resize(20, 3)
  t.same(lines(said()), ['one', '', 'Ctrl-C ends'])
  page.end()
  t.ok(written().endsWith(`${CLOSE}one\n`))
  const ended = written()
  page.end()
  out.resize(40, 3)
  t.equal(written(), ended, 'nothing is written after the end')
})

t.test('elsewhere each change is a block, and with --json a line', async t => {
  const plain = screen({})
  const page = new LivePage({ json: false, hint: '', out: plain.out, err: plain.out })
  for (const text of ['one', 'one', 'two']) page.show(text, {})
  page.end()
  t.equal(plain.written(), 'one\n\ntwo\n')

  const json = screen({ isTTY: true })
  const objects = new LivePage({ json: true, hint: '', out: json.out, err: json.out })
  for (const nodes of [1, 1, 2]) objects.show('the same text', { nodes })
  objects.end()
  t.equal(json.written(), '{"nodes":1}\n{"nodes":2}\n')
})

t.test('a coordinator that restarts is waited for, and said once', async t => {
  const clock = new SimulatedClock()
  const { out, written } = screen({})
  const err = screen({})
  const answers = ['up 1 h', null, null, 'up 1 s'] as const
  let asked = 0
  let over = () => {}
  const shown = show(
    {
      look: async () => {
        const answer = answers[asked++]
        if (answer === undefined) over()
        if (answer === null) throw new CommandError('UNREACHABLE', 'nobody answers', EXIT.unreachable)
        return { text: answer ?? 'the end' }
      },
      page: ({ text }) => text,
    },
    {
      ...showOptions({ watch: true, every: '3s' }),
      clock,
      output: { out, err: err.out },
      over: new Promise(resolve => (over = resolve)),
    },
  )
  await clock.run(15_000)
  await shown
  t.match(written(), 'up 1 h\n\nup 1 s\n')
  t.equal(err.written(), 'the coordinator does not answer: this is how it was last; waiting for it\n')
  t.equal(clock.waiting, 0, 'no timer is left')
})

t.test('what fails the first time, or is refused, ends it', async t => {
  const refusing = async () => {
    throw new CommandError('REFUSED', 'no', EXIT.refused)
  }
  await t.rejects(show({ look: refusing, page: String }, showOptions({ watch: true })), { code: 'REFUSED' })
  t.throws(() => showOptions({ every: 'soon' }), { code: 'USAGE', message: /--every: wanted a time/ })
})

interface Size {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** A terminal that keeps what is written, and what it said last. */
function screen(size: Size) {
  let [text, last] = ['', '']
  let heard = () => {}
  const out = {
    ...size,
    write(piece: string) {
      text += piece
      last = piece
      return true
    },
    on: (_: 'resize', hear: () => void) => (heard = hear),
    off: () => (heard = () => {}),
    resize(columns: number, rows: number) {
      Object.assign(out, { columns, rows })
      heard()
    },
  } satisfies PageOutput & Record<string, unknown>
  return { out, written: () => text, said: () => last }
}

/** Returns the lines of a drawing, without what moves the cursor and changes its colour. */
function lines(drawn: string): string[] {
  const [first = '', ...rest] = drawn.split('\u001b')
  return (first + rest.map(piece => piece.replace(/^\[[?\d]*[A-Za-z]/, '')).join('')).split('\n')
}
