/** Decisions over the operator's HTTP interface, and as `boson route` and `boson explain` print them. */
import t, { type Test } from 'tap'
import type { Deliberation, RouteOutcome, RouteStory, ScoredNode } from '../../src/actors/ports.js'
import type { MeshClient } from '../../src/agent/index.js'
import { explanationPage } from '../../src/app/commands/explain.js'
import { decisionPage } from '../../src/app/commands/route.js'
import { NO_STEERING } from '../../src/mesh/steering.js'
import { coordinator, online } from '../support/coordinator.js'

t.test(
  'a dry run shows every node and changes nothing; then the decision is made, and explained',
  async t => {
    const { ask, alice, mesh } = await served(t)
    const order = { clientId: 'alice', wish: { target: 'ams-1', weights: { rtt: 2 } } }
    const tried = await ask('POST', '/api/v1/routes', { ...order, dryRun: true })
    t.match(tried, {
      status: 200,
      body: {
        clientId: 'alice',
        wish: { prefer: ['fra-1'] },
        order: { target: 'ams-1', weights: [['rtt', 2]] },
        steering: NO_STEERING,
        standing: { nodeId: 'fra-1' },
        explanation: {
          considered: 2,
          qualified: 1,
          compared: [{ nodeId: 'ams-1', cost: Number, terms: { load: 0 } }],
          rejected: [{ nodeId: 'fra-1', reason: 'target' }],
        },
      },
    })
    t.equal(alice.current?.nodeId, 'fra-1')

    const switched = new Promise(told => alice.on('switched', ({ cause, to }) => told([cause, to.nodeId])))
    t.match((await ask('POST', '/api/v1/routes', order)).body, {
      outcome: 'moved',
      standing: { nodeId: 'fra-1' },
      route: { nodeId: 'ams-1' },
    })
    t.same(await switched, ['operator', 'ams-1'])
    t.match((await ask('POST', '/api/v1/routes', order)).body, {
      outcome: 'kept',
      route: { nodeId: 'ams-1' },
    })
    t.match((await ask('POST', '/api/v1/routes', { ...order, wish: { group: 'gold' } })).body, {
      outcome: 'refused',
      route: { nodeId: 'ams-1' },
    })

    const story = (await ask('GET', '/api/v1/routes/alice/explanation')).body as RouteStory
    t.match(story, {
      nodeId: 'ams-1',
      clientId: 'alice',
      wish: { prefer: ['fra-1'] },
      explanation: { compared: [{ nodeId: 'ams-1' }], rejected: [{ nodeId: 'fra-1', reason: 'target' }] },
      history: { moved: 1, moves: [{ from: 'fra-1', to: 'ams-1', cause: 'operator' }] },
      now: null,
    })
    const now = await ask('GET', `/api/v1/routes/${story.routeId}/explanation?now=true`)
    t.match(now.body, {
      routeId: story.routeId,
      now: { compared: [{ nodeId: 'fra-1' }, { nodeId: 'ams-1' }] },
    })
    t.equal(mesh.routes().length, 1)
  },
)

t.test('a client that has not asked for a route is given none', async t => {
  const { ask, url, secret, mesh } = await served(t)
  await online(t, url, 'bob', secret, 'client')
  const { body } = await ask('POST', '/api/v1/routes', { clientId: 'bob' })
  t.match(body, { outcome: 'unasked', standing: null, route: null, explanation: { qualified: 2 } })
  t.equal(mesh.routes().length, 1)
  t.match(
    decisionPage(body as RouteOutcome),
    /^bob has no route: an order is for a route that stands. It gets one when it asks, now that would be /,
  )
})

t.test('what an order may not say, and whom it may not be about', async t => {
  const { ask } = await served(t)
  const table: readonly (readonly [path: string, order: unknown, status: number, says: RegExp])[] = [
    ['routes', {}, 400, /^clientId: wanted 1 to 64/],
    ['routes', { clientId: 'alice', wish: { country: 'germany' } }, 400, /^wish.country: wanted two capital/],
    ['routes', { clientId: 'alice', wish: { minBandwidthMbps: -1 } }, 400, /^wish.minBandwidthMbps: wanted/],
    ['routes', { clientId: 'alice', wish: { speed: 1 } }, 400, /speed/],
    ['routes', { clientId: 'alice', dryRun: 'yes' }, 400, /^dryRun: wanted true or false/],
    ['routes', { clientId: 'nobody' }, 404, /^nobody has enrolled as nobody$/],
    ['routes', { clientId: 'fra-1' }, 404, /^fra-1 is a node; routes are for clients$/],
    ['routes?limit=0', { clientId: 'alice' }, 400, /limit/],
    ['routes/nobody/explanation', undefined, 404, /nobody has enrolled as nobody/],
    ['routes/fra-1/explanation', undefined, 404, /fra-1 is a node: name one of its clients/],
    ['routes/alice/explanation?now=soon', undefined, 400, /now: wanted true or false/],
  ]
  for (const [path, order, wanted, says] of table) {
    const { status, body } = await ask(order === undefined ? 'GET' : 'POST', `/api/v1/${path}`, order)
    t.equal(status, wanted, path)
    t.match((body as { error: { message: string } }).error.message, says)
  }
})

const NOW_MS = 1_795_254_000_000
const KNOWN = { load: 0.2, rtt: 0.06, loss: 0, reported: 0.1, price: 0.25, distance: 0.1, flaps: 0, tier: 0 }
const COMPARED: readonly ScoredNode[] = [
  { nodeId: 'ams-2', cost: 0.9, terms: KNOWN, liking: 'preferred' },
  { nodeId: 'fra-1', cost: 0.71, terms: { ...KNOWN, loss: null } },
  { nodeId: 'hel-1', cost: 0.5, terms: KNOWN, liking: 'avoided' },
]
const DELIBERATION: Deliberation = {
  nowMs: NOW_MS,
  clientId: 'alice',
  wish: { country: 'DE', exit: true },
  order: { weights: [['rtt', 2]] },
  steering: { ...NO_STEERING, prefer: ['ams-2'], avoid: ['hel-1'], group: 'gold' },
  standing: { routeId: 'r-1', link: 65_536, nodeId: 'fra-1' },
  explanation: {
    considered: 9,
    qualified: 3,
    excluded: { country: 4, full: 2 },
    compared: COMPARED,
    rejected: [
      { nodeId: 'nyc-1', reason: 'country' },
      { nodeId: 'ber-1', reason: 'full' },
    ],
  },
}

t.test('a dry run as a person sees it fits a terminal, and says what unknown means', async t => {
  const page = decisionPage(DELIBERATION)
  t.same(page.split('\n'), [
    'alice would move from fra-1 to ams-2: 3 of 9 nodes qualify.',
    'asked for: country DE, exit',
    'steered: rather ams-2, rather not hel-1, group gold',
    'ordered: weights rtt=2',
    '',
    'NODE     COST  LOAD   RTT  LOSS  REPORTED  PRICE  DISTANCE  FLAPS  TIER',
    'ams-2 +  0.90  0.20  0.06  0.00      0.10   0.25      0.10   0.00  0.00',
    'fra-1 *  0.71  0.20  0.06     -      0.10   0.25      0.10   0.00  0.00',
    'hel-1 ~  0.50  0.20  0.06  0.00      0.10   0.25      0.10   0.00  0.00',
    'COST is the sum of its terms   * carries it   + preferred   ~ avoided',
    '- unknown, counts as average',
    '',
    'OUT    BECAUSE IT',
    'nyc-1  is in another country, or does not say',
    'ber-1  has no place left',
    '… and 3 × is in another country, or does not say, 1 × has no place left',
  ])
  t.ok(page.split('\n').every(line => line.length <= 80))
})

t.test('what came of a decision is said first', async t => {
  const said = (answer: Deliberation | RouteOutcome) => decisionPage(answer).split('\n')[0]
  const nobody = { ...DELIBERATION.explanation, qualified: 0, compared: [] }
  const ams = { routeId: 'r-1', link: 65_537, nodeId: 'ams-2' }
  t.equal(said({ ...DELIBERATION, standing: null }), 'alice would get ams-2: 3 of 9 nodes qualify.')
  t.equal(said({ ...DELIBERATION, standing: ams }), 'alice would stay on ams-2: 3 of 9 nodes qualify.')
  t.equal(
    said({ ...DELIBERATION, outcome: 'moved', route: ams }),
    'alice moves from fra-1 to ams-2: 3 of 9 nodes qualify.',
  )
  t.equal(
    said({ ...DELIBERATION, explanation: nobody, outcome: 'refused', route: DELIBERATION.standing }),
    'None of 9 nodes qualifies: alice stays on fra-1.',
  )
  t.equal(
    said({ ...DELIBERATION, explanation: nobody, standing: null }),
    'None of 9 nodes qualifies: alice would have no route.',
  )
})

t.test('an explanation as a person sees it: the decision, who is next, where it was', async t => {
  const page = explanationPage({
    nowMs: NOW_MS,
    routeId: 'r-1',
    link: 65_536,
    clientId: 'alice',
    nodeId: 'fra-1',
    wish: {},
    steering: NO_STEERING,
    tier: 'direct',
    via: 'wireguard',
    assignedAtMs: NOW_MS - 7_200_000,
    alternatives: ['ams-2', 'hel-1'],
    explanation: {
      considered: 4,
      qualified: 3,
      excluded: { excluded: 1 },
      compared: [{ nodeId: 'fra-1', cost: 0.71, terms: KNOWN }],
      rejected: [{ nodeId: 'ber-1', reason: 'excluded' }],
    },
    waiting: null,
    history: {
      decidedAtMs: NOW_MS - 180_000,
      moved: 17,
      moves: [{ atMs: NOW_MS - 180_000, from: 'ber-1', to: 'fra-1', cause: 'node_degraded' }],
      stayed: { no_clear_gain: 4, flapping: 1 },
    },
    now: { considered: 1, qualified: 0, excluded: { draining: 1 }, compared: [], rejected: [] },
  })
  t.same(page.split('\n'), [
    'alice → fra-1   direct (wireguard)   link 65536   route r-1',
    'moved here 3 min ago (node_degraded), first given 2 h 0 min ago',
    'the best of 1 compared; 3 of 4 nodes looked at qualified',
    '',
    'NODE     COST  LOAD   RTT  LOSS  REPORTED  PRICE  DISTANCE  FLAPS  TIER',
    'fra-1 *  0.71  0.20  0.06  0.00      0.10   0.25      0.10   0.00  0.00',
    'COST is the sum of its terms   * carries it',
    '',
    'OUT    BECAUSE IT',
    'ber-1  is the one that was left',
    '',
    'Looked at first when this node goes: ams-2, hel-1',
    '',
    'MOVED      FROM   TO     CAUSE',
    '3 min ago  ber-1  fra-1  node_degraded',
    '… 17 times in all',
    'It could have moved and stayed:',
    '  4 × no other was clearly cheaper',
    '  1 × the node that it would rather have comes and goes',
    '',
    'Now 0 of 1 nodes qualify for alice.',
    '',
    'out: 1 × is being drained',
  ])
})

t.test('a route that has to move and cannot is pending, and says until when it may stay', async t => {
  const { ask, mesh } = await served(t)
  mesh.steer('alice', { group: 'gold' }, 'test')
  const story = (await ask('GET', '/api/v1/routes/alice/explanation')).body as RouteStory
  t.match(story, { nodeId: 'fra-1', waiting: { cause: 'operator' } })
  const waiting = { cause: 'operator', sinceMs: story.nowMs - 18_000, remainingMs: 42_000 }
  const line = (more: Partial<RouteStory['waiting']>) =>
    explanationPage({ ...story, waiting: { ...waiting, ...more } })
      .split('\n')
      .find(it => it.startsWith('pending'))
  t.equal(
    line({}),
    'pending: it has to leave fra-1 (operator, since 18 s) and no other node qualifies; it ends in 42 s unless one does',
  )
  t.match(line({ remainingMs: null }), /; it stays until one does$/)
})

/** Alice has a route to fra-1, which she prefers; ams-1 is there too. */
async function served(t: Test) {
  const { ask, mesh, url, secretOf } = await coordinator(t)
  const secret = await secretOf()
  for (const id of ['fra-1', 'ams-1']) await online(t, url, id, secret)
  const alice = (await online(t, url, 'alice', secret, 'client')) as MeshClient
  await alice.route({ prefer: ['fra-1'] })
  return { ask, mesh, url, secret, alice }
}
