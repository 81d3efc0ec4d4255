/** `boson drain`: a node is to go; its clients move to others, and the progress is shown. */
import { Command, Option } from 'commander'
import type { DrainView } from '../../actors/ports.js'
import { heldClock } from '../../agent/held-clock.js'
import { asDuration, columns } from '../columns.js'
import { readDuration } from '../duration.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { LiveLine, type Moment } from '../live-line.js'
import { addOperatorOptions, Operator } from '../operator.js'

const EXAMPLES = `
Examples:
  $ boson drain fra-1                    move its clients, and wait until the last one has gone
  $ boson drain fra-1 --within 5m        the same, but end what is still there then
  $ boson drain fra-1 --no-wait          only begin
  $ boson drain fra-1 --cancel           give it clients again
  $ boson drain                          which nodes are drained, and how far they are

A drained node gets no clients until its drain is cancelled, over restarts of the node and of the coordinator.
Clients move one after another, and each is served by the old node until the new one carries. Those for which no
other node qualifies wait. Ctrl-C ends the watching only; the same command without a time watches again.`

/** How often the coordinator is asked how far it is, ms. */
const LOOK_EVERY_MS = 500
/** A coordinator that restarts meanwhile is waited for, ms. */
const AWAY_MAX_MS = 60_000

interface DrainOptions {
  readonly within?: string
  readonly untilEmpty?: boolean
  readonly cancel?: boolean
  readonly wait: boolean
  readonly json?: boolean
}

/** Returns the command. */
export const drainCommand = (): Command =>
  addOperatorOptions(new Command('drain'))
    .description(
      'move the clients of a node to others and give it no new ones, or show which nodes are drained',
    )
    .argument('[node]', 'id of the node')
    .addOption(
      new Option('--until-empty', 'wait for every client; the default').conflicts(['within', 'cancel']),
    )
    .addOption(
      new Option('--within <time>', 'end what is still there after this: 90s, 5m, 2h').conflicts('cancel'),
    )
    .option('--cancel', 'give the node clients again')
    .option('--no-wait', 'return at once')
    .option('--json', 'print one JSON object per change')
    .addHelpText('after', EXAMPLES)
    .action(async (node: string | undefined, options: DrainOptions & Record<string, unknown>) => {
      const withinMs = withinOf(options)
      if (node === undefined && (withinMs !== undefined || options.cancel === true))
        throw usage('wanted the id of the node to drain')
      const operator = new Operator(options)
      if (node === undefined) return list(operator, options)
      if (options.cancel === true) return cancel(operator, node, options)
      const drain = await begin(operator, node, withinMs)
      if (!options.wait) return print(options.json === true ? JSON.stringify(drain) : planText(drain))
      await watch(operator, drain, new LiveLine({ json: options.json === true }))
    })

/** Returns until when; null: until it is empty; undefined: nothing was said. */
function withinOf({ within, untilEmpty }: DrainOptions): number | null | undefined {
  if (within === undefined) return untilEmpty === true ? null : undefined
  const ms = readDuration(within)
  if (ms === null) throw usage(`--within: wanted a time such as 90s, 5m or 2h, got ${JSON.stringify(within)}`)
  return ms
}

async function list(operator: Operator, { json }: DrainOptions): Promise<void> {
  const drains = await drainsOf(operator)
  print(json === true ? JSON.stringify(drains) : drainsPage(drains, heldClock.wallMs()))
}

async function cancel(operator: Operator, node: string, { json }: DrainOptions): Promise<void> {
  const answer = await operator.ask<object>('DELETE', pathOf(node))
  print(json === true ? JSON.stringify(answer) : `${node} is given clients again`)
}

/** A drain that is on already goes on as it is, unless a time was given. */
async function begin(
  operator: Operator,
  node: string,
  withinMs: number | null | undefined,
): Promise<DrainView> {
  const known = withinMs === undefined ? await drainOf(operator, node) : undefined
  if (known?.by === 'operator') return known
  return operator.ask<DrainView>('POST', pathOf(node), { withinMs: withinMs ?? null })
}

/** Shows how far it is until it is over; rejects with a CommandError when clients were cut off. */
async function watch(operator: Operator, begun: DrainView, line: LiveLine): Promise<void> {
  const { nodeId } = begun
  const interrupted = () => {
    line.end()
    line.note(`the drain goes on: \`boson drain ${nodeId}\` shows how far it is, with --cancel it ends`)
    process.exit(INTERRUPTED)
  }
  process.once('SIGINT', interrupted)
  try {
    for (let drain: DrainView | undefined = begun; ; drain = await next(operator, nodeId, line)) {
      if (drain === undefined)
        throw new CommandError(
          'CANCELLED',
          `${nodeId} is drained no more: the drain was cancelled, or it has gone`,
        )
      line.show(momentOf(drain))
      if (drain.state === 'empty') return
      if (drain.state === 'expired')
        throw new CommandError(
          'TIME_UP',
          `time was up: ${clients(drain.ended)} had to be cut off`,
          EXIT.timeUp,
        )
    }
  } finally {
    process.off('SIGINT', interrupted)
    line.end()
  }
}

/** What a shell shows for a program that Ctrl-C has ended. */
const INTERRUPTED = 130

async function next(operator: Operator, node: string, line: LiveLine): Promise<DrainView | undefined> {
  for (let awayMs = 0; ; awayMs += LOOK_EVERY_MS) {
    await new Promise<void>(resolve => void heldClock.setTimeout(resolve, LOOK_EVERY_MS))
    try {
      return await drainOf(operator, node)
    } catch (error) {
      const isAway = error instanceof CommandError && error.exitCode === EXIT.unreachable
      if (!isAway || awayMs >= AWAY_MAX_MS) throw error
      if (awayMs === 0) line.note('the coordinator does not answer; waiting for it')
    }
  }
}

const pathOf = (node: string): string => `/api/v1/nodes/${encodeURIComponent(node)}/drain`

const drainsOf = async (operator: Operator): Promise<readonly DrainView[]> =>
  (await operator.ask<{ drains: readonly DrainView[] }>('GET', '/api/v1/drains')).drains

const drainOf = async (operator: Operator, node: string): Promise<DrainView | undefined> =>
  (await drainsOf(operator)).find(({ nodeId }) => nodeId === node)

/** Returns how far a drain is, as one line. */
export function momentOf(drain: DrainView): Moment {
  const { nodeId, state, left, moved, waiting, ended } = drain
  const parts = [
    ...(state === 'empty' || state === 'expired' ? [] : [`${clients(left)} left`]),
    `${moved} moved`,
    ...(waiting > 0 ? [`${waiting} ${waiting === 1 ? 'waits' : 'wait'} for a node that qualifies`] : []),
    ...(ended > 0 ? [`${ended} cut off`] : []),
  ]
  const word = state === 'moving' || state === 'waiting' ? 'draining' : state
  return { text: `${nodeId}  ${word}: ${parts.join(', ')}`, figures: timeText(drain), data: drain }
}

/** Returns what is about to happen. */
export function planText({ nodeId, left, remainingMs }: DrainView): string {
  if (left === 0) return `${nodeId} is drained: it has no clients`
  const end =
    remainingMs === null ? '' : `; what is left in ${asDuration(Math.round(remainingMs / 1_000))} is cut off`
  return `${nodeId} is drained: ${clients(left)} ${left === 1 ? 'moves' : 'move'} to other nodes${end}`
}

/** Returns the table of nodes that are drained. */
export function drainsPage(drains: readonly DrainView[], nowMs: number): string {
  if (drains.length === 0) return 'no node is drained'
  return columns(
    ['NODE', 'STATE', 'BY', 'SINCE', 'LEFT', 'MOVED', 'WAITING', 'CUT OFF', 'TIME'],
    drains.map(drain => [
      drain.nodeId,
      drain.state,
      drain.by,
      asDuration((nowMs - drain.startedAtMs) / 1_000),
      drain.left,
      drain.moved,
      drain.waiting,
      drain.ended,
      timeText(drain) || null,
    ]),
  )
}

function timeText({ remainingMs, estimateMs }: DrainView): string {
  const about =
    estimateMs === null || estimateMs < 1_000 ? [] : [`about ${asDuration(estimateMs / 1_000)} to go`]
  const until = remainingMs === null ? [] : [`${asDuration(remainingMs / 1_000)} until the end`]
  return [...about, ...until].join(', ')
}

const clients = (count: number): string => `${count} ${count === 1 ? 'client' : 'clients'}`
const usage = (message: string) => new CommandError('USAGE', message, EXIT.usage)
const print = (line: string): void => void process.stdout.write(`${line}\n`)
