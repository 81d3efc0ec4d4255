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

Everything is real but the distance: WebSockets, UDP sockets and the relay, all on 127.0.0.1. Without --seconds
it runs until Ctrl-C, and nodes die and come back.`

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
    .option('--nodes <count>', 'nodes, 1 to 200', '3')
    .option('--clients <count>', 'clients, 1 to 2000', '5')
    .option('--rate <count>', 'datagrams a second of each client, 1 to 1000', '50')
    .option('--json', 'print nothing but the totals, as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Readonly<Record<string, unknown>>) => {
      const seconds =
        options['seconds'] === undefined ? null : whole('--seconds', options['seconds'], 1, 86_400)
      const nodes = whole('--nodes', options['nodes'], 1, 200)
      const clients = whole('--clients', options['clients'], 1, 2_000)
      const perSecond = whole('--rate', options['rate'], 1, 1_000)
      await runDemo({ seconds, nodes, clients, perSecond, json: options['json'] === true })
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
