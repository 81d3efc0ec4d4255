import t from 'tap'
import { costOf } from '../../src/mesh/cost.js'
import { pressureOf, type Strains } from '../../src/mesh/pressure.js'
import { CLIENT, NODE } from './facts.js'

const UNKNOWN: Strains = {
  conntrackUsagePct: null,
  softirqPct: null,
  connEstRateS: null,
  dropPct: null,
  latencyP95Ms: null,
}

t.test('the tightest counts, and what is unknown does not', async t => {
  t.equal(pressureOf(UNKNOWN), null)
  t.equal(pressureOf({ ...UNKNOWN, conntrackUsagePct: 80, softirqPct: 10, connEstRateS: 20 }), 80)
  t.equal(pressureOf({ ...UNKNOWN, dropPct: 2.5, latencyP95Ms: 100 }), 50)
  t.equal(pressureOf({ ...UNKNOWN, softirqPct: 90 }), 100, 'no more than all of it')
})

t.test('a table that is nearly full outweighs an idle processor', async t => {
  const idle = { ...NODE, cpuTotalPct: 1, packetLossPct: 0, latencyP50Ms: 5 }
  const full = { ...idle, pressurePct: pressureOf({ ...UNKNOWN, conntrackUsagePct: 98 }) }
  const busy = { ...idle, cpuTotalPct: 90 }
  t.ok(costOf(idle, CLIENT).cost < costOf(busy, CLIENT).cost)
  t.ok(costOf(busy, CLIENT).cost < costOf(full, CLIENT).cost)
  t.equal(
    costOf({ ...idle, pressurePct: 0 }, CLIENT).cost,
    costOf(idle, CLIENT).cost,
    'a little is no matter',
  )
})
