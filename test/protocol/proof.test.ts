import { spawnSync } from 'node:child_process'
import t from 'tap'
import {
  makeProof,
  newKeyPair,
  privateKeyOf,
  proofHolds,
  publicOf,
  type ProofInput,
} from '../../src/protocol/proof.js'
import { WORKED } from '../../src/protocol/worked-proof.js'
import { bytesOf, hex } from './bytes.js'

const input: ProofInput = { nonce: WORKED.nonce, role: WORKED.role, id: WORKED.id, serverId: WORKED.serverId }
const agent = privateKeyOf(WORKED.agentPrivateKey)
const coordinator = privateKeyOf(WORKED.challengePrivateKey)

t.test('the worked example is the one in RFC 7748, and its proof stays as it is', async t => {
  t.equal(hex(WORKED.agentPublicKey), '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')
  t.equal(hex(WORKED.challenge), 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
  t.equal(hex(WORKED.sharedSecret), '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
  t.equal(hex(WORKED.proof), '4915dbad2c7e803bfb780333be28f711bd6cbd68ab7c3d00205d3aa309e05a3f')
})

t.test('both ends make the proof that was worked out step by step', async t => {
  t.equal(hex(makeProof(agent, WORKED.challenge, input)), hex(WORKED.proof))
  t.equal(hex(makeProof(coordinator, WORKED.agentPublicKey, input)), hex(WORKED.proof))
  t.ok(proofHolds(coordinator, WORKED.agentPublicKey, input, WORKED.proof))
})

t.test('any two fresh pairs agree, and a third does not', async t => {
  const [one, two, three] = [newKeyPair(), newKeyPair(), newKeyPair()]
  const proof = makeProof(privateKeyOf(one.privateKey), two.publicKey, input)
  t.ok(proofHolds(privateKeyOf(two.privateKey), one.publicKey, input, proof))
  t.notOk(proofHolds(privateKeyOf(two.privateKey), three.publicKey, input, proof))
  t.notOk(proofHolds(privateKeyOf(three.privateKey), one.publicKey, input, proof))
})

t.test('a proof is bound to every part of what it is made over', async t => {
  const others: readonly [what: string, other: ProofInput][] = [
    ['another nonce', { ...input, nonce: WORKED.nonce.with(31, 0) }],
    ['another role', { ...input, role: 'client' }],
    ['another id', { ...input, id: 'fra-2' }],
    ['another coordinator', { ...input, serverId: 'boson-demp' }],
    ['the same letters parted elsewhere', { ...input, id: 'fra-1b', serverId: 'oson-demo' }],
  ]
  for (const [what, other] of others) {
    t.notOk(proofHolds(coordinator, WORKED.agentPublicKey, other, WORKED.proof), what)
  }
  t.notOk(proofHolds(coordinator, publicOf(newKeyPair().privateKey), input, WORKED.proof), 'another key')
  t.notOk(
    proofHolds(privateKeyOf(newKeyPair().privateKey), WORKED.agentPublicKey, input, WORKED.proof),
    'another challenge',
  )
})

t.test('a proof with any bit changed, or of another length, does not hold', async t => {
  for (let bit = 0; bit < 256; bit++) {
    const at = bit >> 3
    const bent = WORKED.proof.with(at, (WORKED.proof[at] as number) ^ (1 << (bit & 7))) // at is inside
    if (proofHolds(coordinator, WORKED.agentPublicKey, input, bent)) t.fail(`bit ${bit}`)
  }
  t.notOk(proofHolds(coordinator, WORKED.agentPublicKey, input, WORKED.proof.subarray(0, 31)))
  t.notOk(proofHolds(coordinator, WORKED.agentPublicKey, input, new Uint8Array(0)))
})

// The points of small order on Curve25519 and its twist, with their other spellings
// (https://cr.yp.to/ecdh.html, "validate"): X25519 with any of them gives zero, a secret everyone knows.
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]
t.test('a key of small order shares no secret', async t => {
  const zeroShared = Buffer.alloc(32)
  for (const text of SMALL_ORDER) {
    t.throws(() => makeProof(coordinator, bytesOf(text), input), text)
    t.notOk(proofHolds(coordinator, bytesOf(text), input, zeroShared), text)
  }
})

t.test('a key of another length is no key', async t => {
  for (const size of [0, 31, 33])
    t.notOk(proofHolds(coordinator, new Uint8Array(size).fill(9), input, WORKED.proof))
})

t.test('parts without their fixed length are refused before they could be mistaken for others', async t => {
  t.throws(() => makeProof(agent, WORKED.challenge, { ...input, nonce: new Uint8Array(31) }), RangeError)
  t.throws(() => makeProof(agent, WORKED.challenge, { ...input, id: 'x'.repeat(256) }), RangeError)
})

const wg = spawnSync('wg', ['--version']).status === 0
t.test(
  'WireGuard’s own tool derives the same public keys',
  { skip: wg ? false : 'wg is not installed' },
  async t => {
    for (const pair of [
      newKeyPair(),
      newKeyPair(),
      { privateKey: WORKED.agentPrivateKey, publicKey: WORKED.agentPublicKey },
    ]) {
      const { stdout } = spawnSync('wg', ['pubkey'], {
        input: Buffer.from(pair.privateKey).toString('base64'),
      })
      t.equal(stdout.toString().trim(), Buffer.from(pair.publicKey).toString('base64'))
      t.equal(hex(publicOf(pair.privateKey)), hex(pair.publicKey))
    }
  },
)
