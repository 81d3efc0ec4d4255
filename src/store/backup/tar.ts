/**
 * Files one after another, as `tar` reads them (POSIX ustar): so that a backup can be looked into, and taken apart by
 * hand, with a program that is everywhere.
 *
 *   header, 512 bytes │ content, filled up to 512 │ header │ content │ … │ 1,024 zeros
 */

export interface TarEntry {
  readonly name: string
  readonly kind: 'file' | 'folder'
  /** Of the content, bytes. */
  readonly size: number
}

/** The file ends before its end, or is no tar at all. */
export class BadTar extends Error {
  override readonly name = 'BadTar'
}

const BLOCK = 512
/** Names longer than this would need an extension that nothing here needs, bytes. */
const NAME_MAX = 100
/** What eleven octal digits can say, bytes. */
const OCTAL_MAX = 8 ** 11
const CHECKSUM = { at: 148, length: 8 }

/** What stands behind the last entry. */
export const TAR_END = Buffer.alloc(2 * BLOCK)

/** Returns what stands before an entry's content. */
export function tarHeader({ name, kind, size }: TarEntry, modifiedMs: number): Buffer {
  const header = Buffer.alloc(BLOCK)
  if (Buffer.byteLength(name) > NAME_MAX) throw new BadTar(`${name}: wanted at most ${NAME_MAX} bytes`)
  header.write(name, 0)
  header.write(kind === 'file' ? '0000600\0' : '0000700\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  if (size < OCTAL_MAX) header.write(octal(size, 11), 124)
  else {
    // Larger sizes in binary, as GNU tar has them.
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(size), 128)
  }
  header.write(octal(Math.trunc(modifiedMs / 1000), 11), 136)
  header.write(kind === 'file' ? '0' : '5', 156)
  header.write('ustar\x0000', 257)
  header.write(`${octal(checksumOf(header), 6)}\0 `, CHECKSUM.at)
  return header
}

/** Returns what fills a content of this size up to the next header. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)

/** Yields the entries of a tar, each with its content, which may be left unread. Throws a BadTar. */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<TarEntry & { readonly content: AsyncGenerator<Uint8Array>; readonly at: number }> {
  const bytes = new Bytes(source)
  for (;;) {
    const header = await bytes.take(BLOCK)
    if (header.every(byte => byte === 0)) return
    const entry = entryOf(header)
    const { at } = bytes
    const content = bytes.next(entry.size)
    yield { ...entry, content, at }
    while ((await content.next()).done !== true);
    await bytes.take(tarPadding(entry.size).length)
  }
}

/** The bytes of a source, taken as many at a time as are wanted. */
class Bytes {
  /** How many were taken. */
  at = 0
  readonly #source: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array()

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async take(count: number): Promise<Buffer> {
    const parts: Uint8Array[] = []
    for await (const part of this.next(count)) parts.push(part)
    return Buffer.concat(parts)
  }

  async *next(count: number): AsyncGenerator<Uint8Array> {
    let left = count
    while (left > 0) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#source.next()
        if (done === true) throw new BadTar(`it ends ${left} bytes before the end of one of its parts`)
        this.#rest = value
      }
      const part = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(part.length)
      this.at += part.length
      left -= part.length
      yield part
    }
  }
}

function entryOf(header: Buffer): TarEntry {
  const said = Number.parseInt(header.toString('latin1', CHECKSUM.at, CHECKSUM.at + 6), 8)
  if (said !== checksumOf(header)) throw new BadTar('one of its headers is damaged')
  const type = header.toString('latin1', 156, 157)
  if (type !== '0' && type !== '5') throw new BadTar(`it has an entry of the kind ${JSON.stringify(type)}`)
  const size =
    (header[124] ?? 0) & 0x80
      ? Number(header.readBigUInt64BE(128))
      : Number.parseInt(header.toString('latin1', 124, 135), 8)
  const name = header.toString('utf8', 0, NAME_MAX).replace(/\0.*$/s, '')
  return { name, kind: type === '0' ? 'file' : 'folder', size }
}

/** The sum of all bytes, those of the sum itself taken for spaces. */
function checksumOf(header: Buffer): number {
  let sum = 0
  for (const [at, byte] of header.entries())
    sum += at >= CHECKSUM.at && at < CHECKSUM.at + CHECKSUM.length ? 0x20 : byte
  return sum
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')
