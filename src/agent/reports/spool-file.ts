/**
 * The spool's file: one line for each thing that happened, a checksum before each, so that a torn end is found and
 * cut off. A killed process loses nothing that was appended; `sync` makes it outlive the machine's power as well.
 */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'

export class SpoolFile {
  readonly path: string
  #file: number | null = null
  /** Bytes that the file has. */
  size = 0

  constructor(path: string) {
    this.path = path
  }

  /** Returns what was appended and is whole, and goes on behind it; throws what the file system says. */
  open(): readonly unknown[] {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    this.#file = openSync(this.path, 'a+', 0o600)
    const text = readFileSync(this.path)
    const entries: unknown[] = []
    let end = 0
    for (;;) {
      const newline = text.indexOf(0x0a, end)
      if (newline < 0) break
      const entry = parse(text.toString('utf8', end, newline))
      if (entry === undefined) break
      entries.push(entry)
      end = newline + 1
    }
    if (end < text.length) ftruncateSync(this.#file, end)
    this.size = end
    return entries
  }

  append(entry: unknown): void {
    if (this.#file === null) throw new Error('the spool is not open')
    const text = Buffer.from(lineOf(entry))
    // Less than everything is written when the disk is full: the rest would be torn off at the next start.
    if (writeSync(this.#file, text) < text.length) {
      ftruncateSync(this.#file, this.size)
      throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
    }
    this.size += text.length
  }

  sync(): void {
    if (this.#file !== null) fsyncSync(this.#file)
  }

  /** Begins anew with these entries: the file is the old one or the new one, never a part. */
  rewrite(entries: Iterable<unknown>): void {
    const beside = `${this.path}.new`
    const file = openSync(beside, 'w', 0o600)
    let size = 0
    try {
      for (const entry of entries) {
        const text = Buffer.from(lineOf(entry))
        if (writeSync(file, text) < text.length)
          throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
        size += text.length
      }
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(beside, this.path)
    this.close()
    this.#file = openSync(this.path, 'a', 0o600)
    this.size = size
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }

  /** Takes the file away, where that can be done. */
  remove(): void {
    this.close()
    for (const path of [this.path, `${this.path}.new`]) rmSync(path, { force: true })
  }
}

const SUM_LENGTH = 8

function lineOf(entry: unknown): string {
  const text = JSON.stringify(entry)
  return `${sumOf(text)} ${text}\n`
}

function parse(line: string): unknown {
  const text = line.slice(SUM_LENGTH + 1)
  if (line.slice(0, SUM_LENGTH) !== sumOf(text)) return undefined
  return JSON.parse(text) as unknown
}

const sumOf = (text: string): string => crc32(text).toString(16).padStart(SUM_LENGTH, '0')
