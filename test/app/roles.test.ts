/** Who may ask for which endpoint: each is asked for, over HTTP, by everyone there is. */
import t from 'tap'
import { PLUGINS } from '../../src/app/plugins.js'
import { ACCOUNT_ROLES, type AccountRole, roleFor } from '../../src/http/roles.js'
import { httpNode, registration, routeRequest } from '../rest/agents.js'
import { badges } from '../support/badges.js'
import { restServer } from '../support/rest-server.js'

/** To see the mesh it takes a viewer, to act on it an operator; these need another role. */
const OTHERWISE: Readonly<Record<string, AccountRole>> = {
  // Each has its own account.
  'GET /api/v1/me': 'user',
  'GET /auth/me': 'user',
  'POST /api/v1/me/password': 'user',
  'GET /tariffs/': 'user',
  'GET /tariffs/{id}': 'user',
  'GET /user_tariffs/': 'user',
  'GET /user_tariffs/{id}': 'user',
  'GET /vpn_peers/': 'user',
  'GET /vpn_peers/self': 'user',
  'POST /vpn_peers/self': 'user',
  'GET /vpn_peers/self/config': 'user',
  'GET /vpn_peers/{id}': 'user',
  'PUT /vpn_peers/{id}': 'user',
  'DELETE /vpn_peers/{id}': 'user',
  'POST /vpn_peers/{id}/activate': 'user',
  'POST /vpn_peers/{id}/deactivate': 'user',
  'GET /vpn_peers/{id}/allowed': 'user',
  'GET /vpn_peers/{id}/config': 'user',
  'GET /entitlements/mine': 'user',
  'GET /entitlements/{user_id}': 'user',
  'POST /payments/create': 'user',
  'GET /payments/': 'user',
  'GET /payments/providers': 'user',
  'GET /payments/status/{payment_id}': 'user',
  // What providers told is about everybody’s money.
  'GET /payments/events': 'operator',
  // What is sold is the owner’s affair.
  'POST /tariffs/': 'admin',
  'PUT /tariffs/{id}': 'admin',
  'DELETE /tariffs/{id}': 'admin',
  // They let others in.
  'GET /api/v1/mails': 'admin',
  'GET /api/v1/users': 'operator',
  'POST /api/v1/users': 'admin',
  'POST /api/v1/users/first': 'admin',
  'GET /api/v1/users/{name}': 'operator',
  'PATCH /api/v1/users/{name}': 'admin',
  'POST /api/v1/users/{name}/password': 'admin',
  'DELETE /api/v1/users/{name}': 'admin',
  'GET /pgmon/users': 'admin',
  'POST /pgmon/users': 'admin',
  'GET /pgmon/users/{login}': 'admin',
  'PUT /pgmon/users/{login}': 'admin',
  'DELETE /pgmon/users/{login}': 'admin',
  'GET /pgmon/audit/sessions': 'admin',
  'PUT /pgmon/settings': 'admin',
  // Keys to machines.
  'GET /pgmon/ssh-keys': 'operator',
  'GET /pgmon/ssh-keys/{id}': 'operator',
  'GET /pgmon/ssh-keys/{id}/download-public': 'admin',
  'POST /pgmon/import': 'admin',
  'POST /api/v1/enrolment-keys': 'admin',
  'GET /api/v1/enrolment-keys': 'admin',
  'DELETE /api/v1/enrolment-keys/{id}': 'admin',
  // They give credentials, or take what waits for another.
  'GET /api/v1/turn/ice': 'operator',
  'GET /api/v1/turn/servers': 'operator',
  'GET /tasks': 'operator',
  // It holds more than any page shows, and a backup has all there is.
  'GET /api/v1/backups': 'operator',
  'POST /api/v1/backups': 'admin',
  'GET /api/v1/bundle': 'operator',
  // Where a webhook leads may hold a key of the receiver’s.
  'GET /api/v1/webhooks': 'operator',
  'GET /api/v1/webhooks/{id}': 'operator',
  'GET /api/v1/webhooks/{id}/deliveries': 'operator',
  'GET /api/v1/webhooks/{id}/deliveries/{delivery}': 'operator',
}

t.test('who may ask for which endpoint', async t => {
  const server = await restServer(t, { plugins: [...PLUGINS, badges] })
  const agent = await server.token((await httpNode(server, 'fra-1')).id)

  for (const endpoint of server.endpoints) {
    const { method, path, access } = endpoint
    const wanted = roleFor(endpoint)
    // What this machine may ask for is asked from this machine here: test/edge/http.test.ts asks from elsewhere.
    if (wanted === null || access === 'local') continue
    await t.test(`${method} ${path} is for the role ${wanted}, and says so`, async t => {
      t.equal(wanted, OTHERWISE[`${method} ${path}`] ?? (method === 'GET' ? 'viewer' : 'operator'))
      const ask = async (token: string | null) => {
        const body = method === 'GET' ? {} : { body: {} }
        const answer = await server.ask(method, path.replaceAll(/\{\w+\}/g, '0'), { token, ...body })
        return [answer.status, answer.status < 400 ? undefined : answer.body?.role]
      }
      t.same(await ask(null), [401, wanted], 'nobody')
      t.same(await ask('guess'), [401, wanted], 'a token that nobody issued')
      const [, refusedAgent] = await ask(agent)
      t.equal(refusedAgent, access === 'agent' ? undefined : wanted, 'an agent')
      for (const role of ACCOUNT_ROLES) {
        const answer = await ask(`as-${role}`)
        if (ACCOUNT_ROLES.indexOf(role) < ACCOUNT_ROLES.indexOf(wanted)) t.same(answer, [403, wanted], role)
        else t.equal(answer[1], undefined, role)
      }
    })
  }

  await t.test('only an admin vouches for an agent, which gives the agent’s token', async t => {
    const key = Buffer.alloc(32, 9)
    for (const [path, known, unknown] of [
      ['/api/v1/nodes/register', { nodeId: 'fra-1' }, registration('ams-1', key)],
      ['/api/v1/routing/request', routeRequest('alice'), routeRequest('bob')],
    ] as const)
      for (const body of [known, unknown])
        for (const role of ['user', 'viewer', 'operator'])
          t.match(
            await server.ask('POST', path, {
              token: `as-${role}`,
              body: { ...registration('fra-1', key), ...body },
            }),
            { status: 403, body: { role: 'admin' } },
            `${path} ${role}`,
          )
    t.match(
      await server.ask('POST', '/api/v1/nodes/register', {
        token: 'as-admin',
        body: registration('ams-1', key),
      }),
      { status: 201 },
    )
    const { body } = await server.ask('GET', '/api/v1/audit?actor=admin&kind=enrolment_key.created')
    t.match(body.audit, [{ kind: 'enrolment_key.created' }])
  })
})
