/**
 * The agent's inbox: a folder in which scripts of its machine leave what they have to report, one file each, whole or
 * not at all. The agent takes them into its spool; while none runs they wait.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../kit/clock.js'
import { every } from '../../kit/clock.js'
import { readPrivate, writePrivate } from '../private-file.js'
import { type Letter, readLetter } from './letter.js'

/** How often the inbox is looked into, ms, and how many files one look takes. */
const LOOK_MS = 1_000
const LETTERS = 200
const ENDING = '.json'

/** Leaves a letter. `name` must be new; letters are taken in the order of their names. */
export function leave(folder: string, name: string, letter: Letter): void {
  writePrivate(join(folder, `${name}${ENDING}`), JSON.stringify(letter))
}

/** Returns how many letters wait. */
export function waitingIn(folder: string): number {
  try {
    return readdirSync(folder).filter(name => name.endsWith(ENDING)).length
  } catch {
    return 0 // no folder yet
  }
}

export interface InboxOptions {
  readonly folder: string
  readonly clock: Clock
  readonly take: (letter: Letter, name: string) => void
  readonly fault: (what: string, error: unknown) => void
}

/** Looks into the inbox from now on; returns what ends that. */
export function watchInbox(options: InboxOptions): () => void {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  look(options)
  return every(options.clock, LOOK_MS, () => look(options))
}

function look({ folder, take, fault }: InboxOptions): void {
  try {
    const names = readdirSync(folder).filter(name => name.endsWith(ENDING))
    for (const name of names.sort().slice(0, LETTERS)) {
      const path = join(folder, name)
      const letter = readLetter(readPrivate(path) ?? '')
      if (letter === null) fault('reports', new Error(`${path} is no report, and was thrown away`))
      else take(letter, name)
      rmSync(path, { force: true })
    }
  } catch (error) {
    fault('reports', error)
  }
}
