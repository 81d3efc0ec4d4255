/**
 * What `df -P -k` tells, on Debian, Alpine and FreeBSD alike: a head, then a line for each file system. Whatever a host
 * prints, nothing comes of it but such lines.
 *
 *   Filesystem     1024-blocks    Used Available Capacity Mounted on
 *   /dev/vda1         41152736 9021936  30009792      24% /
 */
import { SshError } from '../../ssh/errors.js'
import { shown } from '../../ssh/shown.js'
import type { Disk } from '../figures/forms.js'

/** A constant. `env`, since csh, which administrators of FreeBSD have, knows no other way to say it. */
export const DF = 'env LC_ALL=C df -P -k'
/** Some thousand file systems, bytes. */
export const DF_MAX = 256 * 1024

export type FileSystem = Omit<Disk, 'holds_data'>

const HEAD = /^Filesystem +1024-blocks +Used +Avail(?:able)? +Capacity +Mounted on *$/
const ROW = /^(\S.*?) +(\d{1,13}|-) +(-?\d{1,13}|-) +(-?\d{1,13}|-) +(?:\d{1,4}%|-) +(\/.*)$/
/** No path is longer, characters. */
const LINE_MAX = 4_096 + 256
/** Those that are told; hosts of containers have one for each of these. */
const TOLD_MAX = 256
const KIB = 1_024

/** What is in memory, or made by the kernel; and what is full from the day that it was made. */
const PSEUDO =
  /^(?:(?:dev)?tmpfs|udev|dev|devfs|fdescfs|(?:lin)?procfs|proc|sysfs|efivarfs|cgroup.*|none|run|shm|ramfs|squashfs|map .*)$/
const SNAP = /^\/snap\//

/** Returns the file systems that `df` tells of, with what follows from being told where the data is (null: nobody knows). */
export function disksOf(rows: readonly FileSystem[], dataDirectory: string | null): readonly Disk[] {
  const [holding] = rows
    .filter(({ mount }) => dataDirectory !== null && isBelow(dataDirectory, mount))
    .sort((a, b) => b.mount.length - a.mount.length)
  return rows
    .filter((row, i) => i < TOLD_MAX || row === holding)
    .map(row => ({
      ...row,
      mount: shown(row.mount),
      filesystem: shown(row.filesystem),
      holds_data: row === holding,
    }))
}

/** Returns the file systems that `df` prints; throws an `SshError` when it prints anything else. */
export function readFileSystems(output: string): readonly FileSystem[] {
  const lines = output.split('\n')
  // What a host’s own start-up files print stands before it.
  const head = lines.findIndex(line => line.length < LINE_MAX && HEAD.test(line))
  if (head < 0) throw otherwise('there is no head')
  const byMount = new Map<string, FileSystem>()
  for (const line of lines.slice(head + 1)) {
    if (line === '') continue
    const row = rowOf(line)
    // What is mounted later lies over what was there.
    if (row !== null) byMount.set(row.mount, row)
  }
  return [...byMount.values()]
}

/** Returns what a line tells; null: nothing that could fill up. */
function rowOf(line: string): FileSystem | null {
  const [, filesystem = '', size = '', used = '', available = '', mount = ''] =
    (line.length < LINE_MAX ? ROW.exec(line) : null) ?? otherwise(`this is no line of df: ${shown(line)}`)
  if (PSEUDO.test(filesystem) || SNAP.test(mount) || Number(size) === 0 || size === '-') return null
  return {
    mount,
    filesystem,
    size_bytes: Number(size) * KIB,
    used_bytes: bytesOf(used),
    // Less than nothing when what is kept for root is in use.
    available_bytes: bytesOf(available),
  }
}

const bytesOf = (kib: string): number => Math.max(0, kib === '-' ? 0 : Number(kib)) * KIB

const isBelow = (path: string, mount: string): boolean =>
  path === mount || path.startsWith(mount.endsWith('/') ? mount : `${mount}/`)

function otherwise(how: string): never {
  throw new SshError('SSH_ANSWER', `the host prints otherwise than \`${DF}\` does: ${how}`)
}
