/** How a client that asks for a route gets its session: its own, or one that begins with the request. */
import type { Hello } from '../../actors/ports.js'
import { type Caller, mustBe } from '../../http/caller.js'
import { conflict } from '../../http/faults.js'
import { mustHave } from '../../http/roles.js'
import { newKeyPair } from '../../protocol/proof.js'
import type { Agents } from '../agents/agents.js'
import { admitted, unknownCaller } from '../agents/door.js'
import type { Mailbox } from '../agents/mailbox.js'
import type { RouteRequest } from './body.js'

export interface EnteredClient {
  readonly box: Mailbox
  /** Its session began with this request, so that it has no token yet. */
  readonly isNew: boolean
  /** The key that was made for a new client, 32 bytes: told once, kept nowhere. */
  readonly privateKey: Uint8Array | null
}

/** Resolves with the client's mailbox; the request is a sign of life. */
export async function enteredClient(
  { mesh, mailboxes }: Pick<Agents, 'mesh' | 'mailboxes'>,
  { clientId, publicKey, proof }: RouteRequest,
  caller: Caller,
  remote: string,
): Promise<EnteredClient> {
  const known = mesh.identity(clientId)
  if (known !== null && proof === undefined && caller.kind !== 'stranger') {
    // The answer holds the client's token.
    if (caller.kind !== 'agent') mustHave(caller, 'admin')
    mustBe(caller, clientId)
    if (known.role !== 'client') throw conflict(`${clientId} is a node: routes are for clients`)
    if (publicKey !== undefined && Buffer.compare(publicKey, known.publicKey) !== 0)
      throw conflict(`${clientId} is bound to another WireGuard key`)
    const box = await mailboxes.at(clientId, remote)
    mailboxes.heard(box)
    return { box, isNew: false, privateKey: null }
  }
  const made = known === null && publicKey === undefined ? newKeyPair() : null
  const key = publicKey ?? made?.publicKey
  if (key === undefined) throw unknownCaller(true)
  const said: Hello = { role: 'client', id: clientId, publicKey: key, agent: 'http' }
  const { hello, vouch } = await admitted(mesh, caller, said, proof)
  const box = await mailboxes.enter(hello, vouch, remote)
  return { box, isNew: true, privateKey: made?.privateKey ?? null }
}
