/** What is sold and who has it, over HTTP, on each database. */
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { insider } from '../support/insider.js'
import { MovableClock } from '../support/movable-clock.js'
import { onEachDatabase } from '../support/rest-server.js'

const DAY = 86_400_000

t.test('tariffs', t =>
  onEachDatabase(t, async (t, start) => {
    const clock = new MovableClock()
    const inside = insider()
    const { ask } = await start({ clock, plugins: [access, inside.plugin] })
    const made = async (name: string, more: object = {}) =>
      (await ask('POST', '/tariffs/', { body: { name, price: '5', ...more } })).body.id as number
    const assign = (userId: number, tariffId: number, token?: string) =>
      ask('POST', `/auth/assign_tariff?user_id=${userId}`, {
        body: { tariff_id: tariffId },
        ...(token !== undefined && { token }),
      })

    await t.test(
      'V-03, V-07: a tariff is made, seen, replaced and removed, its price as it was written',
      async t => {
        const created = await ask('POST', '/tariffs/', {
          body: { name: 'Basic', description: 'for one', duration_days: 30, price: '9.9' },
        })
        t.match(created, {
          status: 201,
          body: { name: 'Basic', description: 'for one', duration_days: 30, price: '9.90', currency: 'USD' },
        })
        const { id } = created.body
        t.match(await ask('GET', `/tariffs/${id}`), { status: 200, body: created.body })
        t.match(await ask('POST', '/tariffs/', { body: { name: 'Basic', price: 1 } }), { status: 409 })
        t.match(
          await ask('PUT', `/tariffs/${id}`, {
            body: { name: 'Basic', price: 12.5, currency: 'EUR', device_limit: 2 },
          }),
          { status: 200, body: { id, price: '12.50', currency: 'EUR', device_limit: 2, description: '' } },
        )
        t.match(await ask('PUT', '/tariffs/4711', { body: { name: 'X', price: '1' } }), { status: 404 })
        t.match(await ask('DELETE', `/tariffs/${id}`), {
          status: 200,
          body: { msg: 'tariff deleted', tariff_id: id },
        })
        t.match(await ask('GET', `/tariffs/${id}`), { status: 404 })
        t.match(await ask('DELETE', `/tariffs/${id}`), { status: 404 })
      },
    )

    await t.test('money that is not exact is refused', async t => {
      for (const price of ['9.999', '-1', '1e2', '', ' 1', '1,5', '1000000000000', 0.1 + 0.2, -1, 1e21, null])
        t.match(await ask('POST', '/tariffs/', { body: { name: 'odd', price } }), {
          status: 400,
          body: { detail: 'price' },
        })
      for (const [price, told] of [
        ['0', '0.00'],
        ['999999999999.99', '999999999999.99'],
        [0.1, '0.10'],
        [19, '19.00'],
      ] as const) {
        const { body } = await ask('POST', '/tariffs/', { body: { name: `as ${price}`, price } })
        t.equal(body.price, told)
        await ask('DELETE', `/tariffs/${body.id}`)
      }
    })

    await t.test('V-02: a user is given a tariff, and sees its own and nobody else’s', async t => {
      const [ann, bob] = [await inside.account('ann@example.org'), await inside.account('bob@example.org')]
      const tariffId = await made('Month', { traffic_limit_bytes: 1_000 })
      const assigned = await assign(ann.userId, tariffId)
      t.match(assigned, {
        status: 200,
        body: {
          msg: 'tariff assigned',
          user_id: ann.userId,
          tariff_id: tariffId,
          status: 'active',
          is_current: true,
          granted_by: 'operator',
        },
      })
      const { id } = assigned.body
      t.match(await ask('GET', '/entitlements/mine', { token: ann.token }), {
        body: { user_id: ann.userId, state: 'active', limit_bytes: 1_000, used_bytes: 0, tariff: { id } },
      })
      t.match(await ask('GET', '/entitlements/mine', { token: bob.token }), {
        body: { state: 'none', tariff: null },
      })
      t.match(await ask('GET', `/user_tariffs/${id}`, { token: ann.token }), { body: { id } })
      t.match(await ask('GET', '/user_tariffs/', { token: ann.token }), { body: { total: 1 } })
      t.match(await ask('GET', `/user_tariffs/${id}`, { token: bob.token }), { status: 404 })
      t.match(await ask('GET', `/entitlements/${ann.userId}`, { token: bob.token }), { status: 404 })
      t.match(await ask('GET', `/user_tariffs/?user_id=${ann.userId}`, { token: bob.token }), {
        body: { total: 0, user_tariffs: [] },
      })
      t.match(await ask('GET', `/entitlements/${ann.userId}`), { body: { state: 'active' } })
      t.match(await assign(ann.userId, tariffId, ann.token), { status: 403 })
      t.match(await assign(4_711, tariffId), { status: 404 })
      t.match(await assign(ann.userId, 4_711), { status: 404 })
      t.match(await ask('GET', '/entitlements/mine'), { status: 409, body: { code: 'no_account' } })
    })

    await t.test('V-03: a tariff that is assigned stays, and is archived instead', async t => {
      const { userId, token } = await inside.account('cat@example.org')
      const tariffId = await made('Old')
      await assign(userId, tariffId)
      t.match(await ask('DELETE', `/tariffs/${tariffId}`), { status: 409, body: { code: 'assigned' } })
      const archive = { body: { name: 'Old', price: '5', archived: true } }
      t.match(await ask('PUT', `/tariffs/${tariffId}`, archive), { body: { archived: true } })
      t.match(await ask('GET', `/tariffs/${tariffId}`, { token }), { status: 404 })
      t.match(await ask('GET', '/tariffs/?q=OLD', { token }), { body: { total: 0 } })
      t.match(await ask('GET', '/tariffs/?q=OLD'), { body: { total: 1 } })
      t.match(await ask('GET', '/tariffs/?q=OLD&archived=false'), { body: { total: 0 } })
      t.match(await assign(userId, tariffId), { status: 200 }, 'who has it goes on')
      const other = await inside.account('cow@example.org')
      t.match(await assign(other.userId, tariffId), { status: 409, body: { code: 'archived' } })
    })

    await t.test(
      'the same tariff again goes on for longer, another one replaces it, and the past is kept',
      async t => {
        const { userId, token } = await inside.account('dan@example.org')
        const [month, week] = [
          await made('Monthly', { duration_days: 30, traffic_limit_bytes: 100 }),
          await made('Weekly', { duration_days: 7 }),
        ]
        clock.hold()
        t.teardown(() => clock.release())
        const beganMs = clock.wallMs()
        const first = (await assign(userId, month)).body
        clock.advance(10 * DAY)
        const second = (await assign(userId, month)).body
        t.match(second, { id: first.id, traffic_limit_bytes: 200, started_at: first.started_at })
        t.equal(Date.parse(second.ended_at), beganMs + 60 * DAY)
        const third = (await assign(userId, week)).body
        t.not(third.id, first.id)
        t.equal(Date.parse(third.ended_at), beganMs + 17 * DAY)
        t.match((await ask('GET', '/user_tariffs/', { token })).body.user_tariffs, [
          { id: third.id, is_current: true, status: 'active' },
          { id: first.id, is_current: false, status: 'ended', ended_because: 'replaced' },
        ])
        clock.advance(8 * DAY)
        t.match(await ask('GET', `/user_tariffs/${third.id}`), {
          body: { status: 'ended', ended_because: null },
        })
        const anew = (await assign(userId, week)).body
        t.not(anew.id, third.id)
        t.equal(Date.parse(anew.ended_at), beganMs + 25 * DAY)
      },
    )

    await t.test('of fifty grants at once, each counts', async t => {
      const { userId } = await inside.account('eve@example.org')
      const tariffId = await made('Daily', { duration_days: 1, traffic_limit_bytes: 7 })
      clock.hold()
      t.teardown(() => clock.release())
      const answers = await Promise.all(Array.from({ length: 50 }, () => assign(userId, tariffId)))
      t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
      t.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
      const { body } = await ask('GET', `/user_tariffs/?user_id=${userId}`)
      t.match(body, { total: 1, user_tariffs: [{ traffic_limit_bytes: 350 }] })
      t.equal(Date.parse(body.user_tariffs[0].ended_at), clock.wallMs() + 50 * DAY)
    })

    await t.test('what is cancelled ends now, with its reason, once', async t => {
      const { userId, token } = await inside.account('fay@example.org')
      const { id } = (await assign(userId, await made('Graceful', { grace_hours: 24 }))).body
      const cancel = () => ask('POST', `/user_tariffs/${id}/cancel`, { body: { reason: 'paid back' } })
      const answers = await Promise.all([cancel(), cancel()])
      t.same(
        answers.map(({ status }) => status).sort((a, b) => a - b),
        [200, 409],
      )
      t.match(await ask('GET', `/user_tariffs/${id}`), {
        body: { status: 'ended', ended_because: 'operator: paid back' },
      })
      t.match(await ask('GET', '/entitlements/mine', { token }), { body: { state: 'ended' } })
      t.match(await ask('POST', '/user_tariffs/4711/cancel', { body: { reason: 'x' } }), { status: 404 })
    })

    await t.test('an operator has it end at another moment, and never in the past', async t => {
      const { userId, token } = await inside.account('gus@example.org')
      const { id } = (await assign(userId, await made('Movable'))).body
      const move = (endsAtMs: number) =>
        ask('PUT', `/user_tariffs/${id}`, {
          body: { ends_at: new Date(endsAtMs).toISOString(), reason: 'a gift' },
        })
      const later = clock.wallMs() + 3 * DAY
      t.match(await move(later), { status: 200, body: { ended_at: new Date(later).toISOString() } })
      t.match(await ask('GET', '/entitlements/mine', { token }), { body: { state: 'active' } })
      t.match(await move(clock.wallMs() - 1), { status: 400 })
      await ask('POST', `/user_tariffs/${id}/cancel`, { body: { reason: 'enough' } })
      t.match(await move(later), { status: 409 })
    })

    await t.test('who has what is listed by page, and found by state, tariff and name', async t => {
      const all = (await ask('GET', '/user_tariffs/')).body
      t.equal(all.count, all.total)
      const ids: number[] = []
      let next: string | null = null
      do {
        const page: { user_tariffs: { id: number }[]; next: string | null } = (
          await ask('GET', `/user_tariffs/?limit=2${next === null ? '' : `&after=${next}`}`)
        ).body
        ids.push(...page.user_tariffs.map(({ id }) => id))
        next = page.next
      } while (next !== null)
      t.same(
        ids,
        all.user_tariffs.map(({ id }: { id: number }) => id),
      )
      for (const status of ['active', 'ended', 'grace', 'throttled', 'used_up']) {
        const { user_tariffs: found } = (await ask('GET', `/user_tariffs/?status=${status}`)).body
        t.same(
          found,
          all.user_tariffs.filter((each: { status: string }) => each.status === status),
          status,
        )
      }
      t.match(await ask('GET', '/user_tariffs/?q=FAY&current=true'), { body: { total: 1 } })
    })
  }),
)
