/** What waits for a coordinator: in which order it goes, what is dropped, and what a killed process leaves. */
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { clientRecord, logRecord, type Record, trafficRecord } from '../../../src/agent/reports/records.js'
import { type Batch, Spool, type SpoolOptions } from '../../../src/agent/reports/spool.js'
import { MESSAGE_MAX } from '../../../src/protocol/timing.js'
import { decode, encode } from '../../../src/protocol/codec.js'
import { seededRandom } from '../../../src/kit/random.js'

const log = (level: 'info' | 'warning' | 'error', message: string) => logRecord({ level, message }, 1_000)
const client = (ip: string) => clientRecord({ ip }, 1_000)
const traffic = (resourceId: string) =>
  trafficRecord({
    resourceType: 'proxy',
    resourceId,
    fromMs: 0,
    untilMs: 1_000,
    inboundBytes: 1,
    outboundBytes: 2,
    requests: 1,
    responseTimeMs: 5,
    errors: 0,
  })

function spool(options: Partial<SpoolOptions> = {}) {
  const faults: unknown[] = []
  const made = new Spool({
    max: 10_000,
    logsPerBatch: 100,
    random: seededRandom(7),
    fault: error => faults.push(error),
    ...options,
  })
  return { spool: made, faults }
}

const messages = ({ logs }: Batch) => logs.map(row => row[2])

/** Settles every batch as stored, and returns what they held. */
function drained(from: Spool): Batch[] {
  const batches: Batch[] = []
  for (let batch = from.next(); batch !== null; batch = from.next()) {
    batches.push(batch)
    from.settled(batch.stream, batch.seq, 'stored')
  }
  return batches
}

t.test('records leave in the order they came, and each batch has its number', async t => {
  const { spool: waiting } = spool({ logsPerBatch: 2 })
  for (const word of ['one', 'two', 'three']) waiting.add(log('info', word))
  const batches = drained(waiting)
  t.same(
    batches.map(batch => [batch.seq, messages(batch)]),
    [
      [1, ['one', 'two']],
      [2, ['three']],
    ],
  )
})

t.test('a batch stays as it is until it is settled, whatever comes meanwhile', async t => {
  const { spool: waiting } = spool()
  waiting.add(log('info', 'first'))
  const before = waiting.next()
  waiting.add(log('error', 'second'))
  t.same(waiting.next(), before)
  waiting.settled(before?.stream ?? '', before?.seq ?? 0, 'stored')
  t.same(messages(waiting.next() as Batch), ['second'])
})

t.test(
  'when there is no room, lines of information go first and errors last, the oldest of them',
  async t => {
    const { spool: waiting } = spool({ max: 4 })
    const order = [
      log('info', 'i'),
      log('warning', 'w'),
      client('192.0.2.1'),
      traffic('p-1'),
      log('error', 'e'),
    ]
    for (const record of order) waiting.add(record)
    t.equal(waiting.size, 4)
    t.equal(waiting.dropped, 1)
    for (let i = 0; i < 5; i++) waiting.add(log('error', `e${i}`))
    const [batch] = drained(waiting)
    t.same(messages(batch as Batch), ['e1', 'e2', 'e3', 'e4'], 'only errors are left, the newest of them')
    t.equal(batch?.dropped, 6, 'and the coordinator is told how many are not')
  },
)

t.test('a batch always fits into a message of the wire', async t => {
  const { spool: waiting } = spool()
  for (let i = 0; i < 300; i++) {
    waiting.add(
      logRecord(
        {
          level: 'error',
          message: 'm'.repeat(9_000),
          details: '"\n'.repeat(9_000),
          metadata: { x: 'y'.repeat(9_000) },
        },
        i,
      ),
    )
    waiting.add(client('2001:db8::1'))
    waiting.add(traffic('p-1'))
  }
  const batches = drained(waiting)
  t.equal(
    batches.reduce(
      (sum, { logs, clients, traffic: rows }) => sum + logs.length + clients.length + rows.length,
      0,
    ),
    900,
  )
  for (const batch of batches) {
    const bytes = encode({ type: 'report.batch', ...batch })
    t.ok(bytes.length < MESSAGE_MAX)
    t.match(decode(bytes), { type: 'report.batch' }, 'and is one that the other end takes')
  }
})

t.test('whatever a program says becomes something that the wire takes', async t => {
  const { failed, counterexample } = fc.check(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.anything(),
      fc.double(),
      (a, b, thing, figure) => {
        let metadata: unknown = thing
        try {
          JSON.stringify(metadata)
        } catch {
          metadata = null
        }
        const records: Record[] = [
          clientRecord({ ip: a, userAgent: b, country: a, city: b, countryCode: a }, 1),
          logRecord({ level: 'info', message: a, details: b, metadata }, 1),
          trafficRecord({
            resourceType: 'domain',
            resourceId: a,
            fromMs: figure,
            untilMs: figure,
            inboundBytes: figure,
            outboundBytes: figure,
            requests: figure,
            responseTimeMs: figure,
            errors: figure,
          }),
        ]
        const { spool: waiting } = spool()
        for (const record of records) waiting.add(record)
        const [batch] = drained(waiting)
        return decode(encode({ type: 'report.batch', ...(batch as Batch) })).type === 'report.batch'
      },
    ),
    { seed: 11 },
  )
  t.notOk(failed, JSON.stringify(counterexample))
})

t.test('a killed process loses nothing that it kept, and numbers nothing twice', async t => {
  const path = join(t.testdir(), 'reports', 'spool')
  const { spool: first } = spool({ path })
  for (const word of ['one', 'two']) first.add(log('info', word))
  const onTheWay = first.next() as Batch
  first.add(log('error', 'three'))

  const { spool: second, faults } = spool({ path, random: seededRandom(8) })
  t.same(faults, [])
  t.equal(second.size, 3)
  t.same(second.next(), onTheWay, 'the batch that was on the way is the same one')
  second.settled(onTheWay.stream, onTheWay.seq, 'stored')
  const next = second.next() as Batch
  t.same([next.stream, next.seq, messages(next)], [onTheWay.stream, onTheWay.seq + 1, ['three']])
  second.settled(next.stream, next.seq, 'stored')

  const { spool: third } = spool({ path })
  t.equal(third.size, 0)
})

t.test('a torn end is cut off, and what is before it stays', async t => {
  const path = join(t.testdir(), 'spool')
  const { spool: first } = spool({ path })
  first.add(log('info', 'whole'))
  appendFileSync(path, '00000000 ["add",9,{"kind":"log","row":[1,"info","to')
  const { spool: second, faults } = spool({ path })
  t.same(faults, [])
  t.same(drained(second).flatMap(messages), ['whole'])
})

t.test('a file that is no spool is begun anew', async t => {
  const path = join(t.testdir(), 'spool')
  writeFileSync(path, 'something else\nentirely\n')
  const { spool: waiting, faults } = spool({ path })
  waiting.add(log('info', 'kept'))
  t.same(faults, [])
  t.ok(waiting.isKept)
  t.same(drained(spool({ path }).spool).flatMap(messages), ['kept'])
})

t.test('without a file that can be written everything waits in memory, and that is said', async t => {
  const folder = t.testdir()
  const path = join(folder, 'spool')
  mkdirSync(path)
  const { spool: waiting, faults } = spool({ path })
  t.equal(faults.length, 1)
  t.notOk(waiting.isKept)
  waiting.add(log('error', 'still here'))
  t.same(drained(waiting).flatMap(messages), ['still here'])
})

t.test('the file does not grow without end', async t => {
  const path = join(t.testdir(), 'spool')
  const { spool: waiting } = spool({ path })
  for (let i = 0; i < 3_000; i++) {
    waiting.add(log('info', 'x'.repeat(200)))
    if (i % 50 === 0) drained(waiting)
  }
  t.ok(statSync(path).size < 512 * 1024, `${statSync(path).size} bytes`)
  t.match(readFileSync(path, 'utf8'), /"stream"/)
})

t.test('however it is killed, each record is delivered once or counted as dropped', async t => {
  const folder = t.testdir()
  let run = 0
  const { failed, counterexample } = fc.check(
    fc.property(
      fc.array(fc.constantFrom('add', 'error', 'send', 'ack', 'kill'), { maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      (steps, max) => {
        const path = join(folder, `spool-${run++}`)
        const open = () => spool({ path, max, logsPerBatch: 3, random: seededRandom(run) }).spool
        // The coordinator's side: each numbered batch counts once.
        const counted: string[] = []
        const last = new Map<string, number>()
        const receive = ({ stream, seq, ...batch }: Batch) => {
          if (seq <= (last.get(stream) ?? 0)) return
          last.set(stream, seq)
          counted.push(...messages({ stream, seq, ...batch }))
        }
        let waiting = open()
        let added = 0
        for (const step of steps) {
          if (step === 'add') waiting.add(log('info', `n${added++}`))
          else if (step === 'error') waiting.add(log('error', `n${added++}`))
          else if (step === 'kill') waiting = open()
          else {
            const batch = waiting.next()
            if (batch === null) continue
            receive(batch)
            if (step === 'ack') waiting.settled(batch.stream, batch.seq, 'stored')
          }
          if (waiting.size > max) return false
        }
        for (const batch of drained(waiting)) receive(batch)
        return counted.length + waiting.dropped === added && new Set(counted).size === counted.length
      },
    ),
    { seed: 3, numRuns: 200 },
  )
  t.notOk(failed, JSON.stringify(counterexample))
})
