import t from 'tap'
import { hasMoved, isNewChance, ownOf } from '../../src/mesh/candidates.js'

const HOME = ['host 192.168.1.4:4000', 'srflx 198.51.100.1:4000']

t.test('a new address of its own is a new chance; another port and a TURN server are not', async t => {
  t.equal(isNewChance([], HOME), true)
  t.equal(isNewChance(HOME, HOME), false)
  t.equal(isNewChance(HOME, ['host 192.168.1.4:4000']), false, 'less is no chance')
  t.equal(isNewChance(HOME, ['srflx 198.51.100.1:4999']), false)
  t.equal(isNewChance(HOME, [...HOME, 'relay 203.0.113.1:50000']), false)
  t.equal(isNewChance(HOME, [...HOME, 'host [2001:db8::4]:4000']), true)
  t.same(ownOf([...HOME, 'relay 203.0.113.1:50000']), HOME)
})

t.test('an end has moved when the world sees it elsewhere only', async t => {
  t.equal(hasMoved(HOME, ['srflx 192.0.2.9:1']), true)
  t.equal(hasMoved(HOME, ['srflx 198.51.100.1:7', 'srflx 192.0.2.9:1']), false)
  t.equal(hasMoved(HOME, ['host 10.0.0.1:7']), false, 'nothing is seen')
  t.equal(hasMoved(['host 10.0.0.1:7'], HOME), false, 'nothing was seen')
})
