/** Who may ask for what the first monitor of databases offered: as its table said, or stricter for a reason. */
import t from 'tap'
import { PLUGINS } from '../../src/app/plugins.js'
import { ACCOUNT_ROLES, type AccountRole } from '../../src/http/roles.js'
import { badges } from '../support/badges.js'
import { restServer } from '../support/rest-server.js'

/** Its words: nobody has to be signed in; whoever is; an admin or an operator; an admin. */
type Said = '-' | 'any' | 'admin/operator' | 'admin'

/** Its table, without our prefix. */
const TABLE: readonly (readonly [method: string, path: string, said: Said])[] = [
  ['POST', '/token', '-'],
  ['GET', '/servers', 'any'],
  ['POST', '/servers', 'any'],
  ['PUT', '/servers/{name}', 'any'],
  ['DELETE', '/servers/{name}', 'any'],
  ['POST', '/servers/{name}/test-ssh', 'any'],
  ['GET', '/server_stats/{name}', 'any'],
  ['GET', '/server/{name}/stats', 'any'],
  ['GET', '/server/{name}/db/{db}', 'any'],
  ['GET', '/server/{name}/db/{db}/stats', 'any'],
  ['GET', '/users', 'admin'],
  ['POST', '/users', 'admin'],
  ['GET', '/users/me', 'any'],
  ['GET', '/users/{login}', 'admin'],
  ['PUT', '/users/{login}', 'admin'],
  ['DELETE', '/users/{login}', 'admin'],
  ['GET', '/ssh-keys', 'admin/operator'],
  ['POST', '/ssh-keys/generate', 'admin/operator'],
  ['POST', '/ssh-keys/import', 'admin/operator'],
  ['POST', '/ssh-keys/import-file', 'admin/operator'],
  ['GET', '/ssh-keys/{id}', 'admin/operator'],
  ['PUT', '/ssh-keys/{id}', 'admin/operator'],
  ['DELETE', '/ssh-keys/{id}', 'admin/operator'],
  ['GET', '/ssh-keys/{id}/servers', 'any'],
  ['GET', '/ssh-keys/{id}/download-public', 'admin'],
  ['GET', '/api/health', '-'],
  ['GET', '/api/pools/status', 'any'],
]

/** The least that its words stand for here. Whoever runs the mesh is at least a viewer; VPN users have no part in it. */
const LEAST: Readonly<Record<Said, AccountRole | null>> = {
  '-': null,
  any: 'viewer',
  'admin/operator': 'operator',
  admin: 'admin',
}

const SENDS = 'the coordinator connects to where it leads, with the password that is kept: viewers look on'
/** Where we are stricter, and why. */
const STRICTER: Readonly<Record<string, readonly [role: AccountRole, why: string]>> = {
  'POST /servers': ['operator', SENDS],
  'PUT /servers/{name}': ['operator', SENDS],
  'DELETE /servers/{name}': ['operator', 'what was watched is watched no more, and its history with it'],
  'POST /servers/{name}/test-ssh': ['operator', SENDS],
}

t.test('P-07: who may ask for what', async t => {
  const server = await restServer(t, { plugins: [...PLUGINS, badges] })
  for (const [method, path, said] of TABLE) {
    const [role, why] = STRICTER[`${method} ${path}`] ?? [LEAST[said]]
    await t.test(`P-07: ${method} ${path} is for ${role ?? 'everyone'}${why ? `: ${why}` : ''}`, async t => {
      const at = `/pgmon${path.replaceAll(/\{\w+\}/g, '0')}`
      const ask = async (token: string | null) => {
        const { status, body } = await server.ask(method, at, {
          token,
          ...(method !== 'GET' && { body: {} }),
        })
        return status === 401 || status === 403 ? body?.code : `served ${body?.detail === 'no such page'}`
      }
      const served = 'served false'
      t.equal(await ask(null), role === null ? served : 'unauthorised', 'a stranger')
      for (const each of ACCOUNT_ROLES) {
        const may = role === null || ACCOUNT_ROLES.indexOf(each) >= ACCOUNT_ROLES.indexOf(role)
        t.equal(await ask(`as-${each}`), may ? served : 'forbidden', each)
      }
    })
  }

  await t.test('P-09: the documentation for people and for programs has all of it', async t => {
    const { body: document } = await server.ask('GET', '/openapi.json', { token: null })
    for (const [method, path] of TABLE)
      t.ok(document.paths[`/pgmon${path}`]?.[method.toLowerCase()], `${method} ${path}`)
    const page = await server.ask('GET', '/docs', { token: null })
    t.match([page.status, page.headers.get('content-type'), page.body], [200, /^text\/html/, /swagger/i])
  })
})
