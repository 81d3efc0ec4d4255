/** A directory as one file: `{ path: bytes }`, null for a directory, as msgpack under gzip. */
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzipSync } from 'node:zlib'
import { pack, unpack } from 'msgpackr'

type Image = Record<string, Uint8Array | null>

/** Files being written at a time: what the file system does side by side. */
const WRITERS = 8

/** Returns the image of a directory that nobody writes to. */
export function imageOf(directory: string): Buffer {
  const image: Image = {}
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    image[relative(directory, path)] = entry.isDirectory() ? null : readFileSync(path)
  }
  return gzipSync(pack(image))
}

/** Makes a directory from the image in a file. Rejects when that is missing or damaged. */
export async function makeFromImage(file: string, directory: string): Promise<void> {
  const image: Image = unpack(await promisify(gunzip)(await readFile(file)))
  const files: [path: string, bytes: Uint8Array][] = []
  for (const [path, bytes] of Object.entries(image)) {
    if (bytes === null) await mkdir(join(directory, path), { recursive: true, mode: 0o700 })
    else files.push([path, bytes])
  }
  const writer = async () => {
    for (let next = files.pop(); next !== undefined; next = files.pop()) {
      await writeFile(join(directory, next[0]), next[1], { mode: 0o600 })
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
}
