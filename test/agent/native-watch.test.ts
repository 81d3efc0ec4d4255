import t from 'tap'
import { NativeWatch } from '../../src/agent/wireguard/native-watch.js'

/** A packet and a keepalive of WireGuard, bytes. */
const PACKET = 128
const KEEPALIVE = 32
const LOOK_MS = 250

t.test('a peer that was sending counts as silent after a second and a half', async t => {
  const { look, silentAfter } = watched()
  look(20, { sent: 10 * PACKET, received: 10 * PACKET })
  t.equal(silentAfter({ sent: 10 * PACKET, received: 0 }), 1_500)
})

t.test('a peer that only listens is heard by its keepalives, and one of them may get lost', async t => {
  const { look, watch, silentAfter, now } = watched()
  for (let second = 0; second < 10; second++) {
    look(1, { sent: 100 * PACKET, received: second === 5 ? 0 : KEEPALIVE })
    look(3, { sent: 100 * PACKET, received: 0 })
    t.notOk(watch.isSilent(now()))
  }
  t.equal(silentAfter({ sent: 100 * PACKET, received: 0 }) + 3 * LOOK_MS, 2_500)
})

t.test('silence counts only while something is sent', async t => {
  const { look, watch, now } = watched()
  look(20, { sent: 10 * PACKET, received: 10 * PACKET })
  look(40, { sent: 0, received: 0 })
  t.notOk(watch.isSilent(now()))
})

t.test('keepalives come every second while there is traffic, and rarely when there is none', async t => {
  const { look, watch, now } = watched()
  look(8, { sent: PACKET, received: PACKET })
  t.equal(watch.keepaliveS, 1)
  look(119, { sent: KEEPALIVE, received: KEEPALIVE })
  t.equal(watch.keepaliveS, 1)
  look(2, { sent: KEEPALIVE, received: KEEPALIVE })
  t.equal(watch.keepaliveS, 15)
  t.notOk(watch.isBusy)
  look(60, { sent: KEEPALIVE, received: 0 })
  t.notOk(watch.isSilent(now()), 'a keepalive is not answered')
  look(1, { sent: PACKET, received: 0 })
  t.equal(watch.keepaliveS, 1)
  t.notOk(watch.isSilent(now()), 'the peer is given time')
})

t.test('what was carried is told, also over an interface that was made anew', async t => {
  const watch = new NativeWatch()
  t.same(watch.see(figures(5_000, 7_000), 0), { sentBytes: 0, receivedBytes: 0 })
  t.same(watch.see(figures(5_100, 7_300), 250), { sentBytes: 100, receivedBytes: 300 })
  t.same(watch.see(figures(40, 0), 500), { sentBytes: 40, receivedBytes: 0 })
})

function watched() {
  const watch = new NativeWatch()
  let atMs = 0
  let [sent, received] = [0, 0]
  watch.see(figures(0, 0), 0)
  const look = (times: number, each: { sent: number; received: number }) => {
    for (let i = 0; i < times; i++) {
      atMs += LOOK_MS
      watch.see(figures((sent += each.sent), (received += each.received)), atMs)
    }
  }
  /** Returns how long it takes from now until the peer counts as silent, ms. */
  const silentAfter = (each: { sent: number; received: number }) => {
    const began = atMs
    while (!watch.isSilent(atMs) && atMs - began < 60_000) look(1, each)
    return atMs - began
  }
  return { watch, look, silentAfter, now: () => atMs }
}

function figures(sentBytes: number, receivedBytes: number) {
  return { at: null, sentBytes, receivedBytes }
}
