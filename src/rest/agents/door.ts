/**
 * Who may begin a session over HTTP, and by what. The mesh has the last word; here it is only seen what a request
 * brought along.
 *
 *   proof of the key ───────────→ anyone who is known, or is new and has an enrolment key as well
 *   session token ──────────────→ the identity that it belongs to
 *   enrolment key ──────────────→ someone new
 *   an admin's token ───────────→ anyone: someone new gets an enrolment key for this once; of others it is written down
 */
import type { Hello, MeshApi, Vouch } from '../../actors/ports.js'
import { type Caller, mustBe, nameOf } from '../../http/caller.js'
import { HttpError } from '../../http/faults.js'
import { mustHave } from '../../http/roles.js'

/** A proof of key possession over a challenge, both as bytes. */
export interface Proof {
  readonly nonce: Uint8Array
  readonly proof: Uint8Array
}

export interface Admitted {
  readonly hello: Hello
  readonly vouch: Vouch
}

type Door = Pick<MeshApi, 'identity' | 'createEnrolmentKey' | 'audit'>

/** An enrolment key that is used at once needs no longer life, ms. */
const ONCE_MS = 60_000

const NOTHING =
  'send `Authorization: Bearer <enrolment key>` at first contact; later the session token, or `proof` over GET /api/v1/challenge'
const KNOWN =
  'this id is known: send its session token as `Authorization: Bearer …`, or `proof` over GET /api/v1/challenge'

/** Resolves with what the agent begins with; rejects with a 401 or 403 that says what to send. */
export async function admitted(
  mesh: Door,
  caller: Caller,
  hello: Hello,
  proof: Proof | undefined,
): Promise<Admitted> {
  const { id } = hello
  const isKnown = mesh.identity(id) !== null
  if (proof !== undefined) {
    const credential = isKnown ? null : await credentialOf(mesh, caller, hello)
    return {
      hello: { ...hello, ...(credential !== null && { credential }) },
      vouch: { by: 'proof', ...proof },
    }
  }
  if (caller.kind === 'agent') {
    mustBe(caller, id)
    return { hello, vouch: { by: 'token' } }
  }
  if (isKnown && caller.kind !== 'stranger') {
    mustHave(caller, 'admin')
    mesh.audit({ kind: 'identity.vouched', actor: nameOf(caller), subject: id, detail: { role: hello.role } })
    return { hello, vouch: { by: 'token' } }
  }
  const credential = await credentialOf(mesh, caller, hello)
  // Whose key differs is told so by the mesh, which writes it down as well.
  if (credential === null || (isKnown && hasKey(mesh, hello))) throw unknownCaller(isKnown)
  return { hello: { ...hello, credential }, vouch: { by: 'credential' } }
}

/** Resolves with what admits someone new; null when the caller has nothing of the kind. */
async function credentialOf(mesh: Door, caller: Caller, { id, role }: Hello): Promise<string | null> {
  if (caller.kind === 'stranger') return caller.bearer
  if (caller.kind === 'agent') return null
  mustHave(caller, 'admin')
  const { secret } = await mesh.createEnrolmentKey({
    role,
    uses: 1,
    ttlMs: ONCE_MS,
    note: `for ${id}, which an operator registers`,
    actor: nameOf(caller),
  })
  return secret
}

const hasKey = (mesh: Door, { id, publicKey }: Hello): boolean =>
  Buffer.compare(mesh.identity(id)?.publicKey ?? Buffer.alloc(0), publicKey) === 0

/** Returns the fault of a request that shows nothing, or not enough, of who it is from. */
export const unknownCaller = (isKnown: boolean): HttpError =>
  new HttpError(401, 'unauthorised', isKnown ? KNOWN : NOTHING, {
    'WWW-Authenticate': 'Bearer realm="boson"',
  })
