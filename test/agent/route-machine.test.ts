import t from 'tap'
import { type Route, routeMachine } from '../../src/agent/route.machine.js'
import { AGENT_TIMING } from '../../src/agent/timing.js'
import type { WireOf } from '../../src/protocol/messages.js'
import { type Step, walk } from '../support/walk.js'

type RouteStep = Step<typeof routeMachine>

const LINK = 0x1_0001
const half = { float: () => 0.5, bytes: (size: number) => new Uint8Array(size) }
const input = { timing: AGENT_TIMING, random: half }
const wish = { country: 'DE' }

const route = (link: number): Route => ({
  routeId: `route-${link}`,
  link,
  nodeId: `node-${link}`,
  nodeKey: new Uint8Array(32),
  nodeOverlay4: '10.77.0.9/32',
  nodeOverlay6: 'fd77::9/128',
  allowedIps: [],
  exit: false,
  alternatives: [],
  why: 'because',
})
const assigned = (requestId: number, link = LINK): WireOf<'route.assigned'> => ({
  type: 'route.assigned',
  requestId,
  ...route(link),
})
const switched = (link: number): WireOf<'route.switched'> => ({
  type: 'route.switched',
  cause: 'node_drained',
  previousLink: LINK,
  ...route(link),
})
const refused = (requestId: number, code: WireOf<'route.refused'>['code'] = 'no_candidate') =>
  ({ type: 'route.refused', requestId, code, reason: 'none', unmet: [] }) as const

const ask: RouteStep = {
  when: { type: 'ask', wish, patient: false },
  then: 'asking',
  asks: [{ type: 'request', params: { requestId: 1, wish } }],
}
const stood: RouteStep = { when: { type: 'session.stood', links: [] }, then: 'idle' }
const asking: RouteStep[] = [stood, ask]
const carrying: RouteStep[] = [
  ...asking,
  { when: assigned(1), then: { served: 'opening' } },
  {
    when: { type: 'link.settled', link: LINK },
    then: { served: 'carrying' },
    asks: [{ type: 'tellCarrying', params: { route: route(LINK) } }],
  },
]

t.test('a wish waits for a session', async t => {
  walk(t, routeMachine, input, [
    { when: { type: 'ask', wish, patient: false }, then: 'away' },
    { when: { type: 'session.stood', links: [] }, then: 'asking', asks: ['request'] },
    { when: { type: 'session.lost' }, then: 'away' },
    {
      when: { type: 'session.stood', links: [] },
      then: 'asking',
      asks: [{ type: 'request', params: { requestId: 2, wish } }],
    },
    { when: assigned(1), then: 'asking' },
    { when: assigned(2), then: { served: 'opening' } },
  ])
})

t.test('the first refusal is the answer, unless it only passes', async t => {
  walk(t, routeMachine, input, [
    ...asking,
    {
      when: refused(1),
      then: 'idle',
      asks: [{ type: 'releaseRoute', params: { route: null } }, 'tellRefused'],
    },
  ])
  walk(t, routeMachine, input, [
    ...asking,
    { when: refused(1, 'draining'), then: 'waiting' },
    { lapse: 'retry', after: 250, then: 'asking', asks: ['request'] },
  ])
})

t.test('a route that was had is asked for again and again', async t => {
  walk(t, routeMachine, input, [
    ...carrying,
    { when: refused(0), then: 'waiting', asks: [{ type: 'tellLost', params: { reason: 'none' } }] },
    { lapse: 'retry', after: 250, then: 'asking', asks: ['request'] },
    { when: refused(2), then: 'waiting' },
    { lapse: 'retry', after: 500, then: 'asking', asks: ['request'] },
    { lapse: 'answer', after: 10_000, then: 'waiting' },
    { lapse: 'retry', after: 1_000, then: 'asking', asks: ['request'] },
  ])
})

t.test('a closed link is no loss when another route follows at once', async t => {
  walk(t, routeMachine, input, [
    ...carrying,
    { when: { type: 'link.closed', link: LINK, reason: 'moved' }, then: 'unsure' },
    {
      when: switched(LINK + 1),
      then: { served: 'opening' },
      asks: [
        {
          type: 'tellSwitched',
          params: { from: { link: LINK }, to: { link: LINK + 1 }, cause: 'node_drained' },
        },
      ],
    },
    { when: { type: 'link.closed', link: LINK, reason: 'late' }, then: { served: 'opening' } },
  ])
})

t.test('a closed link that nothing follows is a loss', async t => {
  walk(t, routeMachine, input, [
    ...carrying,
    { when: { type: 'link.closed', link: LINK, reason: 'gone' }, then: 'unsure' },
    { lapse: 'doubt', after: 500, then: 'waiting', asks: ['tellLost'] },
  ])
})

t.test('a session that stands again without the route’s link leaves it unsure', async t => {
  walk(t, routeMachine, input, [
    ...carrying,
    { when: { type: 'session.lost' }, then: { served: 'carrying' } },
    { when: { type: 'session.stood', links: [LINK] }, then: { served: 'carrying' } },
    { when: assigned(0), then: { served: 'carrying' } },
    { when: { type: 'session.lost' }, then: { served: 'carrying' } },
    { when: { type: 'session.stood', links: [LINK + 1] }, then: 'unsure' },
    {
      when: assigned(0, LINK + 1),
      then: { served: 'opening' },
      asks: [{ type: 'tellSwitched', params: { cause: 'moved_while_away' } }],
    },
  ])
})

t.test('a path that does not open is given back', async t => {
  walk(t, routeMachine, input, [
    ...asking,
    { when: assigned(1), then: { served: 'opening' } },
    { lapse: 'opening', after: 10_000, then: 'waiting', asks: ['releaseRoute', 'tellLost'] },
  ])
})

t.test('another wish leaves the old route alone until it is answered', async t => {
  walk(t, routeMachine, input, [
    ...carrying,
    {
      when: { type: 'ask', wish: { country: 'NL' }, patient: false },
      then: 'asking',
      asks: [{ type: 'request', params: { wish: { country: 'NL' } } }],
    },
    { when: { type: 'link.closed', link: LINK, reason: 'replaced' }, then: 'asking' },
    { when: assigned(2, LINK + 1), then: { served: 'opening' } },
  ])
})

t.test('releasing gives back; forgetting does not', async t => {
  walk(t, routeMachine, input, [
    ...carrying,
    {
      when: { type: 'release' },
      then: 'idle',
      asks: [{ type: 'releaseRoute', params: { route: { link: LINK } } }],
    },
  ])
  walk(t, routeMachine, input, [...carrying, { when: { type: 'forget' }, then: 'idle' }])
})

t.test('a route that was given up unheard is given back when the coordinator repeats it', async t => {
  const back = [{ type: 'releaseRoute', params: { route: { link: LINK } } }] as const
  walk(t, routeMachine, input, [
    ...carrying,
    { when: { type: 'session.lost' }, then: { served: 'carrying' } },
    { when: { type: 'release' }, then: 'idle', asks: ['releaseRoute'] },
    { when: { type: 'session.stood', links: [LINK] }, then: 'idle' },
    { when: assigned(0), then: 'idle', asks: back },
  ])
  walk(t, routeMachine, input, [
    ...asking,
    { when: { type: 'release' }, then: 'idle', asks: ['releaseRoute'] },
    { when: assigned(1), then: 'idle', asks: back },
  ])
})

t.test('a route of before that is repeated does not answer a new wish', async t => {
  const repeated: RouteStep = { when: assigned(0), then: 'asking' }
  walk(t, routeMachine, input, [
    ...asking,
    repeated,
    { when: refused(1), then: 'idle', asks: ['releaseRoute', 'tellRefused'] },
  ])
  walk(t, routeMachine, input, [
    stood,
    { ...ask, when: { type: 'ask', wish, patient: true } },
    { when: refused(1), then: 'waiting' },
    { when: assigned(0), then: 'waiting' },
    { lapse: 'retry', after: 250, then: 'asking', asks: ['request'] },
    { when: assigned(2, LINK + 1), then: { served: 'opening' } },
  ])
})

t.test('a route that is kept while another wish waits can still be given back', async t => {
  walk(t, routeMachine, input, [
    ...carrying,
    { when: { type: 'ask', wish: { country: 'NL' }, patient: true }, then: 'asking', asks: ['request'] },
    { when: refused(2), then: 'waiting' },
    {
      when: { type: 'release' },
      then: 'idle',
      asks: [{ type: 'releaseRoute', params: { route: { link: LINK } } }],
    },
  ])
})
