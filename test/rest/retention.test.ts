/** B-110 on a clock of its own: nodes are sampled, and what is over is cleared out, level by level. */
import { rmSync } from 'node:fs'
import t from 'tap'
import type { MeshApi, NodeView } from '../../src/actors/ports.js'
import { readConfig } from '../../src/app/config.js'
import type { PluginHost } from '../../src/app/plugin.js'
import type { RestDatabase } from '../../src/rest/database.js'
import { openHistory } from '../../src/rest/history/history.js'
import { DAY_MS, INTERVALS } from '../../src/rest/history/intervals.js'
import { MIGRATIONS } from '../../src/rest/migrations/index.js'
import { openStore } from '../../src/store/index.js'
import { shortFolder } from '../support/short-folder.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { until } from '../support/until.js'

const ALL = { limit: 10_000, newestFirst: false, after: null }

t.test('B-110: each kind is kept for its time', async t => {
  const dataDir = shortFolder()
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const store = await openStore({ dataDir, overlay4: '10.77.0.0/16', overlay6: 'fd77:b050::/64' })
  t.teardown(() => store.close())
  const clock = new SimulatedClock()
  let nodes: NodeView[] = ['fra-1', 'ams-1'].map(nodeOf)
  const history = openHistory(
    { eachNode: () => nodes } as unknown as MeshApi, // it looks at no more
    {
      clock,
      config: readConfig({ flags: {}, env: { NODE_ENV: 'test' } }),
      log: { debug() {}, info() {}, warn: (_: object, message: string) => t.fail(message), error() {} },
    } as unknown as PluginHost, // likewise
    await store.room<RestDatabase>('rest', MIGRATIONS),
  )
  const span = { fromMs: 0, toMs: clock.wallMs() + 365 * DAY_MS }
  const left = async () => [
    (await history.table.samples('fra-1', span, ALL)).total,
    ...(await Promise.all(
      INTERVALS.map(async each => (await history.table.sums('fra-1', each, span, ALL)).total),
    )),
  ]
  const written = (count: number) => until('it is written', () => history.figures.written === count)

  clock.advance(60_000)
  await written(2)
  t.same(await left(), [1, 1, 1, 1])
  nodes = nodes.map(node => ({ ...node, silentMs: 70_000 }))
  clock.advance(60_000)
  nodes = nodes.map(node => ({ ...node, silentMs: 5 }))
  clock.advance(60_000)
  await written(4)
  t.same(await left(), [2, 2, 1, 1], 'what a silent node said last is not said again')

  nodes = []
  const later = async (days: number) => {
    clock.jumpWall(days * DAY_MS)
    clock.advance(60_000)
    return left()
  }
  for (const [days, kept] of [
    [1.1, [0, 2, 1, 1]],
    [1.1, [0, 0, 1, 1]],
    [90, [0, 0, 0, 1]],
    [1_800, [0, 0, 0, 0]],
  ] as const) {
    await later(days)
    await until(`${kept.join()} is left`, async () => String(await left()) === String(kept))
  }
  await history.stop()
  t.equal(clock.waiting, 0, 'no timer is left')
})

const nodeOf = (id: string) => ({ id, silentMs: 5, rttMs: 20, links: 3, gauges: {} }) as NodeView
