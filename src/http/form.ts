/** Bodies of HTML forms, as old programs and OAuth 2.0 (RFC 6749 §4.3.2) send them. */
import { badRequest } from './faults.js'

const TYPE = 'application/x-www-form-urlencoded'

/** Returns whether the body is said to be a form. */
export const isForm = (headers: ReadonlyMap<string, string>): boolean =>
  (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() === TYPE

/** Returns the fields of a form; throws a 400 when it is none, or has a field twice: which of them counts would be a guess. */
export function formOf(body: Uint8Array): Record<string, string> {
  const fields = new Map<string, string>()
  const text = decoded(() => new TextDecoder('utf-8', { fatal: true }).decode(body))
  for (const pair of text === '' ? [] : text.split('&')) {
    const [name = '', ...value] = pair.split('=').map(part => decoded(() => plain(part)))
    if (fields.has(name)) throw badRequest(`the form has the field ${JSON.stringify(name)} twice`)
    fields.set(name, value.join('='))
  }
  return Object.fromEntries(fields)
}

const plain = (part: string): string => decodeURIComponent(part.replaceAll('+', ' '))

function decoded(read: () => string): string {
  try {
    return read()
  } catch {
    throw badRequest(`the body is not ${TYPE} in UTF-8`)
  }
}
