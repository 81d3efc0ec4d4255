import t from 'tap'
import { pick, seededRandom } from '../../src/kit/random.js'
import { mayBeBeat, readBeat } from '../../src/lanes/heartbeat-frame.js'
import { HeartbeatLedger, stampOf } from '../../src/lanes/heartbeat-ledger.js'
import { decode, encode, FrameError } from '../../src/protocol/codec.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { Heartbeat, type WireOf } from '../../src/protocol/messages.js'

const full = EXAMPLES.heartbeat
/** The fields that are text for the lane. */
const TEXTS = new Set(['serverId', 'iface', 'pingTarget'])
const bare: WireOf<'heartbeat'> = { type: 'heartbeat', seq: 1, serverId: 'a', generatedAt: 0, readyAt: 0 }

t.test('the lane reads what the codec reads', async t => {
  const beats: readonly WireOf<'heartbeat'>[] = [
    full,
    bare,
    { ...full, seq: 0xffff_ffff, generatedAt: Number.MAX_SAFE_INTEGER, uptimeS: Number.MAX_VALUE },
    {
      ...full,
      activeSessions: 0,
      cpuTotalPct: 0.1,
      bwRxMbps: 5e-324,
      rxDropped: 2 ** 40,
      ppsRx: 255,
      ppsTx: 65_535,
    },
    { ...full, serverId: `Z${'.-_9'.repeat(15)}`, pingTarget: 'x'.repeat(64), iface: '' },
    ...['0', '7', '0.42', '12.05', '1024.999', '0.10'].map(load1 => ({ ...full, load1 })),
  ]
  for (const beat of beats) t.same(lane(encode(beat)), codec(encode(beat)), JSON.stringify(beat))
})

t.test('floats of four bytes and integers of eight are numbers as well', async t => {
  const half = hex(encode({ ...bare, cpuTotalPct: 0.5 })).replace('cb3fe0000000000000', 'ca3f000000')
  const wide = hex(encode({ ...bare, seq: 7 })).replace('1007', '10cf0000000000000007')
  for (const message of [half, wide]) t.same(lane(bytes(message)), codec(bytes(message)))
})

t.test('whatever the lane takes, the codec takes alike, also of mangled bytes', async t => {
  const random = seededRandom(12)
  let taken = 0
  for (let i = 0; i < 20_000; i++) {
    const message = Uint8Array.from(encode(i % 2 === 0 ? full : bare))
    for (let n = pick(random, 3); n >= 0; n--)
      message[1 + pick(random, message.length - 1)] = pick(random, 256)
    const cut = random.float() < 0.1 ? message.subarray(0, pick(random, message.length)) : message
    const read = lane(cut)
    if (read === null) continue
    taken++
    if (JSON.stringify(read) !== JSON.stringify(codec(cut.subarray(0, read.end)))) t.fail(hex(cut))
  }
  t.ok(taken > 1_000, `${taken} were taken`)
})

t.test('what the lane does not know is left to the codec', async t => {
  const shapes: Record<string, WireOf<'heartbeat'>> = {
    'text beyond ASCII': { ...full, pingTarget: 'zürich' },
    'a load that is no plain decimal': { ...full, load1: '0.42 0.40' },
  }
  for (const [name, beat] of Object.entries(shapes)) {
    t.equal(lane(encode(beat)), null, name)
    t.ok(codec(encode(beat)), name)
  }
  const length = (Heartbeat.order.length + 2).toString(16).padStart(4, '0')
  const longer = bytes(`dc${length}${hex(encode(full)).slice(6)}c0`)
  t.equal(lane(longer), null, 'a field of a newer agent')
})

t.test('the ledger keeps the same gauges and gives the same answer either way', async t => {
  const [quick, slow] = [new HeartbeatLedger(), new HeartbeatLedger()]
  for (const ledger of [quick, slow]) ledger.open(3, 0)
  const now = 5_000
  const beat = { ...full, echoStamp: stampOf(now - 40), echoHeldMs: 15 }
  const message = encode(beat)
  t.equal(quick.beat(3, message, 0, now), message.length)
  slow.beatList(
    3,
    [Heartbeat.code, ...Heartbeat.order.map(key => beat[key as keyof typeof beat] ?? null)],
    now,
  )
  t.same(quick.gauges(3), slow.gauges(3))
  t.equal(quick.gauge(3, 'load1'), 0.31)
  t.same(decode(quick.ack), { type: 'heartbeat.ack', seq: 2, stamp: stampOf(now) })
  t.same(quick.ack, slow.ack)
  t.equal(quick.rttMs(3), 25)
  t.equal(slow.rttMs(3), 25)
})

t.test('one answer that waited somewhere is no round trip; two in a row are', async t => {
  const ledger = new HeartbeatLedger()
  ledger.open(0, 0)
  let now = 0
  const heard = (rttMs: number) => {
    now += 10_000
    ledger.beat(0, encode({ ...bare, echoStamp: stampOf(now - rttMs), echoHeldMs: 0 }), 0, now)
    return ledger.rttMs(0)
  }
  t.equal(heard(20), 20)
  t.equal(heard(9_000), 20, 'its cable was cut for a while')
  t.equal(heard(28), 21, 'smoothed by an eighth')
  t.equal(heard(421), 21)
  t.equal(heard(421), 71, 'it is farther away now')
  ledger.wipe(0)
  t.equal(heard(421), 421, 'the next session begins anew')
})

t.test('a wrong field is named, and changes nothing', async t => {
  const ledger = new HeartbeatLedger()
  ledger.open(0, 0)
  const wrong = { ...full, cpuTotalPct: -1 }
  t.equal(ledger.beat(0, encode(wrong), 0, 0), -1)
  const list = [Heartbeat.code, ...Heartbeat.order.map(key => wrong[key as keyof typeof wrong] ?? null)]
  t.throws(
    () => ledger.beatList(0, list, 0),
    new FrameError('bad_field', 'heartbeat.cpuTotalPct: wanted finite number, not negative', 0x10),
  )
  t.equal(ledger.gauge(0, 'memTotalMb'), null)
  t.equal(ledger.beats, 0)
})

const hex = (message: Uint8Array): string => Buffer.from(message).toString('hex')
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

interface Read {
  readonly end: number
  readonly figures: readonly (number | null)[]
}
function lane(message: Uint8Array): Read | null {
  const out = new Float64Array(Heartbeat.order.length)
  const end = mayBeBeat(message, 0) ? readBeat(message, 0, out) : -1
  if (end < 0) return null
  return { end, figures: Array.from(out, value => (Number.isNaN(value) ? null : value)) }
}

/** The same of the codec; null when it refuses the message. */
function codec(message: Uint8Array): Read | null {
  try {
    const event = decode(message) as unknown as Record<string, unknown> // read by the names of its fields
    const figures = Heartbeat.order.map(key =>
      TEXTS.has(key) || event[key] === undefined ? null : Number(event[key]),
    )
    return { end: message.length, figures }
  } catch (error) {
    if (error instanceof FrameError) return null
    throw error
  }
}
