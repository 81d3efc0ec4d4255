/** One event of each message of the operators’ socket, with every field in use; see examples.ts. */
import type { OperatorWire, OperatorWireOf } from './operator.js'

const watchId = 3

export const OPERATOR_EXAMPLES: { readonly [N in OperatorWire['type']]: OperatorWireOf<N> } = {
  'operator.hello': { type: 'operator.hello', token: 'bo_5xQm1vRk' },
  'operator.ready': {
    type: 'operator.ready',
    name: 'anna',
    role: 'operator',
    serverId: 'boson-demo',
    version: '1.0.0',
    expiresAtMs: 1_795_252_200_000,
  },
  'operator.renew': { type: 'operator.renew', token: 'bo_9aTz7cWd' },
  'operator.call': {
    type: 'operator.call',
    requestId: 12,
    method: 'POST',
    path: '/api/v1/nodes/fra-1/drain',
    body: { reason: 'new kernel', deadlineMs: 300_000 },
  },
  'operator.answer': {
    type: 'operator.answer',
    requestId: 12,
    status: 202,
    body: { node: 'fra-1', state: 'draining', clients: [{ id: 'anna', since: null }] },
  },
  'operator.watch': {
    type: 'operator.watch',
    watchId,
    path: '/api/v1/nodes?limit=20&sort=-load',
    everyMs: 1_000,
  },
  'operator.view': {
    type: 'operator.view',
    watchId,
    status: 200,
    body: { items: [{ id: 'fra-1', load: 0.25, dimmed: false }], total: 1 },
    atMs: 1_795_248_600_000,
  },
  'operator.follow': {
    type: 'operator.follow',
    watchId,
    topic: 'log',
    of: 'node/fra-1',
    level: 'warn',
    search: 'redis',
  },
  'operator.events': {
    type: 'operator.events',
    watchId,
    events: [
      { atMs: 1_795_248_600_000, level: 'warn', message: 'the database is away', fields: { tries: 3 } },
    ],
    dropped: 2,
  },
  'operator.unwatch': { type: 'operator.unwatch', watchId },
  'operator.ended': {
    type: 'operator.ended',
    watchId,
    code: 'too_many',
    reason: 'a socket has at most 64 watches',
  },
}
