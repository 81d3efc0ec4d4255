/** How the inspector draws statecharts: which arrow is where, and that nothing lies on anything else. */
import t from 'tap'
import type { ActorStep, StatechartState } from '../../src/actors/ports.js'
import { statechartOf } from '../../src/actors/tap/statechart.js'
import { clientMachine } from '../../src/actors/client/client.machine.js'
import { clusterMachine } from '../../src/actors/cluster/cluster.machine.js'
import { coordinatorMachine } from '../../src/actors/coordinator/coordinator.machine.js'
import { drainMachine } from '../../src/actors/drain/drain.machine.js'
import { natProbeMachine } from '../../src/actors/nat-probe/nat-probe.machine.js'
import { nodeMachine } from '../../src/actors/node/node.machine.js'
import { pathMachine } from '../../src/actors/path/path.machine.js'
import { relayMachine } from '../../src/actors/relay/relay.machine.js'
import { serverMachine } from '../../src/actors/server/server.machine.js'
import { snapshotMachine } from '../../src/actors/snapshot/snapshot.machine.js'
import { arrowsOf } from '../../src/inspector/page/chart/arrows.js'
import { type Box, layOut } from '../../src/inspector/page/chart/lay-out.js'
import { changeBetween, leavesOf, statesIn } from '../../src/inspector/page/chart/states.js'
import { wasTaken } from '../../src/inspector/page/chart/taken.js'

const MACHINES = [
  clientMachine,
  clusterMachine,
  coordinatorMachine,
  drainMachine,
  natProbeMachine,
  nodeMachine,
  pathMachine,
  relayMachine,
  serverMachine,
  snapshotMachine,
]

t.test('a state text names every state that the actor is in', t => {
  const known: readonly (readonly [string, readonly string[]])[] = [
    ['serving', ['serving']],
    ['serving.steady', ['serving', 'serving.steady']],
    [
      'online{presence: fresh, duty: full}',
      ['online', 'online.presence', 'online.presence.fresh', 'online.duty', 'online.duty.full'],
    ],
    [
      'a.b{x: c{p: d, q: e}, y: f}',
      [
        'a',
        'a.b',
        'a.b.x',
        'a.b.x.c',
        'a.b.x.c.p',
        'a.b.x.c.p.d',
        'a.b.x.c.q',
        'a.b.x.c.q.e',
        'a.b.y',
        'a.b.y.f',
      ],
    ],
    ['left: on, right: off', ['left', 'left.on', 'right', 'right.off']],
  ]
  for (const [text, states] of known) t.same([...statesIn(text)], states, text)
  t.same(leavesOf(statesIn('online{presence: fresh, duty: full}')), [
    'online.presence.fresh',
    'online.duty.full',
  ])
  t.end()
})

t.test('a step is told by what it has changed', t => {
  const asking = 'online{presence: fresh, demand: asking}'
  t.equal(changeBetween(asking, 'online{presence: fresh, demand: served}'), 'asking → served')
  t.equal(changeBetween(asking, 'suspended'), 'fresh, asking → suspended')
  t.equal(changeBetween(asking, asking), '')
  t.end()
})

t.test('an arrow joins the boxes that stand side by side, and says what it does not reach', t => {
  const { within, lines } = arrowsOf(statechartOf(pathMachine).root)
  const labels = (level: string, from: string | null, to: string) =>
    within
      .get(level)
      ?.find(arrow => arrow.from === from && arrow.to === to)
      ?.handlings.map(({ label }) => label)
  t.same(labels('', 'opening', 'carried'), [
    'ends.ready [mayRelay]',
    'ends.ready → waiting',
    'restored [mayRelay]',
    'restored → waiting',
  ])
  t.same(labels('', null, 'closed'), ['released'], 'from any state')
  t.same(labels('carried.tier', null, 'carried.tier.direct'), ['direct.confirmed'])
  t.same(
    lines.get('carried.effort.resting')?.map(({ label }) => label),
    ['↻ way.lost', '↻ native.lost', '↻ policy.changed', '↻ turn.confirmed', '↻ direct.confirmed'],
  )
  t.end()
})

for (const machine of MACHINES)
  t.test(`the statechart of ${machine.id} is drawn in full, and no box lies on another`, t => {
    const { root } = statechartOf(machine)
    const { boxes, edges, width, height } = layOut(root)
    const states = below(root)
    t.same(
      boxes
        .map(({ path }) => path)
        .filter(path => path !== '')
        .sort(),
      states.map(({ path }) => path).sort(),
    )
    const drawn = new Set([...boxes.flatMap(box => box.lines), ...edges.flatMap(edge => edge.handlings)])
    t.equal(
      drawn.size,
      [root, ...states].reduce((sum, { on }) => sum + on.length, 0),
      'every transition once',
    )
    for (const box of boxes) {
      t.ok(
        box.x >= -1 && box.y >= -1 && box.x + box.width <= width + 1 && box.y + box.height <= height + 1,
        box.path,
      )
      for (const other of boxes)
        if (box !== other)
          t.ok(
            isWithin(box, other) || isWithin(other, box) || isApart(box, other),
            `${box.path} ${other.path}`,
          )
    }
    t.end()
  })

t.test('the arrow that a step took is known by its event and both of its ends', t => {
  const { within } = arrowsOf(statechartOf(pathMachine).root)
  const [lost] =
    within
      .get('carried.tier')
      ?.find(({ from, to }) => from === 'carried.tier.direct' && to === 'carried.tier.relayed')?.handlings ??
    []
  const step = (event: string, to: string): ActorStep => ({
    atMs: 0,
    order: 1,
    actor: 'path/65537',
    kind: 'step',
    event,
    data: {},
    from: 'carried{tier: direct, effort: resting}',
    to,
    moved: true,
    actions: [],
  })
  if (lost === undefined) throw new Error('there is such an arrow')
  t.ok(wasTaken(lost, step('way.lost', 'carried{tier: relayed, effort: resting}')))
  t.notOk(wasTaken(lost, step('way.lost', 'carried{tier: waiting, effort: resting}')))
  t.notOk(wasTaken(lost, step('policy.changed', 'carried{tier: relayed, effort: resting}')))
  t.end()
})

function below(state: StatechartState): StatechartState[] {
  return state.states.flatMap(each => [each, ...below(each)])
}

function isWithin(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  )
}

function isApart(a: Box, b: Box): boolean {
  return a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
}
