/** What every store promises; run on each adapter. */
import type { Test } from 'tap'
import type { EnrolOutcome, Identity, Store } from '../../src/actors/ports.js'
import type { Clock } from '../../src/kit/clock.js'
import type { Retention } from '../../src/store/index.js'
import {
  auditEvent,
  changeOf,
  enrolmentKey,
  enrolRequest,
  hashOf,
  NOW_MS,
  path,
  profile,
  route,
  session,
  steering,
  unknownProfile,
} from '../store/samples.js'

export interface StoreConditions {
  readonly overlay4: string
  readonly overlay6: string
  readonly clock: Pick<Clock, 'wallMs'>
  readonly retention: Partial<Retention>
}

/** Gives each test an empty store, closed when the test ends. */
export type StorePlace = (t: Test, conditions: StoreConditions) => Promise<Store>

const usual: StoreConditions = {
  overlay4: '10.77.0.0/16',
  overlay6: 'fd77:1:2:3::/64',
  clock: { wallMs: () => NOW_MS },
  retention: {},
}

export function storeConformance(t: Test, place: StorePlace): void {
  const open = (t: Test, conditions: Partial<StoreConditions> = {}) => place(t, { ...usual, ...conditions })

  t.test('a new store is empty', async t => {
    const store = await open(t)
    t.strictSame(await store.load(), { identities: [], sessions: [], routes: [], paths: [], steerings: [] })
    t.strictSame(await store.auditEvents(10), [])
    t.strictSame(await store.enrolmentKeys(), [])
    t.ok((await store.ping()) >= 0)
  })

  t.test('what is written is loaded again, every field of it', async t => {
    const store = await open(t)
    const node = await enrolled(store, 'n-1')
    const client: Identity = {
      ...node,
      id: 'c-1',
      role: 'client',
      publicKey: hashOf('c-1'),
      overlay4: '10.77.200.9',
      overlay6: 'fd77:1:2:3::c809',
      generation: 4_000_000_000,
      profile: unknownProfile,
    }
    const sessions = [session('s-1'), session('s-2', { state: 'suspended', ticketHash: null })]
    const { history: _, ...older } = route('r-2')
    const routes = [route('r-1', { cause: 'failover', link: 4_294_967_295 }), older]
    const paths = [
      path('p-1'),
      path('p-2', { via: null, tier: 'waiting', reason: null, policy: 'direct-only' }),
    ]
    const steerings = [steering('c-1'), steering('n-1', { changedAtMs: NOW_MS })]
    await store.write([
      changeOf.identity(client),
      ...sessions.map(changeOf.session),
      ...routes.map(changeOf.route),
      ...paths.map(changeOf.path),
      ...steerings.map(changeOf.steering),
    ])
    t.strictSame(await store.load(), { identities: [client, node], sessions, routes, paths, steerings })
  })

  t.test('what is over is not loaded', async t => {
    const store = await open(t)
    await store.write([
      changeOf.session(session('s-1')),
      changeOf.route(route('r-1')),
      changeOf.path(path('p-1')),
    ])
    await store.write([
      changeOf.session(session('s-1', { state: 'closed', ticketHash: null })),
      changeOf.route(route('r-1', { state: 'ended', endedAtMs: NOW_MS, cause: 'released' })),
      changeOf.path(path('p-1', { tier: 'closed', closedAtMs: NOW_MS, closedBecause: 'released' })),
    ])
    t.strictSame(await store.load(), { identities: [], sessions: [], routes: [], paths: [], steerings: [] })
  })

  t.test('of several changes to one key the newest counts', async t => {
    const store = await open(t)
    const undrained = steering('n-1', { steering: { ...steering('n-1').steering, drained: false } })
    await store.write([
      changeOf.session(session('s-1')),
      changeOf.route(route('r-1', { nodeId: 'n-1' })),
      changeOf.session(session('s-1', { state: 'suspended' })),
      changeOf.route(route('r-1', { nodeId: 'n-2' })),
      changeOf.path(path('p-1')),
      changeOf.path(path('p-1', { tier: 'direct', via: 'udp', reason: null })),
      changeOf.steering(steering('n-1')),
      changeOf.steering(undrained),
    ])
    t.strictSame(await store.load(), {
      identities: [],
      sessions: [session('s-1', { state: 'suspended' })],
      routes: [route('r-1', { nodeId: 'n-2' })],
      paths: [path('p-1', { tier: 'direct', via: 'udp', reason: null })],
      steerings: [undrained],
    })
    await store.write([changeOf.steering(steering('n-1'))])
    t.strictSame((await store.load()).steerings, [steering('n-1')], 'in a later write too')
  })

  t.test('an older generation never replaces a newer one', async t => {
    const store = await open(t)
    const first = await enrolled(store, 'n-1')
    const newer = { ...first, generation: 3, profile: unknownProfile }
    await store.write([
      changeOf.identity(newer),
      changeOf.session(session('s-1', { generation: 3, state: 'suspended' })),
    ])
    await store.write([
      changeOf.identity({ ...first, generation: 2 }),
      changeOf.session(session('s-1', { generation: 2 })),
    ])
    const { identities, sessions } = await store.load()
    t.strictSame(identities, [newer])
    t.strictSame(sessions, [session('s-1', { generation: 3, state: 'suspended' })])

    await store.write([
      changeOf.session(session('s-2', { generation: 5 })),
      changeOf.session(session('s-2', { generation: 4, state: 'closed' })),
    ])
    t.equal((await store.load()).sessions[1]?.generation, 5, 'nor within one write')
  })

  t.test('a revocation is final, whichever generation it came with', async t => {
    const store = await open(t)
    const identity = await enrolled(store, 'n-1')
    await store.write([changeOf.identity({ ...identity, generation: 7 })])
    await store.write([changeOf.identity({ ...identity, generation: 6, revokedAtMs: NOW_MS + 1 })])
    await store.write([changeOf.identity({ ...identity, generation: 8 })])
    const [after] = (await store.load()).identities
    t.strictSame(after, { ...identity, generation: 8, revokedAtMs: NOW_MS + 1 })
    t.strictSame(await store.enrol(enrolRequest('n-1', 'key')), { ok: false, code: 'not_authorised' })
  })

  t.test('what was bound at first contact stays bound', async t => {
    const store = await open(t)
    const identity = await enrolled(store, 'n-1')
    await store.write([
      changeOf.identity({
        ...identity,
        generation: 1,
        role: 'client',
        publicKey: hashOf('another key'),
        overlay4: '10.77.9.9',
        overlay6: 'fd77:1:2:3::909',
        createdAtMs: 0,
      }),
    ])
    t.strictSame((await store.load()).identities, [{ ...identity, generation: 1 }])
  })

  t.test('a write is applied whole or not at all', async t => {
    const store = await open(t)
    await store.write([changeOf.session(session('s-1'))])
    const taken = session('s-2', { ticketHash: hashOf('ticket of s-1') })
    await t.rejects(
      store.write([
        changeOf.session(session('s-1', { state: 'suspended' })),
        changeOf.session(session('s-3')),
        changeOf.session(taken),
        changeOf.route(route('r-1')),
        changeOf.audit(auditEvent('a-1')),
      ]),
      { code: 'STORE_CONFLICT', constraint: 'sessions_ticket_hash_key' },
    )
    t.strictSame(await store.load(), {
      identities: [],
      sessions: [session('s-1')],
      routes: [],
      paths: [],
      steerings: [],
    })
    t.strictSame(await store.auditEvents(10), [])
  })

  t.test('the same changes may come again', async t => {
    const store = await open(t)
    const identity = await enrolled(store, 'n-1')
    const changes = [
      changeOf.identity({ ...identity, generation: 2 }),
      changeOf.session(session('s-1')),
      changeOf.route(route('r-1')),
      changeOf.path(path('p-1')),
      changeOf.steering(steering('n-1')),
      changeOf.audit(auditEvent('a-1')),
    ]
    await store.write(changes)
    const once = await store.load()
    await store.write(changes)
    t.strictSame(await store.load(), once)
    t.equal((await store.auditEvents(10)).filter(event => event.auditId === 'a-1').length, 1)
  })

  t.test('a write of nothing is no trouble', async t => {
    const store = await open(t)
    await store.write([])
    t.strictSame(await store.load(), { identities: [], sessions: [], routes: [], paths: [], steerings: [] })
  })

  t.test('a write of many thousand rows is one write', async t => {
    const store = await open(t)
    const ids = Array.from({ length: 4_500 }, (_, i) => `s-${String(i).padStart(5, '0')}`)
    await store.write(ids.map(id => changeOf.session(session(id))))
    await store.write(
      ids.map(id => changeOf.session(session(id, { state: 'suspended', ticketHash: hashOf(`2 ${id}`) }))),
    )
    const { sessions } = await store.load()
    t.same(
      sessions.map(({ sessionId }) => sessionId),
      ids,
    )
    t.ok(sessions.every(({ state }) => state === 'suspended'))
  })

  t.test('a value that is changed after it was written is kept as it was', async t => {
    const store = await open(t)
    const value = { ...session('s-1') }
    await store.write([changeOf.session(value)])
    value.state = 'closed'
    const loaded = await store.load()
    t.strictSame(loaded.sessions, [session('s-1')])
    Object.assign(loaded.sessions[0] as object, { generation: 99 })
    t.strictSame((await store.load()).sessions, [session('s-1')])
  })

  t.test('the paths of a pair are found in either order, live and ended, newest first', async t => {
    const store = await open(t)
    const over = path('p-1', { tier: 'closed', closedAtMs: NOW_MS, closedBecause: 'the client left' })
    const live = path('p-2', { openedAtMs: NOW_MS - 100, history: [] })
    const other = path('p-3', { nodeId: 'n-2' })
    const reversed = path('p-4', { openedAtMs: NOW_MS, clientId: 'n-1', nodeId: 'c-1' })
    await store.write([over, live, other, reversed].map(changeOf.path))
    t.strictSame(await store.pathsBetween('c-1', 'n-1', 9), [reversed, live, over])
    t.strictSame(await store.pathsBetween('n-1', 'c-1', 2), [reversed, live])
    t.strictSame(await store.pathsBetween('n-2', 'c-1', 9), [other])
    t.strictSame(await store.pathsBetween('n-2', 'n-1', 9), [])
  })

  t.test('ended paths are found by when they ended, a page at a time', async t => {
    const store = await open(t)
    const ended = (pathId: string, closedAtMs: number) => path(pathId, { tier: 'closed', closedAtMs })
    const [early, b, a, last] = [
      ended('p-1', NOW_MS - 1),
      ended('p-3', NOW_MS),
      ended('p-2', NOW_MS),
      ended('p-0', NOW_MS + 1),
    ] as const
    await store.write([early, b, a, last, path('p-live')].map(changeOf.path))
    t.strictSame(await store.endedPaths(NOW_MS, null, 9), [a, b, last])
    t.strictSame(await store.endedPaths(NOW_MS, null, 1), [a])
    t.strictSame(await store.endedPaths(NOW_MS, a, 1), [b])
    t.strictSame(await store.endedPaths(NOW_MS, b, 9), [last])
    t.strictSame(await store.endedPaths(NOW_MS, last, 9), [])
  })

  t.test('audit events come newest first, as many as asked for', async t => {
    const store = await open(t)
    await store.write([changeOf.audit(auditEvent('a-2', { atMs: NOW_MS + 2 }))])
    await store.write([changeOf.audit(auditEvent('a-1', { atMs: NOW_MS + 1 }))])
    await store.write([
      changeOf.audit(auditEvent('a-3', { atMs: NOW_MS + 3, detail: { nested: [{ a: null }] } })),
    ])
    await store.write([changeOf.audit(auditEvent('a-2 again', { atMs: NOW_MS + 2 }))])
    t.strictSame(
      (await store.auditEvents(3)).map(event => event.auditId),
      ['a-3', 'a-2 again', 'a-2'],
    )
    t.strictSame(
      (await store.auditEvents(1))[0],
      auditEvent('a-3', { atMs: NOW_MS + 3, detail: { nested: [{ a: null }] } }),
    )
  })

  t.test('an enrolment binds the id to the key and gives addresses', async t => {
    const store = await open(t)
    await store.addEnrolmentKey(enrolmentKey('key'))
    const first = identityOf(await store.enrol(enrolRequest('n-1', 'key')))
    t.strictSame(first, {
      id: 'n-1',
      role: 'node',
      publicKey: hashOf('public key of n-1'),
      overlay4: '10.77.0.2',
      overlay6: 'fd77:1:2:3::2',
      generation: 0,
      profile,
      createdAtMs: NOW_MS,
      revokedAtMs: null,
    })
    const second = identityOf(await store.enrol(enrolRequest('c-1', 'key', { role: 'client' })))
    t.equal(second.overlay4, '10.77.0.3')
    t.equal(second.overlay6, 'fd77:1:2:3::3')
    t.strictSame((await store.load()).identities, [second, first])
  })

  t.test('an enrolment is audited with the key that let it in', async t => {
    const store = await open(t)
    await store.addEnrolmentKey(enrolmentKey('key'))
    await store.enrol(enrolRequest('n-1', 'key'))
    await store.enrol(enrolRequest('n-1', 'key'))
    t.strictSame(await store.auditEvents(10), [
      {
        auditId: 'identity.enrolled:n-1',
        atMs: NOW_MS,
        kind: 'identity.enrolled',
        actor: 'enrolment_key:key',
        subject: 'n-1',
        detail: { role: 'node', overlay4: '10.77.0.2', overlay6: 'fd77:1:2:3::2' },
      },
    ])
  })

  const refused: Record<string, [Parameters<typeof enrolmentKey>[1], Parameters<typeof enrolRequest>[2]]> = {
    'an unknown secret': [{ secretHash: hashOf('another') }, {}],
    'a key of another role': [{ role: 'client' }, {}],
    'a key that was revoked': [{ revokedAtMs: NOW_MS - 1 }, {}],
    'a key that has expired': [{ expiresAtMs: NOW_MS }, {}],
    'a key that was spent': [{ usesLeft: 0 }, {}],
  }
  for (const [what, [key, request]] of Object.entries(refused)) {
    t.test(`${what} lets nobody in`, async t => {
      const store = await open(t)
      await store.addEnrolmentKey(enrolmentKey('key', key))
      t.strictSame(await store.enrol(enrolRequest('n-1', 'key', request)), {
        ok: false,
        code: 'not_authorised',
      })
      t.strictSame((await store.load()).identities, [])
      t.strictSame(await store.auditEvents(10), [])
    })
  }

  t.test('an enrolment that comes again gives the same identity and spends nothing', async t => {
    const store = await open(t)
    await store.addEnrolmentKey(enrolmentKey('key', { usesLeft: 1 }))
    const first = await store.enrol(enrolRequest('n-1', 'key'))
    t.ok(first.ok)
    t.strictSame(await store.enrol(enrolRequest('n-1', 'key', { nowMs: NOW_MS + 9 })), first)
    t.equal((await store.enrolmentKeys())[0]?.usesLeft, 0)
  })

  t.test('an operator enrols without a key, and is named in the audit', async t => {
    const store = await open(t)
    await store.addEnrolmentKey(enrolmentKey('key', { usesLeft: 1 }))
    const request = enrolRequest('c-1', 'none', { role: 'client', by: { operator: 'eve' } })
    const first = await store.enrol(request)
    t.match(identityOf(first), { id: 'c-1', role: 'client', overlay4: '10.77.0.2', generation: 0 })
    t.strictSame(await store.enrol({ ...request, nowMs: NOW_MS + 9 }), first, 'once more is the same')
    t.match(await store.auditEvents(10), [{ kind: 'identity.enrolled', actor: 'eve', subject: 'c-1' }])
    t.equal((await store.enrolmentKeys())[0]?.usesLeft, 1)
  })

  t.test('what an operator enrols is bound as anyone else is', async t => {
    const store = await open(t)
    const by = { operator: 'eve' }
    const refusal = async (id: string, changes: Parameters<typeof enrolRequest>[2]) =>
      store.enrol(enrolRequest(id, 'none', { ...changes, by }))
    await refusal('n-1', {})
    t.strictSame(await refusal('n-1', { publicKey: hashOf('another') }), { ok: false, code: 'key_mismatch' })
    t.strictSame(await refusal('n-1', { role: 'client' }), { ok: false, code: 'not_authorised' })
    t.strictSame(await refusal('n-2', { publicKey: hashOf('public key of n-1') }), {
      ok: false,
      code: 'key_in_use',
    })
    t.equal((await store.load()).identities.length, 1)
  })

  t.test('of many who enrol one identity at once all get the same', async t => {
    const store = await open(t)
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        store.enrol(enrolRequest('n-1', 'none', { by: { operator: `eve-${i}` } })),
      ),
    )
    const [first] = outcomes
    for (const outcome of outcomes) t.strictSame(outcome, first)
    t.equal((await store.auditEvents(20)).length, 1)
  })

  t.test('neither an id nor a key is ever bound twice', async t => {
    const store = await open(t)
    await store.addEnrolmentKey(enrolmentKey('key', { usesLeft: 3 }))
    await store.enrol(enrolRequest('n-1', 'key'))
    t.strictSame(await store.enrol(enrolRequest('n-1', 'key', { publicKey: hashOf('another') })), {
      ok: false,
      code: 'key_mismatch',
    })
    t.strictSame(await store.enrol(enrolRequest('n-2', 'key', { publicKey: hashOf('public key of n-1') })), {
      ok: false,
      code: 'key_in_use',
    })
    t.equal((await store.enrolmentKeys())[0]?.usesLeft, 2, 'a refusal spends nothing')
  })

  t.test('an id keeps its role', async t => {
    const store = await open(t)
    await enrolled(store, 'n-1')
    t.strictSame(await store.enrol(enrolRequest('n-1', 'key', { role: 'client' })), {
      ok: false,
      code: 'not_authorised',
    })
  })

  t.test('a key for three agents lets in three of many that come at once', async t => {
    const store = await open(t)
    await store.addEnrolmentKey(enrolmentKey('key', { usesLeft: 3 }))
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, i) => store.enrol(enrolRequest(`n-${i}`, 'key'))),
    )
    t.equal(outcomes.filter(outcome => outcome.ok).length, 3)
    t.ok(outcomes.every(outcome => outcome.ok || outcome.code === 'not_authorised'))
    t.equal((await store.enrolmentKeys())[0]?.usesLeft, 0)
    t.equal((await store.load()).identities.length, 3)
  })

  t.test('agents that come at once have addresses of their own', async t => {
    const store = await open(t)
    await store.addEnrolmentKey(enrolmentKey('key'))
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, i) => store.enrol(enrolRequest(`n-${i % 20}`, 'key'))),
    )
    const identities = outcomes.map(identityOf)
    t.equal(new Set(identities.map(identity => identity.overlay4)).size, 20)
    t.equal(new Set(identities.map(identity => identity.overlay6)).size, 20)
    for (let i = 0; i < 20; i++)
      t.strictSame(identities[i + 20], identities[i], 'the same id, the same identity')
  })

  t.test('an exhausted pool refuses and spends nothing', async t => {
    const store = await open(t, { overlay4: '10.78.0.0/29' })
    await store.addEnrolmentKey(enrolmentKey('key', { usesLeft: 9 }))
    for (let i = 2; i <= 6; i++) {
      t.equal(identityOf(await store.enrol(enrolRequest(`n-${i}`, 'key'))).overlay4, `10.78.0.${i}`)
    }
    t.strictSame(await store.enrol(enrolRequest('n-7', 'key')), { ok: false, code: 'addresses_exhausted' })
    t.equal((await store.enrolmentKeys())[0]?.usesLeft, 4)
  })

  t.test('an address that a restored identity brought along is not given again', async t => {
    const store = await open(t, { overlay4: '10.78.0.0/29' })
    const brought: Identity = {
      ...identityOf(await enrolledOutcome(store, 'n-1')),
      id: 'n-6',
      publicKey: hashOf('n-6'),
      overlay4: '10.78.0.6',
      overlay6: 'fd77:1:2:3::6',
    }
    await store.write([changeOf.identity(brought)])
    const next = identityOf(await store.enrol(enrolRequest('n-3', 'key')))
    t.equal(next.overlay4, '10.78.0.3')
  })

  t.test('enrolment keys are listed oldest first, every field of them', async t => {
    const store = await open(t)
    const later = enrolmentKey('a', { createdAtMs: NOW_MS + 1 })
    const sooner = enrolmentKey('b', {
      role: 'node',
      usesLeft: 5,
      expiresAtMs: NOW_MS + 60_000,
      note: 'häme',
    })
    await store.addEnrolmentKey(later)
    await store.addEnrolmentKey(sooner)
    t.strictSame(await store.enrolmentKeys(), [sooner, later])
  })

  t.test('adding an enrolment key again changes nothing', async t => {
    const store = await open(t)
    await store.addEnrolmentKey(enrolmentKey('key', { usesLeft: 1 }))
    await store.enrol(enrolRequest('n-1', 'key'))
    await store.addEnrolmentKey(enrolmentKey('key', { usesLeft: 1 }))
    t.equal((await store.enrolmentKeys())[0]?.usesLeft, 0)
    await t.rejects(store.addEnrolmentKey(enrolmentKey('other', { secretHash: hashOf('key') })), {
      code: 'STORE_CONFLICT',
      constraint: 'enrolment_keys_secret_hash_key',
    })
  })

  t.test('a revoked enrolment key stays listed, with the time of its first revocation', async t => {
    const store = await open(t)
    await store.addEnrolmentKey(enrolmentKey('key'))
    t.equal(await store.revokeEnrolmentKey('none', NOW_MS), false)
    t.equal(await store.revokeEnrolmentKey('key', NOW_MS + 1), true)
    t.equal(await store.revokeEnrolmentKey('key', NOW_MS + 2), true)
    t.equal((await store.enrolmentKeys())[0]?.revokedAtMs, NOW_MS + 1)
  })

  t.test('what is over for long is cleared out, what is not stays', async t => {
    let nowMs = NOW_MS
    const store = await open(t, {
      clock: { wallMs: () => nowMs },
      retention: { endedMs: 1_000, pathsMs: 2_000, auditMs: 2_000, everyMs: 100 },
    })
    const over = path('p-old', { tier: 'closed', closedAtMs: NOW_MS })
    const paths = async () => (await store.pathsBetween('c-1', 'n-1', 9)).map(({ pathId }) => pathId)
    const old = session('s-old', { state: 'closed', ticketHash: hashOf('ticket') })
    await store.write([
      changeOf.session(old),
      changeOf.session(session('s-1')),
      changeOf.route(route('r-1')),
      changeOf.path(over),
      changeOf.path(path('p-1')),
      changeOf.audit(auditEvent('a-1')),
    ])
    nowMs += 1_500
    await store.write([changeOf.audit(auditEvent('a-2', { atMs: nowMs }))])
    // A closed session is not loaded; that it is gone shows by its ticket, which is free again.
    await store.write([changeOf.session(session('s-2', { ticketHash: hashOf('ticket') }))])
    t.strictSame(
      (await store.auditEvents(9)).map(event => event.auditId),
      ['a-2', 'a-1'],
    )
    t.same(await paths(), ['p-old', 'p-1'])
    nowMs += 1_000
    await store.write([])
    t.strictSame(
      (await store.auditEvents(9)).map(event => event.auditId),
      ['a-2'],
    )
    t.same(await paths(), ['p-1'])
    const { sessions, routes } = await store.load()
    t.same(
      sessions.map(({ sessionId }) => sessionId),
      ['s-1', 's-2'],
    )
    t.same(
      routes.map(({ routeId }) => routeId),
      ['r-1'],
    )
  })
}

async function enrolledOutcome(store: Store, id: string): Promise<EnrolOutcome> {
  await store.addEnrolmentKey(enrolmentKey('key'))
  return store.enrol(enrolRequest(id, 'key'))
}

const enrolled = async (store: Store, id: string): Promise<Identity> =>
  identityOf(await enrolledOutcome(store, id))

function identityOf(outcome: EnrolOutcome): Identity {
  if (!outcome.ok) throw new Error(`not enrolled: ${outcome.code}`)
  return outcome.identity
}
