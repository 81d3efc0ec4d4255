/** Who has enrolled, as plug-ins and pages see it. */
import type { Guard } from '../actors/admission/guard.js'
import type { Challenges } from '../actors/admission/challenges.js'
import type { Identities } from '../actors/admission/identities.js'
import type { Identity, IdentityView, MeshApi } from '../actors/ports.js'
import type { Sessions } from '../actors/session/sessions.js'
import type { SocketIntake } from '../edge/intake.js'
import { encode } from '../protocol/codec.js'

export interface IdentityParts {
  readonly serverId: string
  readonly identities: Identities
  readonly guard: Guard
  readonly sessions: Sessions
  readonly challenges: Challenges
  readonly intake: SocketIntake
}

export function identityViews(
  parts: IdentityParts,
): Pick<MeshApi, 'identity' | 'identities' | 'challenge' | 'enter'> {
  const { serverId, identities, guard, sessions, challenges, intake } = parts
  const viewOf = (stored: Identity): IdentityView => {
    const cell = sessions.byIdentity(stored.id)
    return {
      ...(cell?.identity ?? stored),
      state: cell === undefined ? null : sessions.stateOf(cell),
      denial: guard.of(stored.id, stored.role).denial,
    }
  }
  return {
    identity(id) {
      const identity = identities.of(id)
      return identity === undefined ? null : viewOf(identity)
    },
    *identities() {
      for (const identity of identities) yield viewOf(identity)
    },
    challenge() {
      const { publicKey, nonce } = challenges.lend()
      return { serverId, publicKey, nonce }
    },
    enter(socket, hello, vouch) {
      const admitted = intake.admit(socket.remote)
      if (admitted.ok) return intake.enter(socket, hello, vouch)
      socket.send(
        encode({
          type: 'refused',
          code: 'overloaded',
          reason: 'too many connections now',
          retryAfterMs: admitted.retryAfterS * 1_000,
        }),
      )
      return null
    },
  }
}
