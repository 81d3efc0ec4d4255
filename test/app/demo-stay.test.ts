/** `boson demo --stay`: the lively mesh, and the parts that make one machine look like a globe. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import type { Datagrams } from '../../src/agent/ports.js'
import { openDatagrams } from '../../src/agent/index.js'
import { Delay } from '../../src/app/demo/distance.js'
import { tidalFigures } from '../../src/app/demo/figures.js'
import { type NatKind, openBehind } from '../../src/app/demo/nat.js'
import { placeOf, PLACES } from '../../src/app/demo/places.js'
import { systemClock } from '../../src/kit/clock.js'
import { seededRandom } from '../../src/kit/random.js'
import type { Endpoint } from '../../src/protocol/address.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { until } from '../support/until.js'
import { NODE } from '../support/node.js'

const HERE = '127.0.0.1'
const isHere = (address: string): boolean => address === HERE

t.test('what travels far arrives later, in its order', async t => {
  const clock = new SimulatedClock()
  const delay = new Delay(clock, 100)
  const arrived: string[] = []
  delay.after(() => arrived.push('first'))
  clock.advance(60)
  delay.after(() => arrived.push('second'))
  clock.advance(39)
  t.same(arrived, [])
  clock.advance(1)
  t.same(arrived, ['first'])
  clock.advance(60)
  t.same(arrived, ['first', 'second'])
})

t.test('NATs map and filter as their kind does', async t => {
  const [one, other] = [await peer(t), await peer(t)]
  const table: readonly (readonly [NatKind, number, boolean])[] = [
    // kind, mappings for two destinations, whether a stranger gets in
    ['open', 1, true],
    ['cone', 1, false],
    ['symmetric', 2, false],
  ]
  for (const [kind, mappings, letsIn] of table) {
    const inside: string[] = []
    const nat = await behind(t, kind, datagram => inside.push(String(datagram)))
    nat.send(Buffer.from('hello'), one.at)
    nat.send(Buffer.from('hello'), other.at)
    await until('both heard it', () => one.heard.length > 0 && other.heard.length > 0)
    t.equal(new Set([...one.heard, ...other.heard].map(({ port }) => port)).size, mappings, kind)
    const stranger = await peer(t)
    const door = one.heard.at(-1) as Endpoint // it heard
    stranger.socket.send(Buffer.from('stranger'), door)
    one.socket.send(Buffer.from('answer'), door)
    await until('the answer came', () => inside.includes('answer'))
    t.equal(inside.includes('stranger'), letsIn, kind)
    t.equal(nat.local()[0]?.address === HERE, kind === 'open', 'where it says that it is')
    one.heard.length = other.heard.length = 0
  }
  const blocked = await behind(t, 'blocked', () => {})
  blocked.send(Buffer.from('hello'), one.at)
  const open = await behind(t, 'open', () => {})
  open.send(Buffer.from('hello'), { address: '192.168.1.2', port: 9 })
  open.send(Buffer.from('last'), one.at)
  await until('the last was heard', () => one.heard.length > 0)
  t.equal(one.heard.length, 1, 'nothing of the blocked one')
})

t.test('figures are those of a machine that lives', async t => {
  const clock = new SimulatedClock()
  const gauges = tidalFigures({
    index: 0,
    bandwidthMbps: 200,
    busy: 1,
    links: () => 3,
    clock,
    random: seededRandom(1),
  })
  const seen = new Set<number>()
  for (let i = 0; i < 20; i++) {
    const { cpuTotalPct = 0, bwTotalMbps = 0 } = gauges()
    t.ok(cpuTotalPct >= 0 && cpuTotalPct <= 100)
    t.ok(bwTotalMbps <= 200)
    seen.add(cpuTotalPct)
    clock.advance(10_000)
  }
  t.ok(seen.size > 5, 'they move')
  t.equal(placeOf(PLACES.length), PLACES[0])
})

t.test('the command prints where it is, lives, and leaves nothing behind', async t => {
  const boson = resolve(import.meta.dirname, '../../../bin/boson')
  const args = ['demo', '--stay', '--nodes', '2', '--clients', '2', '--port', '0', '--json']
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...NODE, boson, ...args], { cwd: t.testdir() })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', piece => (said += String(piece)))
  await until('it says where it is', () => said.endsWith('\n'))
  const { url, token, dataDir } = JSON.parse(said) as Record<'url' | 'token' | 'dataDir', string>
  const status = await fetch(`${url}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } })
  t.match(await status.json(), { state: 'serving', nodes: { online: 2 } })
  t.ok(existsSync(dataDir))
  child.kill('SIGINT')
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 0)
  t.notOk(existsSync(dataDir))
})

interface Peer {
  readonly socket: Datagrams
  readonly at: Endpoint
  /** Who sent what it heard. */
  readonly heard: Endpoint[]
}

async function peer(t: Test): Promise<Peer> {
  const heard: Endpoint[] = []
  const open = openDatagrams({ addresses: () => [HERE], bind: { 4: HERE, 6: null } })
  const socket = await open((_, { address, port }) => void heard.push({ address, port }))
  t.teardown(() => socket.close())
  return { socket, at: socket.local()[0] as Endpoint, heard } // one address was given
}

async function behind(t: Test, kind: NatKind, received: (datagram: Uint8Array) => void): Promise<Datagrams> {
  const delay = new Delay(systemClock, 0)
  const nat = await openBehind({ kind, outside: HERE, inside: '192.168.7.2', delay, isHere })(datagram =>
    received(Buffer.from(datagram)),
  )
  t.teardown(() => nat.close())
  return nat
}
