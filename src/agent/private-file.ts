/** Files that only their owner may read, written whole or not at all. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Bits of a file's mode that let others than its owner do anything. */
const OTHERS = 0o077

/** Returns the text of the file; null when there is none. */
export function readPrivate(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Returns true when others than the owner may read or change the file. */
export const isOpenToOthers = (path: string): boolean => (statSync(path).mode & OTHERS) !== 0

/** Writes beside the file and renames: a reader, and a crash, see the old text or the new, never a part. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const beside = `${path}.${process.pid}.new`
  const file = openSync(beside, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
}
