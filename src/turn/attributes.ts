/** The numbers of STUN and TURN (RFC 8489, 8656, 5780), and the shapes of attribute values. */
import { type Endpoint, ipBytes, ipText } from '../protocol/address.js'

export const METHOD = {
  binding: 0x001,
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
} as const

/** Below 0x8000 a receiver must understand the attribute or refuse the message. */
export const ATTRIBUTE = {
  mappedAddress: 0x0001,
  changeRequest: 0x0003,
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedAddressFamily: 0x0017,
  evenPort: 0x0018,
  requestedTransport: 0x0019,
  dontFragment: 0x001a,
  messageIntegritySha256: 0x001c,
  passwordAlgorithm: 0x001d,
  userhash: 0x001e,
  xorMappedAddress: 0x0020,
  reservationToken: 0x0022,
  additionalAddressFamily: 0x8000,
  addressErrorCode: 0x8001,
  passwordAlgorithms: 0x8002,
  software: 0x8022,
  fingerprint: 0x8028,
  responseOrigin: 0x802b,
  otherAddress: 0x802c,
} as const

export const MAGIC_COOKIE = 0x2112a442
/** IANA protocol number in REQUESTED-TRANSPORT. */
export const PROTOCOL_UDP = 17
/** Flags of CHANGE-REQUEST. */
export const CHANGE_ADDRESS = 0x4
export const CHANGE_PORT = 0x2
/** Flag of EVEN-PORT: keep the next port for later. */
export const RESERVE_NEXT = 0x80

export const FAMILY_BYTE = { 4: 0x01, 6: 0x02 } as const

/** Returns an address attribute's value, plain when `transactionId` is null, else XORed with cookie and id. */
export function addressValue({ address, port }: Endpoint, transactionId: Buffer | null): Buffer {
  const ip = ipBytes(address)
  if (ip === null) throw new TypeError(`address: wanted an IP address, got ${address}`)
  const value = Buffer.allocUnsafe(4 + ip.length)
  value[0] = 0
  value[1] = ip.length === 4 ? FAMILY_BYTE[4] : FAMILY_BYTE[6]
  value.writeUInt16BE(port, 2)
  ip.copy(value, 4)
  if (transactionId !== null) xor(value, transactionId)
  return value
}

/** Returns the endpoint of an address attribute, or null when its value is misshapen. */
export function readAddress(value: Buffer | undefined, transactionId: Buffer | null): Endpoint | null {
  if (value === undefined || value.length < 8) return null
  const bytes = value[1] === FAMILY_BYTE[4] ? 4 : value[1] === FAMILY_BYTE[6] ? 16 : 0
  if (bytes === 0 || value.length !== 4 + bytes) return null
  const plain = Buffer.from(value)
  if (transactionId !== null) xor(plain, transactionId)
  return { address: ipText(plain.subarray(4)), port: plain.readUInt16BE(2) }
}

/** Turns the value of an XOR address attribute into the plain one, or back, in place. */
function xor(value: Buffer, transactionId: Buffer): void {
  value.writeUInt16BE(value.readUInt16BE(2) ^ (MAGIC_COOKIE >>> 16), 2)
  value.writeUInt32BE((value.readUInt32BE(4) ^ MAGIC_COOKIE) >>> 0, 4)
  for (let i = 8; i < value.length; i++) value[i] = (value[i] as number) ^ (transactionId[i - 8] as number) // 12 bytes
}
