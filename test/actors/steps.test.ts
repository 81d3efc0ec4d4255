/** Known steps beside XState's own: every state that a shared machine reaches, every event that it hears. */
import t from 'tap'
import { type AnyStateMachine, createActor, fromTransition, type StateValue, transition } from 'xstate'
import { clientMachine } from '../../src/actors/client/client.machine.js'
import { natProbeMachine } from '../../src/actors/nat-probe/nat-probe.machine.js'
import { nodeMachine } from '../../src/actors/node/node.machine.js'
import { SharedMachine, type Standing } from '../../src/actors/shared-machine.js'
import { Steps } from '../../src/actors/steps.js'

/** What events carry, twice: guards decide one way and the other, and params differ. */
const CARRIED = [
  {
    by: 'resume',
    close: 'left',
    code: 'overloaded',
    reason: 'one',
    retryAfterMs: 5,
    keeps: true,
    afresh: true,
  },
  { by: 'register', close: 'silent', code: 'draining', reason: 'two', keeps: false, afresh: false },
].map((fields, n) => ({ ...fields, message: { n }, requestId: n, wish: { n }, routeId: n, report: { n } }))

const isServed = (is: boolean) => natProbeMachine.provide({ guards: { isServed: () => is } })

for (const [name, machine] of [
  ['a node', nodeMachine],
  ['a client', clientMachine],
  ['the probe of a NAT', isServed(true)],
  ['the probe of a NAT without a server', isServed(false)],
] as readonly (readonly [string, AnyStateMachine])[]) {
  t.test(`${name} does in every state, at every event, what XState says`, async t => {
    const { deliver, initial } = noting(machine)
    const seen = new Map([[JSON.stringify(initial.value), initial]])
    for (const from of seen.values()) {
      // The first time it is found out, the second time it is known.
      const events = eventsOf(machine).flatMap(event => [event, event])
      const did = events.map(event => {
        const one = { standing: from }
        const done = deliver(one, event)
        seen.set(JSON.stringify(one.standing.value), one.standing)
        return { event, next: one.standing.value, done }
      })
      t.strictSame(
        did,
        events.map(event => askedOf(machine, from.value, event)),
        JSON.stringify(from.value),
      )
    }
    t.ok(seen.size >= 4, `${seen.size} states`)
  })
}

t.test('nothing is known where a guard decides', async t => {
  const steps = new Steps(natProbeMachine)
  t.equal(steps.of('planned', 'due'), null)
  t.equal(steps.of('probing', 'came'), null)
  t.match(steps.of('unanswered', 'came'), { next: 'planned' })
  t.same(steps.of('idle', 'reported'), { actions: [], next: 'idle' }, 'not heard')
})

interface One {
  standing: Standing
}
type Event = { readonly type: string }

function eventsOf(machine: AnyStateMachine): Event[] {
  return (machine.events as string[]).flatMap(type => CARRIED.map(fields => ({ type, ...fields })))
}

/** Returns where XState goes, and what it wants done. */
function askedOf(machine: AnyStateMachine, value: StateValue, event: Event) {
  const [{ value: next }, actions] = transition(machine, machine.resolveState({ value, context: {} }), event)
  return { event, next, done: actions.map(({ type, params }) => ({ type, params, event })) }
}

/** Returns the machine, shared, with actions that note what they are told. */
function noting(machine: AnyStateMachine) {
  let noted: unknown[] = []
  const note =
    (type: string) =>
    ({ event }: { event: Event }, params: unknown) =>
      void noted.push({ type, params, event })
  const names = Object.keys(machine.implementations.actions)
  const shared = new SharedMachine<One, Event>({
    machine: machine.provide({ actions: Object.fromEntries(names.map(name => [name, note(name)])) }),
    root: createActor(fromTransition((state: null) => state, null)).start(),
    isHere: () => true,
    move: (one, standing) => {
      one.standing = standing
    },
    faulted: (_, error) => t.fail('nobody throws', { error }),
  })
  return {
    initial: shared.initial,
    deliver: (one: One, event: Event) => {
      noted = []
      shared.deliver(one, event)
      return noted
    },
  }
}
