/** Fields that the requests of agents have in common, by the names of the first BosonServer. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { whole } from '../http/fields.js'
import { ipBytes, ipText, readEndpoint } from '../protocol/address.js'

/** WireGuard keys are 32 bytes, base64. */
const KEY_BYTES = 32
const KEY_TEXT = /^[A-Za-z0-9+/]{43}=$/

const bytes32 = (what: string) => {
  const error = `wanted ${what}: 32 bytes as base64, 44 characters`
  return z
    .string({ error })
    .regex(KEY_TEXT, { error })
    .transform(text => Uint8Array.from(Buffer.from(text, 'base64')))
    .refine(bytes => bytes.length === KEY_BYTES, { error })
}

export const publicKey = bytes32('a WireGuard public key').meta({
  example: 'mF8mKd0mz6bUvfeVWwGZCKMqJG2cbuAXRfBuKVYGmzs=',
})

/** Made over `GET /api/v1/challenge`. */
export const proof = z
  .object({ nonce: bytes32('the nonce of the challenge'), proof: bytes32('the proof') })
  .meta({
    description:
      'HMAC-SHA256 over nonce, role, id and serverId by a key of both ends, as in “Proof of key possession” of the protocol page.',
  })

const ADDRESS = { error: 'wanted an IP address' }
/** An IP address in its one spelling. */
export const ipAddress = z
  .string(ADDRESS)
  .refine(text => isIP(text) !== 0 && !text.includes('%'), ADDRESS)
  .transform(text => ipText(ipBytes(text) as Buffer)) // isIP has seen that it is one
  .meta({ example: '198.51.100.7' })

const ENDPOINT = { error: 'wanted an address and a port, such as 198.51.100.7:51820' }
/** An address with a port. */
export const endpointField = z
  .string(ENDPOINT)
  .refine(text => readEndpoint(text) !== null, ENDPOINT)
  .meta({ example: '198.51.100.7:51820' })

export const port = whole(1, 65_535).meta({ example: 51_820 })

/** Returns a line of text: what people and logs read has no control characters. */
export const line = (max: number) => {
  const error = `wanted at most ${max} characters without control characters`
  return z
    .string({ error })
    .max(max, { error })
    .regex(/^[^\p{C}\u2028\u2029]*$/u, { error })
}

export const natType = z.enum(['FullCone', 'RestrictedCone', 'PortRestricted', 'Symmetric'], {
  error: 'wanted one of FullCone, RestrictedCone, PortRestricted, Symmetric',
})

/** Two letters, in any case. */
export const countryCode = z
  .string({ error: 'wanted two letters such as DE' })
  .regex(/^[A-Za-z]{2}$/, { error: 'wanted two letters such as DE' })
  .transform(text => text.toUpperCase())
  .meta({ example: 'US' })
