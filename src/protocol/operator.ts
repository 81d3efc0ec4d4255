/**
 * The operators’ socket, as both of its ends need it: the codec, where it is, how much fits, and why it was closed.
 * Pages import this and nothing of the agents’ messages.
 */
import { codecOf } from './codec-of.js'
import { OPERATOR_MESSAGES, type OperatorWire } from './operator-messages.js'
import { scanOf } from './scan.js'
import { VALUE_DEPTH_MAX } from './value.js'

export * from './operator-messages.js'

/** Where operators connect: `wss://host/inspector/live`. */
export const OPERATOR_PATH = '/inspector/live'
export const OPERATOR_SUBPROTOCOL = 'boson.operator.v1'
/** The largest message before `operator.ready`, bytes: a token and little more. */
export const OPERATOR_HELLO_MAX = 8_192
/** The largest message that an operator sends, bytes: the largest body of most endpoints, and room. */
export const OPERATOR_MESSAGE_MAX = 128 * 1024
/** The largest message that an operator is sent, bytes: a long list with all its fields. */
export const OPERATOR_ANSWER_MAX = 4 * 1024 * 1024
/** Silence before a socket that has not said `operator.hello` is closed, ms. */
export const OPERATOR_HELLO_MS = 5_000
/** What one socket may have open at once. */
export const OPERATOR_BOUNDS = { watches: 64, follows: 16, calls: 32 } as const

/** The list of the message and the list of its events hold values. */
const DEPTH_MAX = VALUE_DEPTH_MAX + 2
/** More than fits into the largest answer: what bounds it is its size. */
const ITEMS_MAX = 1_000_000

export const operatorCodec = codecOf<OperatorWire>(
  OPERATOR_MESSAGES,
  scanOf({ depth: DEPTH_MAX, items: ITEMS_MAX, isRich: true }),
)

/** Why an operators’ socket was closed; the ranges mean what they mean to agents: from 4500 on, a person must act. */
export const OPERATOR_CLOSE = {
  restarting: { code: 4000, doc: 'The coordinator restarts; come back in a few seconds.' },
  faulted: { code: 4001, doc: 'The coordinator failed at this socket; it alone was closed.' },
  malformed: { code: 4002, doc: 'A message was not of this protocol.' },
  tryLater: { code: 4004, doc: 'Who asks cannot be checked at the moment.' },
  helloTimeout: { code: 4008, doc: 'No `operator.hello` arrived in time.' },
  slowReader: { code: 4010, doc: 'More waits in the socket than it may hold: the reader is too slow.' },
  flooding: { code: 4029, doc: 'More calls or messages at once than the bounds allow.' },
  refused: { code: 4500, doc: 'The token is not an operator’s, or is not good any more: sign in.' },
  expired: { code: 4512, doc: 'The token ended, or its rights did: sign in.' },
} as const
