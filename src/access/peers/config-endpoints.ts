/** What a device needs to use its peer: a WireGuard configuration and its QR code, or what the mesh's agent is started with. */
import { z } from 'zod'
import type { Config } from '../../app/config.js'
import type { Caller } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict, HttpError, notFound, unavailable } from '../../http/faults.js'
import { oneOf } from '../../http/fields.js'
import { json, type Reply, text } from '../../http/reply.js'
import { accountOf, isOperator, ownerOf } from '../callers.js'
import type { PeerProvisioner } from '../ports.js'
import { number } from '../tariffs/forms.js'
import { agentKit, agentScript } from './agent-kit.js'
import { type PeerBook, type PeerOf, statusOf } from './book.js'
import type { PeerDesk } from './desk.js'
import { peerOut, VpnPeerOut, type Whereabouts } from './forms.js'
import { keyText } from '../wireguard/key.js'
import { qrSvg, qrText } from './qr-code.js'
import type { Secrets } from './secrets.js'
import { wgConfig } from './wg-config.js'

export interface ConfigParts {
  readonly book: PeerBook
  readonly desk: PeerDesk
  readonly secrets: Secrets
  readonly provisioners: readonly PeerProvisioner[]
  readonly config: Config
  readonly whereabouts: Whereabouts
}

const FORMATS = ['json', 'conf', 'sh', 'qr', 'svg'] as const
type Format = (typeof FORMATS)[number]
type Form = Format | 'text'

/** When what is not there now should be asked for again, s. */
const RETRY_AFTER_S = 5

const Query = z.object({
  format: oneOf(...FORMATS)
    .optional()
    .meta({
      description:
        '`conf`: a WireGuard configuration; `qr`, `svg`: the same as a QR code, for a terminal or as an image; `sh`: lines that start the mesh’s agent. Absent: as `Accept` says, `text/plain` or `image/svg+xml`, or JSON with all that there is.',
    }),
})
const ConfigOut = z
  .object({
    peer: VpnPeerOut,
    conf: z.string().nullable().meta({
      description: 'For WireGuard itself. Null: it is a peer of our mesh, which the agent connects.',
    }),
    agent: z
      .object({
        server: z.string(),
        id: z.string(),
        role: z.literal('client'),
        key_file: z.string().meta({ description: 'Where the command looks for the private key.' }),
        command: z.string(),
      })
      .nullable()
      .meta({ description: 'For `boson client`. Null: WireGuard itself connects it.' }),
    wg_private_key: z
      .string()
      .nullable()
      .meta({ description: 'Null: it is not kept here, or belongs to somebody else.' }),
    note: z.string().meta({ description: 'What to do, for people.' }),
  })
  .meta({ id: 'PeerConfig' })
type Kit = z.output<typeof ConfigOut>

const replies = {
  200: { description: 'What the device needs; other forms as `format` says.', schema: ConfigOut },
}
const common = { method: 'GET', access: 'user', tag: 'peers', replies, faults: [404, 409, 503] } as const

export const configEndpoints = (parts: ConfigParts): readonly Endpoint[] => [
  endpoint({
    ...common,
    path: '/vpn_peers/self/config',
    summary: 'Gives what one’s device needs to use its peer',
    description:
      'Of the oldest peer that is switched on, or the one of `peer_id`. With the private key where it is kept here (`WG_KEY_POLICY` `db` and `wg-easy`): for the owner, whenever it is asked for.',
    query: Query.extend({ peer_id: number('a peer').optional() }),
    async handle({ query, headers, caller }) {
      const accountId = accountOf(caller)
      const { book } = parts
      const peer = await (query.peer_id === undefined
        ? book.oldestOf(accountId)
        : book.of(query.peer_id, accountId))
      return spelled(await kitOf(parts, peer, caller, headers.get('host')), formOf(query.format, headers))
    },
  }),
  endpoint({
    ...common,
    path: '/vpn_peers/{id}/config',
    summary: 'Gives what a device needs to use a peer',
    description: 'Without the private key, unless it is the caller’s own peer.',
    params: z.object({ id: number('a peer') }),
    query: Query,
    async handle({ params: { id }, query, headers, caller }) {
      const peer = await parts.book.of(id, ownerOf(caller))
      return spelled(await kitOf(parts, peer, caller, headers.get('host')), formOf(query.format, headers))
    },
  }),
]

/** Resolves with what a device needs. `called`: how the caller called this coordinator. */
async function kitOf(
  { desk, secrets, provisioners, config, whereabouts }: ConfigParts,
  peer: PeerOf,
  caller: Caller,
  called: string | undefined,
): Promise<Kit> {
  const { public_key, overlay4 } = peer
  if (public_key === null || overlay4 === null || peer.removed_at !== null) throw notReady(peer)
  const isOwner = 'accountId' in caller && caller.accountId === peer.account_id
  const privateKey = isOwner ? await desk.keyOf(peer, caller) : null
  const beholder = { ...whereabouts, isOperator: isOperator(caller) }
  const common = { peer: peerOut(peer, beholder), wg_private_key: privateKey }
  const server = await serverOf(provisioners, peer)
  if (server === null)
    return {
      ...common,
      conf: null,
      agent: agentKit(peer, config, called),
      note: 'Run the command of `agent` on the device. WireGuard alone reaches nobody in the mesh: the agent finds the ways to its nodes.',
    }
  const presharedKey = isOwner ? secrets.open('preshared', peer, peer.preshared_key) : null
  const conf = wgConfig({
    title: `${peer.identity_id}, ${peer.name}`,
    privateKey,
    publicKey: keyText(public_key),
    presharedKey,
    overlay4,
    overlay6: peer.overlay6,
    server,
  })
  const note =
    privateKey === null
      ? 'Put the private key into `conf`; then `wg-quick up` it, or import it into a WireGuard app.'
      : 'Save `conf` and `wg-quick up` it, or import it into a WireGuard app: by its QR code, if you like.'
  return { ...common, conf, agent: null, note }
}

async function serverOf(provisioners: readonly PeerProvisioner[], { provisioner }: PeerOf) {
  const found = provisioners.find(({ name }) => name === provisioner)
  try {
    if (found === undefined) throw new Error(`${provisioner} is not configured here`)
    return await found.server()
  } catch {
    throw unavailable(`${provisioner}, where this peer is, does not answer now`, RETRY_AFTER_S)
  }
}

function spelled(kit: Kit, form: Form): Reply {
  if (form === 'json') return json(kit)
  if (form === 'sh' || (form === 'text' && kit.conf === null)) {
    if (kit.agent === null) throw conflict('format: this peer needs no agent; ask for conf, qr or svg')
    return text(agentScript(kit.agent, kit.wg_private_key))
  }
  if (kit.conf === null)
    throw conflict('format: this is a peer of our mesh, which the agent connects; ask for sh or json')
  if (form === 'svg') return text(qrSvg(kit.conf), 'image/svg+xml; charset=utf-8')
  return text(form === 'qr' ? `${qrText(kit.conf)}\n` : kit.conf)
}

/** Returns how the answer is to be spelled; `text`: whichever of `conf` and `sh` there is. */
function formOf(format: Format | undefined, headers: ReadonlyMap<string, string>): Form {
  if (format !== undefined) return format
  const accept = headers.get('accept') ?? ''
  if (accept.includes('image/svg+xml')) return 'svg'
  return accept.includes('text/plain') ? 'text' : 'json'
}

function notReady(peer: PeerOf): HttpError {
  if (peer.removed_at !== null) return notFound(`there is no peer ${peer.peer_id} any more`)
  if (statusOf(peer) === 'needs_key')
    return new HttpError(
      409,
      'needs_key',
      'the peer waits for its key: send a public key, or ask for one, by `POST /vpn_peers/self`',
    )
  return new HttpError(409, 'pending', 'the peer is not set up yet: ask again in a moment', {
    'Retry-After': String(RETRY_AFTER_S),
  })
}
