/**
 * The session in a file, for an agent that resumes after its own restart. The file belongs to one identity
 * at one coordinator: with another name, key or address it counts as empty, as its ticket would be another's.
 */
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { meshUrl } from './address.js'
import type { AgentMemory, SavedSession } from './ports.js'
import { readPrivate, writePrivate } from './private-file.js'

export interface MemoryFileOptions {
  readonly path: string
  readonly url: string
  readonly id: string
  readonly publicKey: Uint8Array
}

interface Saved extends Omit<SavedSession, 'ticket'> {
  /** Whose session it is; see `ownerOf`. */
  readonly owner: string
  /** Base64. */
  readonly ticket: string
}

/** A file that cannot be read as a session is as good as none: the agent registers. */
export function memoryFile({ path, url, id, publicKey }: MemoryFileOptions): AgentMemory {
  const owner = ownerOf(meshUrl(url), id, publicKey)
  return {
    load() {
      const saved = parse(readPrivate(path))
      if (saved?.owner !== owner) return null
      const { owner: _, ticket, ...rest } = saved
      return { ...rest, ticket: Buffer.from(ticket, 'base64') }
    },
    save(session) {
      if (session === null) {
        rmSync(path, { force: true })
        return
      }
      const saved: Saved = { ...session, owner, ticket: Buffer.from(session.ticket).toString('base64') }
      writePrivate(path, `${JSON.stringify(saved)}\n`)
    },
  }
}

const ownerOf = (url: string, id: string, publicKey: Uint8Array): string =>
  createHash('sha256')
    .update(JSON.stringify([url, id]))
    .update(publicKey)
    .digest('base64')

function parse(text: string | null): Saved | null {
  if (text === null) return null
  try {
    const saved = JSON.parse(text) as Partial<Saved> | null // checked below
    return saved !== null && isSaved(saved) ? saved : null
  } catch {
    return null
  }
}

const isSaved = (saved: Partial<Saved>): saved is Saved =>
  [saved.owner, saved.ticket, saved.overlay4, saved.overlay6].every(text => typeof text === 'string') &&
  [saved.beatEveryMs, saved.silenceMs, saved.relayMtu].every(figure => Number.isInteger(figure)) &&
  Array.isArray(saved.iceServers) &&
  Buffer.from(saved.ticket ?? '', 'base64').length === 32
