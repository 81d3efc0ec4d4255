/** `/api/v1/backups`: backups that the coordinator makes of its own database while it goes on. */
import { basename, resolve } from 'node:path'
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict, HttpError, unavailable } from '../../http/faults.js'
import { moment, whole } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { PgProgramMissing } from '../../store/backup/errors.js'
import { aboutBackup, listBackups, newBackup } from '../backups.js'
import type { ApiParts } from './routes.js'

/** Between two of them, ms: each is as large as the database. */
const REST_MS = 10_000
/** Nobody waits for one that takes longer, ms. */
const LONGEST_MS = 600_000

const File = z.object({
  file: z.string().meta({ example: 'boson-20260101T120000.backup' }),
  bytes: z.int(),
  writtenAt: moment,
})

const common = { path: '/api/v1/backups', tag: 'status' } as const

export function backupRoutes({
  clock,
  config,
  mesh,
  backUp,
}: Pick<ApiParts, 'clock' | 'config' | 'mesh' | 'backUp'>): readonly Endpoint[] {
  let nextAtMs = Number.NEGATIVE_INFINITY
  return [
    endpoint({
      ...common,
      method: 'GET',
      access: 'operator',
      summary: 'Lists the backups in the data directory',
      query: z.object({ limit: whole(1, 1_000).default(100) }),
      replies: { 200: { description: 'The newest first.', schema: z.object({ backups: z.array(File) }) } },
      handle: ({ query: { limit } }) =>
        json({
          backups: listBackups(config)
            .slice(0, limit)
            .map(({ file, bytes, writtenAtMs }) => ({
              file,
              bytes,
              writtenAt: new Date(writtenAtMs).toISOString(),
            })),
        }),
    }),
    endpoint({
      ...common,
      method: 'POST',
      access: 'admin',
      summary: 'Backs up the database',
      description:
        'Into the data directory of the coordinator, from where `boson backup` takes it: nobody has it by HTTP. One at a time, and not every moment. It has everything but the secrets.',
      body: z.strictObject({}),
      faults: [409, 503],
      replies: {
        201: {
          description: 'The backup is whole, and on the disk.',
          schema: z.object({
            path: z.string().meta({ description: 'On the machine of the coordinator.' }),
            bytes: z.int(),
          }),
        },
      },
      async handle({ caller }) {
        if (backUp === null) throw conflict('this coordinator keeps nothing that could be backed up')
        const waitMs = nextAtMs - clock.now()
        if (waitMs > 0)
          throw unavailable('a backup was made just now, or is being made', Math.ceil(waitMs / 1000))
        nextAtMs = clock.now() + LONGEST_MS
        try {
          const nowMs = clock.wallMs()
          const path = resolve(newBackup(config, nowMs, 'asked'))
          const bytes = await backUp(path, aboutBackup(config, nowMs))
          const [actor, file] = [nameOf(caller), basename(path)]
          mesh.audit({ kind: 'backup.taken', actor, subject: mesh.serverId, detail: { file, bytes } })
          return json({ path, bytes }, 201)
        } catch (error) {
          if (error instanceof PgProgramMissing) throw new HttpError(503, 'unable', error.message)
          throw error
        } finally {
          nextAtMs = clock.now() + REST_MS
        }
      },
    }),
  ]
}
