/** How the inspector tells who said what to whom. */
import t from 'tap'
import type { ActorStep } from '../../src/actors/ports.js'
import {
  type Circle,
  lifelinesOf,
  linksOf,
  messagesOf,
  speakersOf,
} from '../../src/inspector/page/sequence/messages.js'
import { joined, runsOf } from '../../src/inspector/page/sequence/steps.js'

let told = 0
const step = (atMs: number, actor: string, event: string, more: Partial<ActorStep> = {}): ActorStep => ({
  atMs,
  order: ++told,
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

/** Everything is shown that steps of these actors tell of. */
const all = (one: string, ...others: string[]): Circle => ({ one, others, links: new Set([65_537]) })

t.test('a message leads from who sent it to who heard it', t => {
  const steps = [
    step(1, 'client/anna', 'route.request', { kind: 'said' }),
    step(2, 'coordinator', 'route.wanted', { data: { cell: 'client/anna' } }),
    step(3, 'client/anna', 'route.given', { moved: true, from: 'idle', to: 'served' }),
    step(4, 'client/anna', 'path.open', { kind: 'told', data: { link: 65_537 } }),
    step(5, 'client/anna', 'nat.classified'),
    step(6, 'client/anna', 'heartbeat.lapsed', { moved: true, from: 'fresh', to: 'lapsed' }),
    step(7, 'path/65537', 'ends.ready', { moved: true, from: 'opening', to: 'carried' }),
  ]
  const messages = messagesOf(steps, all('client/anna', 'coordinator', 'path/65537'), 10)
  t.same(
    messages.map(({ from, to, change, link }) => [from, to, change, link]),
    [
      ['agent client/anna', 'client/anna', '', null],
      ['client/anna', 'coordinator', '', null],
      ['coordinator', 'client/anna', 'idle → served', null],
      ['client/anna', 'agent client/anna', '', 65_537],
      ['nat-probe/anna', 'client/anna', '', null],
      ['client/anna', 'client/anna', 'fresh → lapsed', null],
      ['path/65537', 'path/65537', 'opening → carried', null],
    ],
  )
  t.end()
})

t.test('steps of several actors stand in the order in which they were told, and only the last of them', t => {
  const said = (atMs: number, actor: string, event: string) => step(atMs, actor, event, { kind: 'said' })
  const steps = [
    said(1, 'client/a', 'first'),
    said(1, 'client/b', 'second'),
    said(2, 'client/b', 'third'),
    said(2, 'client/a', 'fourth'),
  ].toReversed()
  t.same(
    messagesOf(steps, all('client/a', 'client/b'), 3).map(({ event }) => event),
    ['second', 'third', 'fourth'],
  )
  t.end()
})

t.test('neighbours are heard only where it is about the one', t => {
  const steps = [
    step(1, 'coordinator', 'look.due'),
    step(2, 'coordinator', 'route.wanted', { data: { cell: 'client/olivia' } }),
    step(3, 'coordinator', 'route.wanted', { data: { cell: 'client/anna' } }),
    step(4, 'node/fra-1', 'path.report', { kind: 'said', data: { link: 70_000 } }),
    step(5, 'node/fra-1', 'path.report', { kind: 'said', data: { link: 65_537 } }),
  ]
  t.same(
    messagesOf(steps, all('client/anna', 'coordinator', 'node/fra-1'), 10).map(({ atMs }) => atMs),
    [3, 5],
  )
  t.same(
    messagesOf(steps, all('coordinator'), 10).map(({ atMs }) => atMs),
    [2, 3],
    'one hears from everyone',
  )
  t.same(
    [...linksOf('path/65537', [steps[3] as ActorStep], ['path/65540', 'relay'])],
    [65_537, 65_540, 70_000],
  )
  t.end()
})

t.test('who spoke with an actor last is known', t => {
  const told = (atMs: number, cell: string) =>
    step(atMs, 'coordinator', 'session.told', { data: { cell, fact: 'joined' } })
  const steps = [
    told(1, 'node/fra-1'),
    told(2, 'client/anna'),
    step(3, 'coordinator', 'look.due'),
    told(4, 'node/fra-1'),
  ]
  t.same(speakersOf('coordinator', steps), ['node/fra-1', 'client/anna'])
  t.end()
})

t.test('clients stand to the left of what is between them and nodes, each beside its agent', t => {
  const circle = all('node/fra-1', 'coordinator', 'client/anna', 'path/65537')
  const steps = [
    step(1, 'node/fra-1', 'path.open', { kind: 'told' }),
    step(2, 'client/anna', 'renew', { kind: 'said' }),
  ]
  t.same(lifelinesOf(messagesOf(steps, circle, 10), circle), [
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
  const circle = all('coordinator')
  const lifelines = lifelinesOf(messagesOf(steps, circle, 80), circle)
  t.equal(lifelines.length, 8)
  t.ok(lifelines.includes('node/n-49'), 'those who spoke last')
  t.end()
})

t.test('what is told again counts once, and the oldest steps go', t => {
  const steps = [1, 2, 3, 4].map(at => step(at, 'relay', `event-${at}`))
  const events = (list: readonly ActorStep[]) => list.map(({ event }) => event)
  t.same(events(joined(steps.slice(0, 3), steps.slice(1), 10)), events(steps))
  t.same(events(joined(steps.slice(0, 3), steps.slice(1), 2)), ['event-3', 'event-4'])
  t.end()
})

t.test('a timer that changes nothing is told once, with how often', t => {
  const due = (at: number) => step(at, 'coordinator', 'look.due', { actions: ['lookAtNodes'] })
  const runs = runsOf([due(1), due(2), due(3), step(4, 'coordinator', 'warmed', { moved: true }), due(5)])
  t.same(
    runs.map(run => [run.step.event, run.step.atMs, run.times]),
    [
      ['look.due', 3, 3],
      ['warmed', 4, 1],
      ['look.due', 5, 1],
    ],
  )
  t.end()
})
