/** Requests that almost nobody meets: everyone is looked at once, and not for each that asks. */
import t from 'tap'
import { seededRandom } from '../../src/kit/random.js'
import { choose } from '../../src/mesh/choose.js'
import type { NodeFacts } from '../../src/mesh/node-facts.js'
import { Refusals } from '../../src/mesh/refusals.js'
import type { Requirements } from '../../src/mesh/requirements.js'
import { CLIENT, NODE, poolsOf } from './facts.js'

type Changeable = { -readonly [K in keyof NodeFacts]: NodeFacts[K] }
const SIZE = 10_000
const WANT: Requirements = { minBandwidthMbps: 1_000 }

/** Ten thousand nodes with 10 Mbit/s; requests of a second apart, unless it is said when. */
function sparse() {
  const fleet = Array.from(
    { length: SIZE },
    (_, i): Changeable => ({ ...NODE, id: `n${i}`, bandwidthMbps: 10 }),
  )
  const pools = poolsOf(fleet)
  const random = seededRandom(1)
  const ask = (want: Requirements, nowMs: number) => choose(pools, { want, client: CLIENT, nowMs }, random)
  const become = (i: number, change: Partial<Changeable>) => {
    const node = Object.assign(fleet[i] as Changeable, change) // inside
    pools.update(node)
    return node
  }
  return { fleet, pools, ask, become }
}

t.test('who asks again within a second is answered by those that were found', async t => {
  const { ask, become } = sparse()
  become(7_777, { bandwidthMbps: 5_000 })
  t.match(ask(WANT, 0), { node: { id: 'n7777' }, considered: SIZE })
  for (const nowMs of [1, 500, 999]) {
    const choice = ask(WANT, nowMs)
    t.equal(choice.node?.id, 'n7777')
    t.ok(choice.considered < 100, `${choice.considered} were looked at`)
  }
  t.equal(ask(WANT, 1_001).considered, SIZE)
})

t.test('nobody is remembered as well, until somebody comes or the second is over', async t => {
  const { ask, become, fleet } = sparse()
  t.equal(ask(WANT, 0).node, null)
  t.ok(ask(WANT, 1).considered < 100)
  become(5, { bandwidthMbps: 2_000 })
  t.equal(ask(WANT, 2).node?.id, 'n5', 'one that says something else of itself is found at once')
  become(5, { accepting: false })
  t.equal(ask(WANT, 3).node, null)
  const { length } = fleet
  become(length - 1, { bandwidthMbps: 2_000, maxSessions: 1, reserved: 1 })
  t.equal(ask(WANT, 4).node, null, 'it is full')
  become(length - 1, { reserved: 0 })
  t.equal(ask(WANT, 5).node?.id, `n${length - 1}`, 'and is found when it has a place')
})

t.test('what one excludes is not remembered for another', async t => {
  const { ask, become } = sparse()
  become(7, { bandwidthMbps: 5_000 })
  t.equal(ask({ ...WANT, exclude: ['n7'] }, 0).node, null)
  t.equal(ask(WANT, 1).node?.id, 'n7')
})

t.test('one that carries badly is still found when there is no other', async t => {
  const { ask, fleet, become } = sparse()
  for (const node of fleet) node.degraded = true
  become(7, { bandwidthMbps: 5_000 })
  for (const nowMs of [0, 1]) t.match(ask(WANT, nowMs).compared, [{ node: { id: 'n7' }, liking: 'degraded' }])
})

t.test('however unlike each other requests are, only so many nodes are looked at in a second', async t => {
  const { ask } = sparse()
  const asking = (nowMs: number) => {
    let looks = 0
    for (let i = 0; i < 1_000; i++) looks += ask({ minBandwidthMbps: 100 + i / 10 + nowMs }, nowMs).considered
    return looks
  }
  for (const nowMs of [0, 1_000]) {
    const looks = asking(nowMs)
    t.ok(looks < 400_000 + 1_000 * 1_200, `${looks} looks at ${SIZE} nodes`)
  }
})

t.test('nor are pools made for whatever anyone thinks of', async t => {
  const { pools } = sparse()
  const made = Array.from({ length: 2_000 }, (_, i) =>
    pools.pool({ tags: [`tag-${i}`] }, 0).isOf({ tags: [`tag-${i}`] }),
  )
  t.equal(made.filter(Boolean).length, 800)
  t.equal(pools.pool({ tags: ['late'] }, 0).members.length, SIZE, 'others draw from everyone')
})

t.test('the reasons are those of a part when very much is asked', async t => {
  const { pools } = sparse()
  const refusals = new Refusals()
  t.equal(refusals.explain(pools, WANT, 0).considered, SIZE)
  while (pools.mayLookAt(SIZE, 0));
  const { considered, excluded } = refusals.explain(pools, { minBandwidthMbps: 2_000 }, 0)
  t.ok(considered > 1_000 && considered <= 5_000, `${considered} were looked at`)
  t.same(excluded, { bandwidth: considered })
})
