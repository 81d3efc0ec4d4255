/**
 * The relay as a whole: is it carrying what it is given?
 *
 *   open ⇄ saturated → closed
 */
import { setup } from 'xstate'

export type RelayEvent =
  | { readonly type: 'drops.high' }
  | { readonly type: 'drops.low' }
  | { readonly type: 'shut' }

export const relayMachine = setup({
  types: { events: {} as RelayEvent },
  actions: {
    tellSaturated: () => {},
    tellOpen: () => {},
  },
}).createMachine({
  id: 'relay',
  initial: 'open',
  on: { shut: '.closed' },
  states: {
    open: { on: { 'drops.high': { target: 'saturated', actions: 'tellSaturated' } } },
    saturated: { on: { 'drops.low': { target: 'open', actions: 'tellOpen' } } },
    closed: { type: 'final' },
  },
})
