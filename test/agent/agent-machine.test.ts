import t from 'tap'
import { agentMachine } from '../../src/agent/agent.machine.js'
import { AGENT_TIMING } from '../../src/agent/timing.js'
import type { WireOf } from '../../src/protocol/messages.js'
import { type Step, walk } from '../support/walk.js'

type AgentStep = Step<typeof agentMachine>

/** Chance that always draws the middle: a wait is half its ceiling. */
const half = { float: () => 0.5, bytes: (size: number) => new Uint8Array(size) }
const fresh = { timing: AGENT_TIMING, random: half, holdsTicket: false }
const resuming = { ...fresh, holdsTicket: true }
const STANDS = { online: { standing: 'fresh', ticket: 'held' } } as const
const ticket = new Uint8Array(32)

const welcome: WireOf<'welcome'> = {
  type: 'welcome',
  serverId: 'c',
  challenge: ticket,
  nonce: ticket,
  timeMs: 0,
}
const registered: WireOf<'registered'> = {
  type: 'registered',
  sessionId: 's',
  generation: 1,
  ticket,
  overlay4: '10.77.0.2/32',
  overlay6: 'fd77::2/128',
  beatEveryMs: 10_000,
  silenceMs: 25_000,
  resumeWindowMs: 120_000,
  relayMtu: 9_000,
  links: [],
}
const resumed: WireOf<'resumed'> = { type: 'resumed', sessionId: 's', generation: 2, ticket, links: [] }
const closed = (code: number, nowMs = 0) =>
  ({ type: 'socket.closed', code, reason: '', retryAfterMs: null, nowMs }) as const

const dialled: AgentStep[] = [
  { when: { type: 'start' }, then: 'dialing', asks: ['dial'] },
  { when: { type: 'socket.opened' }, then: { greeting: 'listening' } },
]
const isRegistering: AgentStep[] = [
  ...dialled,
  {
    when: welcome,
    then: { greeting: 'registering' },
    asks: [{ type: 'sendRegister', params: { welcome } }],
  },
]
const isResuming: AgentStep[] = [
  ...dialled,
  { when: welcome, then: { greeting: 'resuming' }, asks: ['sendResume'] },
]
const isOnline: AgentStep[] = [
  ...isRegistering,
  {
    when: registered,
    then: STANDS,
    asks: [{ type: 'keepSession', params: { session: registered } }, 'openLanes'],
  },
]

t.test('an agent registers, and without a ticket waits half a second at most to come back', async t => {
  walk(t, agentMachine, fresh, [
    ...isOnline,
    {
      when: closed(1006),
      then: 'backingOff',
      asks: ['closeLanes', { type: 'tellWaiting', params: { retryInMs: 250 } }],
    },
    { lapse: 'retry', after: 250, then: 'dialing', asks: ['dial'] },
    { when: { type: 'socket.opened' }, then: { greeting: 'listening' } },
    { when: welcome, then: { greeting: 'resuming' }, asks: ['sendResume'] },
    { when: resumed, then: STANDS, asks: ['keepSession', 'openLanes'] },
  ])
})

t.test('a refused ticket is followed by a registration without any wait', async t => {
  walk(t, agentMachine, resuming, [
    ...isResuming,
    { when: { type: 'refused', code: 'ticket_unknown', reason: 'too old' }, then: { greeting: 'resuming' } },
    { when: closed(4003), then: 'backingOff', asks: ['forgetTicket', 'tellWaiting'] },
    { lapse: 'retry', after: 0, then: 'dialing', asks: ['dial'] },
    { when: { type: 'socket.opened' }, then: { greeting: 'listening' } },
    { when: welcome, then: { greeting: 'registering' }, asks: ['sendRegister'] },
  ])
})

t.test('the close code of a refused ticket is enough', async t => {
  walk(t, agentMachine, resuming, [
    ...isResuming,
    { when: closed(4003), then: 'backingOff', asks: ['forgetTicket', 'tellWaiting'] },
  ])
})

t.test('nobody resumes who did not ask to', async t => {
  walk(t, agentMachine, fresh, [...isRegistering, { when: resumed, then: { greeting: 'registering' } }])
})

t.test(
  'each wait has twice the ceiling of the one before, until a session has stood for a minute',
  async t => {
    const failing: AgentStep[] = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].flatMap(
      ms => [
        { when: closed(1006), then: 'backingOff', asks: ['tellWaiting'] } as const,
        { lapse: 'retry', after: ms, then: 'dialing', asks: ['dial'] } as const,
      ],
    )
    walk(t, agentMachine, fresh, [
      { when: { type: 'start' }, then: 'dialing', asks: ['dial'] },
      ...failing,
      { when: { type: 'socket.opened' }, then: { greeting: 'listening' } },
      { when: welcome, then: { greeting: 'registering' }, asks: ['sendRegister'] },
      { when: registered, then: STANDS, asks: ['keepSession', 'openLanes'] },
      { lapse: 'stable', after: 60_000, then: { online: { standing: 'stable', ticket: 'held' } } },
      { when: closed(1006), then: 'backingOff', asks: ['closeLanes', 'tellWaiting'] },
      { lapse: 'retry', after: 250, then: 'dialing', asks: ['dial'] },
    ])
  },
)

for (const code of [4500, 4501, 4502, 4509, 4510]) {
  t.test(`close code ${code} is final, wherever it comes`, async t => {
    walk(t, agentMachine, fresh, [
      ...isRegistering,
      { when: closed(code), then: 'refused', asks: ['tellRefused'] },
    ])
    walk(t, agentMachine, fresh, [
      ...isOnline,
      { when: closed(code), then: 'refused', asks: ['closeLanes', 'tellRefused'] },
      { when: { type: 'nudge' }, then: 'refused' },
      { when: { type: 'start' }, then: 'dialing', asks: ['dial'] },
    ])
  })
}

t.test('a refusal that says when to come back is not final, whatever the close code', async t => {
  walk(t, agentMachine, fresh, [
    ...isRegistering,
    {
      when: { type: 'refused', code: 'draining', reason: 'restarting', retryAfterMs: 1_234 },
      then: { greeting: 'registering' },
    },
    { when: closed(4500), then: 'backingOff', asks: ['tellWaiting'] },
    { lapse: 'retry', after: 1_234, then: 'dialing', asks: ['dial'] },
  ])
})

const denial = { type: 'refused', code: 'quota_used', reason: 'used up', retryAfterMs: 60_000 } as const
const ENDED = ['forgetTicket', { type: 'tellEnded', params: { reason: 'used up' } }] as const

t.test(
  'a denial ends the session, wherever it comes, and the agent asks again when it was told to',
  async t => {
    const again: AgentStep[] = [
      { lapse: 'retry', after: 60_000, then: 'dialing', asks: ['dial'] },
      { when: { type: 'socket.opened' }, then: { greeting: 'listening' } },
      { when: welcome, then: { greeting: 'registering' }, asks: ['sendRegister'] },
      { when: registered, then: STANDS, asks: ['keepSession', 'openLanes'] },
    ]
    const waiting = { type: 'tellWaiting', params: { reason: 'used up', retryInMs: 60_000 } }
    walk(t, agentMachine, resuming, [
      ...isResuming,
      { when: denial, then: { greeting: 'resuming' }, asks: ENDED },
      { when: closed(4021), then: 'backingOff', asks: [waiting] },
      ...again,
      { when: denial, then: STANDS, asks: ENDED },
      { when: closed(1006), then: 'backingOff', asks: ['closeLanes', waiting] },
      ...again,
    ])
  },
)

t.test('no coordinator can send an agent away for more than an hour', async t => {
  walk(t, agentMachine, fresh, [
    ...isRegistering,
    {
      when: { type: 'refused', code: 'overloaded', reason: 'busy', retryAfterMs: 0xffff_ffff },
      then: { greeting: 'registering' },
    },
    { when: closed(4004), then: 'backingOff', asks: ['tellWaiting'] },
    { lapse: 'retry', after: 3_600_000, then: 'dialing', asks: ['dial'] },
  ])
})

t.test(
  'a slot counts from the announcement, and short waits follow until the coordinator is given up',
  async t => {
    walk(t, agentMachine, fresh, [
      ...isOnline,
      { when: { type: 'restarting', reconnectInMs: 5_000, tryForMs: 30_000, nowMs: 1_000 }, then: STANDS },
      { when: closed(4000, 2_000), then: 'backingOff', asks: ['closeLanes', 'tellWaiting'] },
      { lapse: 'retry', after: 4_000, then: 'dialing', asks: ['dial'] },
      ...[250, 500, 1_000, 1_000, 1_000].flatMap((ms, i): AgentStep[] => [
        { when: closed(1006, 6_000 + i), then: 'backingOff', asks: ['tellWaiting'] },
        { lapse: 'retry', after: ms, then: 'dialing', asks: ['dial'] },
      ]),
      { when: closed(1006, 31_001), then: 'backingOff', asks: ['tellWaiting'] },
      { lapse: 'retry', after: 8_000, then: 'dialing', asks: ['dial'] },
    ])
  },
)

t.test('silence is answered with a close and a quick return', async t => {
  walk(t, agentMachine, fresh, [
    ...isOnline,
    {
      when: { type: 'socket.silent', nowMs: 25_000 },
      then: 'backingOff',
      asks: ['closeLanes', { type: 'hangUp', params: { code: 4009 } }, 'tellWaiting'],
    },
  ])
})

t.test('when the network has changed, a wait ends and a connection is probed', async t => {
  walk(t, agentMachine, fresh, [
    ...isOnline,
    { when: { type: 'nudge' }, then: STANDS, asks: ['probe'] },
    { when: closed(1006), then: 'backingOff', asks: ['closeLanes', 'tellWaiting'] },
    { when: { type: 'nudge' }, then: 'dialing', asks: ['dial'] },
  ])
})

t.test('a dial over a network that has changed is begun anew', async t => {
  walk(t, agentMachine, fresh, [
    { when: { type: 'start' }, then: 'dialing', asks: ['dial'] },
    { when: { type: 'nudge' }, then: 'dialing', asks: ['hangUp', 'dial'] },
  ])
})

t.test('a connection and an answer are not waited for without end', async t => {
  walk(t, agentMachine, fresh, [
    { when: { type: 'start' }, then: 'dialing', asks: ['dial'] },
    { lapse: 'dialing', after: 10_000, then: 'backingOff', asks: ['hangUp', 'tellWaiting'] },
    { when: { type: 'nudge' }, then: 'dialing', asks: ['dial'] },
    { when: { type: 'socket.opened' }, then: { greeting: 'listening' } },
    { lapse: 'greeting', after: 10_000, then: 'backingOff', asks: ['hangUp', 'tellWaiting'] },
  ])
})

t.test('leaving says goodbye and forgets; stopping for a while does neither', async t => {
  walk(t, agentMachine, fresh, [
    ...isOnline,
    {
      when: { type: 'stop', leave: true },
      then: 'offline',
      asks: ['closeLanes', 'sendGoodbye', 'forgetTicket', { type: 'hangUp', params: { code: 1000 } }],
    },
  ])
  walk(t, agentMachine, fresh, [
    ...isOnline,
    {
      when: { type: 'stop', leave: false },
      then: 'offline',
      asks: ['closeLanes', { type: 'hangUp', params: { code: 1001 } }],
    },
    { when: { type: 'start' }, then: 'dialing', asks: ['dial'] },
    { when: { type: 'socket.opened' }, then: { greeting: 'listening' } },
    { when: welcome, then: { greeting: 'resuming' }, asks: ['sendResume'] },
  ])
})

t.test('a session that the coordinator ended is not resumed', async t => {
  walk(t, agentMachine, fresh, [
    ...isOnline,
    { when: { type: 'goodbye', reason: 'maintenance' }, then: STANDS, asks: ['forgetTicket'] },
    { when: closed(1000), then: 'backingOff', asks: ['closeLanes', 'tellWaiting'] },
    { lapse: 'retry', then: 'dialing', asks: ['dial'] },
    { when: { type: 'socket.opened' }, then: { greeting: 'listening' } },
    { when: welcome, then: { greeting: 'registering' }, asks: ['sendRegister'] },
  ])
})

t.test('a ticket is renewed before the credentials that came with it are over', async t => {
  walk(t, agentMachine, fresh, [
    ...isOnline,
    {
      lapse: 'renewal',
      after: 480_000,
      then: { online: { standing: 'fresh', ticket: 'renewing' } },
      asks: ['sendRenew'],
    },
    { lapse: 'renewal', then: { online: { standing: 'fresh', ticket: 'renewing' } }, asks: ['sendRenew'] },
    {
      when: { type: 'renewed', ticket },
      then: STANDS,
      asks: [{ type: 'keepTicket', params: { renewed: { type: 'renewed', ticket } } }],
    },
  ])
})
