/** `boson jobs`: what nodes are to do, ordered, watched and taken back. */
import { Command } from 'commander'
import { heldClock } from '../../agent/held-clock.js'
import { asDuration, columns } from '../columns.js'
import { readDuration } from '../duration.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { LiveLine } from '../live-line.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { addWatchOptions, show as showLive, showOptions } from '../watching.js'

const EXAMPLES = `
Examples:
  $ boson jobs                                          the newest ones
  $ boson jobs order fra-1 log-level debug --for 10m    and wait until it is over
  $ boson jobs order fra-1 reprobe
  $ boson jobs order fra-1 bundle --json | jq .result > fra-1.json
  $ boson jobs order fra-1 update-config drainWithin=30 logLevel=info
  $ boson jobs order fra-1 restart --no-watch
  $ boson jobs show 17
  $ boson jobs cancel 17

A node is told at once, or when it is there again, until --ttl is over; it does each job once. \`boson node\` does
reprobe, log-level, bundle, update-config and restart; other agents may know more kinds, and take --payload.`

/** A job as the coordinator tells it. */
export interface JobView {
  readonly id: number
  readonly server_id: string
  readonly type: string
  readonly status: 'pending' | 'delivered' | 'done' | 'failed' | 'expired' | 'cancelled'
  readonly step: string | null
  readonly result: unknown
  readonly created_at: string
  readonly created_by: string
  readonly accepted_at: string | null
  readonly deliveries: number
}

/** How often the coordinator is asked how far it is, ms. */
const LOOK_EVERY_MS = 500
const INTERRUPTED = 130

/** Returns the command. */
export function jobsCommand(): Command {
  const list = addWatchOptions(addOperatorOptions(new Command('list')))
    .description('list jobs, the newest first')
    .option('--node <id>', 'only those of this node')
    .option('--status <state>', 'only pending, delivered, done, failed, expired or cancelled ones')
    .option('--limit <rows>', 'at most so many', '40')
    .action(listed)
  const order = addOperatorOptions(new Command('order'))
    .description('order something that a node is to do')
    .argument('<node>', 'id of the node')
    .argument('<kind>', 'reprobe, log-level, bundle, update-config, restart, or one that its agent knows')
    .argument('[words...]', 'of log-level: the level; of update-config: settings as NAME=VALUE')
    .option('--for <time>', 'of log-level: until then, such as 10m')
    .option('--payload <json>', 'what goes with it, instead of words')
    .option('--ttl <time>', 'how long it is wanted', '1h')
    .option('--no-watch', 'return at once')
    .option('--json', 'print one JSON object per change')
    .action(ordered)
  const show = addOperatorOptions(new Command('show'))
    .description('show one job')
    .argument('<job>', 'its number')
    .option('--json', 'print JSON')
    .action(async (job: string, options: Record<string, unknown>) =>
      print(options, await new Operator(options).ask<JobView>('GET', pathOf(job))),
    )
  const cancel = addOperatorOptions(new Command('cancel'))
    .description('take a job back; a node that has begun it is not stopped')
    .argument('<job>', 'its number')
    .option('--json', 'print JSON')
    .action(async (job: string, options: Record<string, unknown>) =>
      print(options, await new Operator(options).ask<JobView>('DELETE', pathOf(job))),
    )
  return new Command('jobs')
    .description('order things that nodes are to do, and see what came of them')
    .addCommand(list, { isDefault: true })
    .addCommand(order)
    .addCommand(show)
    .addCommand(cancel)
    .addHelpText('after', EXAMPLES)
}

async function listed(options: Record<string, unknown>): Promise<void> {
  const query = new URLSearchParams()
  for (const name of ['node', 'status', 'limit'])
    if (typeof options[name] === 'string') query.set(name, options[name])
  const shown = showOptions(options)
  const operator = new Operator(options)
  await showLive(
    {
      look: () =>
        operator.ask<{ readonly jobs: readonly JobView[] }>('GET', `/api/v1/jobs?${query.toString()}`),
      page: ({ jobs }) => jobsPage(jobs, heldClock.wallMs()),
    },
    shown,
  )
}

async function ordered(
  node: string,
  kind: string,
  words: readonly string[],
  options: Record<string, unknown>,
): Promise<void> {
  const ttlMs = durationOf('--ttl', options['ttl'])
  const type = typeOf(kind)
  const payload = payloadOf(type, words, options)
  const operator = new Operator(options)
  const job = await operator.ask<JobView>('POST', `/api/v1/nodes/${encodeURIComponent(node)}/jobs`, {
    type,
    ttl: ttlMs / 1_000,
    ...(payload !== null && { payload }),
  })
  if (options['watch'] === false) return print(options, job)
  await watched(operator, job, options)
}

/** Shows how far it is until it is over; rejects with a CommandError when it was not done. */
async function watched(operator: Operator, begun: JobView, options: Record<string, unknown>): Promise<void> {
  const line = new LiveLine({ json: options['json'] === true })
  const interrupted = () => {
    line.end()
    line.note(`the job goes on: \`boson jobs show ${begun.id}\` shows how far it is`)
    process.exit(INTERRUPTED)
  }
  process.once('SIGINT', interrupted)
  let job = begun
  try {
    for (; ; job = await operator.ask<JobView>('GET', pathOf(String(begun.id)))) {
      line.show({ text: jobLine(job), figures: '', data: job })
      if (isOver(job)) break
      await new Promise<void>(resolve => void heldClock.setTimeout(resolve, LOOK_EVERY_MS))
    }
  } finally {
    process.off('SIGINT', interrupted)
    line.end()
  }
  if (job.status === 'expired')
    throw new CommandError('TIME_UP', 'time was up before it was done', EXIT.timeUp)
  if (job.status !== 'done') throw new CommandError('NOT_DONE', `it was not done: ${wordsOf(job.result)}`)
  if (options['json'] !== true && job.result !== null)
    process.stdout.write(`${JSON.stringify(job.result, null, 2)}\n`)
}

/** Kinds are spelled as commands are, or as the wire has them: `log-level` is `logLevel`. */
export const typeOf = (kind: string): string =>
  kind.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Returns what goes with a job. Throws a CommandError that says what was wanted. */
export function payloadOf(
  type: string,
  words: readonly string[],
  options: Readonly<Record<string, unknown>>,
): unknown {
  const { payload, for: forText } = options
  if (typeof payload === 'string') return fromJson('--payload', payload)
  if (type === 'logLevel') {
    if (words.length !== 1) throw usage('log-level: wanted a level such as debug')
    return { level: words[0], ...(forText !== undefined && { forMs: durationOf('--for', forText) }) }
  }
  if (type === 'updateConfig') {
    if (words.length === 0) throw usage('update-config: wanted settings such as drainWithin=30')
    return Object.fromEntries(words.map(settingOf))
  }
  if (words.length > 0) throw usage(`${type}: wanted nothing more; what goes with it is --payload`)
  return null
}

function settingOf(word: string): readonly [string, unknown] {
  const [, name, value] = /^([A-Za-z]+)=(.*)$/s.exec(word) ?? []
  if (name === undefined || value === undefined) throw usage(`wanted NAME=VALUE, got ${JSON.stringify(word)}`)
  try {
    return [name, JSON.parse(value)]
  } catch {
    return [name, value]
  }
}

function fromJson(flag: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw usage(`${flag}: wanted JSON`)
  }
}

function durationOf(flag: string, text: unknown): number {
  const ms = readDuration(String(text))
  if (ms === null) throw usage(`${flag}: wanted a time such as 90s, 10m or 2h, got ${JSON.stringify(text)}`)
  return ms
}

const isOver = ({ status }: JobView): boolean => status !== 'pending' && status !== 'delivered'

/** Returns how far a job is, as one line. */
export function jobLine({ id, server_id, type, status, step, accepted_at, deliveries }: JobView): string {
  const how =
    status === 'pending'
      ? `waits for ${server_id} to be there`
      : status !== 'delivered'
        ? status
        : accepted_at !== null || step !== null
          ? (step ?? 'begun')
          : `told${deliveries > 1 ? ` ${deliveries} times` : ''}, no word yet`
  return `job ${id}  ${server_id}  ${type}: ${how}`
}

/** Returns the table of jobs. */
export function jobsPage(jobs: readonly JobView[], nowMs: number): string {
  if (jobs.length === 0) return 'no job was ordered'
  return columns(
    ['JOB', 'NODE', 'KIND', 'STATE', 'TOLD', 'BY', 'AGE', 'WHAT CAME OF IT'],
    jobs.map(job => [
      job.id,
      job.server_id,
      job.type,
      job.status,
      job.deliveries,
      job.created_by,
      asDuration(Math.max(0, nowMs - Date.parse(job.created_at)) / 1_000),
      wordsOf(job.result) || job.step,
    ]),
  )
}

/** As much of a result as a line has room for, characters. */
const WORDS_MAX = 60

function wordsOf(result: unknown): string {
  if (result === null || result === undefined) return ''
  const { reason, ...more } =
    typeof result === 'object' ? (result as Record<string, unknown>) : { reason: result } // looked at, no more
  const rest = Object.keys(more).length === 0 ? '' : JSON.stringify(more)
  const words = [reason ?? [], rest === '' ? [] : rest]
    .flat()
    .map(each => (typeof each === 'string' ? each : JSON.stringify(each)))
  const text = words.join(' ')
  return text.length <= WORDS_MAX || reason !== undefined ? text : `${text.slice(0, WORDS_MAX)}…`
}

function print(options: Record<string, unknown>, job: JobView): void {
  const { result } = job
  const text = result === null ? jobLine(job) : `${jobLine(job)}\n${JSON.stringify(result, null, 2)}`
  process.stdout.write(`${options['json'] === true ? JSON.stringify(job) : text}\n`)
}

const pathOf = (job: string): string => `/api/v1/jobs/${encodeURIComponent(job)}`
const usage = (message: string) => new CommandError('USAGE', message, EXIT.usage)
