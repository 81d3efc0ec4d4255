/** Peers as they are sent and answered, by the names of the first VPN API. */
import { z } from 'zod'
import { moment } from '../../http/fields.js'
import { ENTITLEMENT_STATES } from '../entitlements/states.js'
import { number } from '../tariffs/forms.js'
import type { PeerProvisioner } from '../ports.js'
import { PEER_STATUSES, type PeerOf, statusOf } from './book.js'
import { keyText } from '../wireguard/key.js'
import { publicKey } from '../wireguard/public-key.js'

/** Where WireGuard may run. */
export const PROVISIONERS = ['mesh', 'wg-easy', 'ssh'] as const satisfies readonly PeerProvisioner['name'][]

const NAME_MAX = 64
const aName = { error: `wanted 1 to ${NAME_MAX} characters without control characters` }
/** Goes into configurations as a line of comment. */
const name = z
  .string(aName)
  .max(NAME_MAX, aName)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, aName)
  .meta({ example: 'Anna’s laptop' })

const wish = {
  name: name.default('device'),
  public_key: publicKey.optional().meta({
    description: 'Of a private key that the client made and keeps. Absent: as `WG_KEY_POLICY` says.',
  }),
}
export const OwnPeerCreate = z.strictObject(wish).meta({ id: 'OwnPeerCreate' })
export const VpnPeerCreate = z
  .strictObject({ user_id: number('a user').meta({ example: 2 }), ...wish })
  .meta({ id: 'VpnPeerCreate' })
export const VpnPeerUpdate = z
  .strictObject({ name, active: z.boolean({ error: 'wanted true or false' }) })
  .partial()
  .refine(change => Object.keys(change).length > 0, { error: 'wanted name or active' })
  .meta({ id: 'VpnPeerUpdate' })

const shape = {
  id: z.int(),
  user_id: z.int(),
  email: z.string().meta({ description: 'Name of the account.' }),
  name: z.string(),
  wg_public_key: z.string().nullable().meta({ description: 'Null: it is not made yet.' }),
  wg_ip: z.string().nullable().meta({ description: 'Null: it has none yet.', example: '10.77.0.2' }),
  wg_ip6: z.string().nullable(),
  active: z.boolean().meta({ description: 'Its owner, or an operator, wants it to work.' }),
  status: z.enum(PEER_STATUSES).meta({
    description:
      '`pending`: it is being set up; `refused`: it could not be, and an operator should look; `needs_key`: its owner sends a public key, or asks for one, by `POST /vpn_peers/self`.',
  }),
  provisioner: z.enum(PROVISIONERS).meta({ description: 'Where WireGuard runs.' }),
  connected: z
    .boolean()
    .meta({ description: 'Whether it has a session in our mesh now; elsewhere that is not known.' }),
  denied: z
    .string()
    .nullable()
    .meta({ description: 'Why it may not connect now, for people. Null: it may.' }),
  identity: z.string().meta({ description: 'Its name in the mesh.', example: 'peer-17' }),
  error: z
    .string()
    .nullable()
    .meta({ description: 'Why it is not as it should be; for operators. Null: it is, or nobody says.' }),
  created_at: moment,
}
export const VpnPeerOut = z.object(shape).meta({ id: 'VpnPeerOut' })
export const VpnPeerMade = z
  .object({
    ...shape,
    wg_private_key: z.string().nullable().meta({
      description:
        'Shown now and, with the policy `host`, never again. Null: it is not known here, or not made yet.',
    }),
  })
  .meta({ id: 'VpnPeerMade' })
export type VpnPeerOut = z.output<typeof VpnPeerOut>

/** What is known of a peer beside its row. */
export interface Whereabouts {
  readonly isConnected: (identityId: string) => boolean
  /** Returns why it may not connect now, for people; null: it may. */
  readonly denialOf: (identityId: string) => string | null
}

interface Beholder extends Whereabouts {
  /** Sees why a peer is not as it should be. */
  readonly isOperator: boolean
}

/** A peer as it is answered to somebody. */
export const peerOut = (peer: PeerOf, { isOperator, isConnected, denialOf }: Beholder): VpnPeerOut => ({
  id: peer.peer_id,
  user_id: peer.user_id,
  email: peer.account_name,
  name: peer.name,
  wg_public_key: peer.public_key === null ? null : keyText(peer.public_key),
  wg_ip: peer.overlay4,
  wg_ip6: peer.overlay6,
  active: peer.is_active,
  status: statusOf(peer),
  provisioner: peer.provisioner,
  connected: isConnected(peer.identity_id),
  denied: peer.removed_at === null ? denialOf(peer.identity_id) : null,
  identity: peer.identity_id,
  error: isOperator ? peer.error : null,
  created_at: peer.created_at.toISOString(),
})

export const AllowedOut = z
  .object({
    id: z.int(),
    allowed: z.boolean().meta({ description: 'Whether it may connect and carry now.' }),
    active: z.boolean(),
    state: z.enum(ENTITLEMENT_STATES).meta({ description: 'What its account is entitled to.' }),
    code: z
      .enum(['not_entitled', 'quota_used', 'inactive'])
      .nullable()
      .meta({ description: 'Why it may not; null: it may.' }),
    reason: z.string().nullable().meta({ description: 'The same for people.' }),
    until: moment.nullable().meta({ description: 'When the state becomes another by itself; null: never.' }),
    used_bytes: z.int(),
    limit_bytes: z.int().nullable().meta({ description: 'Null: no limit.' }),
  })
  .meta({ id: 'PeerAllowed' })
