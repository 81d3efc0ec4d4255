import t from 'tap'
import fc from 'fast-check'
import { Fleet } from '../../src/actors/coordinator/fleet.js'
import type { Profile, Steering } from '../../src/actors/ports.js'
import type { Cell } from '../../src/actors/session/cell.js'
import { type Nat, UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { seenAtOf } from '../../src/mesh/nat-kind.js'
import { isOpen } from '../../src/mesh/node-facts.js'
import { positionOf } from '../../src/mesh/position.js'
import { mismatch } from '../../src/mesh/requirements.js'
import { NO_STEERING } from '../../src/mesh/steering.js'
import { endCell } from '../support/end-cell.js'

function fleetWith() {
  const steering = new Map<string, Steering>()
  const told: string[] = []
  const fleet = new Fleet({
    gauges: { gauge: () => null, rttMs: () => null },
    policyOf: ({ identity }) => identity.profile.policy,
    steeringOf: id => steering.get(id) ?? NO_STEERING,
    tell: ({ identity }, { type }) => void told.push(`${identity.id} ${type}`),
  })
  const steer = (cell: Cell, change: Partial<Steering>) => {
    const { id } = cell.identity
    steering.set(id, { ...(steering.get(id) ?? NO_STEERING), ...change })
    fleet.steer(cell)
  }
  return { fleet, steer, told }
}
const reprofile = (cell: Cell, change: Partial<Profile>) => {
  cell.identity = { ...cell.identity, profile: { ...cell.identity.profile, ...change } }
}

t.test('what the operator says of a node comes before what it says of itself', async t => {
  const { fleet, steer } = fleetWith()
  const cell = endCell(1)
  reprofile(cell, { tags: ['vps'], costWeight: 2, maxSessions: 10 })
  const node = fleet.set(cell, true)
  t.match(node, { tags: ['vps'], groups: [], costWeight: 2, maxSessions: 10, draining: false })
  steer(cell, { tags: ['fast'], groups: ['paid'], costWeight: 0.5, maxSessions: 3, drained: true })
  t.match(node, { tags: ['vps', 'fast'], groups: ['paid'], costWeight: 0.5, maxSessions: 3, draining: true })
  steer(cell, { ...NO_STEERING })
  t.match(node, { tags: ['vps'], groups: [], costWeight: 2, maxSessions: 10, draining: false })
})

t.test('a node that registers anew is what it says now', async t => {
  const { fleet } = fleetWith()
  const cell = endCell(1)
  fleet.set(cell, true)
  reprofile(cell, { country: 'DE', latitude: 50.11, longitude: 8.68, bandwidthMbps: 100 })
  const node = fleet.set(cell, true)
  t.match(node, { country: 'DE', position: positionOf(50.11, 8.68), bandwidthMbps: 100 })
  t.same(fleet.pools.pool({ country: 'DE' }, 0).members, [node])
})

t.test('a node is where its profile says, to a few millimetres, or nowhere', async t => {
  const { fleet } = fleetWith()
  const cell = endCell(1)
  reprofile(cell, { latitude: 50.11, longitude: 8.68 })
  const node = fleet.set(cell, true)
  t.same(node.position, positionOf(50.11, 8.68))
  reprofile(cell, { latitude: null, longitude: null })
  fleet.set(cell, true)
  t.equal(node.position, null)
})

t.test('what others find out of a node is known after the next look at it', async t => {
  const found = { nat: UNKNOWN_NAT as Nat, lossPct: null as number | null, flaps: null as number | null }
  const fleet = new Fleet({
    gauges: { gauge: () => null, rttMs: () => null },
    policyOf: () => 'auto',
    natOf: () => found.nat,
    lossPctOf: () => found.lossPct,
    flapsOf: () => found.flaps,
  })
  const node = fleet.set(endCell(1), true)
  t.match(node, { nat: { udp: 'unknown' }, seenAt: null, lossPct: null, flaps: null })
  const mapped4 = { address: '198.51.100.7', port: 40_000 }
  Object.assign(found, { nat: { ...UNKNOWN_NAT, udp: 'open', mapped4 }, lossPct: 1.234, flaps: 0.5 })
  node.measure()
  t.match(node, { nat: { udp: 'open' }, seenAt: seenAtOf(found.nat), lossPct: 1.23, flaps: 0.5 })
})

t.test('a node hears when its last place is taken, and when it has one again', async t => {
  const { fleet, steer, told } = fleetWith()
  const cell = endCell(1)
  reprofile(cell, { maxSessions: 2 })
  const node = fleet.set(cell, true)
  fleet.reserve(node)
  t.same(told, [])
  fleet.reserve(node)
  t.same(told, ['i1 places.taken'])
  t.same(fleet.pools.pool({}, 0).members, [])
  fleet.free(node)
  t.same(told, ['i1 places.taken', 'i1 places.freed'])
  t.same(fleet.pools.pool({}, 0).members, [node])
  steer(cell, { maxSessions: 1 })
  t.equal(told.at(-1), 'i1 places.taken')
  steer(cell, { maxSessions: null })
  t.equal(told.at(-1), 'i1 places.freed')
})

t.test('only a node that says how many it carries is given more than four thousand links', async t => {
  const { fleet, steer } = fleetWith()
  const cell = endCell(1)
  const node = fleet.set(cell, true)
  const take = (places: number) => {
    for (; node.reserved < places; fleet.reserve(node)) cell.links?.add(node.reserved)
  }
  take(3_999)
  t.equal(node.linksLeft, 1)
  take(4_000)
  t.equal(node.linksLeft, 0)
  steer(cell, { maxSessions: 10_000 })
  t.equal(node.linksLeft, 7_000)
  take(10_000)
  t.equal(node.linksLeft, 1_000)
  t.ok(node.isFull)
})

t.test('a node that is full when its session begins anew is told so', async t => {
  const { fleet, told } = fleetWith()
  const cell = endCell(1)
  reprofile(cell, { maxSessions: 1 })
  fleet.reserve(fleet.set(cell, true))
  fleet.set(cell, false)
  fleet.set(cell, true)
  t.same(told, ['i1 places.taken', 'i1 places.taken'])
})

t.test('a place that comes back after its node was removed brings nothing back', async t => {
  const { fleet } = fleetWith()
  const cell = endCell(1)
  reprofile(cell, { maxSessions: 1 })
  const node = fleet.set(cell, true)
  fleet.reserve(node)
  fleet.remove(cell)
  fleet.free(node)
  t.equal(fleet.size, 0)
  t.equal(fleet.pools.size, 0)
  t.same(fleet.pools.pool({}, 0).members, [])
})

t.test('whatever nodes, operators and routes do, the pools agree with the nodes', async t => {
  const kinds = [{}, { country: 'DE' }, { exit: true }, { tags: ['a'] }, { groups: ['g'] }] as const
  const which = fc.nat(7)
  const step = fc.oneof(
    fc.record({ does: fc.constantFrom('join', 'dim', 'remove', 'reserve', 'free', 'leave', 'stay'), which }),
    fc.record({
      does: fc.constant('profile'),
      which,
      profile: fc.record({
        country: fc.option(fc.constantFrom('DE', 'NL')),
        exit: fc.boolean(),
        tags: fc.subarray(['a', 'b']),
        maxSessions: fc.option(fc.nat(2)),
      }),
    }),
    fc.record({
      does: fc.constant('steer'),
      which,
      steering: fc.record({
        groups: fc.subarray(['g', 'h']),
        tags: fc.subarray(['a', 'c']),
        drained: fc.boolean(),
        maxSessions: fc.option(fc.nat(2)),
      }),
    }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), steps => {
      const { fleet, steer } = fleetWith()
      const cells = Array.from({ length: 8 }, (_, slot) => endCell(slot))
      return steps.every(step => {
        const cell = cells[step.which] as Cell // eight of them
        const node = fleet.of(cell)
        if ('profile' in step) {
          reprofile(cell, step.profile)
          fleet.set(cell, true)
        } else if ('steering' in step) steer(cell, step.steering)
        else if (step.does === 'join') fleet.set(cell, true)
        else if (step.does === 'dim') fleet.set(cell, false)
        else if (step.does === 'remove') fleet.remove(cell)
        else if (step.does === 'leave' || step.does === 'stay') fleet.leave(cell, step.does === 'leave')
        else if (node !== undefined && step.does === 'reserve') fleet.reserve(node)
        else if (node !== undefined && node.reserved > 0) fleet.free(node)
        return kinds.every(kind => {
          const wanted = [...fleet.nodes()].filter(one => isOpen(one) && mismatch(one, kind) === null)
          const found = fleet.pools.pool(kind, 0).members
          return found.length === wanted.length && wanted.every(one => found.includes(one))
        })
      })
    }),
    { numRuns: 200 },
  )
  t.pass('200 fleets')
})
