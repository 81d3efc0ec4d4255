/** What a NAT does, as answers tell it. */
import { z } from 'zod'
import { oneOf } from '../../../http/fields.js'
import type { Nat as NatView } from '../../../mesh/nat.js'

const behaviour = oneOf(
  'endpoint_independent',
  'address_dependent',
  'address_and_port_dependent',
  'unknown',
  'port_independent',
)

const endpoint = z.object({ address: z.string(), port: z.int() })

export const Nat = z
  .object({
    udp: oneOf('open', 'blocked', 'unknown').meta({ description: 'Whether UDP leaves and comes back.' }),
    mapping: behaviour,
    filtering: behaviour,
    nat: z.boolean().nullable().meta({ description: 'Whether addresses are translated at all.' }),
    hairpin: z.boolean().nullable(),
    portPreservation: z.boolean().nullable(),
    ipv6: z.boolean().nullable(),
    mappingLifetimeS: z
      .number()
      .nullable()
      .meta({ description: 'An idle mapping lived at least this long, s.' }),
    mapped4: endpoint.nullable().meta({ description: 'As the world sees it.' }),
    mapped6: endpoint.nullable(),
    confirmed: z.boolean().meta({ description: 'The coordinator saw the same requests itself.' }),
  })
  .meta({
    id: 'Nat',
    description: 'What a NAT does, in the words of RFC 4787; unknown is null.',
  }) satisfies z.ZodType<NatView>
