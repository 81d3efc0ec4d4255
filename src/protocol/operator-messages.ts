/**
 * What operators and the coordinator say to each other on a socket of their own. The same schema language as the
 * agents’ messages, in a table apart: neither socket understands what belongs to the other. Fields are positional:
 * append, make optional, never move.
 */
import {
  f64plus,
  id,
  listOf,
  message,
  oneOf,
  optional,
  prose,
  str,
  u32,
  u53,
  value,
  type WireEvent,
} from './schema.js'

const watchId = u32.doc('The operator’s number for it; what had this number before ends.')
/** A token of ours is a few hundred letters long. */
const token = str(4_096)
const path = str(2_048)

export const ROLES = ['viewer', 'operator', 'admin'] as const
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
/** Events of one `operator.events`. */
export const EVENTS_MAX = 1_000

export const OperatorHello = message(0x70, 'operator.hello', {
  direction: 'operator→server',
  doc: 'The first message: who asks. Nothing else gives authority here, no cookie and no address.',
  fields: { token: token.doc('What HTTP takes as a bearer token.') },
})

export const OperatorReady = message(0x71, 'operator.ready', {
  direction: 'server→operator',
  doc: 'Answers `operator.hello` and `operator.renew`.',
  fields: {
    name: str(64).doc('The operator’s name, as the audit has it.'),
    role: oneOf(...ROLES).doc('What it may do: see, act, or manage accounts and keys too.'),
    serverId: id.doc('Id of this coordinator.'),
    version: str(64).doc('Its version.'),
    expiresAtMs: optional(u53).doc(
      'When the token ends, and the socket with it, ms since 1970 UTC. Absent: it does not end by itself.',
    ),
  },
})

export const OperatorRenew = message(0x72, 'operator.renew', {
  direction: 'operator→server',
  doc: 'Takes a fresh token of the same operator before the old one ends.',
  fields: { token: token.doc('What HTTP takes as a bearer token.') },
})

export const OperatorCall = message(0x73, 'operator.call', {
  direction: 'operator→server',
  doc: 'Asks an endpoint of the HTTP interface: the same rights, answers and audit.',
  fields: {
    requestId: u32.doc('Echoed in the answer.'),
    method: oneOf('GET', 'POST', 'PUT', 'PATCH', 'DELETE').doc('As in HTTP.'),
    path: path.doc('Path and query: `/api/v1/nodes?limit=20`.'),
    body: optional(value).doc('What would be its JSON.'),
  },
})

export const OperatorAnswer = message(0x74, 'operator.answer', {
  direction: 'server→operator',
  doc: 'Answers `operator.call`.',
  fields: {
    requestId: u32.doc('From the call.'),
    status: u32.doc('As in HTTP.'),
    body: optional(value).doc(
      'What would be its JSON, nil also where there is none; an answer of another type is one string.',
    ),
  },
})

export const OperatorWatch = message(0x75, 'operator.watch', {
  direction: 'operator→server',
  doc: 'Asks a GET endpoint again and again, and hears of it at once and whenever the answer differs.',
  fields: {
    watchId,
    path: path.doc('Path and query.'),
    everyMs: u32.doc('Look this often, ms; less often where a look is dear or the socket is behind.'),
  },
})

export const OperatorView = message(0x76, 'operator.view', {
  direction: 'server→operator',
  doc: 'What a watch sees now.',
  fields: {
    watchId: u32.doc('From the watch.'),
    status: u32.doc('As in HTTP.'),
    body: optional(value).doc('As in `operator.answer`.'),
    atMs: f64plus.doc('When it was so, ms since 1970 UTC.'),
  },
})

export const OperatorFollow = message(0x77, 'operator.follow', {
  direction: 'operator→server',
  doc: 'Hears of events as they happen. An actor’s last steps and the last lines of the log come first.',
  fields: {
    watchId,
    topic: oneOf('actor', 'log', 'audit', 'facts').doc(
      'What one actor does; lines of the log; lines of the audit; what happens in the mesh.',
    ),
    of: optional(str(160)).doc('`actor`: which, as lists call it: `node/fra-1`. `facts`: only this type.'),
    level: optional(oneOf(...LEVELS)).doc('`log`: this level and those above; absent: `info`.'),
    search: optional(str(128)).doc('`log`, `audit`: lines with this text in them, in any case.'),
  },
})

export const OperatorEvents = message(0x78, 'operator.events', {
  direction: 'server→operator',
  doc: 'What was followed happened, several times perhaps.',
  fields: {
    watchId: u32.doc('From the follow.'),
    events: listOf(value, EVENTS_MAX).doc('In their order.'),
    dropped: u53.doc('How many had no room since the last one.'),
  },
})

export const OperatorUnwatch = message(0x79, 'operator.unwatch', {
  direction: 'operator→server',
  doc: 'Ends a watch or a follow. Not answered; what was on its way may still come.',
  fields: { watchId: u32.doc('From the watch or the follow.') },
})

export const OperatorEnded = message(0x7a, 'operator.ended', {
  direction: 'server→operator',
  doc: 'A watch or a follow is over, or did not begin.',
  fields: {
    watchId: u32.doc('From the watch or the follow.'),
    code: oneOf('too_many', 'bad_request', 'forbidden', 'not_found', 'gone', 'failed').doc('For programs.'),
    reason: prose(256).doc('For people.'),
  },
})

export const OPERATOR_MESSAGES = [
  OperatorHello,
  OperatorReady,
  OperatorRenew,
  OperatorCall,
  OperatorAnswer,
  OperatorWatch,
  OperatorView,
  OperatorFollow,
  OperatorEvents,
  OperatorUnwatch,
  OperatorEnded,
] as const

export type OperatorWire = WireEvent<(typeof OPERATOR_MESSAGES)[number]>
export type OperatorWireOf<N extends OperatorWire['type']> = Extract<OperatorWire, { readonly type: N }>
