/** Whether the database answers, is of our version, and lets us do what we have to. */
import type { DatabaseLook } from '../../store/look.js'
import { failed, type Finding, ok, reasonOf, warning } from './check.js'

export interface DatabasePorts {
  readonly kind: 'postgres' | 'embedded'
  /** Asks it; null when it is not there yet, or too large to be copied. Rejects when it does not answer. */
  readonly look: () => Promise<DatabaseLook | null>
  /** Of the embedded one: whether a coordinator has it open, and what that says of it. */
  readonly used: { readonly status: string; readonly latencyMs: number | null } | 'unknown' | null
  /** Of the embedded one: what is there. */
  readonly found: 'nothing' | 'unfinished' | 'database'
}

/** Connections that one coordinator takes, and as many while it starts. */
const CONNECTIONS = 16
/** A database that is further away delays every snapshot, ms. */
const NEAR_MS = 50

export async function database(ports: DatabasePorts): Promise<readonly Finding[]> {
  return ports.kind === 'postgres' ? postgres(ports) : [await embedded(ports)]
}

async function postgres({ look }: DatabasePorts): Promise<readonly Finding[]> {
  const name = 'database'
  try {
    const seen = await look()
    return seen === null ? [] : [answers(seen), tables(seen), ...room(seen)]
  } catch (error) {
    return [failed(name, `does not answer (${reasonOf(error)})`, 'start it, or see to DATABASE_URL')]
  }
}

async function embedded({ look, used, found }: DatabasePorts): Promise<Finding> {
  const name = 'database'
  if (used === 'unknown') return ok(name, 'embedded; in use by a coordinator that cannot be asked')
  if (used !== null)
    return used.status === 'healthy'
      ? ok(name, `embedded; the coordinator has it open, ${Math.round(used.latencyMs ?? 0)} ms`)
      : failed(
          name,
          'embedded; it does not answer the coordinator',
          'look into its log: the disk may be full',
        )
  if (found === 'nothing') return ok(name, 'embedded; made at the first start')
  if (found === 'unfinished')
    return warning(
      name,
      'embedded; its first start was cut off',
      'start boson server: it is made anew, nothing was in it',
    )
  try {
    const seen = await look()
    if (seen === null)
      return ok(name, 'embedded; too large to be opened as a copy, and its files are in place')
    const { verdict, found: words, advice } = tables(seen)
    return { check: name, verdict, found: `embedded ${seen.version}, opened as a copy; ${words}`, advice }
  } catch (error) {
    return failed(
      name,
      `embedded; a copy of it cannot be opened (${reasonOf(error)})`,
      'restore the data directory from a backup; the journal beside it has what was newest',
    )
  }
}

function answers({ version, roundTripMs, refused }: DatabaseLook): Finding {
  const name = 'database'
  const found = `${version} answers in ${roundTripMs.toFixed(1)} ms`
  if (refused.length > 0)
    return failed(name, `${found}; ${refused.join('; ')}`, 'grant its role what is missing')
  return roundTripMs > NEAR_MS ? warning(name, found, 'put it nearer to the coordinator') : ok(name, found)
}

function tables({ missing, unknown }: DatabaseLook): Finding {
  const name = 'tables'
  if (unknown.length > 0)
    return failed(name, `made by a newer version (${unknown.join(', ')})`, 'use that version of boson')
  if (missing.length > 0) return ok(name, `the next start makes ${missing.join(', ')}`)
  return ok(name, 'of this version')
}

function room({ connections }: DatabaseLook): readonly Finding[] {
  if (connections === null) return []
  const { used, max } = connections
  const found = `${used} of ${max} connections taken`
  return [
    max - used < CONNECTIONS
      ? warning('connections', found, `leave ${CONNECTIONS} for a coordinator: raise max_connections`)
      : ok('connections', found),
  ]
}
