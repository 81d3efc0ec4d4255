/** Peers over HTTP: made, used by a real agent, switched, removed; each account only its own. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { MeshClient } from '../../src/agent/index.js'
import { MovableClock } from '../support/movable-clock.js'
import { type Answer, onEachDatabase, restServer } from '../support/rest-server.js'
import { newPublicKey, shopOf } from '../support/shop.js'
import { shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'

const DAY_MS = 86_400_000

t.test('peers', t =>
  onEachDatabase(t, async (t, start) => {
    const clock = new MovableClock()
    const server = await start({ clock, plugins: [access] })
    const shop = await shopOf(server)
    const { ask, mesh } = server
    const [ada, bob, ops] = [
      await shop.person('ada'),
      await shop.person('bob'),
      await shop.person('ops', 'operator'),
    ]
    await shop.assign(ada, 'family')

    await t.test(
      'V-07: what is sent and answered is what the first VPN API had, and nothing else',
      async t => {
        const public_key = newPublicKey()
        const { body } = await shop.peer(ada, { name: 'laptop', public_key })
        t.match(body, {
          user_id: ada.userId,
          email: 'ada',
          name: 'laptop',
          wg_public_key: public_key,
          wg_private_key: null,
          wg_ip: /^10\.77\.\d+\.\d+$/,
          wg_ip6: /^fd77:b050::/,
          active: true,
          status: 'active',
          provisioner: 'mesh',
          identity: `peer-${body.id}`,
          error: null,
        })
        const { wg_private_key: _, ...out } = body
        t.same((await ask('GET', `/vpn_peers/${body.id}`, { token: ada.token })).body, out)
        for (const more of [
          { wg_ip: '10.77.0.1' },
          { overlay4: '10.77.0.1' },
          { account_id: 'x' },
          { user_id: 1 },
          { provisioner: 'ssh' },
          { active: false },
          { public_key: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' },
          { name: 'two\nlines' },
          { name: '' },
        ])
          t.match(
            await ask('POST', '/vpn_peers/self', { token: ada.token, body: more }),
            { status: 400 },
            JSON.stringify(more),
          )
      },
    )

    await t.test('V-05: a peer made for its owner connects by its private key alone', async t => {
      const made = await ask('POST', '/vpn_peers/self', { token: ada.token, body: { name: 'phone' } })
      t.match(made, { status: 201, body: { wg_private_key: /^.{43}=$/, status: 'active' } })
      const client = new MeshClient({
        url: `ws://127.0.0.1:${server.port}`,
        id: made.body.identity,
        privateKey: made.body.wg_private_key,
      })
      t.teardown(() => client.stop())
      await client.start()
      t.match(mesh.client(made.body.identity), { overlay4: made.body.wg_ip })

      const config = await ask('GET', `/vpn_peers/self/config?peer_id=${made.body.id}`, { token: ada.token })
      t.match(
        config,
        {
          status: 200,
          body: { conf: null, wg_private_key: null, agent: { server: server.url, id: made.body.identity } },
        },
        'with the policy host, its key is kept nowhere',
      )
      const sh = await ask('GET', `/vpn_peers/${made.body.id}/config`, {
        token: ada.token,
        headers: { accept: 'text/plain' },
      })
      t.match(sh.body, `sudo ${config.body.agent.command}\n`)
      for (const format of ['conf', 'qr', 'svg'])
        t.match(await ask('GET', `/vpn_peers/self/config?format=${format}`, { token: ada.token }), {
          status: 409,
          body: { detail: /the agent connects/ },
        })

      await t.test('V-04: and is away at once when it is switched off', async t => {
        const at = `/vpn_peers/${made.body.id}`
        t.match(await ask('GET', `${at}/allowed`, { token: ada.token }), {
          body: { allowed: true, state: 'active', code: null },
        })
        t.match(await ask('POST', `${at}/deactivate`, { token: ada.token }), {
          status: 200,
          body: { active: false, status: 'inactive' },
        })
        t.match(await ask('GET', `${at}/allowed`, { token: ada.token }), {
          body: { allowed: false, code: 'inactive' },
        })
        await until('its session has ended', () => mesh.client(made.body.identity) === null, 2_000)
        t.match(await ask('POST', `${at}/activate`, { token: ada.token }), { body: { active: true } })
        t.match(await ask('GET', `${at}/allowed`, { token: ada.token }), { body: { allowed: true } })

        await ask('POST', `${at}/deactivate`, { token: ops.token })
        t.match(await ask('POST', `${at}/activate`, { token: ada.token }), {
          status: 403,
          body: { code: 'held' },
        })
        t.match(await ask('PUT', at, { token: ada.token, body: { active: true } }), { status: 403 })
        t.match(await ask('PUT', at, { token: ops.token, body: { active: true, name: 'tablet' } }), {
          body: { active: true, name: 'tablet' },
        })
      })

      await t.test('V-04: and is nobody any more when it is removed', async t => {
        const gone = await ask('DELETE', `/vpn_peers/${made.body.id}`, { token: ada.token })
        t.match(gone, { status: 200, body: { status: 'removed', active: false } })
        t.type(mesh.identity(made.body.identity)?.revokedAtMs, 'number')
        t.match(await ask('GET', `/vpn_peers/${made.body.id}/allowed`, { token: ada.token }), {
          body: { allowed: false },
        })
        t.match(await ask('GET', `/vpn_peers/${made.body.id}/config`, { token: ada.token }), { status: 404 })
        const again = { public_key: made.body.wg_public_key }
        t.match(await ask('POST', '/vpn_peers/self', { token: ada.token, body: again }), {
          status: 409,
          body: { code: 'key_in_use' },
        })
      })
    })

    await t.test(
      'without a tariff nobody makes a peer, but for one that an operator makes beforehand',
      async t => {
        t.match(await ask('POST', '/vpn_peers/self', { token: bob.token, body: {} }), {
          status: 403,
          body: { code: 'not_entitled' },
        })
        const body = { user_id: bob.userId, public_key: newPublicKey() }
        t.match(await ask('POST', '/vpn_peers/', { token: bob.token, body }), { status: 403 })
        const made = await ask('POST', '/vpn_peers/', { token: ops.token, body })
        t.match(made, { status: 201, body: { email: 'bob' } })
        t.match(await ask('POST', '/vpn_peers/', { token: ops.token, body: { user_id: bob.userId } }), {
          status: 409,
          body: { code: 'device_limit' },
        })
        t.match(await ask('POST', '/vpn_peers/', { token: ops.token, body: { user_id: 4_711 } }), {
          status: 404,
        })
        t.match(await ask('GET', `/vpn_peers/${made.body.id}/allowed`, { token: ops.token }), {
          body: { allowed: false, state: 'none', code: 'not_entitled' },
        })
      },
    )

    await t.test(
      'V-12: twenty at once make as many peers as there may be, and no key goes to two',
      async t => {
        const eve = await shop.person('eve')
        await shop.assign(eve, 'solo')
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => ask('POST', '/vpn_peers/self', { token: eve.token, body: {} })),
        )
        t.same(statusesOf(answers), [201, ...Array.from({ length: 19 }, () => 409)])
        t.equal((await ask('GET', '/vpn_peers/self', { token: eve.token })).body.total, 1)

        const carl = await shop.person('carl')
        await shop.assign(carl, 'family')
        const public_key = newPublicKey()
        const both = await Promise.all(
          [ada, carl].flatMap(({ token }) =>
            [1, 2, 3].map(() => ask('POST', '/vpn_peers/self', { token, body: { public_key } })),
          ),
        )
        t.same(statusesOf(both), [201, 409, 409, 409, 409, 409])
      },
    )

    await t.test('another’s peer is not there', async t => {
      const { body } = await shop.peer(ada, { name: 'desk' })
      const at = `/vpn_peers/${body.id}`
      for (const [method, path, sent] of [
        ['GET', at],
        ['PUT', at, { name: 'mine' }],
        ['DELETE', at],
        ['POST', `${at}/activate`],
        ['POST', `${at}/deactivate`],
        ['GET', `${at}/allowed`],
        ['GET', `${at}/config`],
        ['GET', `/vpn_peers/self/config?peer_id=${body.id}`],
      ] as const) {
        const answer = await ask(method, path, { token: bob.token, ...(sent && { body: sent }) })
        t.match(answer, { status: 404, body: { detail: `there is no peer ${body.id}` } }, `${method} ${path}`)
      }
      t.match((await ask('GET', at, { token: ops.token })).body, { name: 'desk', active: true })
      const list = await ask('GET', `/vpn_peers/?user_id=${ada.userId}`, { token: bob.token })
      t.equal(list.body.total, 0)
    })

    await t.test('lists go by pages, and find a peer by its name, its owner or its key', async t => {
      const all = (await ask('GET', '/vpn_peers/', { token: ops.token })).body
      t.equal(all.total, all.peers.length)
      const seen: number[] = []
      for (let next: string | null = ''; next !== null; ) {
        const { body } = await ask('GET', `/vpn_peers/?limit=2${next && `&after=${next}`}`, {
          token: ops.token,
        })
        seen.push(...body.peers.map(({ id }: { id: number }) => id))
        next = body.next
      }
      t.same(
        seen,
        all.peers.map(({ id }: { id: number }) => id),
      )
      const found = async (query: string) =>
        (await ask('GET', `/vpn_peers/?${query}`, { token: ops.token })).body.peers.map(
          ({ name }: { name: string }) => name,
        )
      t.same(await found('q=DESK'), ['desk'])
      t.same(await found(`q=${encodeURIComponent(all.peers[0].wg_public_key)}`), ['laptop'])
      t.same(await found(`q=${all.peers[0].identity}`), ['laptop'])
      t.same(await found('q=eve'), ['device'])
      t.same(await found('status=removed'), ['tablet'])
      t.same(await found('status=pending'), [])
      t.same(await found(`user_id=${bob.userId}`), ['device'])
    })

    await t.test('an account that has had peers stays, and can be disabled', async t => {
      const kept = await ask('DELETE', '/api/v1/users/bob')
      t.match(kept, { status: 409, body: { code: 'kept', detail: /disable it instead/ } })
      t.match(await ask('PATCH', '/api/v1/users/bob', { body: { disabled: true } }), { status: 200 })
    })

    await t.test(
      'V-04: when the tariff ends the peer may connect no more, and it may when it is renewed',
      async t => {
        const { body } = await shop.peer(ada, { name: 'last' })
        t.match(body, { status: 'active' })
        clock.advance(31 * DAY_MS)
        const token = await shop.signIn('ada')
        const allowed = () => ask('GET', `/vpn_peers/${body.id}/allowed`, { token })
        await until('it has ended', async () => (await allowed()).body.allowed === false, 5_000)
        t.match((await allowed()).body, { state: 'ended', code: 'not_entitled', active: true })
        t.match(await ask('POST', '/vpn_peers/self', { token, body: {} }), { status: 403 })
        await shop.assign(ada, 'family')
        t.match((await allowed()).body, { allowed: true, state: 'active', code: null })
      },
    )
  }),
)

t.test(
  'V-12: with the policy db, a private key is sealed, for its owner only, and lies nowhere else',
  async t => {
    const dataDir = shortFolder()
    const server = await restServer(t, { plugins: [access], env: { WG_KEY_POLICY: 'db' }, dataDir })
    const shop = await shopOf(server)
    const { ask } = server
    const [ada, ops] = [await shop.person('ada'), await shop.person('ops', 'admin')]
    await shop.assign(ada, 'family')
    const { body } = await ask('POST', '/vpn_peers/self', { token: ada.token, body: {} })
    const key: string = body.wg_private_key
    t.match(key, /^.{43}=$/)
    const config = (token: string, more = '') => ask('GET', `/vpn_peers/${body.id}/config${more}`, { token })
    t.equal((await config(ada.token)).body.wg_private_key, key, 'whenever its owner asks')
    t.match((await config(ada.token, '?format=sh')).body, `printf '%s\\n' '${key}' > ${body.identity}.key`)
    t.equal((await config(ops.token)).body.wg_private_key, null, 'not even an admin')
    t.equal((await ask('GET', `/vpn_peers/${body.id}`, { token: ada.token })).body.wg_private_key, undefined)

    const raw = Buffer.from(key, 'base64')
    const spellings = [key, raw.toString('hex'), raw.toString('base64url')]
    for (const path of [
      '/api/v1/audit',
      '/api/v1/log',
      '/api/v1/actors',
      '/openapi.json',
      '/vpn_peers/',
      '/api/v1/clients',
      '/metrics',
    ]) {
      const text = JSON.stringify((await ask('GET', path)).body)
      t.notOk(
        spellings.some(each => text.includes(each)),
        path,
      )
    }
    const refused = await ask('POST', '/vpn_peers/self', { token: ada.token, body: { private_key: key } })
    t.equal(refused.status, 400)
    t.notOk(JSON.stringify(refused.body).includes(key), 'an error does not repeat it')
    await server.stop()
    const bytes = filesBelow(dataDir).map(path => readFileSync(path))
    t.ok(
      bytes.some(each => each.includes(body.identity)),
      'the peer is in the database',
    )
    for (const needle of [...spellings.map(each => Buffer.from(each)), raw])
      t.notOk(
        bytes.some(each => each.includes(needle)),
        'its key is not',
      )
  },
)

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

const statusesOf = (answers: readonly Answer[]): readonly number[] =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b)
