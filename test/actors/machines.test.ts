import t from 'tap'
import { clientMachine } from '../../src/actors/client/client.machine.js'
import { clusterMachine } from '../../src/actors/cluster/cluster.machine.js'
import { nodeMachine } from '../../src/actors/node/node.machine.js'
import { pathMachine } from '../../src/actors/path/path.machine.js'
import { relayMachine } from '../../src/actors/relay/relay.machine.js'
import { serverMachine } from '../../src/actors/server/server.machine.js'
import { snapshotMachine } from '../../src/actors/snapshot/snapshot.machine.js'
import type { WireOf } from '../../src/protocol/messages.js'
import { type Step, walk } from '../support/walk.js'

const SLOT = { slot: 5 }
const LINK = { link: 0x1_0001, policy: 'auto' } as const
const accepting = { online: { presence: 'fresh', reach: 'unknown', duty: 'accepting' } } as const
const idle = { online: { presence: 'fresh', demand: 'idle' } } as const
const inform = (fact: string) => ({ type: 'inform', params: { fact } })

t.test('a node joins, is lost, returns in time, and is lost for good', async t => {
  walk(t, nodeMachine, SLOT, [
    {
      when: { type: 'admitted' },
      then: accepting,
      asks: [{ type: 'greet', params: { by: 'register' } }, inform('joined')],
    },
    { when: { type: 'socket.lost' }, then: 'suspended', asks: ['detach', inform('lost'), 'openWindow'] },
    {
      when: { type: 'reattached', by: 'resume' },
      then: accepting,
      asks: ['closeWindow', { type: 'greet', params: { by: 'resume' } }, inform('returned')],
    },
    {
      when: { type: 'fell.silent' },
      then: 'suspended',
      asks: [{ type: 'closeSocket', params: { close: 'silent' } }, 'detach', inform('lost'), 'openWindow'],
    },
    { when: { type: 'window.closed' }, then: 'closed', asks: ['closeWindow', inform('left'), 'release'] },
  ])
})

t.test('a node that is not heard is dimmed, and brightens when it is heard again', async t => {
  walk(t, nodeMachine, SLOT, [
    { when: { type: 'admitted' }, then: accepting, asks: ['greet', 'inform'] },
    {
      when: { type: 'heartbeat.lapsed' },
      then: { online: { presence: 'lapsed', reach: 'unknown', duty: 'accepting' } },
      asks: [inform('dimmed')],
    },
    { when: { type: 'heartbeat.returned' }, then: accepting, asks: [inform('brightened')] },
  ])
})

t.test('a node is full, is free again, and may leave from either', async t => {
  const duty = (duty: string) => ({ online: { presence: 'fresh', reach: 'unknown', duty } }) as never
  walk(t, nodeMachine, SLOT, [
    { when: { type: 'admitted' }, then: accepting, asks: ['greet', 'inform'] },
    { when: { type: 'places.taken' }, then: duty('full') },
    { when: { type: 'places.freed' }, then: accepting },
    { when: { type: 'places.taken' }, then: duty('full') },
    { when: { type: 'asked.to.leave' }, then: duty('leaving') },
    { when: { type: 'places.freed' }, then: duty('leaving') },
  ])
})

t.test('a newer proven socket takes over without the session leaving its place', async t => {
  walk(t, nodeMachine, SLOT, [
    { when: { type: 'admitted' }, then: accepting, asks: ['greet', 'inform'] },
    {
      when: { type: 'reattached', by: 'register' },
      then: accepting,
      asks: ['tellReplaced', { type: 'greet', params: { by: 'register' } }, inform('returned')],
    },
  ])
})

t.test('one that had lapsed is fresh on its newer socket, and as full as before', async t => {
  const at = (presence: string) => ({ online: { presence, reach: 'unknown', duty: 'full' } }) as never
  walk(t, nodeMachine, SLOT, [
    { when: { type: 'admitted' }, then: accepting, asks: ['greet', 'inform'] },
    { when: { type: 'places.taken' }, then: at('fresh') },
    { when: { type: 'heartbeat.lapsed' }, then: at('lapsed'), asks: [inform('dimmed')] },
    {
      when: { type: 'reattached', by: 'resume' },
      then: at('fresh'),
      asks: ['tellReplaced', { type: 'greet', params: { by: 'resume' } }, inform('returned')],
    },
  ])
})

t.test('a denied session is refused with the reason and gives back its slot', async t => {
  walk(t, nodeMachine, SLOT, [
    {
      when: { type: 'denied', code: 'not_authorised', reason: 'no key' },
      then: 'refused',
      asks: [{ type: 'refuse', params: { code: 'not_authorised', reason: 'no key' } }, 'release'],
    },
  ])
})

t.test('a restored session waits to be resumed', async t => {
  walk(t, clientMachine, SLOT, [
    { when: { type: 'restored' }, then: 'suspended', asks: [inform('restored'), 'openWindow'] },
    {
      when: { type: 'reattached', by: 'resume' },
      then: idle,
      asks: ['closeWindow', 'greet', inform('returned')],
    },
  ])
})

for (const machine of [nodeMachine, clientMachine]) {
  t.test(`a dismissed ${machine.id} is closed with the code it is given, in any state`, async t => {
    const dismissed = {
      when: { type: 'dismissed', close: 'revoked', reason: 'stolen' },
      then: 'closed',
    } as const
    const close = { type: 'closeSocket', params: { close: 'revoked', reason: 'stolen' } }
    const online = machine === nodeMachine ? accepting : idle
    walk(t, machine as typeof nodeMachine, SLOT, [{ ...dismissed, asks: [close, inform('left'), 'release'] }])
    walk(t, machine as typeof nodeMachine, SLOT, [
      { when: { type: 'admitted' }, then: online as typeof accepting, asks: ['greet', 'inform'] },
      { ...dismissed, asks: [close, inform('left'), 'release'] },
    ])
    walk(t, machine as typeof nodeMachine, SLOT, [
      { when: { type: 'restored' }, then: 'suspended', asks: ['inform', 'openWindow'] },
      { ...dismissed, asks: ['closeWindow', close, inform('left'), 'release'] },
    ])
  })
  t.test(`a ${machine.id} that says goodbye has no window, and one that asks gets a new ticket`, async t => {
    walk(t, machine as typeof nodeMachine, SLOT, [
      {
        when: { type: 'admitted' },
        then: (machine === nodeMachine ? accepting : idle) as typeof accepting,
        asks: ['greet', 'inform'],
      },
      {
        when: { type: 'asked.renewal' },
        then: (machine === nodeMachine ? accepting : idle) as typeof accepting,
        asks: ['renewTicket'],
      },
      {
        when: { type: 'said.goodbye', reason: 'bye' },
        then: 'closed',
        asks: [{ type: 'closeSocket', params: { close: 'left' } }, inform('left'), 'release'],
      },
    ])
  })
}

const REFUSED: WireOf<'route.refused'> = {
  type: 'route.refused',
  requestId: 1,
  code: 'no_candidate',
  reason: 'none',
  unmet: [],
}
const GIVEN = { type: 'route.assigned', requestId: 1 } as WireOf<'route.assigned'> // the machine looks at nothing of it

t.test('a client asks, is refused, asks again, is served, and gives the route back', async t => {
  const demand = (demand: 'asking' | 'served') => ({ online: { presence: 'fresh', demand } }) as const
  const asked = { type: 'askRoute', params: { requestId: 1, wish: { country: 'DE' } } }
  walk(t, clientMachine, SLOT, [
    { when: { type: 'admitted' }, then: idle, asks: ['greet', 'inform'] },
    {
      when: { type: 'route.wanted', requestId: 1, wish: { country: 'DE' } },
      then: demand('asking'),
      asks: [asked],
    },
    {
      when: { type: 'route.denied', message: REFUSED, keeps: false },
      then: idle,
      asks: [{ type: 'tellRoute', params: { message: REFUSED } }],
    },
    {
      when: { type: 'route.wanted', requestId: 1, wish: { country: 'DE' } },
      then: demand('asking'),
      asks: [asked],
    },
    { when: { type: 'route.given', message: GIVEN }, then: demand('served'), asks: ['tellRoute'] },
    {
      when: { type: 'route.unwanted', routeId: 'r' },
      then: demand('served'),
      asks: [{ type: 'giveRouteBack', params: { routeId: 'r' } }],
    },
    { when: { type: 'route.ended', message: null }, then: idle, asks: ['tellRoute'] },
  ])
})

t.test('a client that is refused another route keeps the one it has', async t => {
  walk(t, clientMachine, SLOT, [
    { when: { type: 'admitted' }, then: idle, asks: ['greet', 'inform'] },
    {
      when: { type: 'route.given', message: GIVEN },
      then: { online: { presence: 'fresh', demand: 'served' } },
      asks: ['tellRoute'],
    },
    {
      when: { type: 'route.wanted', requestId: 2, wish: {} },
      then: { online: { presence: 'fresh', demand: 'asking' } },
      asks: ['askRoute'],
    },
    {
      when: { type: 'route.denied', message: REFUSED, keeps: true },
      then: { online: { presence: 'fresh', demand: 'served' } },
      asks: ['tellRoute'],
    },
  ])
})

const carried = (
  tier: 'relayed' | 'waiting' | 'turned' | 'direct',
  effort: 'resting' | 'upgrading' = 'resting',
) => ({ carried: { tier, effort } }) as const
const settled = (tier: string) => ({ type: 'tellSettled', params: { tier } })
const lane = (open: boolean) => ({ type: 'setLane', params: { open } })
const ready: Step<typeof pathMachine> = {
  when: { type: 'ends.ready' },
  then: carried('relayed'),
  asks: ['stopAwaiting', settled('relayed'), lane(true), 'rest'],
}
const due: Omit<Step<typeof pathMachine>, 'then'> & { when: { type: 'upgrade.due'; via: 'udp' } } = {
  when: { type: 'upgrade.due', via: 'udp' },
  asks: [{ type: 'punch', params: { via: 'udp' } }],
}

t.test('a path carries on the relay when both ends are ready, and closes from any state', async t => {
  const closed = { when: { type: 'released', reason: 'over' }, then: 'closed' } as const
  const tell = { type: 'tellClosed', params: { reason: 'over' } }
  walk(t, pathMachine, LINK, [ready, { ...closed, asks: [lane(false), tell, 'free'] }])
  walk(t, pathMachine, LINK, [{ ...closed, asks: ['stopAwaiting', tell, 'free'] }])
})

t.test(
  'a path whose end is late is reported, and a restored one carries without being opened again',
  async t => {
    walk(t, pathMachine, LINK, [{ when: { type: 'open.expired' }, then: 'opening', asks: ['reportFailure'] }])
    walk(t, pathMachine, LINK, [
      {
        when: { type: 'restored' },
        then: carried('relayed'),
        asks: ['stopAwaiting', lane(true), 'rest'],
      },
    ])
  },
)

t.test(
  'a path leaves the relay for something better, and falls back without opening the lane anew',
  async t => {
    walk(t, pathMachine, LINK, [
      ready,
      { ...due, then: carried('relayed', 'upgrading') },
      { when: { type: 'upgrade.failed' }, then: carried('relayed'), asks: [settled('relayed'), 'rest'] },
      { ...due, then: carried('relayed', 'upgrading') },
      { when: { type: 'turn.confirmed' }, then: carried('turned'), asks: [settled('turned'), 'rest'] },
      { ...due, then: carried('turned', 'upgrading') },
      { when: { type: 'upgrade.failed' }, then: carried('turned'), asks: [settled('turned'), 'rest'] },
      { ...due, then: carried('turned', 'upgrading') },
      { when: { type: 'direct.confirmed' }, then: carried('direct'), asks: [settled('direct'), 'rest'] },
      {
        when: { type: 'upgrade.due', via: 'wireguard' },
        then: carried('direct', 'upgrading'),
        asks: [{ type: 'punch', params: { via: 'wireguard' } }],
      },
      { when: { type: 'direct.confirmed' }, then: carried('direct'), asks: [settled('direct'), 'rest'] },
      { when: { type: 'native.lost' }, then: carried('direct'), asks: [settled('direct'), 'rest'] },
      { when: { type: 'way.lost' }, then: carried('relayed'), asks: [settled('relayed'), 'rest'] },
    ])
  },
)

t.test('what is lost during an attempt does not end the attempt', async t => {
  walk(t, pathMachine, LINK, [
    ready,
    { when: { type: 'turn.confirmed' }, then: carried('turned'), asks: [settled('turned'), 'rest'] },
    { ...due, then: carried('turned', 'upgrading') },
    { when: { type: 'way.lost' }, then: carried('relayed', 'upgrading'), asks: [settled('relayed')] },
    { when: { type: 'direct.confirmed' }, then: carried('direct'), asks: [settled('direct'), 'rest'] },
  ])
})

t.test('a direct-only path waits without the relay, and waits again when its way is lost', async t => {
  walk(t, pathMachine, { ...LINK, policy: 'direct-only' }, [
    {
      when: { type: 'ends.ready' },
      then: carried('waiting'),
      asks: ['stopAwaiting', settled('waiting'), lane(false), 'rest'],
    },
    { ...due, then: carried('waiting', 'upgrading') },
    { when: { type: 'upgrade.failed' }, then: carried('waiting'), asks: [settled('waiting'), 'rest'] },
    { when: { type: 'direct.confirmed' }, then: carried('direct'), asks: [settled('direct'), 'rest'] },
    { when: { type: 'way.lost' }, then: carried('waiting'), asks: [settled('waiting'), 'rest'] },
  ])
})

t.test('a policy that changes moves the path, its lane, and the attempt that runs', async t => {
  const changed = (policy: 'auto' | 'relay-only' | 'direct-only') =>
    ({ type: 'policy.changed', policy }) as const
  walk(t, pathMachine, LINK, [
    ready,
    { ...due, then: carried('relayed', 'upgrading') },
    {
      when: changed('direct-only'),
      then: carried('waiting'),
      asks: [settled('waiting'), 'forgetAttempt', lane(false), 'rest'],
    },
    { when: changed('auto'), then: carried('relayed'), asks: [settled('relayed'), lane(true), 'rest'] },
    { when: { type: 'direct.confirmed' }, then: carried('direct'), asks: [settled('direct'), 'rest'] },
    { when: changed('direct-only'), then: carried('direct'), asks: [lane(false), 'rest'] },
    { when: changed('relay-only'), then: carried('relayed'), asks: [settled('relayed'), lane(true), 'rest'] },
  ])
  walk(t, pathMachine, LINK, [
    { when: changed('direct-only'), then: 'opening' },
    { when: { type: 'restored' }, then: carried('waiting'), asks: ['stopAwaiting', lane(false), 'rest'] },
  ])
})

t.test('a failed write rests, longer each time, until one is taken', async t => {
  walk(t, snapshotMachine, undefined as never, [
    { when: { type: 'due' }, then: 'writing', asks: ['write'] },
    { when: { type: 'failed' }, then: 'backingOff', asks: [{ type: 'rest', params: { failures: 1 } }] },
    { when: { type: 'due' }, then: 'writing', asks: ['write'] },
    { when: { type: 'failed' }, then: 'backingOff', asks: [{ type: 'rest', params: { failures: 2 } }] },
    { when: { type: 'due' }, then: 'writing', asks: ['write'] },
    { when: { type: 'written' }, then: 'idle', asks: ['pause'] },
    { when: { type: 'due' }, then: 'writing', asks: ['write'] },
    { when: { type: 'failed' }, then: 'backingOff', asks: [{ type: 'rest', params: { failures: 1 } }] },
  ])
})

t.test('the relay says once that it is saturated, and once that it is open again', async t => {
  walk(t, relayMachine, undefined as never, [
    { when: { type: 'drops.high' }, then: 'saturated', asks: ['tellSaturated'] },
    { when: { type: 'drops.high' }, then: 'saturated' },
    { when: { type: 'drops.low' }, then: 'open', asks: ['tellOpen'] },
    { when: { type: 'drops.low' }, then: 'open' },
    { when: { type: 'shut' }, then: 'closed' },
  ])
})

t.test('the server boots step by step, serves, drains and stops', async t => {
  walk(t, serverMachine, undefined as never, [
    { when: { type: 'store.ready' }, then: { booting: 'restoring' } },
    { when: { type: 'restored' }, then: { booting: 'listening' } },
    { when: { type: 'listening' }, then: 'serving' },
    { when: { type: 'stop' }, then: 'draining' },
    { when: { type: 'flushed' }, then: 'stopped' },
  ])
})

t.test('a coordinator alone is solo', async t => {
  walk(t, clusterMachine, undefined as never, [
    { when: { type: 'peers.lost' }, then: 'solo' },
    { when: { type: 'join' }, then: 'joining' },
    { when: { type: 'leave' }, then: 'solo' },
  ])
})
