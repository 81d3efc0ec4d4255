/** A node and a client as lists tell of them. */
import { z } from 'zod'
import type { ClientView, NodeView } from '../../../actors/ports.js'
import { oneOf } from '../../../http/fields.js'
import { session } from './session.js'

export const policy = oneOf('auto', 'relay-only', 'direct-only')
export const ability = oneOf('probe', 'udp', 'wireguard', 'ice')

const Profile = z
  .object({
    agent: z.string().meta({ description: 'Software and version.' }),
    country: z.string().nullable(),
    region: z.string().nullable(),
    latitude: z.number().nullable(),
    longitude: z.number().nullable(),
    maxSessions: z.int().nullable(),
    bandwidthMbps: z.number().nullable(),
    exit: z.boolean().meta({ description: 'Whether it forwards to the internet.' }),
    tags: z.array(z.string()),
    costWeight: z.number().nullable().meta({ description: 'How dear it is to use it; 1 is usual.' }),
    policy,
    can: z.array(ability).meta({ description: 'What it can do about leaving the relay.' }),
  })
  .meta({ id: 'Profile', description: 'What an agent says of itself when it registers; unknown is null.' })

export const Node = z
  .object({
    ...session,
    profile: Profile,
    links: z.int().meta({ description: 'Clients that it carries.' }),
    reserved: z.int().meta({ description: 'Places that routes have taken.' }),
    places: z.int().nullable().meta({ description: 'Places that there are; null: nobody says.' }),
    ailment: z
      .string()
      .nullable()
      .meta({ description: 'Why it is taken for one that carries badly: `loss`, `rtt` or `uplink`.' }),
    lossPct: z
      .number()
      .nullable()
      .meta({ description: 'Packets lost on the way to it, as its clients measure it, %.' }),
    flaps: z
      .number()
      .meta({ description: 'Sessions that it lost lately, each counting half after ten minutes.' }),
    gauges: z
      .record(z.string(), z.number().nullable())
      .meta({ description: 'Figures of its last heartbeat, by their names on the wire.' }),
  })
  .meta({ id: 'Node' }) satisfies z.ZodType<NodeView>

export const Client = z
  .object({
    ...session,
    nodeId: z.string().nullable().meta({ description: 'The node that its route leads to.' }),
    link: z.int().nullable(),
  })
  .meta({ id: 'Client' }) satisfies z.ZodType<ClientView>
