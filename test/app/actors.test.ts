/** The living actors over HTTP, and on a terminal. */
import t from 'tap'
import type { ActorRow, ActorStep, ActorView } from '../../src/actors/ports.js'
import { actorPage, actorsPage, stepLine, treePage } from '../../src/app/commands/actors.js'
import { coordinator, online } from '../support/coordinator.js'

t.test('actors are listed, shown and watched over HTTP, by operators only', async t => {
  const { ask, get, secretOf, url } = await coordinator(t)
  await online(t, url, 'fra-1', await secretOf())
  t.equal((await get('/api/v1/actors')).status, 401)
  t.match(await ask('GET', '/api/v1/actors?kinds=node&search=fra'), {
    status: 200,
    body: {
      actors: [{ id: 'node/fra-1', kind: 'node', parent: 'server' }],
      count: 1,
      total: 1,
      kinds: { node: 1 },
      next: null,
    },
  })
  t.match(await ask('GET', '/api/v1/actors?reason=no_stun&parent=server'), { body: { total: 0, kinds: {} } })
  t.match(await ask('GET', '/api/v1/actors?reason=bad_luck'), { status: 400 })
  t.match(await ask('GET', '/api/v1/actors/node%2Ffra-1'), { body: { id: 'node/fra-1', watched: false } })
  t.match(await ask('GET', '/api/v1/actors/node%2Fnobody'), { status: 404 })
  t.match(await ask('GET', '/api/v1/actors?kinds=ghost'), { status: 400 })
  t.match(await ask('GET', '/api/v1/actors/coordinator/steps'), { status: 200, body: { steps: [] } })
  const waiting = ask('GET', '/api/v1/actors/coordinator/steps?waitMs=20000')
  await online(t, url, 'ams-1', await secretOf())
  t.match(await waiting, {
    body: { steps: [{ seq: 1, event: 'session.told', data: { cell: 'node/ams-1', fact: 'joined' } }] },
  })
  t.match(await ask('GET', '/api/v1/actors/coordinator'), { body: { watched: true } })
  t.match(await ask('GET', '/api/v1/statecharts'), { body: { statecharts: { path: { id: 'path' } } } })
})

const row = (id: string, parent: string | null, about: string | null = null): ActorRow => ({
  id,
  kind: 'node',
  state: 'online',
  parent,
  country: id === 'node/fra-1' ? 'DE' : null,
  about,
  reason: null,
})

t.test('a list is a table that says what it leaves out', async t => {
  const actors = [row('coordinator', null), row('node/fra-1', 'server', '2 links')]
  t.equal(
    actorsPage({ actors, total: 44, next: 'x' }),
    [
      'ACTOR        STATE   COUNTRY  ABOUT',
      'coordinator  online  -        -',
      'node/fra-1   online  DE       2 links',
      '… and 42 more: --search, --kind, --limit',
    ].join('\n'),
  )
})

t.test('a tree shows who looks after whom', async t => {
  const actors = [
    row('server', null),
    row('client/anna', 'server'),
    row('path/65536', 'client/anna', 'anna → fra-1: websocket'),
    row('node/fra-1', 'server'),
    row('nat-probe/ams-1', 'node/ams-1'),
  ]
  t.equal(
    treePage({ actors, total: 5, next: null }),
    [
      'server  online',
      '├─ client/anna  online',
      '│  └─ path/65536  online  anna → fra-1: websocket',
      '└─ node/fra-1  online',
      'nat-probe/ams-1  online',
    ].join('\n'),
  )
})

t.test('one actor is shown with all that is known of it', async t => {
  const view: ActorView = {
    ...row('node/fra-1', 'server', '2 links'),
    value: 'online',
    context: { ticket: '•••', identity: { id: 'fra-1', tags: ['fast', 'cheap'] }, rttMs: null },
    unreadBytes: 1_200,
    timers: [{ name: 'lapses unless heard', inMs: 12_400 }],
    neighbours: ['coordinator', 'path/65536'],
    watched: false,
  }
  t.equal(
    actorPage(view),
    [
      'node/fra-1  online',
      '2 links',
      '',
      'looked after by  server',
      'lapses unless heard in  12 s',
      'its agent has still to read  1200 B',
      'speaks with  coordinator  path/65536',
      '',
      'ticket  •••',
      'identity',
      '  id  fra-1',
      '  tags  fast, cheap',
      'rttMs  -',
    ].join('\n'),
  )
})

t.test('a step is one line', async t => {
  const step: ActorStep = {
    atMs: Date.UTC(2026, 0, 1, 10, 30, 0, 250),
    order: 1,
    actor: 'client/anna',
    kind: 'step',
    event: 'route.given',
    data: { nodeId: 'fra-1' },
    from: 'online{demand: asking}',
    to: 'online{demand: served}',
    moved: true,
    actions: ['tellAssigned'],
  }
  t.equal(
    stepLine(step),
    '10:30:00.250 • route.given  {nodeId: fra-1}  online{demand: asking} ⇒ online{demand: served}  [tellAssigned]',
  )
  t.equal(
    stepLine({ ...step, kind: 'said', event: 'renew', data: {}, moved: false, actions: [] }),
    '10:30:00.250 → renew',
  )
})
