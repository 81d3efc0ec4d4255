/** What operators see of living actors. */
import fc from 'fast-check'
import t from 'tap'
import type { ActorRow, ActorStep, Plain, StatechartState } from '../../src/actors/ports.js'
import { Leases } from '../../src/actors/tap/leases.js'
import { pageOf } from '../../src/actors/tap/page.js'
import { plain } from '../../src/actors/tap/plain.js'
import { stateText } from '../../src/actors/tap/state-text.js'
import { systemClock } from '../../src/kit/clock.js'
import { Lab } from '../lab/lab.js'

async function begin() {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1', { country: 'DE', maxSessions: 10 })
  const client = await lab.enrolled('client', 'anna')
  client.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  const { link } = client.last('route.assigned')
  for (const agent of [node, client]) agent.say({ type: 'path.ready', link })
  await lab.clock.run(100)
  return { lab, node, client, link }
}

const all = (lab: Lab, wish = {}) => settled(lab, lab.mesh.actors({ limit: 100, ...wish }))

/** Lets the turns of the event loop go on that a look takes. */
async function settled<T>(lab: Lab, promise: Promise<T>): Promise<T> {
  await lab.clock.run(1)
  return promise
}

t.test('every actor is listed with its state and who looks after it', async t => {
  const { lab, link } = await begin()
  const { actors, total, next } = await all(lab)
  t.equal(total, actors.length)
  t.equal(next, null)
  t.match(
    new Map(actors.map(row => [row.id, row])),
    new Map<string, Partial<ActorRow>>([
      ['server', { state: 'serving', parent: null }],
      ['coordinator', { state: 'serving.steady', parent: 'server' }],
      ['relay', { state: 'open' }],
      [
        'node/fra-1',
        {
          state: 'online{presence: fresh, reach: unknown, duty: accepting}',
          country: 'DE',
          about: '1 link',
        },
      ],
      ['client/anna', { state: 'online{presence: fresh, demand: served}', parent: 'server' }],
      [
        `path/${link}`,
        {
          state: 'carried{tier: relayed, effort: resting}',
          parent: 'client/anna',
          about: 'anna → fra-1: websocket, cannot',
        },
      ],
    ]),
  )
})

t.test('they are found by kind, by a part of the name, by state and by country', async t => {
  const { lab } = await begin()
  const ids = async (wish: object) => (await all(lab, wish)).actors.map(({ id }) => id)
  t.same(await ids({ kinds: ['node'] }), ['node/fra-1'])
  t.same(await ids({ kinds: ['node', 'client'], search: 'ANN' }), ['client/anna'])
  t.same(await ids({ state: 'relayed', kinds: ['path'], search: 'fra' }).then(list => list.length), 1)
  t.same(await ids({ country: 'DE', kinds: ['node', 'client'] }), ['node/fra-1'])
  t.same(await ids({ search: 'nobody' }), [])
})

t.test('one actor is shown with what it holds, what it waits for and whom it speaks with', async t => {
  const { lab, link, node } = await begin()
  const view = lab.mesh.actor('node/fra-1')
  t.match(view, {
    neighbours: ['coordinator', `path/${link}`, 'client/anna'],
    timers: [{ name: 'lapses unless heard', inMs: Number }],
    context: { identity: { id: 'fra-1', overlay4: '10.77.0.2' }, ticket: '•••' },
    value: { online: { presence: 'fresh' } },
    watched: false,
  })
  const ticket = Buffer.from(node.last('registered').ticket)
  const shown = JSON.stringify(view)
  for (const form of ['base64', 'hex', 'base64url'] as const)
    t.notOk(shown.includes(ticket.toString(form)), `no ticket as ${form}`)
  t.equal(lab.mesh.actor('node/nobody'), null)
  t.equal(lab.mesh.actor('ghost'), null)
  t.match(lab.mesh.actor('coordinator'), { state: 'serving.steady' })
})

t.test('a watched session tells what it hears, what its agent says and what it is told', async t => {
  const { lab, client } = await begin()
  const steps: ActorStep[] = []
  const watched = lab.mesh.watchActor('client/anna', step => steps.push(step))
  t.same(watched?.recent, [])
  client.say({ type: 'route.release', routeId: client.last('route.assigned').routeId })
  await lab.clock.run(100)
  t.match(
    steps.map(({ kind, event }) => [kind, event]),
    [
      ['said', 'route.release'],
      ['told', 'path.closed'],
    ],
  )
  const taken = steps.filter(({ kind }) => kind === 'step')
  t.match(taken[0], { event: 'route.unwanted', moved: false })
  t.ok((taken[0]?.actions.length ?? 0) > 0)
  t.match(
    taken.find(({ moved }) => moved),
    { from: 'online{presence: fresh, demand: served}', to: 'online{presence: fresh, demand: idle}' },
  )

  watched?.stop()
  const { length } = steps
  client.say({ type: 'renew' })
  await lab.clock.run(100)
  t.equal(steps.length, length, 'and nothing any more')
})

t.test(
  'actors are found by who looks after them and by why they are not direct, and counted by kind',
  async t => {
    const { lab, link } = await begin()
    t.match(await all(lab, { parent: 'client/anna' }), {
      actors: [{ id: `path/${link}`, reason: 'cannot' }],
      kinds: { path: 1 },
    })
    t.match(await all(lab, { reason: 'cannot' }), { total: 1, kinds: { path: 1 } })
    t.match(await all(lab, { reason: 'symmetric_both' }), { total: 0, kinds: {} })
    t.match(await all(lab, { parent: 'server', limit: 1 }), {
      kinds: { node: 1, client: 1, relay: 1, coordinator: 1, cluster: 1, snapshot: 1 },
    })
  },
)

t.test('a path tells what it waits for, and a session what its agent has still to read', async t => {
  const { lab, link } = await begin()
  t.match(lab.mesh.actor(`path/${link}`), { unreadBytes: null, timers: [] })
  t.match(lab.mesh.actor('node/fra-1'), { unreadBytes: 0 })
})

t.test('a watched path and the coordinator tell their steps', async t => {
  const { lab, client, link } = await begin()
  const steps: ActorStep[] = []
  for (const id of [`path/${link}`, 'coordinator']) lab.mesh.watchActor(id, step => steps.push(step))
  client.say({ type: 'route.release', routeId: client.last('route.assigned').routeId })
  await lab.clock.run(100)
  t.match(
    steps.find(({ actor }) => actor === 'coordinator'),
    { event: 'route.unwanted', data: { cell: 'client/anna' }, actions: ['endRoute'], moved: false },
  )
  t.match(
    steps.find(({ actor, moved }) => actor !== 'coordinator' && moved),
    { event: 'released', from: 'carried{tier: relayed, effort: resting}', to: 'closed' },
  )
})

t.test('two who watch share what is known; the second is told of what the first has seen', async t => {
  const { lab, client } = await begin()
  const first = lab.mesh.watchActor('client/anna', () => {})
  client.say({ type: 'renew' })
  await lab.clock.run(100)
  const second = lab.mesh.watchActor('client/anna', () => {})
  t.match(second?.recent, [{ event: 'renew' }])
  t.match(lab.mesh.actor('client/anna'), { watched: true })
  first?.stop()
  t.match(lab.mesh.actor('client/anna'), { watched: true })
  second?.stop()
  t.match(lab.mesh.actor('client/anna'), { watched: false })
})

t.test('no secret of the wire reaches whoever watches', async t => {
  const { lab, node } = await begin()
  const steps: ActorStep[] = []
  lab.mesh.watchActor('node/fra-1', step => steps.push(step))
  node.say({ type: 'renew' })
  await lab.clock.run(100)
  t.match(
    steps.find(({ event }) => event === 'renewed'),
    { kind: 'told', data: { ticket: '•••' } },
  )
})

t.test('questions now and then keep an actor watched, and silence ends it', async t => {
  const { lab, client } = await begin()
  const leases = new Leases(lab.clock, lab.mesh)
  t.equal(await leases.after('client/nobody', 0, 0), 'unknown')
  t.same(await leases.after('client/anna', 0, 0), [])
  const question = leases.after('client/anna', 0, 10_000)
  client.say({ type: 'renew' })
  await lab.clock.run(50)
  t.match(
    await question,
    [{ seq: 1, kind: 'said', event: 'renew' }],
    'answered as soon as there is something',
  )
  await lab.live([client], 35_000)
  t.match(lab.mesh.actor('client/anna'), { watched: true }, 'the wait was a part of the lease')
  await lab.live([client], 10_000)
  t.match(lab.mesh.actor('client/anna'), { watched: false })
})

t.test('each kind has its statechart', async t => {
  const { lab } = await begin()
  const charts = lab.mesh.statecharts()
  t.same(Object.keys(charts).sort(), [
    'client',
    'cluster',
    'coordinator',
    'drain',
    'nat-probe',
    'node',
    'path',
    'relay',
    'server',
    'snapshot',
  ])
  const states = (state: StatechartState): string[] => [state.path, ...state.states.flatMap(states)]
  const known = states(charts.path?.root as StatechartState)
  t.ok(known.includes('carried.tier.direct'))
  const transitions = (state: StatechartState): StatechartState['on'][number][] => [
    ...state.on,
    ...state.states.flatMap(transitions),
  ]
  for (const { event, targets } of transitions(charts.path?.root as StatechartState))
    for (const target of targets) t.ok(known.includes(target), `${event} leads to ${target}`)
})

t.test('pages follow one another, and tell every actor once', async t => {
  const rows = fc.uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1 }),
      kind: fc.constant('node' as const),
      state: fc.constantFrom('online', 'lapsed'),
      parent: fc.constant(null),
      country: fc.option(fc.constantFrom('DE', 'FI')),
      about: fc.constant(null),
      reason: fc.constant(null),
    }),
    { selector: ({ id }) => id },
  )
  const { failed, counterexample } = await fc.check(
    fc.asyncProperty(
      rows,
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom('id', 'state', 'country'),
      fc.boolean(),
      async (actors, limit, sort, descending) => {
        const seen: string[] = []
        let after: string | undefined
        do {
          const page = await pageOf(actors, { limit, sort, descending, after }, systemClock)
          if (page.total !== actors.length) return false
          seen.push(...page.actors.map(({ id }) => id))
          after = page.next ?? undefined
        } while (after !== undefined)
        return seen.length === actors.length && new Set(seen).size === seen.length
      },
    ),
    { seed: 6 },
  )
  t.notOk(failed, JSON.stringify(counterexample))
})

t.test('anything becomes plain data that JSON can hold, of a bounded size', async t => {
  fc.assert(
    fc.property(fc.anything({ withMap: true, withSet: true, withTypedArray: true, maxDepth: 6 }), value => {
      const shown: Plain = plain(value)
      return (
        JSON.stringify(shown) !== undefined &&
        JSON.stringify(JSON.parse(JSON.stringify(shown))) === JSON.stringify(shown)
      )
    }),
    { seed: 4 },
  )
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  t.ok(JSON.stringify(plain(loop)).length < 200)
  t.equal(plain(new Uint8Array(32)), '32 bytes')
  t.match(plain({ password: 'x', deep: { privateKey: 'y' } }), {
    password: '•••',
    deep: { privateKey: '•••' },
  })
})

t.test('a state is one line', async t => {
  t.equal(stateText('idle'), 'idle')
  t.equal(stateText({ serving: 'steady' }), 'serving.steady')
  t.equal(
    stateText({ online: { presence: 'fresh', demand: 'idle' } }),
    'online{presence: fresh, demand: idle}',
  )
})
