/**
 * The life that every session shares, whatever its role; node and client add what they are busy with.
 *
 *   registering ─→ online ⇄ suspended ─→ closed
 *        └─→ refused
 */
import { setup } from 'xstate'
import type { ClientEvent } from '../client/client.events.js'
import type { NodeEvent } from '../node/node.events.js'
import { sessionActions } from './session.actions.js'
import type { SessionContext, SessionEvent, SessionInput } from './session.events.js'

export const session = setup({
  types: { input: {} as SessionInput, context: {} as SessionContext, events: {} as NodeEvent | ClientEvent },
  actions: sessionActions,
})

/** Heard in every state. */
export const whatever = session.createStateConfig({
  on: {
    dismissed: {
      target: '.closed',
      actions: { type: 'closeSocket', params: ({ event }) => ({ close: event.close, reason: event.reason }) },
    },
  },
})

export const registering = session.createStateConfig({
  on: {
    admitted: {
      target: 'online',
      actions: [
        { type: 'greet', params: { by: 'register' } },
        { type: 'inform', params: { fact: 'joined' } },
      ],
    },
    restored: { target: 'suspended', actions: { type: 'inform', params: { fact: 'restored' } } },
    denied: {
      target: 'refused',
      actions: {
        type: 'refuse',
        params: ({ event: { code, reason, retryAfterMs } }) => ({
          code,
          reason,
          ...(retryAfterMs !== undefined && { retryAfterMs }),
        }),
      },
    },
    'socket.lost': 'closed',
  },
})

/** A newer socket carries the session from now on. */
const takenOver = {
  actions: [
    'tellReplaced',
    {
      type: 'greet',
      params: ({ event }: { event: Extract<SessionEvent, { type: 'reattached' }> }) => ({ by: event.by }),
    },
    { type: 'inform', params: { fact: 'returned' } },
  ],
} as const

/** Heard in `online`, beside what the role adds. */
export const online = session.createStateConfig({
  on: {
    reattached: takenOver,
    'socket.lost': { target: 'suspended', actions: ['detach', { type: 'inform', params: { fact: 'lost' } }] },
    'fell.silent': {
      target: 'suspended',
      actions: [
        { type: 'closeSocket', params: { close: 'silent', reason: 'nothing was heard for too long' } },
        'detach',
        { type: 'inform', params: { fact: 'lost' } },
      ],
    },
    'said.goodbye': {
      target: 'closed',
      actions: { type: 'closeSocket', params: { close: 'left', reason: 'goodbye' } },
    },
    'asked.renewal': { actions: 'renewTicket' },
  },
})

/** Is it heard? */
export const presence = session.createStateConfig({
  initial: 'fresh',
  states: {
    fresh: {
      on: {
        'heartbeat.lapsed': { target: 'lapsed', actions: { type: 'inform', params: { fact: 'dimmed' } } },
      },
    },
    lapsed: {
      on: {
        'heartbeat.returned': {
          target: 'fresh',
          actions: { type: 'inform', params: { fact: 'brightened' } },
        },
        reattached: { target: 'fresh', ...takenOver },
      },
    },
  },
})

export const suspended = session.createStateConfig({
  entry: 'openWindow',
  exit: 'closeWindow',
  on: {
    reattached: {
      target: 'online',
      actions: [
        { type: 'greet', params: ({ event }) => ({ by: event.by }) },
        { type: 'inform', params: { fact: 'returned' } },
      ],
    },
    'window.closed': 'closed',
  },
})

export const closed = session.createStateConfig({
  type: 'final',
  entry: [{ type: 'inform', params: { fact: 'left' } }, 'release'],
})

export const refused = session.createStateConfig({ type: 'final', entry: 'release' })
