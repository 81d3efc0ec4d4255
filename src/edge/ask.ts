/** Requests that come by another way than HTTP, such as the operators’ socket: the same doors, answers and figures. */
import type { Caller } from '../http/caller.js'
import type { Reply } from '../http/reply.js'
import { BODY_MAX, tooLarge } from './body.js'
import type { Remote } from './remote.js'
import { type House, Visit } from './visit.js'

export interface Question {
  readonly method: string
  /** With the query: `/api/v1/nodes?limit=20`. */
  readonly path: string
  /** What would be the JSON of the body; absent: none. */
  readonly body?: unknown
  readonly caller: Caller
  readonly remote: Remote
}

const NO_HEADERS: ReadonlyMap<string, string> = new Map()
const NO_BODY = new Uint8Array(0)

/** Answers a question, at once when the endpoint does. Never throws: faults are answers too. */
export function ask(house: House, question: Question): Reply | Promise<Reply> {
  const { caller, remote, method, body } = question
  let answered: Reply | undefined
  let tell = (reply: Reply): void => {
    answered = reply
  }
  const [path = '', ...query] = question.path.split('?')
  const knock = { method, path, query: query.join('?'), headers: NO_HEADERS, remote }
  const visit = new Visit(house, knock, reply => tell(reply))
  try {
    const route = visit.admit(caller)
    const bytes = method === 'GET' || body === undefined ? NO_BODY : Buffer.from(JSON.stringify(body))
    const max = route.bodyMax ?? BODY_MAX
    if (bytes.length > max) throw tooLarge(max)
    visit.answer(route, caller, bytes)
  } catch (error) {
    visit.fail(error)
  }
  return (
    answered ??
    new Promise(resolve => {
      tell = resolve
    })
  )
}

/** Throws what would be in the way of this question, and asks nothing. */
export function admit(house: House, question: Question): void {
  const { caller, remote, method } = question
  const [path = ''] = question.path.split('?')
  new Visit(house, { method, path, query: '', headers: NO_HEADERS, remote }, () => undefined).admit(caller)
}
