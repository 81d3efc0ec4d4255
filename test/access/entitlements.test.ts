/** What accounts have is what their peers may do: sessions of a real mesh, over each database. */
import t from 'tap'
import { charge } from '../../src/access/entitlements/charging.js'
import { access } from '../../src/access/plugin.js'
import { until } from '../support/until.js'
import { insider, type InsiderAccount } from '../support/insider.js'
import { MailboxAgent } from '../support/mailbox-agent.js'
import { MovableClock } from '../support/movable-clock.js'
import { onEachDatabase, type RestServer } from '../support/rest-server.js'
import { shortFolder } from '../support/short-folder.js'

const HOUR = 3_600_000

t.test('entitlements', t =>
  onEachDatabase(t, async (t, start) => {
    const clock = new MovableClock()
    const inside = insider()
    const dataDir = shortFolder()
    const starting = {
      clock,
      dataDir,
      plugins: [access, inside.plugin],
      env: { BOSON_SNAPSHOT_EVERY_MS: '50' },
    }
    let server = await start(starting)
    const key = await server.enrolmentKey()
    const node = await new MailboxAgent('node', 'fra-1').enter(server.mesh, key)
    const tools = toolsOf(() => server, inside, clock)
    const { sell, assign, peerOf, entitlementOf, lasting } = tools

    await t.test('a peer is let in while its account has a tariff, and told when it has none', async t => {
      const ann = await inside.account('ann@example.org')
      const peer = await peerOf(ann)
      peer.agent.knock(server.mesh, key)
      await until('it is refused', () => peer.agent.last('refused'))
      t.match(peer.agent.last('refused'), {
        code: 'not_entitled',
        reason: 'the account has no tariff',
        retryAfterMs: 60_000,
      })
      await assign(ann, await sell('Basic'))
      await peer.agent.enter(server.mesh)
      t.match(server.mesh.client(peer.id), { state: /online/ })
      const { body } = await server.ask('GET', `/api/v1/clients`)
      t.match(body.clients, [{ id: peer.id, account: 'ann@example.org', entitlement: 'active' }])
      t.match(await entitlementOf(ann), {
        state: 'active',
        devices: [{ peer_id: peer.number, allowed: true, reason: null }],
      })
      t.match((await server.ask('GET', '/metrics')).body, /boson_entitlements\{state="active".*\} 1/)
    })

    await t.test(
      'a tariff that ends closes sessions within a second, and one that goes on does not',
      async t => {
        const [ben, col] = [await inside.account('ben@example.org'), await inside.account('col@example.org')]
        const tariffId = await sell('Short')
        const peers = []
        for (const account of [ben, col]) {
          await assign(account, tariffId)
          const peer = await peerOf(account)
          await peer.agent.enter(server.mesh, key)
          peers.push(peer)
        }
        const [ended, prolonged] = peers
        const endsAtMs = clock.wallMs() + 400
        await lasting(ben, endsAtMs)
        await lasting(col, endsAtMs)
        const generation = server.mesh.client(prolonged?.id ?? '')?.generation
        await assign(col, tariffId)
        await until('it ends', () => ended?.agent.last('refused'))
        t.ok(clock.wallMs() - endsAtMs < 1_000, `${clock.wallMs() - endsAtMs} ms after its end`)
        t.ok(clock.wallMs() >= endsAtMs)
        t.match(ended?.agent.last('refused'), { code: 'not_entitled', reason: 'the tariff Short has ended' })
        t.equal(server.mesh.client(ended?.id ?? ''), null)
        t.match(server.mesh.client(prolonged?.id ?? ''), { generation }, 'renewed without a new session')
        t.match(await entitlementOf(ben), { state: 'ended', until: null })
        await assign(ben, tariffId)
        await ended?.agent.enter(server.mesh)
        t.match(server.mesh.client(ended?.id ?? ''), { generation: 2 })
        const audited = async () =>
          (await server.ask('GET', '/api/v1/audit?subject=ben@example.org&kind=entitlement.ended')).body.audit
        await until('it is written down', async () => (await audited()).length === 1)
      },
    )

    await t.test('grace lets sessions go on after the end, until it is over', async t => {
      const dot = await inside.account('dot@example.org')
      await assign(dot, await sell('Kind', { grace_hours: 1 }))
      const peer = await peerOf(dot)
      await peer.agent.enter(server.mesh, key)
      await lasting(dot, clock.wallMs() - HOUR + 400)
      t.match(await entitlementOf(dot), { state: 'grace' })
      t.not(server.mesh.client(peer.id), null)
      await until('the grace is over', () => peer.agent.last('refused'))
      t.match(await entitlementOf(dot), { state: 'ended', tariff: { status: 'ended' } })
    })

    await t.test(
      'the oldest peers are within the limit of devices; one that is switched off makes room',
      async t => {
        const eli = await inside.account('eli@example.org')
        await assign(eli, await sell('Single', { device_limit: 1 }))
        const [first, second] = [await peerOf(eli), await peerOf(eli)]
        await first.agent.enter(server.mesh, key)
        second.agent.knock(server.mesh, key)
        await until('it is refused', () => second.agent.last('refused'))
        t.match(second.agent.last('refused'), { code: 'inactive', reason: /Single is for 1 at once/ })
        await tools.switched(eli, first.number, false)
        t.match(first.agent.last('refused'), { code: 'inactive', reason: 'this peer is switched off' })
        await second.agent.enter(server.mesh)
        await tools.switched(eli, first.number, true)
        await until('the younger one is out again', () => server.mesh.client(second.id) === null)
        await first.agent.enter(server.mesh)
        t.match(await entitlementOf(eli), { devices: [{ allowed: true }, { allowed: false }] })
      },
    )

    await t.test('an account that is disabled is out at once, and in again when it is not', async t => {
      const fay = await inside.account('fay@example.org')
      await assign(fay, await sell('Plain'))
      const peer = await peerOf(fay)
      await peer.agent.enter(server.mesh, key)
      const disable = (disabled: boolean) =>
        server.ask('PATCH', '/api/v1/users/fay@example.org', { body: { disabled } })
      await disable(true)
      await until('it is out', () => server.mesh.client(peer.id) === null)
      t.match(peer.agent.last('refused'), { reason: 'the account is disabled' })
      t.match(await entitlementOf(fay), { state: 'disabled' })
      await disable(false)
      await until('it may again', async () => (await entitlementOf(fay)).state === 'active')
      await peer.agent.enter(server.mesh)
    })

    const gil = await inside.account('gil@example.org')
    const metered = await sell('Metered', {
      traffic_limit_bytes: 1_000,
      throttled_bytes: 500,
      throttle_kbps: 80,
    })
    await assign(gil, metered)
    const meter = await peerOf(gil)

    await t.test('traffic that is used up slows a session down, and then ends it', async t => {
      await meter.agent.enter(server.mesh, key)
      const link = await meter.routed()
      const report = (sentBytes: number, receivedBytes: number) =>
        meter.agent.say({ type: 'path.report', link, sentBytes, receivedBytes })
      report(300, 100)
      await until('it is charged', async () => (await entitlementOf(gil)).used_bytes === 400)
      t.match(await entitlementOf(gil), { state: 'active' })
      report(900, 100)
      await until('it is slow', async () => (await entitlementOf(gil)).state === 'throttled')
      t.not(server.mesh.client(meter.id), null)
      report(1_200, 299)
      t.match(
        await entitlementOf(gil),
        { used_bytes: 1_499, state: 'throttled' },
        'it acts before it is written',
      )
      report(1_200, 300)
      await until('it is out', () => meter.agent.last('refused'))
      t.match(meter.agent.last('refused'), {
        code: 'quota_used',
        reason: 'the traffic of the tariff Metered is used up',
      })
      t.equal(server.mesh.client(meter.id), null)
      await assign(gil, metered)
      t.match(await entitlementOf(gil), { state: 'active', used_bytes: 1_500, limit_bytes: 2_000 })
    })

    await t.test('what the relay carries counts before the agents tell of it', async t => {
      const hal = await inside.account('hal@example.org')
      await assign(hal, metered)
      const peer = await peerOf(hal)
      await peer.agent.enter(server.mesh, key)
      const link = await peer.routed()
      for (const end of [node, peer.agent]) end.say({ type: 'path.ready', link })
      const send = () =>
        peer.agent.say({ type: 'relay.data', link, payload: Buffer.alloc(400, Buffer.of(4, 0, 0, 0)) })
      for (let n = 0; n < 3; n++) send()
      await until('it is slow', async () => (await entitlementOf(hal)).state === 'throttled')
      t.match(await entitlementOf(hal), { used_bytes: 1_200 })
    })

    await t.test('bytes are charged once over restarts, what ended before and what goes on', async t => {
      await meter.agent.enter(server.mesh)
      const link = await meter.routed()
      meter.agent.say({ type: 'path.report', link, sentBytes: 20, receivedBytes: 1 })
      await until('it is charged', async () => (await entitlementOf(gil)).used_bytes === 1_521)
      meter.agent.say({ type: 'path.report', link, sentBytes: 40, receivedBytes: 2 })
      await server.stop()
      server = await start(starting)
      t.match(await entitlementOf(gil), { used_bytes: 1_542, state: 'active' })
      await node.enter(server.mesh)
      await meter.agent.enter(server.mesh)
      const again = await meter.routed()
      meter.agent.say({ type: 'path.report', link: again, sentBytes: 43, receivedBytes: 2 })
      await until('only what is new is charged', async () => (await entitlementOf(gil)).used_bytes > 1_542)
      t.match(await entitlementOf(gil), { used_bytes: again === link ? 1_545 : 1_587 })
      const charged = await inside.room().ask(db => db.selectFrom('peer_usage').selectAll().execute())
      t.ok(charged.length >= 2)
    })

    await t.test('of many coordinators that charge the same bytes at once, one does', async t => {
      const room = inside.room()
      const used = async () =>
        (await server.ask('GET', `/user_tariffs/?user_id=${gil.userId}`)).body.user_tariffs[0].used_bytes
      const before = await used()
      const reading = {
        source: 'elsewhere',
        peerId: meter.number,
        accountId: gil.accountId,
        totalBytes: 300,
        endedAtMs: null,
      }
      const charges = Array.from({ length: 20 }, () =>
        room.transact(tx => charge(tx, [reading], clock.wallMs())),
      )
      const charged = (await Promise.all(charges)).map(({ bytes }) => bytes)
      t.same(
        charged.filter(bytes => bytes > 0),
        [300],
      )
      t.equal(await used(), before + 300)
    })

    await t.test('what another coordinator has changed is found', async t => {
      if (inside.room().kind === 'pglite') return t.pass('nobody else works on an embedded database')
      await inside.room().ask(db =>
        db
          .updateTable('subscriptions')
          .set({ ends_at: new Date(clock.wallMs() - 1_000) })
          .where('account_id', '=', gil.accountId)
          .execute(),
      )
      t.match(await entitlementOf(gil), { state: 'active' })
      clock.advance(30_000)
      await until('it is found', async () => (await entitlementOf(gil)).state === 'ended')
      await until('its session has ended', () => server.mesh.client(meter.id) === null)
    })
  }),
)

interface Seen {
  readonly until: string | null
  readonly devices: readonly { readonly peer_id: number; readonly reason: string | null }[]
}

function toolsOf(server: () => RestServer, inside: ReturnType<typeof insider>, clock: MovableClock) {
  const entitlementOf = async ({ token }: InsiderAccount) =>
    (await server().ask('GET', '/entitlements/mine', { token })).body

  /** Has the coordinator look at an account again, as it does when an admin has changed it, until it has seen what was done. */
  const noticed = async (account: InsiderAccount, hasSeen: (entitlement: Seen) => boolean) => {
    const name = account.accountId.replace('acc_', '')
    await server().ask('PATCH', `/api/v1/users/${name}`, { body: { disabled: false } })
    await until('it is noticed', async () => hasSeen(await entitlementOf(account)))
  }
  return {
    sell: async (name: string, more: object = {}): Promise<number> =>
      (await server().ask('POST', '/tariffs/', { body: { name, price: '5', ...more } })).body.id,
    assign: ({ userId }: InsiderAccount, tariff_id: number) =>
      server().ask('POST', `/auth/assign_tariff?user_id=${userId}`, { body: { tariff_id } }),
    entitlementOf,
    /** What the account has ends then. */
    lasting: async (account: InsiderAccount, endsAtMs: number) => {
      const was = (await entitlementOf(account)).until
      await inside.room().ask(db =>
        db
          .updateTable('subscriptions')
          .set({ ends_at: new Date(endsAtMs) })
          .where('account_id', '=', account.accountId)
          .execute(),
      )
      await noticed(account, ({ until: now }) => now !== was)
    },
    switched: async (account: InsiderAccount, peerId: number, isActive: boolean) => {
      await inside
        .room()
        .ask(db =>
          db.updateTable('peers').set({ is_active: isActive }).where('peer_id', '=', peerId).execute(),
        )
      await noticed(account, ({ devices }) => {
        const seen = devices.find(({ peer_id }) => peer_id === peerId)
        return (seen?.reason === 'this peer is switched off') === !isActive
      })
    },
    /** A peer of the account, as the table has it. */
    peerOf: async (account: InsiderAccount) => {
      const { peer_id: number, identity_id: id } = await inside.room().ask(db =>
        db
          .insertInto('peers')
          .values({
            account_id: account.accountId,
            name: 'phone',
            public_key: null,
            private_key: null,
            preshared_key: null,
            key_shown_at: null,
            overlay4: null,
            overlay6: null,
            provisioner: 'mesh',
            external_id: null,
            is_active: true,
            applied: null,
            due_at: null,
            leased_until: null,
            attempts: 0,
            error: null,
            removed_at: null,
            created_at: new Date(clock.wallMs()),
          })
          .returning(['peer_id', 'identity_id'])
          .executeTakeFirstOrThrow(),
      )
      await noticed(account, ({ devices }) => devices.some(({ peer_id }) => peer_id === number))
      const agent = new MailboxAgent('client', id)
      return {
        id,
        number,
        agent,
        async routed(): Promise<number> {
          agent.say({ type: 'route.request', requestId: 1 })
          const { link } = await until('a route is assigned', () => agent.last('route.assigned'))
          return link
        },
      }
    },
  }
}
