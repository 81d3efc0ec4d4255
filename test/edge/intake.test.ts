/** How long a socket may take to greet, when the coordinator has no time for it yet. */
import t from 'tap'
import { DEFAULT_LIMITS } from '../../src/app/mesh.js'
import { createIntake, type IntakeOptions } from '../../src/edge/intake.js'
import type { Clock } from '../../src/kit/clock.js'
import { encode } from '../../src/protocol/codec.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { newKeyPair, privateKeyOf } from '../../src/protocol/proof.js'
import { SENT } from '../../src/protocol/sent.js'

const GREETING_MS = 5_000

/** A clock on which work takes the time that it says, and turns and timers come when the test says so. */
function slowClock() {
  let nowMs = 0
  let soon: (() => void)[] = []
  let timers: { readonly run: () => void; readonly dueMs: number }[] = []
  const clock: Clock = {
    now: () => nowMs,
    wallMs: () => nowMs,
    soon: run => void soon.push(run),
    setTimeout(run, ms) {
      const timer = { run, dueMs: nowMs + ms }
      timers.push(timer)
      return timer
    },
    clearTimeout: timer => (timers = timers.filter(one => one !== timer)),
  }
  return {
    clock,
    takes: (ms: number) => void (nowMs += ms),
    endTurn: () => {
      const due = soon
      soon = []
      for (const run of due) run()
    },
    ring: () => {
      const due = timers.filter(({ dueMs }) => dueMs <= nowMs)
      timers = timers.filter(timer => !due.includes(timer))
      for (const { run } of due) run()
    },
  }
}

/** An intake for which each greeting is as much work as it says. */
function busyIntake(workMs: { welcome: number; greeting: number }) {
  const time = slowClock()
  const { publicKey, privateKey } = newKeyPair()
  const unused = () => {
    throw new Error('nobody gets this far')
  }
  const greet = () => time.takes(workMs.greeting)
  const door: IntakeOptions['door'] = {
    turn: () => time.clock.now(),
    ack: new Uint8Array(),
    register: greet,
    resume: greet,
    enter: unused,
    between: () => {},
    control: unused,
    forward: unused,
    beat: unused,
    beatList: unused,
    heard: unused,
    linksOf: unused,
    drained: unused,
    broke: unused,
    lost: () => {},
    count: () => {},
    faulted: unused,
  }
  const intake = createIntake({
    serverId: 'test',
    clock: time.clock,
    limits: DEFAULT_LIMITS,
    greetingMs: GREETING_MS,
    nextChallenge() {
      time.takes(workMs.welcome)
      return { publicKey, privateKey: privateKeyOf(privateKey), nonce: new Uint8Array(32) }
    },
    door,
  })
  const open = () => {
    const seen = { told: 0, isClosed: false }
    const connection = intake.opened({
      remote: '203.0.113.9',
      send() {
        seen.told++
        return SENT.ok
      },
      buffered: () => 0,
      close: () => void (seen.isClosed = true),
    })
    return { seen, connection }
  }
  return { ...time, open }
}

t.test('the time to greet begins with the welcome, however long that took', async t => {
  const { open, endTurn, ring, takes } = busyIntake({ welcome: 2 * GREETING_MS, greeting: 0 })
  open()
  const { seen } = open()
  ring()
  t.same(seen, { told: 0, isClosed: false })
  endTurn()
  ring()
  t.same(seen, { told: 1, isClosed: false })
  takes(GREETING_MS)
  ring()
  t.ok(seen.isClosed)
})

t.test('a greeting that waits for its turn is not late', async t => {
  const { open, endTurn, ring, takes } = busyIntake({ welcome: 0, greeting: 2 * GREETING_MS })
  const [first, second] = [open(), open()]
  first.connection.received(encode(EXAMPLES.resume))
  second.connection.received(encode(EXAMPLES.resume))
  ring()
  t.notOk(second.seen.isClosed)
  endTurn()
  takes(GREETING_MS)
  ring()
  t.ok(second.seen.isClosed, 'what is wrong with it is told in time')
})
