/**
 * The one block of a file that has the private key, and how long trying a passphrase on it would take: who wrote the file
 * says how many rounds that is.
 *
 *   OpenSSH   openssh-key-v1, cipher, `bcrypt`, { salt, rounds }     some 15 ms a round, in JavaScript
 *   PKCS#8    { { PBES2, { { PBKDF2, { salt, rounds } … } } … } … }  some 0.5 µs a round
 *   others    one round
 */
export interface PemBlock {
  readonly text: string
  readonly isOpenSsh: boolean
  readonly isEncrypted: boolean
  /** Nobody waits that long for it to open; or it cannot be seen how long. */
  readonly isEndless: boolean
}

/** `ssh-keygen -a` takes 16 or 24 when nobody says, and people take 100. */
const BCRYPT_MAX = 256
/** openssl takes 2,048 when nobody says, and people take 600,000. */
const PBKDF2_MAX = 2_000_000

export const NO_KEY = 'wanted one private key as OpenSSH or PEM writes it'
/** Beside the key, files of openssl have its parameters. More would be looked through again and again. */
const BEGINNINGS_MAX = 4
const BLOCKS = /-----BEGIN ([A-Z]{0,9} ?)PRIVATE KEY-----\n([^]*?)\n-----END \1PRIVATE KEY-----/g

/** Returns the block of a text that has a private key; null when there is none, or more than one. */
export function pemBlock(text: string): PemBlock | null {
  if (text.split('-----BEGIN').length > BEGINNINGS_MAX + 1) return null
  const [block, more] = [...text.replaceAll('\r\n', '\n').matchAll(BLOCKS)]
  if (block === undefined || more !== undefined) return null
  const [whole, label, body = ''] = block
  if (body.includes('-----BEGIN')) return null
  const made = { text: `${whole}\n`, isOpenSsh: label === 'OPENSSH ' }
  if (label !== 'OPENSSH ' && label !== 'ENCRYPTED ')
    return { ...made, isEncrypted: body.startsWith('Proc-Type: 4,ENCRYPTED'), isEndless: false }
  // Headers, and characters that readers skip in different ways, have no place here.
  if (!/^[A-Za-z0-9+/=\n]+$/.test(body)) return null
  const file = Buffer.from(body, 'base64')
  if (label === 'ENCRYPTED ')
    return { ...made, isEncrypted: true, isEndless: !(largestNumber(file) <= PBKDF2_MAX) }
  const { cipher, rounds } = openSshHead(file)
  return { ...made, isEncrypted: cipher !== 'none', isEndless: !(rounds <= BCRYPT_MAX) }
}

function openSshHead(file: Buffer): { readonly cipher: string; readonly rounds: number } {
  const [cipher, afterCipher] = string(file, 'openssh-key-v1\0'.length)
  const [, afterKdf] = string(file, afterCipher)
  const [options] = string(file, afterKdf)
  if (cipher.toString('latin1') === 'none') return { cipher: 'none', rounds: 0 }
  const [, afterSalt] = string(options, 0)
  const rounds = afterSalt + 4 <= options.length ? options.readUInt32BE(afterSalt) : Number.NaN
  return { cipher: cipher.toString('latin1'), rounds }
}

/** Returns a string with its length before it, and where the next one begins. */
function string(bytes: Buffer, at: number): readonly [string: Buffer, next: number] {
  const next = at + 4 + (at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0)
  return [bytes.subarray(at + 4, next), next]
}

const [INTEGER, SEQUENCE] = [0x02, 0x30]
/** Numbers of so many bytes are exact. */
const EXACT_BYTES = 6
/** Levels of what says how a key is encrypted. */
const DEPTH_MAX = 8

/** Returns the largest number that stands open in a DER file; NaN when that cannot be seen. */
function largestNumber(der: Buffer, depth = 0): number {
  let largest = 0
  for (let at = 0; at < der.length; ) {
    const [tag, short = 0x80] = der.subarray(at, at + 2)
    const lengthBytes = short < 0x80 ? 0 : short & 0x7f
    // Lengths that are told at the end are no DER.
    if (short === 0x80 || lengthBytes > EXACT_BYTES || depth > DEPTH_MAX) return Number.NaN
    const from = at + 2 + lengthBytes
    if (from > der.length) return Number.NaN
    const length = lengthBytes === 0 ? short : der.readUIntBE(at + 2, lengthBytes)
    const body = der.subarray(from, from + length)
    if (body.length < length) return Number.NaN
    if (tag === INTEGER && length > EXACT_BYTES) return Number.NaN
    const number =
      tag === SEQUENCE
        ? largestNumber(body, depth + 1)
        : tag === INTEGER && length > 0
          ? body.readUIntBE(0, length)
          : 0
    if (Number.isNaN(number)) return number
    largest = Math.max(largest, number)
    at = from + length
  }
  return largest
}
