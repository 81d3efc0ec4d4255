/** How nodes fare, as it is kept of them from look to look. */
import t from 'tap'
import type { FleetNode } from '../../src/actors/coordinator/fleet-node.js'
import { Vitals } from '../../src/actors/coordinator/vitals.js'
import { NODE } from '../mesh/facts.js'
import { SimulatedClock } from '../support/simulated-clock.js'

t.test('what an interface drops counts beside what it carries', async t => {
  const clock = new SimulatedClock()
  const vitals = new Vitals({ clock, lossesOf: () => [] })
  const look = (dropped: number | null, ppsTotal: number | null) => {
    clock.advance(10_000)
    vitals.look({ ...NODE, dropped, ppsTotal } as FleetNode) // all that a look reads
    return vitals.dropPctOf(NODE.id)
  }
  t.equal(look(500, 100), null, 'what was dropped before is no matter')
  t.equal(look(500, 100), 0)
  t.equal(look(1_500, 100), 20, 'a thousand of two, and not the first time that this was looked at')
  t.equal(look(7, 100), 12, 'it began to count anew')
  t.equal(look(null, 100), null)
  t.equal(look(9, null), null)
})
