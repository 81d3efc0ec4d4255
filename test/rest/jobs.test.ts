/** What nodes and VPN servers are to do: B-058, the actions of B-048, and the tasks of H-13. */
import t from 'tap'
import { systemClock } from '../../src/kit/clock.js'
import { onEachDatabase, restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { httpNode } from './agents.js'

/** The process's clock, its wall clock as far ahead as a test wants. */
function clockAhead() {
  let aheadMs = 0
  return {
    clock: { ...systemClock, wallMs: () => systemClock.wallMs() + aheadMs },
    ahead: (ms: number) => {
      aheadMs += ms
    },
  }
}

await onEachDatabase(t, async (t, start) => {
  const { clock, ahead } = clockAhead()
  const server = await start({ clock })
  const { ask } = server
  const order = (nodeId: string, body: object) => ask('POST', `/api/v1/nodes/${nodeId}/jobs`, { body })
  const beat = async (node: { id: string; token: string }) =>
    (await ask('POST', `/api/v1/nodes/${node.id}/heartbeat`, { body: {}, token: node.token })).body.actions
  const ack = (id: number, body: object, token?: string) =>
    ask('POST', `/api/v1/jobs/${id}/ack`, { body, ...(token !== undefined && { token }) })

  await t.test('B-048, B-058: a job comes with the next heartbeat, and is acknowledged', async t => {
    const node = await httpNode(server, 'b-058')
    t.same(await beat(node), [])
    const payload = { level: 'debug', nested: [1, { deep: true }] }
    const ordered = await order(node.id, { type: 'updateConfig', payload })
    t.match(ordered, {
      status: 201,
      body: { server_id: node.id, type: 'updateConfig', status: 'pending', created_by: 'operator' },
    })
    const { id } = ordered.body
    t.match(await beat(node), [{ id, type: 'updateConfig', payload, expiresAt: String }])
    t.match((await ask('GET', `/api/v1/jobs?node=${node.id}`)).body, {
      total: 1,
      jobs: [{ id, status: 'delivered', deliveries: 1 }],
    })
    t.match(await ack(id, { status: 'done', result: { took: 3 } }, node.token), {
      status: 200,
      body: { id, status: 'done', result: { took: 3 } },
    })
    t.match(await ack(id, { status: 'done' }, node.token), { status: 200 }, 'saying it twice is no matter')
    t.match(await ack(id, { status: 'failed' }, node.token), { status: 409 })
    t.same(await beat(node), [])
    const audited = await until('it is audited', async () => {
      const { audit } = (await ask('GET', '/api/v1/audit')).body
      const mine = audit.filter((one: { subject: string }) => one.subject === node.id)
      return mine.some(({ kind }: { kind: string }) => kind === 'job.done') && mine
    })
    t.same(audited.map(({ kind, actor }: { kind: string; actor: string }) => [kind, actor]).slice(0, 3), [
      ['job.done', node.id],
      ['job.delivered', node.id],
      ['job.created', 'operator'],
    ])
  })

  await t.test('B-058: what is not acknowledged comes again, and is over in the end', async t => {
    const node = await httpNode(server, 'b-058-again')
    const { id } = (await order(node.id, { type: 'maintenance', ttl: 600 })).body
    t.match(await beat(node), [{ id }])
    t.same(await beat(node), [], 'not at once')
    const table = async (query: string) => (await ask('GET', `/api/v1/jobs?${query}`)).body.jobs
    ahead(61_000)
    t.match(await beat(node), [{ id }])
    const [again] = await table(`node=${node.id}`)
    t.match(again, { status: 'delivered', deliveries: 2 })
    ahead(600_000)
    await until('it is over', async () => (await table(`node=${node.id}&status=expired`)).length === 1)
    t.match(await ack(id, { status: 'done' }, node.token), { status: 200 }, 'it was done all the same')
  })

  await t.test('B-058: a job is its node’s own', async t => {
    const [mine, other] = [await httpNode(server, 'b-058-mine'), await httpNode(server, 'b-058-other')]
    const { id } = (await order(mine.id, { type: 'restart' })).body
    t.same(await beat(other), [])
    t.match(await ack(id, { status: 'done' }, other.token), { status: 403 })
    t.match(await ack(999_999, { status: 'done' }), { status: 404 })
    t.match(await ask('POST', `/api/v1/jobs/${id}/ack`, { body: {}, token: null }), { status: 401 })
    t.match(await ask('GET', '/api/v1/jobs', { token: mine.token }), { status: 403 })
    const byNode = { body: { type: 'restart' }, token: mine.token }
    t.match(await ask('POST', `/api/v1/nodes/${mine.id}/jobs`, byNode), { status: 403 })
  })

  await t.test('B-058: what may not be ordered is named', async t => {
    const { id } = await httpNode(server, 'b-058-bad')
    const table: readonly (readonly [body: object, says: RegExp])[] = [
      [{}, /^type: wanted one of/],
      [{ type: 'format' }, /^type: wanted one of/],
      [{ type: 'add_key' }, /^key_id: wanted/],
      [{ type: 'custom', payload: 'x'.repeat(20_000) }, /^payload: wanted JSON of at most/],
      [{ type: 'custom', payload: { text: '\u0000' } }, /^payload/],
      [{ type: 'custom', ttl: 0 }, /^ttl: wanted a whole number/],
    ]
    for (const [body, says] of table)
      t.match(await order(id, body), { status: 400, body: { error: { message: says } } })
    t.match(await order('nobody', { type: 'restart' }), { status: 404 })
  })

  await t.test('B-058: a node has a hundred jobs at most', async t => {
    const { id } = await httpNode(server, 'b-058-many')
    for (let i = 0; i < 100; i++) await order(id, { type: 'custom', payload: i })
    t.match(await order(id, { type: 'custom' }), { status: 429, body: { code: 'too_many_jobs' } })
    const first = (await ask('GET', `/api/v1/jobs?node=${id}&limit=60`)).body
    t.match(first, { count: 60, total: 100, next: String })
    const rest = (await ask('GET', `/api/v1/jobs?node=${id}&limit=60&after=${first.next}`)).body
    t.match(rest, { count: 40, next: null })
    t.equal(rest.jobs.at(-1).payload, 0, 'the newest first')
    t.equal((await ask('GET', `/api/v1/jobs?node=${id}&sort=id`)).body.jobs[0].payload, 0)
    t.match(await ask('GET', '/api/v1/jobs?status=lost'), { status: 400 })
  })

  await t.test('H-13: a VPN server fetches its tasks and acknowledges them', async t => {
    const body = { server_id: 'h-13', generated_at: '2024-01-15T10:30:00Z' }
    await ask('POST', '/heartbeat', { body })
    const tasks = async () => (await ask('GET', '/tasks?server_id=h-13')).body.tasks
    t.same(await tasks(), [])
    const add = { type: 'add_key', key_id: 'k-1', email: 'anna@example.org', payload: { quota: 5 } }
    const { id } = (await order('h-13', add)).body
    const { id: second } = (await order('h-13', { type: 'del_key', key_id: 'k-0' })).body
    t.match(await tasks(), [
      { id, server_id: 'h-13', ...add, status: 'delivered' },
      { id: second, type: 'del_key', key_id: 'k-0', email: null, payload: null },
    ])
    t.same(await tasks(), [], 'what was delivered does not come at once again')
    t.match(await ask('POST', `/tasks/${id}/ack`), { status: 200, body: { success: true, status: 'done' } })
    const failed = { body: { status: 'failed', result: 'no such key' } }
    t.match(await ask('POST', `/tasks/${second}/ack`, failed), { status: 200, body: { status: 'failed' } })
    t.match((await ask('GET', '/api/v1/jobs?node=h-13')).body.jobs, [
      { status: 'failed', result: 'no such key' },
      { status: 'done' },
    ])
    t.match(await ask('POST', '/tasks/0/ack'), { status: 400 })
    t.match(await ask('POST', '/tasks/999999/ack'), { status: 404 })
    t.match(await ask('GET', '/tasks'), { status: 400 })
    t.match(await ask('GET', '/tasks?server_id=h-13', { token: null }), { status: 401 })
  })
})

t.test('B-058: jobs are there after a restart', async t => {
  const dataDir = t.testdir()
  const before = await restServer(t, { dataDir })
  const node = await httpNode(before, 'fra-1')
  const { id } = (
    await before.ask('POST', '/api/v1/nodes/fra-1/jobs', { body: { type: 'custom', payload: 'hello' } })
  ).body
  await before.stop()
  const after = await restServer(t, { dataDir })
  const answer = await after.ask('POST', '/api/v1/nodes/fra-1/heartbeat', { body: {}, token: node.token })
  t.match(answer.body.actions, [{ id, type: 'custom', payload: 'hello' }])
})
