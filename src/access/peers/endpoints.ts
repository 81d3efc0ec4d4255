/** `/vpn_peers`: what the first VPN API promised of peers. Users have their own; of others’ they learn nothing. */
import { z } from 'zod'
import type { Caller } from '../../http/caller.js'
import { type Endpoint, endpoint, type EndpointRequest } from '../../http/endpoint.js'
import { oneOf, text } from '../../http/fields.js'
import { listReply, rows } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import { accountOf, isOperator, ownerOf } from '../callers.js'
import type { Entitlements } from '../ports.js'
import { number } from '../tariffs/forms.js'
import { PEER_STATUSES, type PeerBook, type PeerOf, type PeerQuery } from './book.js'
import type { MadePeer, PeerDesk } from './desk.js'
import {
  AllowedOut,
  OwnPeerCreate,
  peerOut,
  PROVISIONERS,
  VpnPeerCreate,
  VpnPeerMade,
  VpnPeerOut,
  VpnPeerUpdate,
  type Whereabouts,
} from './forms.js'

export interface PeerParts {
  readonly book: PeerBook
  readonly desk: PeerDesk
  readonly entitlements: Pick<Entitlements, 'of' | 'termsOf' | 'settled'>
  readonly whereabouts: Whereabouts
}

const PATH = '/vpn_peers'
const tag = 'peers'
const ONE = { 200: { description: 'The peer.', schema: VpnPeerOut } }
const MADE = { 201: { description: 'The peer.', schema: VpnPeerMade } }
const params = z.object({ id: number('a peer') })
const Page = z.object({
  limit: rows,
  after: number('a peer').default(0).meta({ description: '`next` of the page before.' }),
  status: oneOf(...PEER_STATUSES)
    .optional()
    .meta({ description: 'Only those that are like this; absent: all that were not removed.' }),
  provisioner: oneOf(...PROVISIONERS).optional(),
  q: text(128).optional().meta({
    description: 'A part of the name of the peer or its account; or its name in the mesh, or its public key.',
  }),
})
const List = { 200: { description: 'A page of peers.', schema: listReply('peers', VpnPeerOut) } }

export function peerEndpoints({ book, desk, entitlements, whereabouts }: PeerParts): readonly Endpoint[] {
  const out = (peer: PeerOf, caller: Caller) =>
    peerOut(peer, { ...whereabouts, isOperator: isOperator(caller) })
  const made = ({ peer, privateKey }: MadePeer, caller: Caller) =>
    json({ ...out(peer, caller), wg_private_key: privateKey }, 201)
  const page = async (
    query: z.output<typeof Page>,
    more: Pick<PeerQuery, 'accountId' | 'userId'>,
    caller: Caller,
  ) => {
    const { limit, after, status, provisioner, q } = query
    const found = await book.list({ limit, after, status, provisioner, q, ...more })
    return json({
      peers: found.rows.map(peer => out(peer, caller)),
      count: found.rows.length,
      total: found.total,
      next: found.next === null ? null : String(found.next),
    })
  }
  /** Whose is not the caller’s own is not there. */
  const seen = (caller: Caller, id: number) => book.of(id, ownerOf(caller))
  const switched =
    (active: boolean) =>
    async ({ params: { id }, caller }: EndpointRequest<{ id: number }>) =>
      json(out(await desk.change(await seen(caller, id), { active }, caller), caller))

  return [
    endpoint({
      method: 'POST',
      path: `${PATH}/`,
      access: 'operator',
      tag,
      summary: 'Makes a peer for a user',
      description: 'As many as the tariff of the user lets; one beforehand, if there is no tariff yet.',
      body: VpnPeerCreate,
      replies: MADE,
      faults: [404, 409],
      async handle({ body, caller }) {
        const accountId = await book.accountOf(body.user_id)
        const wish = { accountId, name: body.name, publicKey: body.public_key ?? null, byOperator: true }
        return made(await desk.create(wish, caller), caller)
      },
    }),
    endpoint({
      method: 'POST',
      path: `${PATH}/self`,
      access: 'user',
      tag,
      summary: 'Makes a peer for oneself',
      description:
        'As many as the tariff lets. Best with the public key of a private key that never leaves the device. A peer that came with a payment, and waits for its key, is given this one.',
      body: OwnPeerCreate,
      replies: MADE,
      faults: [403, 409],
      async handle({ body, caller }) {
        const accountId = accountOf(caller)
        const wish = { accountId, name: body.name, publicKey: body.public_key ?? null, byOperator: false }
        return made(await desk.create(wish, caller), caller)
      },
    }),
    endpoint({
      method: 'GET',
      path: `${PATH}/`,
      access: 'user',
      tag,
      summary: 'Lists peers: for users their own',
      query: Page.extend({ user_id: number('a user').optional() }),
      replies: List,
      faults: [409],
      handle: ({ query, caller }) =>
        page(query, { userId: query.user_id, accountId: ownerOf(caller) }, caller),
    }),
    endpoint({
      method: 'GET',
      path: `${PATH}/self`,
      access: 'user',
      tag,
      summary: 'Lists one’s own peers',
      query: Page,
      replies: List,
      faults: [409],
      handle: ({ query, caller }) => page(query, { accountId: accountOf(caller) }, caller),
    }),
    endpoint({
      method: 'GET',
      path: `${PATH}/{id}`,
      access: 'user',
      tag,
      summary: 'Tells of one peer',
      params,
      replies: ONE,
      faults: [404, 409],
      handle: async ({ params: { id }, caller }) => json(out(await seen(caller, id), caller)),
    }),
    endpoint({
      method: 'PUT',
      path: `${PATH}/{id}`,
      access: 'user',
      tag,
      summary: 'Changes the name of a peer, or switches it on or off',
      params,
      body: VpnPeerUpdate,
      replies: ONE,
      faults: [403, 404, 409],
      handle: async ({ params: { id }, body, caller }) =>
        json(out(await desk.change(await seen(caller, id), body, caller), caller)),
    }),
    endpoint({
      method: 'DELETE',
      path: `${PATH}/{id}`,
      access: 'user',
      tag,
      summary: 'Removes a peer, here and where WireGuard runs',
      description:
        'Its sessions end at once. Its name, key and addresses in the mesh are given to nobody again.',
      params,
      replies: ONE,
      faults: [404, 409],
      handle: async ({ params: { id }, caller }) =>
        json(out(await desk.remove(await seen(caller, id), caller), caller)),
    }),
    endpoint({
      method: 'POST',
      path: `${PATH}/{id}/activate`,
      access: 'user',
      tag,
      summary: 'Switches a peer on',
      params,
      replies: ONE,
      faults: [403, 404, 409],
      handle: switched(true),
    }),
    endpoint({
      method: 'POST',
      path: `${PATH}/{id}/deactivate`,
      access: 'user',
      tag,
      summary: 'Switches a peer off',
      description: 'Its sessions end at once. What an operator switches off, only an operator switches on.',
      params,
      replies: ONE,
      faults: [404, 409],
      handle: switched(false),
    }),
    endpoint({
      method: 'GET',
      path: `${PATH}/{id}/allowed`,
      access: 'user',
      tag,
      summary: 'Tells whether a peer may connect now, why not, and until when',
      params,
      replies: { 200: { description: 'What holds for it.', schema: AllowedOut } },
      faults: [404, 409],
      async handle({ params: { id }, caller }) {
        const peer = await seen(caller, id)
        await entitlements.settled()
        return json(allowedOut(peer, entitlements))
      },
    }),
  ]
}

function allowedOut(
  peer: PeerOf,
  entitlements: Pick<Entitlements, 'of' | 'termsOf'>,
): z.output<typeof AllowedOut> {
  const { state, untilMs, usedBytes, limitBytes } = entitlements.of(peer.account_id)
  const terms = entitlements.termsOf(peer.identity_id, 'client')
  const denial =
    peer.removed_at === null && terms !== null
      ? terms.denial
      : ({ code: 'inactive', reason: 'the peer was removed' } as const)
  return {
    id: peer.peer_id,
    allowed: denial === null,
    active: peer.is_active,
    state,
    code: denial?.code ?? null,
    reason: denial?.reason ?? null,
    until: untilMs === null ? null : new Date(untilMs).toISOString(),
    used_bytes: usedBytes,
    limit_bytes: limitBytes,
  }
}
