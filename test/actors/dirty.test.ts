import t from 'tap'
import { Dirty, HISTORY_MAX } from '../../src/actors/snapshot/dirty.js'
import type { Change, StoredSession } from '../../src/actors/ports.js'

const session = (sessionId: string, state: StoredSession['state']): Change => ({
  kind: 'session',
  key: sessionId,
  value: {
    sessionId,
    identityId: 'x',
    generation: 1,
    ticketHash: null,
    state,
    startedAtMs: 0,
    changedAtMs: 0,
  },
})

t.test('only the newest value of a key waits', async t => {
  const dirty = new Dirty()
  dirty.add(session('a', 'online'))
  dirty.add(session('a', 'suspended'))
  dirty.add(session('b', 'online'))
  t.same(
    dirty.changes().map(({ key, value }) => [key, (value as StoredSession).state]),
    [
      ['a', 'suspended'],
      ['b', 'online'],
    ],
  )
})

t.test('what is over is written before what took its place', async t => {
  const dirty = new Dirty()
  dirty.add(session('new', 'online'))
  dirty.add(session('old', 'online'))
  dirty.add(session('old', 'closed'))
  t.same(
    dirty.changes().map(({ key }) => key),
    ['old', 'new'],
  )
})

t.test('only so much history waits for an absent store, and none of what is alive is given up', async t => {
  const dirty = new Dirty()
  dirty.add(session('alive', 'online'))
  for (let i = 0; i < HISTORY_MAX + 5; i++) dirty.add(session(`s${i}`, 'closed'))
  t.equal(dirty.size, HISTORY_MAX + 1)
  t.equal(dirty.lost, 5)
  const keys = new Set(dirty.changes().map(({ key }) => key))
  t.ok(keys.has('alive') && !keys.has('s4') && keys.has('s5'))
})
