/**
 * The life of the coordinator.
 *
 *   booting{migrating → restoring → listening} → serving → draining → stopped
 */
import { setup } from 'xstate'

export type ServerEvent =
  | { readonly type: 'store.ready' }
  | { readonly type: 'restored' }
  | { readonly type: 'listening' }
  | { readonly type: 'stop' }
  | { readonly type: 'flushed' }

export const serverMachine = setup({ types: { events: {} as ServerEvent } }).createMachine({
  id: 'server',
  initial: 'booting',
  states: {
    booting: {
      initial: 'migrating',
      on: { stop: 'stopped' },
      states: {
        migrating: { on: { 'store.ready': 'restoring' } },
        restoring: { on: { restored: 'listening' } },
        listening: { on: { listening: '#server.serving' } },
      },
    },
    serving: { on: { stop: 'draining' } },
    draining: { on: { flushed: 'stopped' } },
    stopped: { type: 'final' },
  },
})
