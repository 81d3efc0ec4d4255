import t from 'tap'
import { AddressClaims } from '../../src/agent/wireguard/address-claims.js'

const ALL = ['0.0.0.0/0', '::/0']

t.test('who has an address keeps it until another carries', async t => {
  const claims = new AddressClaims()
  claims.want('a', ALL)
  claims.want('b', ALL)
  t.same(claims.heldBy('a'), ALL)
  t.same(claims.heldBy('b'), [])
  t.same(claims.take('b'), ['a'])
  t.same(claims.heldBy('a'), [])
  t.same(claims.heldBy('b'), ALL)
  t.same(claims.take('b'), [], 'which it does once')
})

t.test('what a peer leaves goes to the one that waits for longest', async t => {
  const claims = new AddressClaims()
  for (const peer of ['a', 'b', 'c']) claims.want(peer, ALL)
  t.same(claims.drop('a'), ['b'])
  t.same(claims.heldBy('b'), ALL)
  t.same(claims.drop('c'), [], 'who had nothing leaves nothing')
  t.same(claims.drop('b'), [])
  t.same(claims.heldBy('b'), [])
})

t.test('one that took over gives back to the one before when it goes', async t => {
  const claims = new AddressClaims()
  for (const peer of ['a', 'b']) claims.want(peer, ALL)
  claims.take('b')
  t.same(claims.drop('b'), ['a'])
  t.same(claims.heldBy('a'), ALL)
})

t.test('addresses that only one wants are its own, and a wish that shrinks sets them free', async t => {
  const claims = new AddressClaims()
  claims.want('a', ['10.77.0.2/32', ...ALL])
  claims.want('b', ['10.77.0.3/32', ...ALL])
  t.same(claims.heldBy('b'), ['10.77.0.3/32'])
  t.same(claims.want('a', ['10.77.0.2/32']), ['b'])
  t.same(claims.heldBy('b'), ['10.77.0.3/32', ...ALL])
})
