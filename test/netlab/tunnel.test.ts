import t, { type Test } from 'tap'
import { generateKeyPairSync } from 'node:crypto'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { takesOrders } from '../../src/agent/wireguard/userspace.js'
import { shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'
import { cannotRun, type Namespace } from './namespaces.js'
import { killWireguardGo } from './processes.js'
import { makeLab } from './star.js'
import type { TunnelEnd } from './tunnel-end.js'

const skip = cannotRun()
const END = new URL('./tunnel-end.js', import.meta.url).pathname

t.test(`WireGuard carries IPv4 and IPv6 over a link${reason()}`, { skip }, async t => {
  const { a, b } = await pair(t)
  await b.start()
  const began = performance.now()
  await until('a ping crosses the tunnel', () => a.space.reaches('10.77.0.2'))
  t.comment(`the first ping returned after ${Math.round(performance.now() - began)} ms`)
  t.ok(await a.space.reaches('fd77::2'))
  const { metrics } = await a.ask()
  t.comment(`handshake round trip: ${metrics.rttMs ?? 'not told'} ms`)
  t.ok(metrics.sentBytes > 0 && metrics.receivedBytes > 0)

  const interfaces = [a.iface, b.iface]
  await Promise.all([a.stop(), b.stop()])
  t.same(await a.space.state(), a.before, 'nothing is left')
  t.notOk(interfaces.some(each => existsSync(`/run/wireguard/${each}.sock`)))
})

t.test(`a wireguard-go that dies is started again and knows its peers${reason()}`, { skip }, async t => {
  const { a, b } = await pair(t)
  await b.start()
  await until('a ping crosses the tunnel', () => a.space.reaches('10.77.0.2'))
  const port = (await a.space.run('wg', 'show', a.iface, 'listen-port')).trim()
  killWireguardGo(a.iface)
  const began = performance.now()
  await until('a ping crosses the new interface', () => a.space.reaches('10.77.0.2'))
  t.comment(`back after ${Math.round(performance.now() - began)} ms`)
  t.equal((await a.space.run('wg', 'show', a.iface, 'listen-port')).trim(), port)
  await Promise.all([a.stop(), b.stop()])
  t.same(await a.space.state(), a.before)
})

t.test(`what a killed agent left is removed by the next start${reason()}`, { skip }, async t => {
  const { a, b } = await pair(t)
  await b.start()
  await until('a ping crosses the tunnel', () => a.space.reaches('10.77.0.2'))
  b.process?.kill('SIGKILL')
  await once(b.process as ChildProcess, 'exit') // it was started above
  t.match(await b.space.run('ip', 'link'), b.iface, 'the interface outlives its agent')
  const { recovered } = await b.start()
  t.same(recovered, ['interface'])
  await b.stop()
  t.same(await b.space.state(), b.before)
})

t.test(`an interface of someone else is used, and stays as it was${reason()}`, { skip }, async t => {
  const { a, b } = await pair(t, async a => {
    const wireguard = a.space.spawn('wireguard-go', ['-f', a.iface], { stdio: 'ignore' })
    t.teardown(() => wireguard.kill())
    const wg = (...args: string[]) => a.space.run('wg', 'set', a.iface, ...args)
    await until('wireguard-go answers', () => takesOrders(a.iface))
    await wg('listen-port', '0')
    await a.space.run('sh', '-c', `echo ${a.keys.private} | wg set ${a.iface} private-key /dev/stdin`)
    await wg('peer', keyPair().public, 'allowed-ips', '10.99.0.1/32')
    await a.space.run('ip', 'link', 'set', a.iface, 'up')
  })
  const before = await a.space.run('wg', 'show', a.iface, 'dump')
  await b.start()
  await until('a ping crosses the tunnel', () => a.space.reaches('10.77.0.2'))
  await Promise.all([a.stop(), b.stop()])
  t.equal(await a.space.run('wg', 'show', a.iface, 'dump'), before)
  t.same(await a.space.state(), a.before)
})

t.test(`a socket that nobody listens on yet is left alone${reason()}`, { skip }, async t => {
  const iface = `b${process.pid.toString(36)}s`
  const path = `/var/run/wireguard/${iface}.sock`
  mkdirSync('/var/run/wireguard', { recursive: true })
  t.teardown(() => rmSync(path, { force: true }))
  // Node listens as soon as it binds; what it leaves when it is killed looks the same from outside.
  const listening = `require('node:net').createServer().listen('${path}', () => process.kill(process.pid, 'SIGKILL'))`
  await once(spawn(process.execPath, ['-e', listening]), 'exit')
  t.ok(existsSync(path))
  t.notOk(await takesOrders(iface))
  t.ok(existsSync(path), '`wg` would have removed it')
})

interface Keys {
  readonly private: string
  readonly public: string
}

class End {
  readonly space: Namespace
  readonly iface: string
  readonly keys: Keys
  before = ''
  process: ChildProcess | null = null
  readonly #config: Omit<TunnelEnd, 'interface' | 'privateKey'>
  #lines: Record<string, unknown>[] = []

  constructor(
    space: Namespace,
    iface: string,
    keys: Keys,
    config: Omit<TunnelEnd, 'interface' | 'privateKey'>,
  ) {
    this.space = space
    this.iface = iface
    this.keys = keys
    this.#config = config
  }

  launch(): void {
    this.#lines = []
    const config: TunnelEnd = { ...this.#config, interface: this.iface, privateKey: this.keys.private }
    this.process = this.space.spawn(process.execPath, [END, JSON.stringify(config)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let rest = ''
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#lines.push(JSON.parse(line) as Record<string, unknown>) // the program prints objects
    })
  }

  async start(): Promise<{ recovered: string[] }> {
    this.launch()
    return (await this.heard('ready')) as { recovered: string[] }
  }

  async ask(): Promise<{ metrics: { rttMs: number | null; sentBytes: number; receivedBytes: number } }> {
    this.process?.kill('SIGUSR2')
    return (await this.heard('metrics')) as never // what the program prints at this signal
  }

  heard(name: string): Promise<Record<string, unknown>> {
    return until(`${name} of the tunnel's end`, () => this.#lines.find(line => name in line))
  }

  async stop(): Promise<void> {
    if (this.process === null || this.process.exitCode !== null) return
    const ended = once(this.process, 'exit')
    this.process.kill('SIGTERM')
    await ended
  }
}

/** Two ends; the first is listening already, the second starts when told. */
async function pair(t: Test, prepare?: (a: End) => Promise<void>): Promise<{ a: End; b: End }> {
  const lab = await makeLab(t)
  const root = shortFolder()
  t.teardown(() => rmSync(root, { recursive: true }))
  const [one, two] = [keyPair(), keyPair()]
  const path = `${root}/relay`
  const a = new End(lab.client, lab.iface(), one, {
    path,
    listen: true,
    ledger: `${root}/a.json`,
    peerKey: two.public,
    own4: '10.77.0.1/32',
    own6: 'fd77::1/128',
    peer: ['10.77.0.2/32', 'fd77::2/128'],
  })
  const b = new End(lab.node, lab.iface(), two, {
    path,
    listen: false,
    ledger: `${root}/b.json`,
    peerKey: one.public,
    own4: '10.77.0.2/32',
    own6: 'fd77::2/128',
    peer: ['10.77.0.1/32', 'fd77::1/128'],
  })
  await prepare?.(a)
  for (const each of [a, b]) each.before = await each.space.state()
  a.launch()
  await until('the first end listens', () => existsSync(path))
  return { a, b }
}

function keyPair(): Keys {
  const { privateKey } = generateKeyPairSync('x25519')
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' })
  const base64 = (text: string) => Buffer.from(text, 'base64url').toString('base64')
  return { private: base64(d), public: base64(x) }
}

function reason(): string {
  return skip === false ? '' : ` (${skip})`
}
