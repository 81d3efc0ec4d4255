/** Nodes that are drained while their clients send: a coordinator and nodes as processes, over loopback. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { MeshClient } from '../../src/agent/index.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { commandIn, startServer } from '../support/boson.js'
import { until } from '../support/until.js'
import { NODE } from '../support/node.js'

const ECHO_NODE = new URL('./fixtures/echo-node.js', import.meta.url).pathname
const BOSON = new URL('../../../bin/boson', import.meta.url).pathname
/** Each client sends so often, ms. */
const SEND_EVERY_MS = 20
const CLIENTS = 12

t.test('clients move while they send, and lose nothing', async t => {
  const mesh = await makeMesh(t)
  const [fra, ams, hel] = await Promise.all(['fra-1', 'ams-1', 'hel-1'].map(id => mesh.node(id)))
  const senders = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => mesh.sender(`c${i}`)))
  const on = (id: string) => senders.filter(({ client }) => client.current?.nodeId === id).length
  t.ok(on('fra-1') > 0 && on('ams-1') > 0, 'there is somebody on each of them')

  await t.test('`boson drain` shows how far it is and ends with 0 when the node is empty', async t => {
    const count = on('fra-1')
    const { code, stdout } = await mesh.boson('drain', 'fra-1', '--within', '20s', ...mesh.at)
    t.equal(code, 0)
    t.match(stdout, new RegExp(`^fra-1 {2}draining: ${count} clients? left, 0 moved\n`))
    t.match(stdout, new RegExp(`\nfra-1 {2}empty: ${count} moved\n$`))
    t.equal(on('fra-1'), 0)
    t.match((await mesh.boson('status', ...mesh.at)).stdout, /^fra-1 .* drained /m)
    t.match((await mesh.boson('drain', ...mesh.at)).stdout, /^fra-1 +empty +operator /m)
  })

  await t.test('a node that is told to end hands its clients over first', async t => {
    const count = on('ams-1')
    const began = performance.now()
    t.equal(await ams?.end('SIGTERM'), 0)
    t.comment(`${count} clients were handed over in ${Math.round(performance.now() - began)} ms`)
    t.match(ams?.out, /"state":"draining","by":"node"/)
    t.equal(ams?.err, '')
    t.equal(on('hel-1'), CLIENTS)
  })

  await t.test('nothing was lost', async t => {
    for (const sender of senders) sender.stop()
    await wait(1_000)
    const sent = senders.reduce((sum, sender) => sum + sender.sent, 0)
    const lost = senders.reduce((sum, sender) => sum + sender.lost(), 0)
    t.comment(`${sent} datagrams there and back through two drains, ${lost} lost`)
    t.ok(sent > 1_000)
    t.equal(lost, 0)
  })

  await t.test('a node without clients ends at once', async t => {
    t.equal(
      (await mesh.boson('drain', 'fra-1', '--cancel', ...mesh.at)).stdout,
      'fra-1 is given clients again\n',
    )
    const began = performance.now()
    t.equal(await fra?.end('SIGTERM'), 0)
    t.ok(performance.now() - began < 5_000)
    t.notMatch(fra?.out, /"by":"node"/)
  })

  await t.test('when time is up the rest is cut off, and the exit code says so', async t => {
    const { code, stdout, stderr } = await mesh.boson('drain', 'hel-1', '--within', '1s', ...mesh.at)
    t.equal(code, 7)
    t.match(stdout, new RegExp(`hel-1 {2}expired: 0 moved, ${CLIENTS} cut off\n$`))
    t.equal(stderr, `boson: time was up: ${CLIENTS} clients had to be cut off\n`)
  })

  await t.test('Ctrl-C ends the watching, not the drain', async t => {
    await mesh.boson('drain', 'hel-1', '--cancel', ...mesh.at)
    await until('somebody is served again', () => on('hel-1') > 0)
    const watching = run(t, [BOSON, 'drain', 'hel-1', ...mesh.at], { cwd: mesh.boson.cwd })
    await until('it shows how far it is', () => watching.out.includes('draining'))
    t.equal(await watching.end('SIGINT'), 130)
    t.match(watching.err, 'the drain goes on: `boson drain hel-1` shows how far it is, with --cancel it ends')
    t.match((await mesh.boson('drain', ...mesh.at)).stdout, /^hel-1 +\w+ +operator /m)
  })

  await t.test('a second signal does not wait for the clients', async t => {
    await mesh.boson('drain', 'hel-1', '--cancel', ...mesh.at)
    await until('somebody is served again', () => on('hel-1') > 0)
    const ended = hel?.end('SIGTERM')
    await until('it drains', () => hel?.out.includes('"by":"node"'))
    hel?.signal('SIGTERM')
    t.equal(await ended, 0, 'and everything was given back')
  })
})

t.test('what is not there cannot be drained', async t => {
  const mesh = await makeMesh(t)
  const { code, stderr } = await mesh.boson('drain', 'fra-1', ...mesh.at)
  t.equal(code, 1)
  t.match(stderr, /no node has enrolled as fra-1\n$/)
  t.equal((await mesh.boson('drain', ...mesh.at)).stdout, 'no node is drained\n')
})

async function makeMesh(t: Test) {
  const cwd = t.testdir()
  const server = await startServer(t, {
    cwd,
    env: { BOSON_RELAY_PAYLOAD: 'any', BOSON_TURN_MODE: 'off', LOG_LEVEL: 'info' },
  })
  // It writes into the directory of the test until it has ended.
  t.teardown(() => server.end('SIGTERM'))
  const boson = commandIn(t, { cwd })
  const at = ['--port', String(server.port)]
  const credential = (await boson('enrol', '--uses', 'any', ...at)).stdout.trim()
  const url = `ws://127.0.0.1:${server.port}`
  return {
    boson,
    at,
    node: (id: string) => startNode(t, [url, id, credential, '20']),
    sender: (id: string) => startSender(t, { url, id, credential }),
  }
}

/** Resolves when the node is online. */
async function startNode(t: Test, args: readonly string[]) {
  const node = run(t, [ECHO_NODE, ...args])
  await until('the node is online', () => node.out.includes('"state":"online"'))
  return node
}

function run(t: Test, args: readonly string[], { cwd }: { readonly cwd?: string } = {}) {
  // As it is for users: without the hooks that the test runner gives every child.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...NODE, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] },
  })
  t.teardown(() => child.kill('SIGKILL'))
  const program = {
    out: '',
    err: '',
    signal: (name: NodeJS.Signals) => void child.kill(name),
    async end(name: NodeJS.Signals): Promise<number | null> {
      child.kill(name)
      if (child.exitCode === null) await once(child, 'exit')
      return child.exitCode
    },
  }
  child.stdout.on('data', piece => (program.out += String(piece)))
  child.stderr.on('data', piece => (program.err += String(piece)))
  return program
}

/** Resolves to a client that has a route and sends numbered datagrams all the while. */
async function startSender(t: Test, ground: { url: string; id: string; credential: string }) {
  const client = new MeshClient({ ...ground, privateKey: newKeyPair().privateKey })
  t.teardown(() => client.stop())
  await client.start()
  await client.route()
  const back = new Set<number>()
  client.on('packet', ({ packet }) => back.add(Buffer.from(packet).readUInt32BE()))
  const sender = { client, sent: 0, lost: () => sender.sent - back.size, stop: () => clearInterval(timer) }
  const timer = setInterval(() => {
    const packet = Buffer.alloc(4)
    packet.writeUInt32BE(sender.sent++)
    client.send(packet)
  }, SEND_EVERY_MS)
  t.teardown(sender.stop)
  return sender
}
