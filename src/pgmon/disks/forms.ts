/** What machines tell, as it is answered. */
import { z } from 'zod'
import { moment } from '../../http/fields.js'
import { Disk } from '../figures/forms.js'

const aPin = { error: 'wanted the fingerprint that was shown: SHA256:…' }

export const SshTestWish = z.strictObject({
  pin: z
    .string(aPin)
    .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, aPin)
    .optional()
    .meta({
      description:
        'The key that the machine is to be known by from now on; it is pinned if it is the one that is shown.',
    }),
})

/** What `POST /pgmon/servers/{name}/test-ssh` answers, whether it went well or not. */
export const SshTest = z
  .object({
    ok: z.boolean(),
    message: z.string(),
    host_key: z
      .string()
      .nullable()
      .meta({ description: 'The key that the host showed, `SHA256:…`; null: it was not reached.' }),
    is_pinned: z.boolean().meta({ description: 'It is the one that is pinned.' }),
    took_ms: z.number(),
  })
  .meta({ id: 'SshTest' })
export type SshTest = z.output<typeof SshTest>

export const DiskList = z
  .object({
    name: z.string(),
    asked_at: moment.meta({ description: 'Of the machine; at most 30 s ago.' }),
    disks: z.array(Disk),
  })
  .meta({ id: 'DiskList' })
export type DiskList = z.output<typeof DiskList>
