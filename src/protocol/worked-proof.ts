/**
 * A registration worked out with fixed keys, for README.md and for whoever writes an agent in another
 * language. The key pairs are those of RFC 7748 §6.1, so that the shared secret can be looked up there.
 * The values on the way are computed here step by step and apart from `makeProof`; a test holds that
 * both agree.
 */
import { createHmac, diffieHellman, hkdfSync } from 'node:crypto'
import type { WireOf } from './messages.js'
import { privateKeyOf, publicKeyOf, publicOf } from './proof.js'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
/** A string as the proof takes it: its length in one byte, then its UTF-8. */
const counted = (text: string): Buffer =>
  Buffer.concat([Uint8Array.of(Buffer.byteLength(text)), Buffer.from(text)])

const role = 'node'
const id = 'fra-1'
const serverId = 'boson-demo'
const agentPrivateKey = bytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a')
const challengePrivateKey = bytes('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb')
const nonce = Uint8Array.from({ length: 32 }, (_, i) => i)
const agentPublicKey = publicOf(agentPrivateKey)
const challenge = publicOf(challengePrivateKey)

const sharedSecret = new Uint8Array(
  diffieHellman({ privateKey: privateKeyOf(agentPrivateKey), publicKey: publicKeyOf(challenge) }),
)
const macKey = new Uint8Array(hkdfSync('sha256', sharedSecret, '', 'boson.v1 register', 32))
const macInput = new Uint8Array(Buffer.concat([nonce, counted(role), counted(id), counted(serverId)]))
const proof = new Uint8Array(createHmac('sha256', macKey).update(macInput).digest())

const register: WireOf<'register'> = {
  type: 'register',
  role,
  id,
  publicKey: agentPublicKey,
  proof,
  credential: 'bek-K7pQ2m',
  agent: 'example/1.0',
  country: 'DE',
  region: 'eu-central',
  latitude: 50.11,
  longitude: 8.68,
  maxSessions: 100,
  bandwidthMbps: 1_000,
  exit: true,
  tags: ['vps'],
  policy: 'auto',
  can: ['probe'],
  costWeight: 1.5,
}

export const WORKED = {
  role,
  id,
  serverId,
  agentPrivateKey,
  agentPublicKey,
  /** The coordinator's ephemeral private key; an agent never sees it. */
  challengePrivateKey,
  challenge,
  nonce,
  sharedSecret,
  macKey,
  macInput,
  proof,
  register,
} as const
