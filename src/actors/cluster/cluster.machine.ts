/**
 * Whether this coordinator is alone. The states beyond `solo` are those of several coordinators over one
 * Redis; nothing leads to them yet.
 */
import { setup } from 'xstate'

export type ClusterEvent =
  | { readonly type: 'join' }
  | { readonly type: 'joined' }
  | { readonly type: 'peers.lost' }
  | { readonly type: 'peers.found' }
  | { readonly type: 'leave' }

export const clusterMachine = setup({ types: { events: {} as ClusterEvent } }).createMachine({
  id: 'cluster',
  initial: 'solo',
  states: {
    solo: { on: { join: 'joining' } },
    joining: { on: { joined: 'linked', leave: 'solo' } },
    linked: { on: { 'peers.lost': 'partitioned', leave: 'solo' } },
    partitioned: { on: { 'peers.found': 'linked', leave: 'solo' } },
  },
})
