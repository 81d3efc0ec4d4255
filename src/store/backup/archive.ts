/**
 * A backup is one file, a tar of
 *
 *   database.dump | database.tar.gz    PostgreSQL's own format, or the directory of the embedded database
 *   journal/…                          what the database has not taken yet
 *   manifest.json                      what it is
 *   SHA256SUMS                         of all of these, as `sha256sum -c` reads it
 *
 * It has its name only when it is whole and on the disk, and is its owner's alone.
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { StoreError } from '../errors.js'
import { BackupFailed, BadBackup } from './errors.js'
import { FORMAT, type Manifest, readManifest } from './manifest.js'
import { BadTar, readTar, TAR_END, type TarEntry, tarHeader, tarPadding } from './tar.js'

export type Contents = AsyncIterable<Uint8Array>

const MANIFEST = 'manifest.json'
const SUMS = 'SHA256SUMS'
/** Of the manifest and the sums: more than any has, bytes. */
const SMALL_MAX = 1 << 20

/** A backup that is being written. */
export class BackupWriter {
  readonly #path: string
  readonly #part: string
  readonly #file: FileHandle
  readonly #nowMs: number
  readonly #sums: string[] = []
  #at = 0

  private constructor(path: string, part: string, file: FileHandle, nowMs: number) {
    this.#path = path
    this.#part = part
    this.#file = file
    this.#nowMs = nowMs
  }

  /** Writes a backup by `work`, which adds its parts and resolves with what it is; resolves with its size, bytes. */
  static async write(
    path: string,
    nowMs: number,
    work: (writer: BackupWriter) => Promise<Manifest>,
  ): Promise<number> {
    const whole = resolve(path)
    if (existsSync(whole)) throw new BackupFailed(`${whole} is there already: name another file`)
    mkdirSync(dirname(whole), { recursive: true, mode: 0o700 })
    const part = `${whole}.part`
    await rm(part, { force: true })
    const writer = new BackupWriter(whole, part, await open(part, 'wx', 0o600), nowMs)
    try {
      return await writer.#finish(await work(writer))
    } catch (error) {
      await writer.#file.close()
      await rm(part, { force: true })
      if (error instanceof StoreError || !(error instanceof Error)) throw error
      throw new BackupFailed(`${whole} was not written: ${error.message}`, { cause: error })
    }
  }

  /** Adds a part; how long it is shows at its end. */
  async add(name: string, content: Contents): Promise<void> {
    const headerAt = this.#at
    const hash = createHash('sha256')
    let size = 0
    await this.#append(tarHeader({ name, kind: 'file', size }, this.#nowMs))
    for await (const chunk of content) {
      hash.update(chunk)
      size += chunk.length
      await this.#append(chunk)
    }
    await this.#append(tarPadding(size))
    const header = tarHeader({ name, kind: 'file', size }, this.#nowMs)
    await this.#file.write(header, 0, header.length, headerAt)
    this.#sums.push(`${hash.digest('hex')}  ${name}\n`)
  }

  async #finish(manifest: Manifest): Promise<number> {
    await this.add(MANIFEST, one(`${JSON.stringify(manifest, null, 2)}\n`))
    await this.add(SUMS, one(this.#sums.join('')))
    await this.#append(TAR_END)
    await this.#file.sync()
    await this.#file.close()
    await rename(this.#part, this.#path)
    const folder = await open(dirname(this.#path))
    await folder.sync()
    await folder.close()
    return this.#at
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, 0, bytes.length, this.#at)
    this.#at += bytes.length
  }
}

/** A backup whose every byte was checked. */
export interface Backup {
  readonly path: string
  readonly bytes: number
  readonly manifest: Manifest
  /** Names of its parts beside the manifest and the sums. */
  readonly parts: readonly string[]
  /** Returns the content of a part; throws when there is none. */
  part(name: string): Contents
}

/** Reads the whole file; resolves when it is a backup, whole and as it was written. Rejects with a BadBackup. */
export async function openBackup(path: string): Promise<Backup> {
  const bytes = await stat(path).then(
    found => found.size,
    error => {
      throw new BadBackup(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
    },
  )
  const found = new Map<string, Found>()
  try {
    for await (const entry of readTar(createReadStream(path))) found.set(entry.name, await look(entry))
  } catch (error) {
    if (!(error instanceof BadTar)) throw error
    throw new BadBackup(`${path} is no backup, or not all of one: ${error.message}`, { cause: error })
  }
  const manifest = readManifest(found.get(MANIFEST)?.text ?? '')
  if (manifest === null) throw new BadBackup(`${path} is no backup of a BosonServer: wanted a ${MANIFEST}`)
  if (!('what' in manifest))
    throw new BadBackup(
      `${path} has the format ${manifest.format}, and this program reads formats up to ${FORMAT}: use the version of boson that made it`,
    )
  for (const [name, { sha256 }] of sumsOf(path, found))
    if (found.get(name)?.sha256 !== sha256)
      throw new BadBackup(`${path} is damaged: ${name} is not as it was`)
  return {
    path,
    bytes,
    manifest,
    parts: [...found.keys()].filter(name => name !== MANIFEST && name !== SUMS),
    part(name) {
      const part = found.get(name)
      if (part === undefined) throw new BadBackup(`${path} has no ${name}`)
      if (part.size === 0) return one('')
      return createReadStream(path, { start: part.at, end: part.at + part.size - 1 })
    },
  }
}

interface Found {
  readonly at: number
  readonly size: number
  readonly sha256: string
  /** Of small ones. */
  readonly text: string
}

async function look({ at, size, content }: TarEntry & { at: number; content: Contents }): Promise<Found> {
  const hash = createHash('sha256')
  const kept: Uint8Array[] = []
  for await (const chunk of content) {
    hash.update(chunk)
    if (size <= SMALL_MAX) kept.push(chunk)
  }
  return { at, size, sha256: hash.digest('hex'), text: Buffer.concat(kept).toString() }
}

/** Returns what each part has to be; throws when one of them is not named. */
function sumsOf(path: string, found: ReadonlyMap<string, Found>): Map<string, { readonly sha256: string }> {
  const lines = (found.get(SUMS)?.text ?? '').split('\n').filter(line => line !== '')
  const sums = new Map(
    lines.map(line => [line.slice(66), { sha256: line.slice(0, 64) }] as const), // as written above
  )
  for (const name of found.keys())
    if (name !== SUMS && !sums.has(name))
      throw new BadBackup(`${path} is damaged: ${SUMS} does not name ${name}`)
  return sums
}

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
