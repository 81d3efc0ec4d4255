/** A client by the names of the first BosonServer, whether it speaks HTTP or has a WebSocket. */
import { z } from 'zod'
import type { ClientView } from '../../actors/ports.js'
import { moment } from '../../http/fields.js'
import type { Agents } from '../agents/agents.js'
import { isoOf } from '../nodes/row.js'

/** Fields of a client beside those that are the mesh's own. */
export const clientRow = {
  clientId: z.string(),
  nodeId: z.string().nullable(),
  routeId: z.string().nullable(),
  status: z.enum(['active', 'suspended', 'closed']).meta({ description: '`suspended`: it may come back.' }),
  createdAt: moment.meta({ description: 'When its route was given; when it enrolled, without one.' }),
  expiresAt: moment.nullable().meta({
    description: 'When its session ends if it is not heard again; null while it has a WebSocket.',
  }),
  clientAddress: z.string().nullable().meta({ description: 'Where its WireGuard is, as it has registered.' }),
  clientPort: z.int().nullable(),
  connectionType: z.enum(['WireGuard', 'WebSocket', 'Unknown']).meta({
    description: '`WireGuard`: it has registered where its WireGuard is. `Unknown`: it only speaks HTTP.',
  }),
  networkInfo: z
    .object({ ipv4: z.string(), natType: z.string(), stunMappedAddress: z.string().nullable() })
    .nullable(),
  requirements: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: 'What it asked of its node.' }),
}

type Seen = Pick<Agents, 'mesh' | 'mailboxes' | 'notes' | 'clock'>

/** Returns the fields of a client; `view` is null when it has no session. */
export function clientRowOf({ mesh, mailboxes, notes, clock }: Seen, id: string, view: ClientView | null) {
  const { networkInfo = null, requirements = null, wireguard = null } = notes.of(id)
  const box = mailboxes.of(id)
  const story = view === null ? null : mesh.explain(id, 0)
  const beganMs = story?.assignedAtMs ?? mesh.identity(id)?.createdAtMs ?? 0
  const place = box === undefined ? null : wireguard
  return {
    clientId: id,
    nodeId: view?.nodeId ?? null,
    routeId: story?.routeId ?? null,
    status: view === null ? ('closed' as const) : isHere(view) ? ('active' as const) : ('suspended' as const),
    createdAt: isoOf(beganMs),
    expiresAt: box === undefined ? null : isoOf(clock.wallMs() + box.goodUntilMs - clock.now()),
    clientAddress: place?.address ?? null,
    clientPort: place?.port ?? null,
    connectionType: connectionOf(view, box !== undefined, place !== null),
    networkInfo: networkInfo && {
      ipv4: networkInfo.ipv4,
      natType: networkInfo.natType,
      stunMappedAddress: networkInfo.stunMappedAddress,
    },
    requirements,
  }
}

const isHere = ({ state }: ClientView): boolean => state === 'online' || state === 'lapsed'

function connectionOf(view: ClientView | null, isHttp: boolean, hasPlace: boolean) {
  if (hasPlace) return 'WireGuard' as const
  return view !== null && isHere(view) && !isHttp ? ('WebSocket' as const) : ('Unknown' as const)
}
