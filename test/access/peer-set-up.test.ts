/** Peers are made so where WireGuard runs, whatever fails on the way. */
import t from 'tap'
import { type PeerStatus, statusOf } from '../../src/access/peers/book.js'
import type { KeyPolicy } from '../../src/access/peers/key-maker.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { type Fault, type PeerBench, peerBenches } from '../support/peer-bench.js'

const CALLER = {
  kind: 'user',
  name: 'acc_1',
  accountId: 'acc_1',
  signInId: null,
  expiresAtMs: null,
} as const
const WISH = { accountId: 'acc_1', name: 'laptop', publicKey: null, byOperator: false }

const newBench = await peerBenches(t)

/** Lets as much time pass as any wait takes, and has everything that is due be set up. */
async function later({ clock, reconciler, elsewhere }: PeerBench): Promise<void> {
  elsewhere.isDatabaseAway = false
  clock.advance(3_600_000)
  reconciler.wake()
  await reconciler.settled()
}

t.test(
  'V-05: whatever fails while a peer is made, there is one in the end, and none once it is removed',
  async t => {
    const bench = await newBench()
    const { book, desk, elsewhere, queue } = bench
    const stories: readonly (readonly Fault[])[] = [
      [],
      ['before'],
      ['after'],
      ['database'],
      ['before', 'after', 'database'],
      ['database', 'after', 'before'],
    ]
    for (const faults of stories)
      await t.test(faults.join(', ') || 'nothing fails', async t => {
        elsewhere.faults.push(...faults)
        const { peer_id } = (await book.create(WISH)).peer
        await bench.reconciler.settle(peer_id).catch(() => undefined)
        for (const _ of faults) await later(bench)
        const peer = await book.of(peer_id)
        t.match(peer, {
          overlay4: /^10\.8\.0\./,
          due_at: null,
          leased_until: null,
          error: null,
          applied: true,
        })
        t.same(
          [...elsewhere.clients.values()].map(({ name, publicKey }) => [name, Buffer.from(publicKey)]),
          [[peer.identity_id, Buffer.from(peer.public_key ?? [])]],
          'one, and it is ours',
        )

        elsewhere.faults.push(...faults)
        await desk.remove(peer, CALLER).catch(() => undefined)
        for (const _ of faults) await later(bench)
        t.equal(elsewhere.clients.size, 0, 'nothing is left over')
        t.match(await status(bench, peer_id), 'removed')
        t.match(await book.of(peer_id), { private_key: null }, 'nor is its key')
        t.same(await queue.take(10), [], 'nothing is due')
      })
  },
)

t.test('V-12: however many ask that an account has a peer, it has one', async t => {
  const { room, book } = await newBench('db')
  const wish = { accountId: 'acc_1', publicKey: null, name: 'device', by: 'payment 1' }
  const asked = await Promise.all(
    Array.from({ length: 20 }, () => room.transact(tx => book.ensure(tx, wish))),
  )
  t.equal(new Set(asked.map(({ peerId }) => peerId)).size, 1)
  t.equal(asked.filter(({ isNew }) => isNew).length, 1)
})

t.test('a peer that nobody waits for has a key only if its owner can get it later', async t => {
  const { publicKey } = newKeyPair()
  const table: readonly (readonly [KeyPolicy, Uint8Array | null, PeerStatus])[] = [
    ['client', publicKey, 'pending'],
    ['client', null, 'needs_key'],
    ['host', null, 'needs_key'],
    ['db', null, 'pending'],
  ]
  for (const [policy, key, wanted] of table) {
    const bench = await newBench(policy, 'mesh')
    const wish = { accountId: 'acc_1', publicKey: key, name: 'device', by: 'payment 1' }
    const { peerId } = await bench.room.transact(tx => bench.book.ensure(tx, wish))
    t.equal(await status(bench, peerId), wanted, `${policy}, ${key === null ? 'none' : 'one'} sent`)
  }
})

t.test(
  'a payment is not held up by a key that is somebody’s already, and its peer takes the next one',
  async t => {
    const bench = await newBench('host', 'mesh')
    const { room, book } = bench
    const { publicKey } = newKeyPair()
    await book.create({ ...WISH, publicKey })
    const wish = { accountId: 'acc_2', publicKey, name: 'device', by: 'payment 1' }
    const { peerId, isNew } = await room.transact(tx => book.ensure(tx, wish))
    t.equal(isNew, true)
    t.equal(await status(bench, peerId), 'needs_key')
    await t.rejects(book.create({ ...WISH, accountId: 'acc_2', publicKey }), { code: 'key_in_use' })
    const made = await book.create({ ...WISH, accountId: 'acc_2', name: 'phone' })
    t.match(made, { peer: { peer_id: peerId, name: 'phone' }, privateKey: /^.{43}=$/ })
    t.equal(await status(bench, peerId), 'pending')
  },
)

t.test('a process that ends while it sets up a peer leaves it to the next one, once', async t => {
  const bench = await newBench()
  const { book, queue, elsewhere, clock } = bench
  const { peer_id } = (await book.create(WISH)).peer
  const [taken] = await queue.take(1)
  t.equal(taken?.peer_id, peer_id)
  await bench.reconciler.settle(peer_id)
  t.equal(elsewhere.calls, 0, 'somebody else has it')
  clock.advance(60_000)
  await bench.reconciler.settle(peer_id)
  t.equal(elsewhere.calls, 1)
  if (taken !== undefined) await queue.failed(taken, 'too late', false)
  t.match(await book.of(peer_id), { error: null, due_at: null }, 'whose lease is over says nothing any more')
})

t.test('what is changed while a peer is being set up is set up too, and last', async t => {
  const bench = await newBench()
  const { book, queue, reconciler, elsewhere } = bench
  const { peer_id } = (await book.create(WISH)).peer
  await reconciler.settle(peer_id)
  await book.change(peer_id, { name: 'phone' })
  const [taken] = await queue.take(1)
  await book.change(peer_id, { is_active: false })
  t.same(await queue.take(1), [], 'one at a time')
  if (taken !== undefined) await queue.done(taken, await elsewhere.apply(wantedOf(taken)), true)
  await reconciler.settle(peer_id)
  t.same(
    [...elsewhere.clients.values()].map(({ enabled }) => enabled),
    [false],
  )
})

t.test(
  'a peer that is refused is not tried again, and nothing of it stays when its owner waits for it',
  async t => {
    const bench = await newBench()
    const { desk, elsewhere, book, clock, reconciler, entitlements } = bench
    elsewhere.faults.push('refused')
    await t.rejects(desk.create(WISH, CALLER), { statusCode: 409, code: 'peer_refused' })
    t.equal((await book.list({ limit: 10, after: 0, accountId: null })).total, 0)

    const { peer, privateKey } = await desk.create(WISH, CALLER)
    t.match(privateKey, /^.{43}=$/, 'it was made there, and is told once')
    elsewhere.faults.push('refused')
    entitlements.denied.add(peer.identity_id)
    await bench.desk.change(peer, { active: false }, CALLER)
    t.match(await book.of(peer.peer_id), { error: 'it will not have it', due_at: null })
    const { calls } = elsewhere
    clock.advance(86_400_000)
    reconciler.wake()
    await reconciler.settled()
    t.equal(elsewhere.calls, calls)
    t.same(
      bench.warned,
      Array.from({ length: 2 }, () => 'a peer was refused where WireGuard runs'),
    )
  },
)

t.test('a peer elsewhere follows what its account is entitled to', async t => {
  const bench = await newBench()
  const { desk, elsewhere, entitlements, watch, reconciler } = bench
  const { peer } = await desk.create(WISH, CALLER)
  const enabled = () => [...elsewhere.clients.values()].map(client => client.enabled)
  entitlements.onChange(accountId => watch.noteChange(accountId))
  for (const [isDenied, wanted] of [
    [true, false],
    [false, true],
  ] as const) {
    if (isDenied) entitlements.denied.add(peer.identity_id)
    else entitlements.denied.delete(peer.identity_id)
    entitlements.changed('acc_1')
    await watch.follow()
    await reconciler.settled()
    t.same(enabled(), [wanted])
  }
  const { calls } = elsewhere
  entitlements.changed('acc_1')
  await watch.follow()
  t.equal(elsewhere.calls, calls, 'nothing is other than it was')
})

t.test('what was removed by hand elsewhere is made again, and told', async t => {
  const bench = await newBench()
  const { desk, elsewhere, watch, reconciler, counts, warned } = bench
  const { peer } = await desk.create(WISH, CALLER)
  const look = async () => {
    await watch.look()
    await reconciler.settled()
  }
  elsewhere.clients.clear()
  await look()
  t.equal(elsewhere.clients.size, 0, 'it may have been made since the other side was asked')
  await look()
  t.same(
    [...elsewhere.clients.values()].map(({ name }) => name),
    [peer.identity_id],
  )
  t.equal(counts.repaired, 1)
  for (const client of elsewhere.clients.values()) client.enabled = false
  await look()
  await look()
  t.same(
    [...elsewhere.clients.values()].map(({ enabled }) => enabled),
    [true],
    'what was switched off by hand, too',
  )
  await look()
  await look()
  t.equal(counts.repaired, 2)
  t.same(
    warned,
    Array.from({ length: 2 }, () => 'a peer was changed where WireGuard runs; it is set up again'),
  )
})

t.test('what a peer has moved elsewhere is charged by how it is called there', async t => {
  const bench = await newBench()
  const { desk, elsewhere, watch, entitlements } = bench
  const { peer } = await desk.create(WISH, CALLER)
  for (const client of elsewhere.clients.values()) client.usedBytes = 4_242
  await watch.charge()
  t.same(entitlements.charged, [[`wg-easy ${peer.identity_id}`, peer.peer_id, 4_242]])
})

t.test('a peer that cannot be set up is tried again, ever more rarely', async t => {
  const bench = await newBench()
  const { book, elsewhere, clock, queue, reconciler } = bench
  elsewhere.faults.push(...Array.from({ length: 12 }, () => 'before' as const))
  const { peer_id } = (await book.create(WISH)).peer
  const waits: number[] = []
  for (let i = 0; i < 12; i++) {
    await reconciler.settle(peer_id)
    const { due_at } = await book.of(peer_id)
    const restMs = (due_at?.getTime() ?? 0) - clock.wallMs()
    waits.push(restMs / 1_000)
    clock.advance(restMs - 1)
    t.same(await queue.take(1), [])
    clock.advance(1)
  }
  t.same(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600])
  t.same(bench.warned, ['a peer could not be set up; it is tried again'], 'once')
  await reconciler.settle(peer_id)
  t.match(await book.of(peer_id), { attempts: 0, error: null })
})

const status = async ({ book }: PeerBench, peerId: number): Promise<PeerStatus> =>
  statusOf(await book.of(peerId))

const wantedOf = (peer: Awaited<ReturnType<PeerBench['queue']['take']>>[number]) => ({
  peerId: peer.peer_id,
  identityId: peer.identity_id,
  name: peer.name,
  publicKey: peer.public_key,
  overlay4: peer.overlay4,
  overlay6: peer.overlay6,
  externalId: peer.external_id,
  enabled: true,
})
