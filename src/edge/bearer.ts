/** Compares bearer tokens in time that says nothing about them. */
import { createHash, timingSafeEqual } from 'node:crypto'

export type Authorise = (authorization: string | undefined) => boolean

/** Returns a test for the header `Authorization: Bearer <token>`. */
export function bearer(token: string): Authorise {
  const wanted = digest(token)
  return authorization => {
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    return given !== undefined && timingSafeEqual(digest(given), wanted)
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
