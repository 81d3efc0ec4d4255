/** How the inspector tells who said what to whom. */
import t from 'tap'
import type { ActorStep } from '../../src/actors/ports.js'
import { lifelinesOf, messagesOf } from '../../src/inspector/page/sequence/messages.js'

const step = (atMs: number, actor: string, event: string, more: Partial<ActorStep> = {}): ActorStep => ({
  atMs,
  actor,
  kind: 'step',
  event,
  data: {},
  from: 'online',
  to: 'online',
  moved: false,
  actions: [],
  ...more,
})

t.test('a message leads from who sent it to who heard it', t => {
  const steps = [
    step(1, 'client/anna', 'route.request', { kind: 'said' }),
    step(2, 'coordinator', 'route.wanted', { data: { cell: 'client/anna' } }),
    step(3, 'client/anna', 'route.given', { moved: true, from: 'idle', to: 'served' }),
    step(4, 'client/anna', 'path.open', { kind: 'told', data: { link: 65_537 } }),
    step(5, 'node/fra-1', 'nat.classified'),
    step(6, 'node/fra-1', 'heartbeat.lapsed'),
    step(7, 'path/65537', 'ends.ready'),
  ]
  t.match(
    messagesOf(steps, 10).map(({ from, to }) => [from, to]),
    [
      ['agent client/anna', 'client/anna'],
      ['client/anna', 'coordinator'],
      ['coordinator', 'client/anna'],
      ['client/anna', 'agent client/anna'],
      ['nat-probe/fra-1', 'node/fra-1'],
      ['node/fra-1', 'node/fra-1'],
      ['path/65537', 'path/65537'],
    ],
  )
  t.match(messagesOf(steps, 10)[2], { change: 'idle → served', link: null })
  t.match(messagesOf(steps, 10)[3], { change: '', link: 65_537 })
  t.end()
})

t.test('steps of several actors stand in the order of their time, and only the last of them', t => {
  const steps = [step(3, 'a', 'third'), step(1, 'b', 'first'), step(2, 'a', 'second')]
  t.same(
    messagesOf(steps, 2).map(({ event }) => event),
    ['second', 'third'],
  )
  t.end()
})

t.test('clients stand to the left of what is between them and nodes, each beside its agent', t => {
  const followed = ['node/fra-1', 'coordinator', 'client/anna', 'path/65537']
  const messages = messagesOf(
    [step(1, 'node/fra-1', 'path.open', { kind: 'told' }), step(2, 'client/anna', 'renew', { kind: 'said' })],
    10,
  )
  t.same(lifelinesOf(messages, followed), [
    'agent client/anna',
    'client/anna',
    'coordinator',
    'path/65537',
    'node/fra-1',
    'agent node/fra-1',
  ])
  t.end()
})

t.test('there are never more lifelines than can be read', t => {
  const steps = Array.from({ length: 50 }, (_, i) =>
    step(i, 'coordinator', 'session.told', { data: { cell: `node/n-${i}` } }),
  )
  const lifelines = lifelinesOf(messagesOf(steps, 80), ['coordinator'])
  t.equal(lifelines.length, 8)
  t.ok(lifelines.includes('node/n-49'), 'those who spoke last')
  t.end()
})
