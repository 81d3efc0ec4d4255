/** Steering over the operator's HTTP interface, and as `boson steer` prints it. */
import t, { type Test } from 'tap'
import type { SteeringView } from '../../src/actors/ports.js'
import { steeringPage } from '../../src/app/commands/steer.js'
import { NO_STEERING } from '../../src/mesh/steering.js'
import { coordinator, online } from '../support/coordinator.js'
import { until } from '../support/until.js'

t.test('what is laid down is shown, changed field by field, audited, and cleared', async t => {
  const { ask } = await withNodes(t)
  const path = '/api/v1/identities/fra-1/steering'
  t.same(await ask('GET', path), {
    status: 200,
    body: { id: 'fra-1', role: 'node', steering: NO_STEERING },
  })
  await ask('PATCH', path, { groups: ['paid'], costWeight: 2 })
  const { body } = await ask('PATCH', path, { maxSessions: 0, costWeight: null })
  t.same(body, { id: 'fra-1', role: 'node', steering: { ...NO_STEERING, groups: ['paid'], maxSessions: 0 } })
  t.same((await ask('GET', path)).body, body)
  await ask('PATCH', path, { groups: ['paid'] })
  t.same((await ask('DELETE', path)).body, { id: 'fra-1', role: 'node', steering: NO_STEERING })
  const audited = await until('all of it is written', async () => {
    const { audit } = (await ask('GET', '/api/v1/audit')).body as { audit: readonly { kind: string }[] }
    const changes = audit.filter(({ kind }) => kind === 'steering.changed')
    return changes.length >= 3 && changes
  })
  t.match(audited, [
    { actor: 'operator', subject: 'fra-1', detail: { groups: [], maxSessions: null } },
    { detail: { maxSessions: 0, costWeight: null } },
    { detail: { groups: ['paid'], costWeight: 2 } },
  ])
})

t.test('a drain outlives a cleared steering', async t => {
  const { ask, mesh } = await withNodes(t)
  mesh.steer('fra-1', { drained: true, tags: ['fast'] }, 'test')
  t.match((await ask('DELETE', '/api/v1/identities/fra-1/steering')).body, {
    steering: { drained: true, tags: [] },
  })
})

t.test('what a change may not say is named by its field', async t => {
  const { ask, mesh } = await withNodes(t)
  const table: readonly (readonly [who: string, change: unknown, says: RegExp])[] = [
    ['fra-1', { groups: 'paid' }, /^groups: wanted a list of at most 16/],
    ['fra-1', { groups: ['a b'] }, /^groups.0: wanted 1 to 64 of/],
    ['fra-1', { tags: ['a', 'a'] }, /^tags: wanted .*each once/],
    ['fra-1', { costWeight: -1 }, /^costWeight: wanted a number from 0 to 1000/],
    ['fra-1', { maxSessions: 1.5 }, /^maxSessions: wanted a whole number/],
    ['fra-1', { drained: true }, /drained/],
    ['fra-1', { pin: 'ams-1' }, /^pin: is for a client; fra-1 is a node$/],
    ['alice', { maxSessions: 3, tags: [] }, /^tags: is for a node; alice is a client; maxSessions: /],
    ['alice', { pin: 'fra-9' }, /^pin: nobody has enrolled as fra-9$/],
    ['alice', { avoid: ['alice'] }, /^avoid: alice is a client, wanted a node$/],
    ['alice', { prefer: ['fra-1', 'ams-1'], avoid: ['fra-1'] }, /^avoid: fra-1 is in prefer too$/],
    ['alice', { weights: { speed: 2 } }, /^weights: wanted an object with a number for any of load, rtt/],
    ['alice', { weights: { rtt: 'much' } }, /^weights.rtt: wanted a number/],
    ['alice', [], /^body: /],
  ]
  for (const [who, change, says] of table) {
    const { status, body } = await ask('PATCH', `/api/v1/identities/${who}/steering`, change)
    t.equal(status, 400, JSON.stringify(change))
    t.match((body as { error: { message: string } }).error.message, says)
  }
  t.same(mesh.steering('alice')?.steering, NO_STEERING, 'nothing was changed')
  mesh.steer('alice', { pin: 'fra-1' }, 'test')
  t.match(await ask('PATCH', '/api/v1/identities/alice/steering', { avoid: ['fra-1'] }), {
    status: 400,
    body: { error: { message: 'avoid: fra-1 is the pin too' } },
  })
  for (const method of ['GET', 'PATCH', 'DELETE'])
    t.match(await ask(method, '/api/v1/identities/nobody/steering', method === 'PATCH' ? {} : undefined), {
      status: 404,
      body: { error: { message: 'nobody has enrolled as nobody' } },
    })
})

t.test('what holds, as a person sees it: a row for each flag', async t => {
  const view = (role: SteeringView['role'], steering: Partial<SteeringView['steering']>): SteeringView => ({
    id: role === 'node' ? 'fra-1' : 'alice',
    role,
    steering: { ...NO_STEERING, ...steering },
  })
  t.same(steeringPage(view('node', { groups: ['paid', 'eu'], maxSessions: 0, drained: true })).split('\n'), [
    'NODE          fra-1',
    'groups        paid, eu',
    'tags          -',
    'cost          -',
    'max-sessions  0',
    'drained       yes',
    '',
    'A dash: nothing is laid down, and what the node says of itself holds.',
  ])
  t.same(
    steeringPage(
      view('client', {
        pin: 'fra-1',
        group: 'paid',
        prefer: ['fra-1'],
        avoid: ['ams-1'],
        weights: { rtt: 2, price: 0 },
      }),
    ).split('\n'),
    [
      'CLIENT  alice',
      'pin     fra-1',
      'group   paid',
      'prefer  fra-1',
      'avoid   ams-1',
      'weigh   rtt=2, price=0',
    ],
  )
})

async function withNodes(t: Test) {
  const { ask, mesh, url, secretOf } = await coordinator(t)
  const secret = await secretOf()
  for (const id of ['fra-1', 'ams-1']) await online(t, url, id, secret)
  await online(t, url, 'alice', secret, 'client')
  return { ask, mesh }
}
