/** Recognises a bearer token; the operator's is compared in time that says nothing about it. */
import { timingSafeEqual } from 'node:crypto'
import { bearerOf, type Caller, type Recognise } from '../http/caller.js'

/** Recognises a token without the words before it; what it does not know is a stranger's. */
export type RecogniseBearer = (bearer: string) => Caller | Promise<Caller>

/** Whoever holds SECRET_TOKEN: without an account, and above all that have one. */
const OPERATOR: Caller = {
  kind: 'operator',
  name: 'operator',
  role: 'admin',
  accountId: null,
  signInId: null,
  expiresAtMs: null,
}

/** Returns what knows the operator by its token, and those whom `others` know by theirs; the first that does counts. */
export function bearers(
  token: string,
  ...others: readonly ((bearer: string) => Caller | null | Promise<Caller | null>)[]
): RecogniseBearer {
  const wanted = Buffer.from(token)
  const from = (first: number, bearer: string): Caller | Promise<Caller> => {
    for (const [i, other] of others.entries()) {
      if (i < first) continue
      const found = other(bearer)
      if (found instanceof Promise) return found.then(late => late ?? from(i + 1, bearer))
      if (found !== null) return found
    }
    return { kind: 'stranger', bearer }
  }
  return bearer => (isSame(bearer, wanted) ? OPERATOR : from(0, bearer))
}

/** Returns what knows who asks by the header `Authorization`. */
export const recogniser =
  (recognise: RecogniseBearer): Recognise =>
  authorization => {
    const bearer = bearerOf(authorization)
    return bearer === null ? { kind: 'stranger', bearer } : recognise(bearer)
  }

/** A token of another length is another token: how long it is is no secret. */
function isSame(bearer: string, wanted: Buffer): boolean {
  const given = Buffer.from(bearer)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
