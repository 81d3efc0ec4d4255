/** What lies between a fact and its receiver, on a clock of its own. */
import t from 'tap'
import type { Fact, IdentityView } from '../../src/actors/ports.js'
import { Damper } from '../../src/rest/webhooks/damper.js'
import { eventOf, type MeshEvent, type Presence } from '../../src/rest/webhooks/events.js'
import { Outbox } from '../../src/rest/webhooks/outbox.js'
import { signature } from '../../src/rest/webhooks/signature.js'
import type { WebhookTables } from '../../src/rest/webhooks/tables.js'
import { Told } from '../../src/rest/webhooks/told.js'
import { Witness } from '../../src/rest/webhooks/witness.js'
import type { Room } from '../../src/store/rooms.js'
import { SimulatedClock } from '../support/simulated-clock.js'

t.test('the signature is the one that the documentation describes', async t => {
  t.equal(
    signature(['whsec_a', 'whsec_b'], '{"id":"evt_1"}', 1_700_000_000_999),
    't=1700000000,' +
      'v1=97ea69f91fd566038386bacf87292eb0d73a8207414ee62ed313d49996fe0639,' +
      'v1=c0c4c9e4637bb269965a5df170a9c6c3c973e3fafe3d4bed97086daad7fdc63c',
  )
})

t.test('who came or went is told when the moment is over, and where they stand then', async t => {
  const { clock, take, passed } = damper()
  take('online', 1)
  clock.advance(4_999)
  t.same(passed, [])
  clock.advance(1)
  t.same(passed, ['online 1'])
  take('offline', 1)
  take('online', 2)
  take('offline', 2)
  clock.advance(5_000)
  t.same(passed, ['online 1', 'offline 2'])
})

t.test('who is back in time is not told of, and who flaps for ever is in the end', async t => {
  const { clock, take, passed, counted } = damper()
  take('online', 1)
  clock.advance(5_000)
  take('offline', 1)
  clock.advance(1_000)
  take('online', 2)
  clock.advance(5_000)
  t.same(passed, ['online 1'])
  t.equal(counted.damped, 2)
  for (let n = 0; n < 12; n++) {
    take(n % 2 === 0 ? 'offline' : 'online', 3 + n)
    clock.advance(1_100)
  }
  t.match(passed.slice(1, 2), ['offline 7'], 'a new one does not begin the time anew')
})

t.test('nothing of an older generation passes after a newer one', async t => {
  const { clock, take, passed, damper: calm } = damper()
  take('online', 4)
  clock.advance(5_000)
  take('offline', 3)
  clock.advance(5_000)
  t.same(passed, ['online 4'])
  take('offline', 4)
  calm.take({ ...flapping, generation: 6 })
  clock.advance(5_000)
  t.same(passed, ['online 4', 'flapping 6'], 'the offline of 4 came too late')
})

t.test('what is held is told at once when the process ends', async t => {
  const { take, passed, damper: calm, clock } = damper()
  take('online', 1)
  calm.flush()
  t.same(passed, ['online 1'])
  t.equal(clock.waiting, 0)
})

t.test('where nobody listened before, whoever is here counts as told', async t => {
  const told = new Told()
  const view = (id: string, state: string | null): IdentityView =>
    ({ id, role: 'node', generation: 3, state }) as IdentityView // what is looked at
  told.begin({ identities: () => [view('a', 'online'), view('b', 'suspended'), view('c', null)] }, ['node'])
  t.equal(told.presenceOf('node:a'), 'online')
  t.equal(told.presenceOf('node:b'), null)
  const row = { subject: 'node:a', presence: 'online', generation: 3 }
  const changes = told.takeChanges()
  t.same(changes, { anew: true, rows: [row] })
  t.same(told.takeChanges(), { anew: false, rows: [] })
  told.giveBack(changes)
  t.same(told.takeChanges(), changes, 'the database did not take it')
})

t.test('events wait in order for a database that is away, and what finds no room is counted', async t => {
  const { outbox, room, lost, clock, recovered } = withoutDatabase()
  for (let n = 0; n < 10_003; n++) outbox.put(eventNo(n))
  await settle()
  t.same(lost, ['evt_0', 'evt_1', 'evt_2'], 'the oldest')
  t.equal(outbox.size, 10_000)
  room.isAway = false
  clock.advance(2_000)
  await settle(200)
  t.equal(outbox.size, 0)
  t.equal(recovered(), 1)
  t.equal(room.written, 21, 'in transactions of 500, and the one that failed')
})

t.test('a stop tries once more, and does not wait for a database that stays away', async t => {
  const { outbox, complaints } = withoutDatabase()
  outbox.put(eventNo(1))
  await settle()
  await outbox.stop()
  t.equal(outbox.size, 1)
  t.match(complaints, [/wait for the database/, /did not take the last events/])
  const other = withoutDatabase()
  other.outbox.put(eventNo(1))
  await settle()
  other.room.isAway = false
  await other.outbox.stop()
  t.equal(other.outbox.size, 0)
})

t.test('who came while the database was away for too long is told of when it is back', async t => {
  const { room, clock, witness, tell } = witnessed()
  await witness.start()
  tell({ type: 'node.online', atMs: 0, id: 'fra-1', sessionId: 's', generation: 1 })
  clock.advance(5_000)
  for (let n = 0; n < 10_000; n++) tell({ type: 'relay.saturated', atMs: 0, dropped: n })
  await settle()
  t.equal(witness.lost, 1, 'it was the oldest')
  room.isAway = false
  clock.advance(2_000)
  await settle(200)
  t.equal(witness.unwritten, 0)
  const { written } = room
  clock.advance(5_000)
  await settle()
  t.equal(room.written, written + 1, 'by the look of it, fra-1 is here')
  clock.advance(60_000)
  await settle()
  t.equal(room.written, written + 1, 'and it is told once')
  await witness.stop()
})

const flapping: MeshEvent = eventOf(
  { type: 'node.flapping', atMs: 0, id: 'fra-1', generation: 1, flaps: 5.04 },
  'evt_f',
)

function damper() {
  const clock = new SimulatedClock()
  const passed: string[] = []
  const calm = new Damper({
    clock,
    holdMs: 5_000,
    told: new Told(),
    pass: ({ type, generation }) => passed.push(`${type.slice('node.'.length)} ${generation}`),
  })
  const take = (presence: Presence, generation: number) =>
    calm.take(
      eventOf(
        { type: `node.${presence}`, atMs: 0, id: 'fra-1', sessionId: 's', generation },
        `evt_${generation}`,
      ),
    )
  return { clock, passed, take, damper: calm, counted: calm }
}

const eventNo = (n: number): MeshEvent => ({
  id: `evt_${n}`,
  type: 'relay.saturated',
  subject: 'relay',
  generation: null,
  atMs: 0,
  data: {},
})

/** A database that refuses, until it is not away any more. */
const absentRoom = () => ({
  kind: 'pglite' as const,
  isAway: true,
  written: 0,
  ask: () => Promise.resolve([]),
  transact() {
    this.written++
    return this.isAway ? Promise.reject(new Error('away')) : Promise.resolve()
  },
})

/** A witness of a mesh where everyone is online, and what tells it facts. */
function witnessed() {
  const clock = new SimulatedClock()
  const room = absentRoom()
  let tell: (fact: Fact) => void = () => {}
  const witness = new Witness({
    mesh: {
      identity: id => ({ id, role: 'node', generation: 1, state: 'online' }) as IdentityView, // what is looked at
      identities: () => [],
      onFact: hear => {
        tell = hear
        return () => {}
      },
    },
    room: room as unknown as Room<WebhookTables>, // what it asks of a room here
    clock,
    holdMs: 5_000,
    wants: () => true,
    newEventId: () => 'evt',
    written: () => {},
    warn: () => {},
  })
  return { clock, room, witness, tell: (fact: Fact) => tell(fact) }
}

/** An outbox whose database is away. */
function withoutDatabase() {
  const clock = new SimulatedClock()
  const lost: string[] = []
  const complaints: string[] = []
  let recovered = 0
  const room = absentRoom()
  const outbox = new Outbox({
    room: room as unknown as Room<WebhookTables>, // what it asks of a room here
    clock,
    told: new Told(),
    written: () => {},
    lost: ({ id }) => lost.push(id),
    recovered: () => recovered++,
    warn: (_, message) => complaints.push(message),
  })
  return { outbox, room, clock, lost, complaints, recovered: () => recovered }
}

/** Lets promises that are kept in this turn of the event loop have their turn. */
async function settle(turns = 10): Promise<void> {
  for (let n = 0; n < turns; n++) await Promise.resolve()
}
