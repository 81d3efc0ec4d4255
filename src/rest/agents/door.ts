/**
 * Who may begin a session over HTTP, and by what. The mesh has the last word; here it is only seen what a request
 * brought along.
 *
 *   proof of the key ───────────→ anyone who is known, or is new and has an enrolment key as well
 *   session token ──────────────→ the identity that it belongs to
 *   enrolment key ──────────────→ someone new
 *   the operator's token ───────→ anyone: someone new gets an enrolment key for this once
 */
import type { Hello, MeshApi, Vouch } from '../../actors/ports.js'
import { type Caller, mustBe } from '../../http/caller.js'
import { HttpError } from '../../http/faults.js'

/** A proof of key possession over a challenge, both as bytes. */
export interface Proof {
  readonly nonce: Uint8Array
  readonly proof: Uint8Array
}

export interface Admitted {
  readonly hello: Hello
  readonly vouch: Vouch
}

/** An enrolment key that is used at once needs no longer life, ms. */
const ONCE_MS = 60_000

const NOTHING =
  'send `Authorization: Bearer <enrolment key>` at first contact; later the session token, or `proof` over GET /api/v1/challenge'
const KNOWN =
  'this id is known: send its session token as `Authorization: Bearer …`, or `proof` over GET /api/v1/challenge'

/** Resolves with what the agent begins with; rejects with a 401 or 403 that says what to send. */
export async function admitted(
  mesh: Pick<MeshApi, 'identity' | 'createEnrolmentKey'>,
  caller: Caller,
  hello: Hello,
  proof: Proof | undefined,
): Promise<Admitted> {
  const isKnown = mesh.identity(hello.id) !== null
  if (proof !== undefined) {
    const credential = caller.kind === 'stranger' ? caller.bearer : null
    return {
      hello: { ...hello, ...(credential !== null && { credential }) },
      vouch: { by: 'proof', ...proof },
    }
  }
  if (caller.kind === 'agent') {
    mustBe(caller, hello.id)
    return { hello, vouch: { by: 'token' } }
  }
  if (caller.kind === 'stranger') {
    if (caller.bearer === null) throw unknownCaller(isKnown)
    // Whose key differs is told so by the mesh, which writes it down as well.
    if (isKnown && hasKey(mesh, hello)) throw unknownCaller(true)
    return { hello: { ...hello, credential: caller.bearer }, vouch: { by: 'credential' } }
  }
  if (isKnown) return { hello, vouch: { by: 'token' } }
  const { id, role } = hello
  const { secret } = await mesh.createEnrolmentKey({
    role,
    uses: 1,
    ttlMs: ONCE_MS,
    note: `for ${id}, which an operator registers`,
    actor: caller.name,
  })
  return { hello: { ...hello, credential: secret }, vouch: { by: 'credential' } }
}

const hasKey = (mesh: Pick<MeshApi, 'identity'>, { id, publicKey }: Hello): boolean =>
  Buffer.compare(mesh.identity(id)?.publicKey ?? Buffer.alloc(0), publicKey) === 0

/** Returns the fault of a request that shows nothing, or not enough, of who it is from. */
export const unknownCaller = (isKnown: boolean): HttpError =>
  new HttpError(401, 'unauthorised', isKnown ? KNOWN : NOTHING, {
    'WWW-Authenticate': 'Bearer realm="boson"',
  })
