/** Servers as they are answered. */
import { z } from 'zod'
import { moment } from '../../http/fields.js'
import { POOL_PROFILES, SSH_AUTHS, TLS } from '../ports.js'

export const STATUSES = ['up', 'down', 'disabled', 'unknown'] as const
export type Status = (typeof STATUSES)[number]

export const ServerForm = z
  .object({
    name: z.string(),
    is_own: z.boolean().meta({ description: 'The coordinator’s own database, reached as its settings say.' }),
    enabled: z.boolean().meta({ description: 'Nothing is asked of one that is not.' }),
    description: z.string(),
    host: z.string().meta({ description: 'Empty for the embedded database.' }),
    port: z.int(),
    database: z.string().meta({ description: 'The one that it is asked in, when none is named.' }),
    user: z.string(),
    has_password: z.boolean(),
    tls: z.enum(TLS),
    tls_ca: z.string().nullable().meta({ description: 'PEM; null: whom everybody trusts.' }),
    pool: z.enum(POOL_PROFILES),
    ssh_auth: z.enum(SSH_AUTHS),
    ssh_host: z.string().nullable().meta({ description: 'Null: as `host`.' }),
    ssh_port: z.int(),
    ssh_user: z.string(),
    ssh_key_id: z.int().nullable(),
    has_ssh_password: z.boolean(),
    ssh_host_key: z
      .string()
      .nullable()
      .meta({ description: '`SHA256:…`, pinned; null: not yet, and nothing is asked by SSH.' }),
    created_by: z.string(),
    created_at: moment,
    changed_at: moment,
  })
  .meta({ id: 'MonitoredServer' })
export type ServerForm = z.output<typeof ServerForm>

const figure = z.number().nullable()

/** How a server is, at a glance: from what was last seen, whenever that was. */
export const ServerRow = ServerForm.extend({
  status: z.enum(STATUSES),
  fault: z.string().nullable().meta({ description: 'Why it is down; null: it is not.' }),
  checked_at: moment.nullable(),
  kind: z.enum(['postgres', 'pglite']),
  version: z.string().nullable(),
  is_replica: z.boolean().nullable(),
  uptime_s: figure,
  connections: figure,
  connections_max: figure,
  blocked: figure.meta({ description: 'Sessions that wait for another one’s lock.' }),
  transactions_per_s: figure,
  cache_hit_ratio: figure.meta({ description: '0 to 1.' }),
  replication_lag_s: figure.meta({ description: 'Of a replica, or of the slowest one that it has.' }),
  size_bytes: figure.meta({ description: 'Of all of its databases.' }),
  disk_used_ratio: figure.meta({ description: '0 to 1, of the file system that its data is on.' }),
}).meta({ id: 'MonitoredServerRow' })
export type ServerRow = z.output<typeof ServerRow>
