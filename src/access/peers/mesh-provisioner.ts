/** Peers of our own mesh: each is an identity, whose agent needs no enrolment key, only the private key. */
import type { EnrolOutcome, MeshApi } from '../../actors/ports.js'
import type { PeerProvisioner, WantedPeer } from '../ports.js'
import { PeerRefused } from './errors.js'

type Refused = Extract<EnrolOutcome, { ok: false }>['code']

/** What the audit says of who did it. */
const ACTOR = 'peers'

/** What will not be otherwise however often it is asked. */
const FINAL: Readonly<Record<Exclude<Refused, 'addresses_exhausted'>, string>> = {
  key_in_use: 'its key belongs to another identity of the mesh',
  key_mismatch: 'its name belongs to an identity of the mesh with another key',
  not_authorised: 'its identity was revoked in the mesh',
}

/** Returns the provisioner. Whether a peer may carry is not its affair: the mesh asks for terms at every door. */
export const meshProvisioner = (mesh: Pick<MeshApi, 'enrol' | 'identity' | 'revoke'>): PeerProvisioner => ({
  name: 'mesh',
  async apply({ identityId, publicKey }) {
    if (publicKey === null) throw new PeerRefused('the mesh makes no keys: WG_KEY_POLICY says who does')
    const outcome = await mesh.enrol({ id: identityId, role: 'client', publicKey, by: ACTOR })
    if (outcome.ok) {
      const { overlay4, overlay6 } = outcome.identity
      return { publicKey, privateKey: null, presharedKey: null, overlay4, overlay6, externalId: null }
    }
    if (outcome.code === 'addresses_exhausted')
      throw new Error('the mesh has no addresses left: BOSON_OVERLAY4')
    throw new PeerRefused(FINAL[outcome.code])
  },
  async remove({ identityId, publicKey }) {
    if (isOurs(mesh, { identityId, publicKey }))
      mesh.revoke(identityId, { reason: 'the peer was removed', actor: ACTOR })
  },
  server: async () => null,
})

/** Whoever has the name by another key came by it in another way, and is not ours to revoke. */
function isOurs(
  mesh: Pick<MeshApi, 'identity'>,
  { identityId, publicKey }: Pick<WantedPeer, 'identityId' | 'publicKey'>,
): boolean {
  const identity = mesh.identity(identityId)
  return (
    identity !== null &&
    publicKey !== null &&
    identity.revokedAtMs === null &&
    Buffer.compare(identity.publicKey, publicKey) === 0
  )
}
