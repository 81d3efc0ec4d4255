/**
 * Tokens of agents that speak HTTP: JWTs (RFC 7519) after the advice of RFC 8725. One algorithm, a type of their own,
 * issuer and audience checked, and nothing counts of an identity that is revoked.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { jwtVerify } from 'jose'
import type { MeshApi, Role } from '../actors/ports.js'
import type { Caller } from '../http/caller.js'
import type { Clock } from '../kit/clock.js'
import type { AgentTokens } from './plugin.js'

export interface AgentTokenOptions {
  readonly clock: Clock
  readonly secret: string
  /** What was signed with it before still counts. */
  readonly oldSecret?: string | null
  readonly serverId: string
  readonly lifeMs: number
  readonly mesh: Pick<MeshApi, 'identity'>
}

const ALG = 'HS256'
const TYP = 'boson-agent+jwt'
const AUDIENCE = 'boson:agents'
/** Tokens that were verified lately, so that a request costs a look-up; the oldest goes first. */
const KNOWN_MAX = 20_000

interface Known {
  readonly id: string
  readonly role: Role
  readonly untilMs: number
}

/** Returns what issues and recognises tokens. */
export function agentTokens(options: AgentTokenOptions): AgentTokens {
  const { clock, serverId, lifeMs, mesh } = options
  const secrets = [options.secret, options.oldSecret ?? []].flat().map(text => createSecretKey(text, 'utf8'))
  const [newest] = secrets as [KeyObject] // there is one
  const known = new Map<string, Known>()

  const callerOf = ({ id, role, untilMs }: Known): Caller => {
    const identity = untilMs > clock.wallMs() ? mesh.identity(id) : null
    return identity !== null && identity.role === role && identity.revokedAtMs === null
      ? { kind: 'agent', id, role }
      : STRANGER
  }

  const verify = async (token: string): Promise<Caller> => {
    for (const secret of secrets) {
      try {
        const { payload } = await jwtVerify(token, secret, {
          algorithms: [ALG],
          typ: TYP,
          issuer: serverId,
          audience: AUDIENCE,
          requiredClaims: ['sub', 'exp'],
          currentDate: new Date(clock.wallMs()),
        })
        const { sub = '', type, exp = 0 } = payload
        if (type !== 'node' && type !== 'client') return STRANGER
        const found = { id: sub, role: type, untilMs: exp * 1_000 } as const
        if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value ?? '')
        known.set(token, found)
        return callerOf(found)
      } catch {
        // Signed with the other secret, or not by us: nobody is told which.
      }
    }
    return { kind: 'stranger', bearer: token }
  }

  return {
    async issue({ id, role, claims = { nodeId: id }, lifeMs: ownLifeMs = lifeMs }) {
      const nowMs = clock.wallMs()
      const expiresAtMs = Math.floor((nowMs + ownLifeMs) / 1_000) * 1_000
      const token = signed(newest, {
        ...claims,
        type: role,
        iss: serverId,
        aud: AUDIENCE,
        sub: id,
        iat: Math.floor(nowMs / 1_000),
        exp: expiresAtMs / 1_000,
      })
      return { token, expiresAtMs }
    },
    recognise(token) {
      const found = known.get(token)
      return found === undefined ? verify(token) : callerOf(found)
    },
  }
}

const HEADER = Buffer.from(JSON.stringify({ alg: ALG, typ: TYP })).toString('base64url')

/** Returns the JWT; at once, where WebCrypto asks another thread, and each route has a token of its own. */
function signed(key: KeyObject, claims: object): string {
  const said = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  return `${said}.${createHmac('sha256', key).update(said).digest('base64url')}`
}

const STRANGER: Caller = { kind: 'stranger', bearer: null }
