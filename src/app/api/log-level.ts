/** `/api/v1/log-level`: how much the coordinator logs, for a while. */
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { oneOf, whole } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { LOG_LEVELS, type LogLevelView } from '../../telemetry/log-level.js'
import type { ApiParts } from './routes.js'

/** Debug lines fill disks: whoever wants them for longer changes the setting, ms: a day. */
const FOR_MAX_MS = 86_400_000
const FOR_MS = 600_000

const View = z
  .object({
    level: z.string().meta({ description: 'The least important lines that are written.', example: 'info' }),
    usual: z.string().meta({ description: 'As the settings say (`LOG_LEVEL`).', example: 'info' }),
    untilMs: z
      .number()
      .nullable()
      .meta({ description: 'When it is as usual again, ms since 1970 UTC; null: it is.' }),
  })
  .meta({ id: 'LogLevel' }) satisfies z.ZodType<LogLevelView>

const common = {
  path: '/api/v1/log-level',
  tag: 'log',
  replies: { 200: { description: 'How much is logged now.', schema: View } },
} as const

export const logLevelRoutes = ({
  mesh,
  logLevel,
  serverId,
}: Pick<ApiParts, 'mesh' | 'logLevel' | 'serverId'>): readonly Endpoint[] => {
  const audit = (actor: string, detail: object) =>
    mesh.audit({ kind: 'log.level_changed', actor, subject: serverId, detail: { ...detail } })
  return [
    endpoint({
      ...common,
      method: 'GET',
      access: 'viewer',
      summary: 'Tells how much the coordinator logs',
      handle: () => json(logLevel.view),
    }),
    endpoint({
      ...common,
      method: 'PUT',
      access: 'operator',
      summary: 'Logs more, or less, for a while',
      description: 'It returns to what the settings say by itself.',
      body: z.strictObject({
        level: oneOf(...LOG_LEVELS),
        forMs: whole(1_000, FOR_MAX_MS).default(FOR_MS).meta({ description: 'For so long, ms.' }),
      }),
      handle: ({ caller, body: { level, forMs } }) => {
        logLevel.set(level, forMs)
        audit(nameOf(caller), { level, forMs })
        return json(logLevel.view)
      },
    }),
    endpoint({
      ...common,
      method: 'DELETE',
      access: 'operator',
      summary: 'Logs as the settings say again',
      handle: ({ caller }) => {
        logLevel.reset()
        audit(nameOf(caller), { level: logLevel.view.level })
        return json(logLevel.view)
      },
    }),
  ]
}
