import t from 'tap'
import type { StoredSteering } from '../../src/actors/ports.js'
import { type HearSteering, Steerings } from '../../src/actors/steering/steerings.js'
import { NO_STEERING } from '../../src/mesh/steering.js'

t.test('nothing is laid down until the operator does', t => {
  const { steerings } = rig()
  t.equal(steerings.of('fra-1'), NO_STEERING)
  t.end()
})

t.test('a change leaves what it does not name, is kept, then told with what held before', t => {
  const { steerings, kept, told } = rig()
  steerings.set('fra-1', { groups: ['paid'] })
  const now = steerings.set('fra-1', { maxSessions: 2 })
  t.same(now, { ...NO_STEERING, groups: ['paid'], maxSessions: 2 })
  t.equal(steerings.of('fra-1'), now)
  t.same(kept.at(-1), { identityId: 'fra-1', steering: now, changedAtMs: 7 })
  t.same(told.at(-1), ['fra-1', now, { ...NO_STEERING, groups: ['paid'] }])
  t.equal(steerings.of('ams-1'), NO_STEERING)
  t.end()
})

t.test('a change that changes nothing is neither kept nor told', t => {
  const { steerings, kept, told } = rig()
  steerings.set('alice', { avoid: ['fra-1'], weights: { rtt: 2 } })
  steerings.set('alice', { avoid: ['fra-1'], weights: { rtt: 2 } })
  steerings.set('bob', { pin: null })
  t.equal(kept.length, 1)
  t.equal(told.length, 1)
  t.end()
})

t.test('what an earlier process kept is there without being told, with the fields it did not know', t => {
  const { steerings, kept, told } = rig()
  const { weights: _, ...older } = { ...NO_STEERING, pin: 'fra-1' }
  steerings.restore([{ identityId: 'alice', steering: older as StoredSteering['steering'], changedAtMs: 1 }])
  t.same(steerings.of('alice'), { ...NO_STEERING, pin: 'fra-1' })
  t.same([kept, told], [[], []])
  t.end()
})

t.test('who listens no more hears nothing', t => {
  const { steerings } = rig()
  const heard: string[] = []
  const end = steerings.onChange(id => heard.push(id))
  steerings.set('fra-1', { drained: true })
  end()
  steerings.set('fra-1', { drained: false })
  t.same(heard, ['fra-1'])
  t.end()
})

function rig() {
  const kept: StoredSteering[] = []
  const told: Parameters<HearSteering>[] = []
  const steerings = new Steerings({ clock: { wallMs: () => 7 }, keep: record => kept.push(record) })
  steerings.onChange((...change) => told.push(change))
  return { steerings, kept, told }
}
