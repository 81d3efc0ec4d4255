/** An answer of the HTTP interface as `operator.answer` and `operator.view` tell it. */
import { HttpError } from '../../http/faults.js'
import { faultReply, type Reply } from '../../http/reply.js'
import { OPERATOR_ANSWER_MAX, operatorCodec, type OperatorWire } from '../../protocol/operator.js'
import type { Value } from '../../protocol/value.js'
import { bodyOf, isForHttp } from './value-of.js'

interface Answer {
  readonly status: number
  readonly body?: Value
}

/** Returns the bytes of the message that tells an answer; of one that no message holds they tell a fault that says so. */
export function encoded(reply: Reply, message: (answer: Answer) => OperatorWire): Uint8Array {
  const bytes = operatorCodec.encode(message(answerOf(isForHttp(reply) ? NOT_HERE : reply)))
  return bytes.length <= OPERATOR_ANSWER_MAX ? bytes : operatorCodec.encode(message(answerOf(TOO_LARGE)))
}

function answerOf(reply: Reply): Answer {
  const body = bodyOf(reply)
  return body === undefined ? { status: reply.status } : { status: reply.status, body }
}

const NOT_HERE = faultReply(new HttpError(406, 'not_acceptable', 'this is a file: ask for it over HTTP'))
const TOO_LARGE = faultReply(
  new HttpError(413, 'too_large', 'this is more than a message holds: ask for fewer rows'),
)
