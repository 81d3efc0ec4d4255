/** What the checks ask of this machine that is neither a port nor in /proc. */
import { closeSync, existsSync, fsync, openSync, rmSync, writeSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { run } from '../../agent/system/run.js'
import type { Clock } from '../../kit/clock.js'

/** What a snapshot writes at least, bytes. */
const PAGE = Buffer.alloc(8_192, 'boson')
/** Where systemd says that the clock is kept. */
const SYNCHRONISED = '/run/systemd/timesync/synchronized'
/** How long the clocks are watched for a step, ms. */
const WATCH_MS = 500
/** A tool may take this long, ms. */
const TOOL_MS = 2_000

/** Writes a file that has no name any more, and resolves when the disk has it, ms; rejects with the system's error. */
export async function writeAndSync(folder: string, clock: Pick<Clock, 'now'>): Promise<number> {
  const name = join(folder, `.doctor-${randomUUID()}`)
  const file = openSync(name, 'wx', 0o600)
  try {
    rmSync(name)
    const startedMs = clock.now()
    writeSync(file, PAGE)
    await promisify(fsync)(file)
    return clock.now() - startedMs
  } finally {
    closeSync(file)
  }
}

/** Resolves with whether NTP keeps the clock; null where nobody tells. */
export async function isSynchronised(): Promise<boolean | null> {
  if (existsSync(SYNCHRONISED)) return true
  const said = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value'], {
    timeoutMs: TOOL_MS,
  }).catch(() => run('chronyc', ['tracking'], { timeoutMs: TOOL_MS }).catch(() => ''))
  if (/^yes\s*$|^Leap status\s*: Normal/m.test(said)) return true
  return /^no\s*$|^Leap status/m.test(said) ? false : null
}

/** Resolves with what both clocks counted during half a second, ms. */
export async function countBoth(
  clock: Clock,
): Promise<{ readonly wallMs: number; readonly monotonicMs: number }> {
  const [wall, monotonic] = [clock.wallMs(), clock.now()]
  await new Promise<void>(resolve => clock.setTimeout(resolve, WATCH_MS))
  return { wallMs: clock.wallMs() - wall, monotonicMs: clock.now() - monotonic }
}
