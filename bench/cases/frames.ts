/**
 * The wire alone: what encoding and decoding costs for each message type, beside msgpackr with the same list
 * and no schema; and what the relay lane's own reading and writing costs, beside a bare DataView and a bare copy.
 */
import { Packr, Unpackr } from 'msgpackr'
import type { Bench, Case } from '../bench.js'
import { systemClock } from '../../src/kit/clock.js'
import { HeartbeatLedger } from '../../src/lanes/heartbeat-ledger.js'
import { RelayLane } from '../../src/lanes/relay-lane.js'
import { RelayTable } from '../../src/lanes/relay-table.js'
import { decode, definitionOf, encode } from '../../src/protocol/codec.js'
import type { Wire } from '../../src/protocol/messages.js'
import {
  FIRST_LINK,
  relayEnd,
  relayLink,
  relayPayload,
  relaySize,
  writeRelay,
} from '../../src/protocol/relay-frame.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { scan } from '../../src/protocol/scan.js'
import { interleave, median } from '../rounds.js'
import { SilentSocket } from '../servers/memory-sessions.js'
import { nanosPerCall } from '../stopwatch.js'

/** The documented example of each message; the packet is as large as tunnels make them. */
const SAMPLES = {
  ...EXAMPLES,
  'relay.data': { ...EXAMPLES['relay.data'], payload: new Uint8Array(1_300).fill(0x5a) },
}
/** How long each side of a round is called, CPU ms. */
const FOR_MS = { full: 200, quick: 30 }

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })

/** Takes every result, so that no compiler finds the work useless. */
const sink: unknown[] = [undefined]

function timed(
  name: string,
  about: string,
  bytes: number,
  ours: () => unknown,
  limit: { readonly name: string; readonly call: () => unknown },
): Case {
  return {
    name,
    about,
    async measure({ rounds, quick, say }) {
      const forMs = quick ? FOR_MS.quick : FOR_MS.full
      const time = (call: () => unknown) => () => nanosPerCall(() => void (sink[0] = call()), forMs)
      const taken = await interleave(rounds, { ours: time(ours), limit: time(limit.call) }, say)
      const value = median(taken.ours)
      const least = median(taken.limit)
      return {
        value,
        unit: 'ns/op',
        limit: { name: limit.name, value: least },
        ratio: least / value,
        saturated: 'server',
        rounds,
        detail: { bytes },
      }
    },
  }
}

const listOf = (event: Wire): unknown[] => {
  const definition = definitionOf(event.type)
  return [
    definition.code,
    ...definition.order.map(key => (event as unknown as Record<string, unknown>)[key] ?? null),
  ] // order names its keys
}

const codec = (Object.values(SAMPLES) as Wire[]).flatMap(event => {
  const list = listOf(event)
  const bytes = encode(event)
  return [
    timed(`encode/${event.type}`, `${bytes.length} bytes`, bytes.length, () => encode(event), {
      name: 'msgpackr pack',
      call: () => packr.pack(list),
    }),
    timed(`decode/${event.type}`, 'shape, values and fields checked', bytes.length, () => decode(bytes), {
      name: 'msgpackr unpack',
      call: () => unpackr.unpack(bytes),
    }),
  ]
})

/** The lane works on the bytes of whole messages: eight packets here, as an agent bundles them. */
const PACKETS = 8
/** Messages of one turn for one destination; six fit into a bundle. */
const MESSAGES = 4
const payload = SAMPLES['relay.data'].payload
const bundle = new Uint8Array(PACKETS * relaySize(payload.length))
for (let i = 0, at = 0; i < PACKETS; i++) at = writeRelay(bundle, at, 0x1_2345, payload)
const view = new DataView(bundle.buffer)
const out = new Uint8Array(bundle.length)

function readLane(): number {
  let sum = 0
  for (let at = 0; at < bundle.length; ) {
    const end = relayEnd(bundle, at)
    sum += relayLink(bundle, at) + relayPayload(bundle, at)
    at = end
  }
  return sum
}
function readView(): number {
  let sum = 0
  for (let at = 0; at < bundle.length; ) {
    sum += view.getUint32(at + 3)
    at += 10 + view.getUint16(at + 8)
  }
  return sum
}
function writeLane(): number {
  let at = 0
  for (let i = 0; i < PACKETS; i++) at = writeRelay(out, at, 0x1_2345, payload)
  return at
}
function copy(): number {
  let at = 0
  for (let i = 0; i < PACKETS; i++) {
    out.set(payload, at)
    at += payload.length
  }
  return at
}
const heartbeat = Uint8Array.from(encode(SAMPLES.heartbeat))
const ledger = new HeartbeatLedger()
ledger.open(0, 0)

/** A lane between two sessions, whose turns end when the bench says so. */
function carrying(): () => number {
  let endTurn = () => {}
  const clock = { ...systemClock, soon: (run: () => void) => (endTurn = run) }
  const table = new RelayTable()
  const options = { mbpsPerIdentity: 100_000, payload: 'wireguard', queuePackets: 32, queueMs: 200 } as const
  const lane = new RelayLane(clock, table, options, { gone() {}, pressure() {}, stuck() {} })
  lane.attach(0, new SilentSocket('a'))
  lane.attach(1, new SilentSocket('b'))
  table.carry(table.join(0, 1), true)
  const message = new Uint8Array(bundle)
  const packet = new Uint8Array(payload)
  packet.set([4, 0, 0, 0])
  for (let i = 0, at = 0; i < PACKETS; i++) at = writeRelay(message, at, FIRST_LINK, packet)
  return () => {
    for (let i = 0; i < MESSAGES; i++) lane.forward(0, message, 0)
    endTurn()
    return lane.packets
  }
}
const gathered = new Uint8Array(MESSAGES * bundle.length)
function gather(): number {
  for (let i = 0; i < MESSAGES; i++) gathered.set(bundle, i * bundle.length)
  return gathered.length
}

const lanes = [
  timed('lane/relay-read', `a message of ${PACKETS} packets recognised`, bundle.length, readLane, {
    name: 'DataView, no check',
    call: readView,
  }),
  timed('lane/relay-write', `${PACKETS} packets of 1300 B written`, bundle.length, writeLane, {
    name: 'copies',
    call: copy,
  }),
  timed(
    'lane/relay-carry',
    `a turn of ${MESSAGES} messages of ${PACKETS} packets looked up, checked, gathered`,
    gathered.length,
    carrying(),
    { name: 'copies', call: gather },
  ),
  timed('lane/scan', 'the structural scan of a heartbeat', heartbeat.length, () => scan(heartbeat), {
    name: 'msgpackr unpack',
    call: () => unpackr.unpack(heartbeat),
  }),
  timed(
    'lane/heartbeat',
    'a heartbeat checked, its figures and answer written',
    heartbeat.length,
    () => ledger.beat(0, heartbeat, 0, 1),
    { name: 'msgpackr unpack', call: () => unpackr.unpack(heartbeat) },
  ),
]

export const frames: Bench = {
  name: 'frames',
  about: 'The codec for each message type and the lanes’ own parsing.',
  cases: [...lanes, ...codec],
}
