/** Drains over the operator's HTTP interface, and as `boson drain` and `boson status` print them. */
import t, { type Test } from 'tap'
import type { DrainView } from '../../src/actors/ports.js'
import { drainsPage, momentOf, planText } from '../../src/app/commands/drain.js'
import { coordinator, online } from '../support/coordinator.js'
import { until } from '../support/until.js'

t.test('a node is drained, shown, taken back, and all of it is audited', async t => {
  const { ask, mesh } = await withNode(t)
  t.match(await ask('GET', '/api/v1/drains'), { status: 200, body: { drains: [] } })
  const begun = await ask('POST', '/api/v1/nodes/fra-1/drain', { withinMs: 60_000 })
  t.match(begun, { status: 200, body: { nodeId: 'fra-1', by: 'operator', left: 0, remainingMs: Number } })
  await until('it is empty', () => mesh.drains()[0]?.state === 'empty')
  t.match((await ask('GET', '/api/v1/drains')).body, {
    drains: [{ nodeId: 'fra-1', state: 'empty', moved: 0 }],
  })
  t.same(await ask('DELETE', '/api/v1/nodes/fra-1/drain'), {
    status: 200,
    body: { nodeId: 'fra-1', drained: false },
  })
  t.match(await ask('DELETE', '/api/v1/nodes/fra-1/drain'), {
    status: 404,
    body: { error: { message: 'no node fra-1 is drained' } },
  })
  const audited = await until('both are written', async () => {
    const { audit } = (await ask('GET', '/api/v1/audit')).body as { audit: readonly { kind: string }[] }
    const changes = audit.filter(({ kind }) => kind.startsWith('node.'))
    return changes.length >= 2 && changes
  })
  t.match(audited, [
    { kind: 'node.undrained', actor: 'operator', subject: 'fra-1' },
    { kind: 'node.drained', actor: 'operator', subject: 'fra-1', detail: { withinMs: 60_000 } },
  ])
})

t.test('what cannot be drained, and when, is said', async t => {
  const { ask } = await withNode(t)
  const table: readonly (readonly [path: string, wish: unknown, status: number, says: RegExp])[] = [
    ['nobody', {}, 404, /^no node has enrolled as nobody$/],
    ['alice', {}, 404, /^no node has enrolled as alice$/],
    ['fra-1', { withinMs: -1 }, 400, /^withinMs: wanted a whole number of milliseconds/],
    ['fra-1', { withinMs: '5m' }, 400, /^withinMs: wanted/],
    ['fra-1', { within: 5 }, 400, /within/],
  ]
  for (const [id, wish, status, says] of table) {
    const answer = await ask('POST', `/api/v1/nodes/${id}/drain`, wish)
    t.equal(answer.status, status, id)
    t.match((answer.body as { error: { message: string } }).error.message, says)
  }
  t.equal((await ask('POST', '/api/v1/nodes/fra-1/drain', {}, {})).status, 401)
})

t.test('progress is one line that changes when something has', async t => {
  t.match(momentOf(view({ left: 12, moved: 30, estimateMs: 90_000 })), {
    text: 'fra-1  draining: 12 clients left, 30 moved',
    figures: 'about 1 min to go',
  })
  t.match(momentOf(view({ state: 'waiting', left: 1, waiting: 1, remainingMs: 42_000 })), {
    text: 'fra-1  draining: 1 client left, 0 moved, 1 waits for a node that qualifies',
    figures: '42 s until the end',
  })
  t.match(momentOf(view({ state: 'empty', moved: 42 })), { text: 'fra-1  empty: 42 moved', figures: '' })
  t.match(momentOf(view({ state: 'expired', moved: 40, ended: 2 })), {
    text: 'fra-1  expired: 40 moved, 2 cut off',
  })
})

t.test('without waiting it says what is about to happen', async t => {
  t.equal(planText(view({})), 'fra-1 is drained: it has no clients')
  t.equal(planText(view({ left: 1 })), 'fra-1 is drained: 1 client moves to other nodes')
  t.equal(
    planText(view({ left: 12, remainingMs: 300_000 })),
    'fra-1 is drained: 12 clients move to other nodes; what is left in 5 min is cut off',
  )
})

t.test('all drains as a table', async t => {
  t.equal(drainsPage([], 0), 'no node is drained')
  const page = drainsPage([view({ left: 3, moved: 9, remainingMs: 60_000 })], 120_000)
  t.same(page.split('\n'), [
    'NODE   STATE   BY        SINCE  LEFT  MOVED  WAITING  CUT OFF  TIME',
    'fra-1  moving  operator  2 min     3      9        0        0  1 min until the end',
  ])
})

function view(parts: Partial<DrainView>): DrainView {
  return {
    nodeId: 'fra-1',
    state: 'moving',
    by: 'operator',
    startedAtMs: 0,
    left: 0,
    moved: 0,
    waiting: 0,
    ended: 0,
    remainingMs: null,
    estimateMs: null,
    ...parts,
  }
}

async function withNode(t: Test) {
  const started = await coordinator(t)
  const credential = await started.secretOf()
  await online(t, started.url, 'fra-1', credential)
  await online(t, started.url, 'alice', credential, 'client')
  return started
}
