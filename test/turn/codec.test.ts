import { crc32 } from 'node:zlib'
import t from 'tap'
import { ATTRIBUTE, METHOD, readAddress } from '../../src/turn/attributes.js'
import {
  notUnderstood,
  readChannelData,
  readErrorCode,
  readMessage,
  type StunMessage,
  valueOf,
  writeChannelData,
} from '../../src/turn/codec.js'
import { hasSignature, longTermKey, signedWith, userhash } from '../../src/turn/integrity.js'
import { MessageWriter } from '../../src/turn/writer.js'
import {
  LONG_TERM,
  PASSWORD,
  REQUEST,
  REQUEST_LONG_TERM,
  REQUEST_SHA256,
  RESPONSE_V4,
  RESPONSE_V6,
  USERNAME,
} from './vectors.js'

const ID = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex')
const KEY = Buffer.from(PASSWORD)

t.test('the sample request of RFC 5769 is read, and its signature holds', async t => {
  const message = read(REQUEST)
  t.equal(message.class, 'request')
  t.equal(message.method, METHOD.binding)
  t.equal(text(message, ATTRIBUTE.username), USERNAME)
  t.equal(text(message, ATTRIBUTE.software), 'STUN test client')
  t.ok(hasSignature(message, { algorithm: 'sha1', key: KEY }))
  t.notOk(hasSignature(message, { algorithm: 'sha1', key: Buffer.from('another') }))
})

t.test('the sample responses of RFC 5769 tell the mapped address', async t => {
  for (const [bytes, address] of [
    [RESPONSE_V4, '192.0.2.1'],
    [RESPONSE_V6, '2001:db8:1234:5678:11:2233:4455:6677'],
  ] as const) {
    const message = read(bytes)
    t.equal(message.class, 'success')
    t.same(readAddress(valueOf(message, ATTRIBUTE.xorMappedAddress), ID), { address, port: 32_853 })
    t.ok(hasSignature(message, { algorithm: 'sha1', key: KEY }))
  }
})

t.test('the sample requests with long-term credentials hold, by SHA-1 and by SHA-256', async t => {
  const { username, realm, password } = LONG_TERM
  const old = read(REQUEST_LONG_TERM)
  t.equal(text(old, ATTRIBUTE.username), username)
  t.ok(hasSignature(old, { algorithm: 'sha1', key: longTermKey('md5', username, realm, password) }))
  const message = read(REQUEST_SHA256)
  t.equal(signedWith(message), 'sha256')
  t.same(valueOf(message, ATTRIBUTE.userhash), userhash(username, realm))
  t.ok(hasSignature(message, { algorithm: 'sha256', key: longTermKey('sha256', username, realm, password) }))
})

t.test('what is written alike is alike, byte by byte', async t => {
  const { username, realm, password } = LONG_TERM
  const value = (type: number) => valueOf(read(REQUEST_SHA256), type) ?? Buffer.alloc(0)
  const written = new MessageWriter('request', METHOD.binding, read(REQUEST_SHA256).transactionId)
    .add(ATTRIBUTE.userhash, userhash(username, realm))
    .add(ATTRIBUTE.nonce, value(ATTRIBUTE.nonce))
    .addText(ATTRIBUTE.realm, realm)
    .add(ATTRIBUTE.passwordAlgorithm, value(ATTRIBUTE.passwordAlgorithm))
    .sign({ algorithm: 'sha256', key: longTermKey('sha256', username, realm, password) })
    .finish()
  t.equal(written.toString('hex'), REQUEST_SHA256.toString('hex'))
  const response = new MessageWriter('success', METHOD.binding, ID)
    .addXorAddress(ATTRIBUTE.xorMappedAddress, { address: '192.0.2.1', port: 32_853 })
    .finish()
  t.equal(response.toString('hex'), '0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643')
})

t.test('every class and method, and a message longer than usual, come back as they were', async t => {
  for (const messageClass of ['request', 'indication', 'success', 'error'] as const)
    for (const method of [...Object.values(METHOD), 0xfff]) {
      const message = read(
        new MessageWriter(messageClass, method, ID)
          .add(ATTRIBUTE.data, Buffer.alloc(1_501, 7))
          .addError(437, 'Allocation Mismatch')
          .sign({ algorithm: 'sha1', key: KEY })
          .addFingerprint()
          .finish(),
      )
      t.same([message.class, message.method, message.transactionId], [messageClass, method, ID])
      t.equal(valueOf(message, ATTRIBUTE.data)?.length, 1_501)
      t.equal(readErrorCode(valueOf(message, ATTRIBUTE.errorCode)), 437)
      t.ok(hasSignature(message, { algorithm: 'sha1', key: KEY }))
    }
})

t.test('a message cut short at any byte, or too long by one, is none', async t => {
  for (let length = 0; length < REQUEST.length; length++) {
    t.equal(readMessage(REQUEST.subarray(0, length)), null)
  }
  t.equal(readMessage(Buffer.concat([REQUEST, Buffer.alloc(1)])), null)
})

t.test('a message that is not shaped as one is none', async t => {
  const broken: Readonly<Record<string, (bytes: Buffer) => void>> = {
    'another cookie': bytes => bytes.writeUInt8(0, 4),
    'top bits set': bytes => bytes.writeUInt8(0xc0, 0),
    'a length that is no multiple of four': bytes => bytes.writeUInt16BE(REQUEST.length - 21, 2),
    'an attribute that ends outside': bytes => bytes.writeUInt16BE(0x7fff, 22),
    'the wrong fingerprint': bytes => bytes.writeUInt8(0, REQUEST.length - 1),
    'a changed byte under the fingerprint': bytes => bytes.writeUInt8(0, 30),
  }
  for (const [name, breakIt] of Object.entries(broken)) {
    const bytes = Buffer.from(REQUEST)
    breakIt(bytes)
    t.equal(readMessage(bytes), null, name)
  }
})

t.test('of an attribute that comes twice the first counts', async t => {
  const message = read(
    new MessageWriter('request', METHOD.binding, ID)
      .addText(ATTRIBUTE.username, 'first')
      .addText(ATTRIBUTE.username, 'second')
      .finish(),
  )
  t.equal(text(message, ATTRIBUTE.username), 'first')
})

t.test('what follows the signature does not count, but for a stronger one and the fingerprint', async t => {
  const signature = { algorithm: 'sha1', key: KEY } as const
  const message = read(
    new MessageWriter('request', METHOD.allocate, ID)
      .sign(signature)
      .addUint32(ATTRIBUTE.lifetime, 3_600)
      .sign({ algorithm: 'sha256', key: KEY })
      .addText(ATTRIBUTE.username, 'mallory')
      .addFingerprint()
      .finish(),
  )
  t.same(
    message.attributes.map(({ type }) => type),
    [ATTRIBUTE.messageIntegrity, ATTRIBUTE.messageIntegritySha256, ATTRIBUTE.fingerprint],
  )
  t.ok(hasSignature(message, signature))
  t.ok(hasSignature(message, { algorithm: 'sha256', key: KEY }))
})

t.test('a signature of another length counts for nothing', async t => {
  for (const length of [0, 4, 16, 19, 21]) {
    const message = read(
      new MessageWriter('request', METHOD.binding, ID)
        .add(ATTRIBUTE.messageIntegrity, Buffer.alloc(length))
        .finish(),
    )
    t.notOk(hasSignature(message, { algorithm: 'sha1', key: KEY }))
  }
})

t.test('attributes below 0x8000 have to be understood', async t => {
  const message = read(
    new MessageWriter('request', METHOD.binding, ID)
      .addText(0x7f01, '')
      .addText(0x7f01, '')
      .addText(0xff01, '')
      .addText(ATTRIBUTE.username, '')
      .finish(),
  )
  t.same(notUnderstood(message, new Set([ATTRIBUTE.username])), [0x7f01])
})

t.test('misshapen addresses are none', async t => {
  for (const hex of ['', '0001', '00010000', '0001a147e112a6', '0003a147e112a643', '0002a147e112a643'])
    t.equal(readAddress(Buffer.from(hex, 'hex'), ID), null, hex)
  t.equal(readAddress(undefined, ID), null)
})

t.test('channel data is read with padding and without, and never beyond its end', async t => {
  const padded = writeChannelData(0x4001, Buffer.from('hello'), true)
  t.equal(padded.toString('hex'), '4001000568656c6c6f000000')
  t.same(readChannelData(padded), { channel: 0x4001, data: Buffer.from('hello') })
  t.same(readChannelData(writeChannelData(0x4001, Buffer.from('hello'), false))?.data.toString(), 'hello')
  for (const hex of ['', '40', '4001', '400100', '40010005', '4001000568656c6c', '3fff0000', '80000000'])
    t.equal(readChannelData(Buffer.from(hex, 'hex')), null, hex)
})

t.test('the checksum is the one that the standard means', async t => {
  t.equal(crc32('123456789'), 0xcbf43926)
})

function read(bytes: Buffer): StunMessage {
  const message = readMessage(bytes)
  if (message === null) throw new Error('this is no message')
  return message
}

function text(message: StunMessage, type: number): string | undefined {
  return valueOf(message, type)?.toString()
}
