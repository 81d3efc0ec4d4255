/** `boson demo`: a whole mesh in one terminal, with a node that dies on the way. */
import { Command } from 'commander'
import { heldClock } from '../../agent/held-clock.js'
import { every } from '../../kit/clock.js'
import { Ring } from '../../kit/ring.js'
import { demoPage, totalsText } from '../demo/page.js'
import type { World } from '../demo/world.js'
import { CommandError, EXIT } from '../exit-codes.js'

const EXAMPLES = `
Examples:
  $ boson demo
  $ boson demo --seconds 20 --nodes 5 --clients 50
  $ boson demo --seconds 10 --json
  $ boson demo --stay --nodes 12 --clients 40      a mesh around the globe, to look at in the inspector

Everything is real but the distance: WebSockets, UDP sockets and the relay, all on 127.0.0.1. Without --seconds
it runs until Ctrl-C, and nodes die and come back. With --stay the coordinator has its pages, database and log too,
nodes and clients are in many countries behind NATs of all kinds, and something happens every few seconds.`

const SMALL = { nodes: 3, clients: 5, perSecond: 50 } as const
const LIVELY = { nodes: 12, clients: 40, perSecond: 5 } as const
/** A node dies this far into a demo of a given length: late enough to have traffic, early enough to see it heal. */
const KILL_AT = 0.4
/** Without an end: how often a node dies, and how long it stays away, ms. */
const KILL_EVERY_MS = 15_000
const AWAY_MS = 7_000
/** The page is drawn this often, ms. */
const DRAW_EVERY_MS = 500
/** Lines of what happened that stay on the page. */
const HAPPENED_MAX = 8
const HOME = '\u001b[H\u001b[J'

/** Returns the command. */
export const demoCommand = (): Command =>
  new Command('demo')
    .description('run a coordinator, nodes and clients in this terminal, and kill a node on the way')
    .option('--seconds <count>', 'end after this long, with totals')
    .option('--nodes <count>', 'nodes, 1 to 200; 3, with --stay 12')
    .option('--clients <count>', 'clients, 1 to 2000; 5, with --stay 40')
    .option('--rate <count>', 'datagrams a second of each client, 1 to 1000; 50, with --stay 5')
    .option('--stay', 'a mesh around the globe that lives until Ctrl-C, with the pages of its coordinator')
    .option('--port <port>', 'with --stay: the port of the pages; 0 takes any', '3000')
    .option('--json', 'print nothing but the totals, as JSON; with --stay where it is')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Readonly<Record<string, unknown>>) => {
      const seconds =
        options['seconds'] === undefined ? null : whole('--seconds', options['seconds'], 1, 86_400)
      const usual = options['stay'] === true ? LIVELY : SMALL
      const nodes = whole('--nodes', options['nodes'] ?? usual.nodes, 1, 200)
      const clients = whole('--clients', options['clients'] ?? usual.clients, 1, 2_000)
      const perSecond = whole('--rate', options['rate'] ?? usual.perSecond, 1, 1_000)
      const json = options['json'] === true
      const size = { nodes, clients, perSecond }
      if (options['stay'] !== true) return runDemo({ seconds, ...size, json })
      await stay({ ...size, port: whole('--port', options['port'], 0, 65_535), json })
    })

interface DemoOptions {
  readonly seconds: number | null
  readonly nodes: number
  readonly clients: number
  readonly perSecond: number
  readonly json: boolean
}

async function runDemo({ seconds, json, ...size }: DemoOptions): Promise<void> {
  const live = !json && process.stdout.isTTY === true
  const happened = new Ring<string>(HAPPENED_MAX)
  const startedMs = heldClock.now()
  const elapsedS = () => (heldClock.now() - startedMs) / 1000
  const tell = (what: string) => {
    const line = `${elapsedS().toFixed(1).padStart(6)} s  ${what}`
    happened.push(line)
    if (!json && !live) process.stdout.write(`${line}\n`)
  }
  const { World } = await import('../demo/world.js')
  const world = await World.start({ ...size, happened: tell, log: errorsOnly })
  tell(`${size.nodes} nodes and ${size.clients} clients are online at port ${world.port}`)
  const draw = () => process.stdout.write(`${HOME}${demoPage(world, elapsedS(), happened.values())}\n`)
  const stopDrawing = live ? every(heldClock, DRAW_EVERY_MS, draw) : () => {}
  try {
    await (seconds === null ? untilInterrupted(world) : forSeconds(world, seconds))
    const totals = await world.settle()
    stopDrawing()
    if (live) draw()
    process.stdout.write(json ? `${JSON.stringify(totals)}\n` : `\n${totalsText(totals)}\n`)
  } finally {
    stopDrawing()
    await world.stop()
  }
}

interface Staying {
  readonly nodes: number
  readonly clients: number
  readonly perSecond: number
  readonly port: number
  readonly json: boolean
}

async function stay({ json, ...options }: Staying): Promise<void> {
  const interrupted = interrupt()
  const startedMs = heldClock.now()
  const tell = (what: string) => {
    const seconds = ((heldClock.now() - startedMs) / 1000).toFixed(1)
    if (!json) process.stdout.write(`${seconds.padStart(7)} s  ${what}\n`)
  }
  const { startStaying } = await import('../demo/stay.js')
  const demo = await startStaying({ ...options, happened: tell })
  const { url, token, dataDir } = demo
  process.stdout.write(
    json
      ? `${JSON.stringify({ url, inspector: `${url}/inspector`, token, dataDir })}\n`
      : `\nThe inspector is at ${url}/inspector, the operator’s token is ${token}\n` +
          `Others: SECRET_TOKEN=${token} boson status --watch --server ${url}\n` +
          `Its database and log are in ${dataDir} until Ctrl-C.\n\n`,
  )
  await interrupted
  await demo.stop()
}

async function forSeconds(world: World, seconds: number): Promise<void> {
  const interrupted = interrupt()
  await Promise.race([wait(seconds * 1000 * KILL_AT), interrupted])
  await world.kill()
  await Promise.race([wait(seconds * 1000 * (1 - KILL_AT)), interrupted])
}

async function untilInterrupted(world: World): Promise<void> {
  let over = false
  const interrupted = interrupt().then(() => {
    over = true
  })
  while (!over) {
    await Promise.race([wait(KILL_EVERY_MS - AWAY_MS), interrupted])
    if (over) return
    await world.kill()
    await Promise.race([wait(AWAY_MS), interrupted])
    await Promise.all(world.nodes.map(node => world.revive(node)))
  }
}

/** Resolves at the first Ctrl-C; a second one ends the process as usual. */
const interrupt = (): Promise<void> =>
  new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })

const wait = (ms: number): Promise<void> =>
  new Promise(resolve => {
    heldClock.setTimeout(resolve, ms)
  })

function whole(flag: string, value: unknown, min: number, max: number): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= min && number <= max) return number
  throw new CommandError(
    'USAGE',
    `${flag}: wanted a whole number from ${min} to ${max}, got ${JSON.stringify(value)}`,
    EXIT.usage,
  )
}

/** The demo's own page says what happens; only what is broken goes to the error output. */
const errorsOnly = {
  level: 'error',
  debug() {},
  info() {},
  warn() {},
  error(fields: object, message: string) {
    process.stderr.write(`${message} ${JSON.stringify(fields)}\n`)
  },
}
