/** The embedded database as one more connection: each statement is a read-only transaction among those of the mesh. */
import { CompiledQuery, sql } from 'kysely'
import type { Room } from '../../store/rooms.js'
import { ServerFault } from './errors.js'
import type { Line } from './line.js'

type Ask = Line['ask']

export async function openEmbeddedLine<DB>(room: Room<DB>): Promise<Line> {
  const ask: Ask = async <R extends object>(text: string, parameters: readonly unknown[] = []) => {
    try {
      return await room.transact(async tx => {
        await sql`set transaction read only`.execute(tx)
        const { rows } = await tx.executeQuery<R>(CompiledQuery.raw(text, [...parameters]))
        return rows
      })
    } catch (error) {
      throw asAnswer(error)
    }
  }
  const [row] = await ask<{ version: number }>(`select current_setting('server_version_num')::int as version`)
  let isBroken = false
  return {
    ask,
    kind: 'pglite',
    version: row?.version ?? 0,
    get isBroken() {
      return isBroken
    },
    close() {
      isBroken = true
    },
  }
}

/** What the store takes for its own trouble may be an answer to what we asked: it has a SQLSTATE. */
function asAnswer(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (isAnswer(error)) return error
  if (isAnswer(error.cause)) return error.cause
  return new ServerFault('SERVER_AWAY', error.message, { cause: error })
}

const isAnswer = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^[0-9A-Z]{5}$/.test(error.code)
