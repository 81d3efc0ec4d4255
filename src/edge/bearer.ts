/** Compares the operator's token in time that says nothing about it. */
import { timingSafeEqual } from 'node:crypto'
import { bearerOf, type Recognise } from '../http/caller.js'

/** Returns who asks: the operator by its token, or whom `others` knows by theirs. */
export function recogniser(token: string, others?: (token: string) => ReturnType<Recognise>): Recognise {
  const wanted = Buffer.from(token)
  return authorization => {
    const bearer = bearerOf(authorization)
    if (bearer === null) return { kind: 'stranger', bearer }
    if (isSame(bearer, wanted)) return { kind: 'operator', name: 'operator' }
    return others?.(bearer) ?? { kind: 'stranger', bearer }
  }
}

/** A token of another length is another token: how long it is is no secret. */
function isSame(bearer: string, wanted: Buffer): boolean {
  const given = Buffer.from(bearer)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
