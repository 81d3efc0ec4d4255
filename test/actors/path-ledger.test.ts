import fc from 'fast-check'
import t from 'tap'
import { PathLedger } from '../../src/actors/path/ledger.js'
import { bytesOf } from '../../src/actors/path/path-bytes.js'
import { ATTEMPTS_MAX, type AttemptReport, HISTORY_MAX } from '../../src/actors/path/path-story.js'
import type { PathRecord } from '../../src/actors/ports.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const LINK = 0x1_0000
const OPENING = { link: LINK, routeId: 'r-1', clientId: 'alice', nodeId: 'fra-1', policy: 'auto' } as const

t.test('a path tells its tier, since when, why, and where it was before', async t => {
  const { ledger, clock, startMs } = opened()
  t.match(ledger.of(LINK), { tier: 'opening', via: null, reason: 'starting', sinceMs: startMs })
  await clock.run(100)
  ledger.settled(LINK, { tier: 'relayed', via: 'websocket', reason: 'starting' })
  await clock.run(400)
  ledger.settled(LINK, { tier: 'relayed', via: 'websocket', reason: 'punch_timeout' })
  t.match(ledger.of(LINK), { sinceMs: startMs + 100, reason: 'punch_timeout' }, 'the stay goes on')
  await clock.run(500)
  ledger.settled(LINK, { tier: 'direct', via: 'udp' })
  t.match(ledger.of(LINK), {
    tier: 'direct',
    via: 'udp',
    reason: null,
    sinceMs: startMs + 1_000,
    history: [
      { tier: 'opening', via: null, reason: 'starting', fromMs: startMs, untilMs: startMs + 100 },
      { tier: 'relayed', via: 'websocket', reason: 'punch_timeout', untilMs: startMs + 1_000 },
    ],
  })
})

t.test('a pair is found in either order, live and ended, newest first', async t => {
  const { ledger, clock } = opened()
  await clock.run(1_000)
  ledger.opened({ ...OPENING, link: LINK + 1, routeId: 'r-2' })
  ledger.closed(LINK, 'the client moved on')
  t.match(ledger.between('fra-1', 'alice'), [
    { routeId: 'r-2', tier: 'opening', closedAtMs: null },
    { routeId: 'r-1', tier: 'closed', closedBecause: 'the client moved on' },
  ])
  t.same(ledger.between('alice', 'fra-1'), ledger.between('fra-1', 'alice'))
  t.same(ledger.between('alice', 'ams-1'), [])
  t.equal(ledger.of(LINK), undefined)
  t.equal([...ledger.all()].length, 1)
})

t.test('only so many ended paths stay in memory', async t => {
  const ledger = new PathLedger({ clock: new SimulatedClock(), keep: () => {}, endedMax: 2 })
  for (let i = 0; i < 5; i++) {
    ledger.opened({ ...OPENING, link: LINK + i, routeId: `r-${i}`, nodeId: `n-${i}` })
    ledger.closed(LINK + i, 'done')
  }
  t.same(
    Array.from({ length: 5 }, (_, i) => ledger.between('alice', `n-${i}`).length),
    [0, 0, 0, 1, 1],
  )
})

t.test('an attempt holds what both ends said, and counts as the worse of the two', async t => {
  const { ledger } = opened()
  ledger.punched(LINK, { attempt: 1, via: 'udp' })
  t.match(ledger.of(LINK)?.attempts, [{ attempt: 1, via: 'udp', client: null, node: null }])
  ledger.attempted(LINK, 'client', { ...tried(1), outcome: 'direct', local: 'host 10.0.0.2:5', rttMs: 12 })
  t.same(
    ledger.totals.attempts.udp,
    { direct: 0, turned: 0, failed: 0, lost: 0 },
    'one end alone decides nothing',
  )
  ledger.attempted(LINK, 'node', { ...tried(1), outcome: 'failed', cause: 'no_answer' })
  t.match(ledger.of(LINK)?.attempts, [
    {
      client: { outcome: 'direct', local: 'host 10.0.0.2:5', remote: null, rttMs: 12, lost: null },
      node: {
        outcome: 'failed',
        cause: 'no_answer',
        tried: ['host 10.0.0.2:5 → host 10.0.1.2:5: no answer'],
      },
    },
  ])
  t.match(ledger.totals.attempts, { udp: { failed: 1, direct: 0 }, ice: { failed: 0 } })
  t.equal(ledger.lastAttempt(LINK), 1)
})

t.test('what an attempt had won and lost again is told with it', async t => {
  const { ledger, startMs } = opened()
  for (const end of ['client', 'node'] as const)
    ledger.attempted(LINK, end, { ...tried(1), outcome: 'direct' })
  for (const end of ['client', 'node'] as const)
    ledger.attempted(LINK, end, { ...tried(1), outcome: 'lost', cause: 'silent' })
  t.match(ledger.of(LINK)?.attempts[0]?.client, {
    outcome: 'direct',
    lost: { atMs: startMs, cause: 'silent' },
  })
  t.same(ledger.totals.attempts.udp, { direct: 1, turned: 0, failed: 0, lost: 1 })
})

t.test('a record is bounded: attempts, what they tried, and history', async t => {
  const { ledger } = opened()
  for (let attempt = 1; attempt <= 40; attempt++) {
    ledger.attempted(LINK, 'client', { ...tried(attempt), outcome: 'direct' })
    ledger.settled(LINK, { tier: 'direct', via: 'udp' })
    ledger.settled(LINK, { tier: 'relayed', via: 'websocket', reason: 'direct_lost' })
  }
  const { attempts = [], history = [] } = ledger.of(LINK) ?? {}
  t.equal(attempts.length, ATTEMPTS_MAX)
  t.equal(attempts.at(-1)?.attempt, 40)
  t.same(
    attempts.filter(({ client }) => client?.tried.length !== 0).map(({ attempt }) => attempt),
    [39, 40],
  )
  t.equal(history.length, HISTORY_MAX)
})

t.test('bytes are split by the tier that carried them, each way', async t => {
  const { ledger } = opened()
  ledger.reported(LINK, 'client', {
    sentBytes: 1_000,
    receivedBytes: 50,
    turnedSentBytes: 100,
    directSentBytes: 600,
    rttMs: 20,
    lossPct: 1,
  })
  ledger.reported(LINK, 'node', { sentBytes: 60, receivedBytes: 900, directReceivedBytes: 650 })
  t.match(ledger.of(LINK)?.client, { rttMs: 20, lossPct: 1 })
  const record = ledger.of(LINK)
  t.same(record && bytesOf(record), {
    toNode: { relayed: 300, turned: 100, direct: 650 },
    toClient: { relayed: 60, turned: 0, direct: 0 },
  })
  t.same(ledger.totals.bytes, { relayed: 360, turned: 100, direct: 650 })
})

t.test('bytes never shrink and never count twice, whatever is restarted, repeated or late', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('traffic'), bytes: fc.nat(1_000), direct: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.constant({ kind: 'report' as const }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat'), back: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const { ledger } = opened()
      let counters = { sentBytes: 0, receivedBytes: 0, directSentBytes: 0 }
      const sinceSetUp: (typeof counters)[] = []
      const truly = { relayed: 0, direct: 0 }
      let reported = 0
      let last = { relayed: 0, direct: 0, turned: 0 }
      for (const step of steps) {
        if (step.kind === 'traffic' && 'bytes' in step) {
          const direct = step.direct ? step.bytes : 0
          counters = {
            ...counters,
            sentBytes: counters.sentBytes + step.bytes,
            directSentBytes: counters.directSentBytes + direct,
          }
          truly[step.direct ? 'direct' : 'relayed'] += step.bytes
        } else if (step.kind === 'report') {
          sinceSetUp.push(counters)
          ledger.reported(LINK, 'client', counters)
          reported = truly.relayed + truly.direct
        } else if (step.kind === 'repeat' && 'back' in step) {
          const old = sinceSetUp.at(-1 - step.back)
          if (old !== undefined) ledger.reported(LINK, 'client', old)
        } else {
          counters = { sentBytes: 0, receivedBytes: 0, directSentBytes: 0 }
          sinceSetUp.length = 0
          ledger.ready(LINK, 'client')
        }
        const record = ledger.of(LINK)
        const now = record === undefined ? last : bytesOf(record).toNode
        if (now.relayed < last.relayed || now.direct < last.direct) return false
        if (now.relayed > truly.relayed || now.direct > truly.direct) return false
        last = now
      }
      const counted = last.relayed + last.direct
      const { bytes } = ledger.totals
      const isWhole = !steps.some(({ kind }) => kind === 'restart')
        ? counted === reported
        : counted <= reported
      return isWhole && bytes.relayed + bytes.direct === counted
    }),
  )
})

t.test(
  'what an agent counts before it knows the tier neither shrinks the relay’s part nor stops the count',
  async t => {
    const { ledger } = opened()
    const report = (sentBytes: number, directSentBytes: number) => {
      ledger.reported(LINK, 'client', { sentBytes, receivedBytes: 0, directSentBytes })
      const record = ledger.of(LINK)
      return record && bytesOf(record).toNode
    }
    t.match(report(1_000, 900), { relayed: 100, direct: 900 })
    t.match(report(1_100, 1_050), { relayed: 100, direct: 1_050 })
    t.match(report(3_000, 2_880), { relayed: 120, direct: 2_880 })
  },
)

t.test('an agent that was restarted goes on counting where it was', async t => {
  const { ledger } = opened()
  const toNode = () => {
    const record = ledger.of(LINK)
    return record && bytesOf(record).toNode.relayed
  }
  ledger.reported(LINK, 'client', { sentBytes: 5_000, receivedBytes: 0 })
  ledger.reported(LINK, 'client', { sentBytes: 400, receivedBytes: 0 })
  t.equal(toNode(), 5_000, 'lower figures out of the blue are old ones')
  ledger.ready(LINK, 'client')
  ledger.reported(LINK, 'client', { sentBytes: 400, receivedBytes: 0 })
  t.equal(toNode(), 5_400)
  ledger.ready(LINK, 'client')
  ledger.reported(LINK, 'client', { sentBytes: 700, receivedBytes: 0 })
  t.equal(toNode(), 5_700, 'set up again without having been restarted')
})

t.test(
  'a change of tier is kept at once, counters now and then, and the end whatever came before',
  async t => {
    const { ledger, clock, kept } = opened()
    const report = (sentBytes: number) => ledger.reported(LINK, 'client', { sentBytes, receivedBytes: 0 })
    ledger.settled(LINK, { tier: 'relayed', via: 'websocket', reason: 'starting' })
    t.equal(kept.length, 0, 'what has only begun is told by its route')
    report(1)
    t.match(kept, [{ tier: 'relayed', client: { sent: { relayed: 1 } } }], 'bytes are of this path for ever')
    for (let i = 2; i < 11; i++) {
      await clock.run(30_000)
      report(i)
    }
    t.equal(kept.length, 1)
    await clock.run(30_000)
    report(12)
    t.equal(kept.length, 2, 'five minutes later')
    ledger.ready(LINK, 'client')
    report(3)
    t.equal(kept.length, 3, 'what was counted before a new beginning is known to nobody else')
    ledger.settled(LINK, { tier: 'direct', via: 'udp' })
    ledger.settled(LINK, { tier: 'relayed', via: 'websocket', reason: 'direct_lost' })
    t.same(
      kept.slice(3).map(({ tier }) => tier),
      ['direct', 'relayed'],
    )
    for (let attempt = 1; attempt < 50; attempt++) ledger.attempted(LINK, 'client', tried(attempt))
    t.equal(kept.length, 5, 'however often an agent reports')
    ledger.flush()
    ledger.flush()
    t.equal(kept.length, 6)
    t.equal(kept[5]?.attempts.at(-1)?.attempt, 49)
    ledger.closed(LINK, 'the client left')
    t.match(kept[6], { tier: 'closed', closedBecause: 'the client left' })
  },
)

t.test('a path of an earlier process goes on with its history and its bytes', async t => {
  const { ledger: before, kept } = opened()
  before.settled(LINK, { tier: 'relayed', via: 'websocket', reason: 'starting' })
  before.settled(LINK, { tier: 'direct', via: 'udp' })
  before.reported(LINK, 'client', { sentBytes: 900, receivedBytes: 0 })
  before.flush()
  const record = kept.at(-1) as PathRecord // just kept

  const { ledger, clock } = opened({ restored: [record, { ...record, link: LINK + 1, pathId: 'p-2' }] })
  await clock.run(1_000)
  ledger.settled(LINK, { tier: 'relayed', via: 'websocket', reason: 'starting' })
  ledger.reported(LINK, 'client', { sentBytes: 1_000, receivedBytes: 0 })
  const after = ledger.of(LINK)
  t.same(
    after?.history.map(({ tier }) => tier),
    ['opening', 'relayed', 'direct'],
  )
  t.equal(after?.pathId, record.pathId)
  t.equal(after && bytesOf(after).toNode.relayed, 1_000, 'only what is new was added')
  t.equal(ledger.totals.bytes.relayed, 100)
  ledger.closeRestored('its route is gone')
  t.match(ledger.between('alice', 'fra-1'), [
    { link: LINK },
    { pathId: 'p-2', closedBecause: 'its route is gone' },
  ])
})

t.test('whoever counts hears of a path when more has gone over it, and when it ends', async t => {
  const { ledger, grown } = opened()
  const report = { sentBytes: 100, receivedBytes: 40 }
  ledger.reported(LINK, 'client', report)
  ledger.reported(LINK, 'client', report)
  t.match(grown, [{ client: { sent: { relayed: 100 } }, closedAtMs: null }], 'the second told of nothing new')
  ledger.ready(LINK, 'client')
  ledger.reported(LINK, 'client', { sentBytes: 5, receivedBytes: 0 })
  ledger.closed(LINK, 'the client left')
  t.match(grown.slice(1), [{ client: { sent: { relayed: 105 } } }, { closedBecause: 'the client left' }])
})

t.test(
  'a path that goes on by another policy is the same path, and what it carried is not counted again',
  async t => {
    const { ledger, grown } = opened()
    const { pathId } = ledger.of(LINK) ?? {}
    ledger.reported(LINK, 'client', { sentBytes: 5_000, receivedBytes: 0 })
    ledger.opened({ ...OPENING, policy: 'relay-only' })
    t.match(ledger.of(LINK), { pathId, policy: 'relay-only', closedAtMs: null })
    ledger.ready(LINK, 'client')
    ledger.reported(LINK, 'client', { sentBytes: 5_100, receivedBytes: 0 })
    t.match(grown.at(-1), { pathId, client: { sent: { relayed: 5_100 } } })
    t.equal(new Set(grown.map(record => record.pathId)).size, 1)
  },
)

t.test('another route on the link of an earlier process is another path', async t => {
  const { ledger: before, kept } = opened()
  before.closed(LINK, 'never mind')
  const record = { ...(kept[0] as PathRecord), closedAtMs: null } // just kept
  const { ledger } = opened({ restored: [{ ...record, routeId: 'r-0' }] })
  t.same(ledger.of(LINK)?.history, [])
  ledger.closeRestored('gone')
  t.match(ledger.between('alice', 'fra-1'), [{ routeId: 'r-1' }, { routeId: 'r-0', closedBecause: 'gone' }])
})

function opened({ restored = [] }: { readonly restored?: readonly PathRecord[] } = {}) {
  const clock = new SimulatedClock()
  const kept: PathRecord[] = []
  const grown: PathRecord[] = []
  const ledger = new PathLedger({
    clock,
    keep: record => void kept.push(record),
    grown: record => void grown.push(record),
  })
  ledger.restore(restored)
  ledger.opened(OPENING)
  return { ledger, clock, kept, grown, startMs: clock.wallMs() }
}

const tried = (attempt: number): AttemptReport => ({
  attempt,
  via: 'udp',
  outcome: 'failed',
  tried: ['host 10.0.0.2:5 → host 10.0.1.2:5: no answer'],
})
