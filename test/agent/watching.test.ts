import t from 'tap'
import { Emitter } from '../../src/agent/emitter.js'
import { watchNetwork } from '../../src/agent/network-watch.js'
import { Silence } from '../../src/agent/silence.js'
import { SimulatedClock } from '../support/simulated-clock.js'

t.test('a change of addresses is noticed, and only a change', async t => {
  const clock = new SimulatedClock()
  let addresses = 'eth0 192.0.2.1'
  let changes = 0
  const stop = watchNetwork({ clock, read: () => addresses, changed: () => changes++ })
  clock.advance(10_000)
  t.equal(changes, 0)
  addresses = 'wlan0 198.51.100.1'
  clock.advance(10_000)
  t.equal(changes, 1)
  stop()
  addresses = ''
  clock.advance(10_000)
  t.equal(changes, 1)
})

t.test('silence counts from the last message', async t => {
  const { clock, silence, heard, silentAt } = watcher()
  silence.watch(25_000)
  clock.advance(20_000)
  heard()
  clock.advance(24_999)
  t.same(silentAt, [])
  clock.advance(1)
  t.same(silentAt, [45_000])
})

t.test('a process that stood still reads what has arrived before it judges', async t => {
  const { clock, silence, heard, silentAt, stall } = watcher()
  silence.watch(25_000)
  stall(60_000)
  clock.advance(25_000)
  t.same(silentAt, [])
  heard()
  clock.advance(10_000)
  t.same(silentAt, [], 'the messages were there all along')
  clock.advance(15_000)
  t.equal(silentAt.length, 1)
})

t.test('a listener that throws disturbs neither the others nor whoever emits', async t => {
  const emitter = new Emitter<{ told: number }>()
  const heard: number[] = []
  emitter.on('told', () => {
    throw new Error('a mistake of the program')
  })
  const off = emitter.on('told', told => heard.push(told))
  const uncaught = t.capture(process, 'emit', (type: string) => type === 'uncaughtException')
  emitter.emit('told', 1)
  off()
  await new Promise(resolve => setImmediate(resolve))
  emitter.emit('told', 2)
  await new Promise(resolve => setImmediate(resolve))
  t.same(heard, [1])
  const thrown = uncaught().filter(({ args }) => args[0] === 'uncaughtException')
  t.equal(thrown.length, 2, 'its errors surface on their own')
})

function watcher() {
  const clock = new SimulatedClock()
  const silentAt: number[] = []
  let lastHeardMs = 0
  let behindMs = 0
  const silence = new Silence({
    clock: {
      now: () => clock.now() + behindMs,
      wallMs: () => clock.wallMs(),
      setTimeout: (run, ms) => clock.setTimeout(run, ms),
      clearTimeout: timer => clock.clearTimeout(timer),
      soon: run => clock.soon(run),
    },
    lastHeardMs: () => lastHeardMs,
    silent: () => silentAt.push(clock.now() + behindMs),
  })
  return {
    clock,
    silence,
    silentAt,
    heard: () => {
      lastHeardMs = clock.now() + behindMs
    },
    /** The process is not run for so long: every timer comes late by that. */
    stall: (ms: number) => {
      behindMs += ms
    },
  }
}
