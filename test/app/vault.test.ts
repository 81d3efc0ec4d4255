import t from 'tap'
import { openVault } from '../../src/app/vault.js'
import { seededRandom, systemRandom } from '../../src/kit/random.js'

const KEY = 'a-key-that-is-known-to-this-test-only'

t.test('what was sealed opens again, in its own place and under its own key', async t => {
  const vault = openVault(KEY, systemRandom)
  const sealed = vault.seal('whsec_ünïcode', 'webhook 1')
  t.equal(vault.open(sealed, 'webhook 1'), 'whsec_ünïcode')
  t.equal(openVault(KEY, systemRandom).open(sealed, 'webhook 1'), 'whsec_ünïcode', 'after a restart too')
  t.equal(vault.open(sealed, 'webhook 2'), null, 'a row that was swapped')
  t.equal(openVault(`${KEY}!`, systemRandom).open(sealed, 'webhook 1'), null)
  t.notMatch(Buffer.from(sealed).toString('latin1'), 'whsec_')
})

t.test('no byte of it can be changed, and none be missing', async t => {
  const vault = openVault(KEY, seededRandom(1))
  const sealed = vault.seal('secret', 'here')
  for (let at = 0; at < sealed.length; at++) {
    const mangled = Uint8Array.from(sealed)
    mangled[at] = (mangled[at] as number) ^ 1
    t.equal(vault.open(mangled, 'here'), null, `byte ${at}`)
    t.equal(vault.open(sealed.subarray(0, at), 'here'), null, `${at} bytes`)
  }
})

t.test('the same secret is never sealed twice alike', async t => {
  const vault = openVault(KEY, systemRandom)
  t.notSame(vault.seal('secret', 'here'), vault.seal('secret', 'here'))
})
