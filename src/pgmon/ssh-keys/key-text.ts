/** Private keys as text that both OpenSSH and our SSH client read: PEM, and for Ed25519, which no PEM that both know has, OpenSSH’s own. */
import type { KeyObject } from 'node:crypto'

/** Returns the text of a private key without a passphrase. */
export function keyText(key: KeyObject): string {
  if (key.asymmetricKeyType === 'ed25519') return openSshText(key)
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1'
  return key.export({ type, format: 'pem' }).toString()
}

const ALGORITHM = 'ssh-ed25519'
const LINE = 70
/** What is not encrypted is padded to this, bytes. */
const BLOCK = 8

/**
 * openssh/PROTOCOL.key: what it is, how it is encrypted (not at all), how many keys, the public one, then in a section of
 * its own the private one.
 */
function openSshText(key: KeyObject): string {
  const { x = '', d = '' } = key.export({ format: 'jwk' })
  const [publicKey, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')]
  // Twice the same number, by which a reader sees that it has decrypted well.
  const section = [
    Buffer.alloc(8),
    str(ALGORITHM),
    str(publicKey),
    str(Buffer.concat([seed, publicKey])),
    str(''),
  ]
  const length = section.reduce((sum, { length: bytes }) => sum + bytes, 0)
  const padding = Buffer.from(Array.from({ length: -length & (BLOCK - 1) }, (_, i) => i + 1))
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map(str),
    uint32(1),
    str(Buffer.concat([str(ALGORITHM), str(publicKey)])),
    str(Buffer.concat([...section, padding])),
  ])
  const lines = file.toString('base64').match(new RegExp(`.{1,${LINE}}`, 'g')) ?? []
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n')
}

const str = (bytes: string | Buffer): Buffer =>
  Buffer.concat([uint32(Buffer.byteLength(bytes)), Buffer.from(bytes)])

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
