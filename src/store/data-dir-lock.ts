/**
 * One process at a time in a data directory. The embedded database has no lock of its own, and two processes in
 * one directory lose each other's rows without an error.
 *
 *     lock.7    the claim with the highest number counts; it says which process made it
 *
 * A claim is made by linking a finished file to the next number, which only one process can do, and is never
 * deleted while it is the highest. So a claim whose process is dead is taken over without a moment in which two
 * could hold it.
 */
import { randomBytes } from 'node:crypto'
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DataDirLocked } from './errors.js'

export interface DataDirLock {
  /** Lets another process in. */
  release(): void
}

/** A process that this one cannot see shows that it lives by writing its claim again this often, ms … */
const BEAT_MS = 1_000
/** … and is given up after this silence, ms. Only across containers and machines. */
const SILENCE_MS = 5_000
/** Files that a process killed in the middle of claiming has left, ms. */
const FORGOTTEN_MS = 60_000

/** Takes the directory, which is made when it is missing. Throws a DataDirLocked that names the holder. */
export function lockDataDir(dataDir: string): DataDirLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const own = join(dataDir, `lock.claim-${randomBytes(6).toString('hex')}`)
  const holder = JSON.stringify(thisProcess())
  writeFileSync(own, holder, { mode: 0o600 })
  try {
    const claim = takeNext(dataDir, own)
    clearOut(dataDir, claim)
    return hold(claim.path, holder)
  } finally {
    rmSync(own)
  }
}

/** Who works in a data directory. */
export interface DataDirHolder {
  readonly pid: number
  /** Whether it runs in another container or on another machine, where its number means nothing here. */
  readonly elsewhere: boolean
}

/** Returns who holds the directory, or null; changes nothing. */
export function dataDirHolder(dataDir: string): DataDirHolder | null {
  const highest = attempt(() => highestClaim(dataDir)) ?? undefined
  const claim = highest && readClaim(highest.path)
  if (highest === undefined || claim === undefined) return null
  const { pid, started, space } = claim
  if (space === thisProcess().space) return lives(pid, started) ? { pid, elsewhere: false } : null
  const silentMs = Date.now() - (attempt(() => statSync(highest.path).mtimeMs) ?? 0)
  return silentMs < SILENCE_MS ? { pid, elsewhere: true } : null
}

interface Claim {
  readonly number: number
  readonly path: string
}

/** Who made a claim. */
interface Holder {
  readonly pid: number
  /** When it was started, since which boot; null where /proc does not say. */
  readonly started: string | null
  /** Where its process id means something: host and process namespace. */
  readonly space: string
}

function takeNext(dataDir: string, own: string): Claim {
  for (;;) {
    const highest = highestClaim(dataDir)
    if (highest !== undefined) assertFree(dataDir, highest.path, own)
    const number = (highest?.number ?? 0) + 1
    const path = join(dataDir, `lock.${number}`)
    try {
      linkSync(own, path)
    } catch (error) {
      // Another process was quicker: look at its claim.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw error
    }
    // What was highest when it was looked for may have been superseded since, and deleted.
    if (highestClaim(dataDir)?.number === number) return { number, path }
    rmSync(path, { force: true })
  }
}

function highestClaim(dataDir: string): Claim | undefined {
  const numbers = readdirSync(dataDir).flatMap(name => {
    const found = /^lock\.(\d+)$/.exec(name)
    return found === null ? [] : [Number(found[1])]
  })
  if (numbers.length === 0) return undefined
  const number = Math.max(...numbers)
  return { number, path: join(dataDir, `lock.${number}`) }
}

function assertFree(dataDir: string, path: string, own: string): void {
  const claim = readClaim(path)
  if (claim === undefined) return
  const { pid, started, space } = claim
  const here = thisProcess()
  if (space === here.space) {
    if (lives(pid, started)) throw new DataDirLocked(dataDir, pid, '')
    return
  }
  // Both times are of the file system's clock, whichever machine asks.
  const silentMs = statSync(own).mtimeMs - statSync(path).mtimeMs
  if (silentMs < SILENCE_MS) throw new DataDirLocked(dataDir, pid, ' of another container or machine')
}

/** Returns who made a claim; undefined when it was released, or is gone. */
function readClaim(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder // written by lockDataDir
  } catch {
    return undefined
  }
}

/** Whether the process that made a claim is still there, and not another one with its number. */
function lives(pid: number, started: string | null): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Any other answer, such as EPERM, is that of a process which is there.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = statOf(pid)
  if (now === null || started === null) return true
  return now.state !== 'Z' && now.started === started
}

const thisProcess = (): Holder => ({
  pid: process.pid,
  started: statOf(process.pid)?.started ?? null,
  space: `${hostname()} ${attempt(() => readlinkSync('/proc/self/ns/pid')) ?? ''}`,
})

/** Returns the state of a process (Z: dead, not yet buried) and its start, or null where /proc does not say. */
function statOf(pid: number): { readonly state: string | undefined; readonly started: string } | null {
  return attempt(() => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // The name, in brackets, may hold spaces and brackets; after it come the state and 18 fields to the start.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { state: fields[0], started: `${boot} ${fields[19]}` }
  })
}

/** Removes claims that are superseded, and what a kill in the middle of claiming has left. */
function clearOut(dataDir: string, claim: Claim): void {
  const nowMs = statSync(claim.path).mtimeMs
  for (const name of readdirSync(dataDir)) {
    const path = join(dataDir, name)
    const superseded = /^lock\.\d+$/.test(name) && Number(name.slice(5)) < claim.number
    const forgotten =
      name.startsWith('lock.claim-') &&
      nowMs - (attempt(() => statSync(path).mtimeMs) ?? nowMs) > FORGOTTEN_MS
    if (superseded || forgotten) rmSync(path, { force: true })
  }
}

function hold(path: string, holder: string): DataDirLock {
  const beat = setInterval(() => {
    attempt(() => writeFileSync(path, holder, { flag: 'r+' }))
  }, BEAT_MS).unref()
  return {
    release: () => {
      clearInterval(beat)
      // Emptied, not deleted: the highest claim has to stay.
      attempt(() => truncateSync(path))
    },
  }
}

function attempt<T>(run: () => T): T | null {
  try {
    return run()
  } catch {
    return null
  }
}
