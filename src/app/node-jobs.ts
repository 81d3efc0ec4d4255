/**
 * What operators may order `boson node` to do. Each job says what came of it, or why it was not done.
 *
 *   reprobe        dials nothing anew, but tries every path and the NAT again
 *   logLevel       {level, forMs?}: more lines, or fewer, for a while
 *   bundle         what somebody who helps asks for first, without secrets
 *   updateConfig   settings by their names, those that may change while it runs
 *   restart        ends with exit code 8, so that its supervisor starts it again
 */
import { z } from 'zod'
import { JobFailed, type Job, type MeshNode, type MeshNodeStatus } from '../agent/index.js'
import { systemClock } from '../kit/clock.js'
import { JOB_JSON_MAX } from '../protocol/messages.js'
import { LOG_LEVELS, type LogLevel } from '../telemetry/log-level.js'
import { NODE_SETTINGS, type NodeSettings } from './agent-settings.js'
import type { LiveLine } from './live-line.js'
import { maskedSettings, secretsIn, withoutSecrets } from './masking.js'
import { VERSION } from './version.js'

export interface NodeJobsOptions {
  readonly node: MeshNode
  readonly settings: NodeSettings
  /** Settings that `updateConfig` has changed; read where they count. */
  readonly changed: ChangedSettings
  readonly logLevel: LogLevel
  readonly line: LiveLine
  /** Lets the process end so that it is started again. */
  readonly restart: () => void
  /** Somebody looks at it on a terminal: nothing would start it again. */
  readonly isWatched: boolean
}

export type ChangedSettings = { -readonly [K in keyof Changeable]?: Changeable[K] }
type Changeable = Pick<NodeSettings, 'drainWithin' | 'logLevel'>

const LOG_FOR_MS = 600_000
const DAY_MS = 86_400_000
/** How long an agent may take to find out about its NAT, and how often it is looked at, ms. */
const PROBE_MS = 30_000
const LOOK_EVERY_MS = 250
/** Links that are told of. */
const LINKS_MAX = 50

const LogWish = z.strictObject({
  level: z.enum(LOG_LEVELS),
  forMs: z.int().min(1_000).max(DAY_MS).default(LOG_FOR_MS),
})

/** Lets the node do all of this. */
export function doJobs(options: NodeJobsOptions): void {
  const { node, logLevel } = options
  node.jobs
    .on('reprobe', job => reprobed(node, job))
    .on('logLevel', ({ payload }) => {
      const { level, forMs } = asked(
        LogWish,
        payload,
        `wanted {"level": one of ${LOG_LEVELS.join(', ')}, "forMs": 1000 to ${DAY_MS}}`,
      )
      logLevel.set(level, forMs)
      return logLevel.view
    })
    .on('bundle', () => bundleOf(options))
    .on('updateConfig', ({ payload }) => updated(options, payload))
    .on(
      'restart',
      ({ tell }) => {
        if (options.isWatched) throw new JobFailed('it runs on a terminal: nobody would start it again')
        tell('ending; the next process says when it is back')
        options.restart()
        return new Promise(() => {})
      },
      { afterRestart: () => ({ version: VERSION, pid: process.pid }) },
    )
}

/** Resolves with what is known of the network some seconds after everything was tried anew. */
async function reprobed(node: MeshNode, { signal }: Job) {
  const before = node.status().nat
  node.nudge()
  for (let waitedMs = 0; waitedMs < PROBE_MS && node.status().nat === before; waitedMs += LOOK_EVERY_MS) {
    if (signal.aborted) break
    await new Promise<void>(resolve => void systemClock.setTimeout(resolve, LOOK_EVERY_MS))
  }
  return networkOf(node.status())
}

const networkOf = ({ nat, links }: MeshNodeStatus) => ({ nat, links: links.slice(0, LINKS_MAX) })

/** What was known longest goes first when it is too much. */
function bundleOf({ node, settings, line, logLevel }: NodeJobsOptions): unknown {
  const { links, ...status } = node.status()
  const bundle = (notes: readonly string[], rows: number) => ({
    version: VERSION,
    node: process.version,
    uptimeS: Math.round(process.uptime()),
    memory: process.memoryUsage.rss(),
    settings: maskedSettings(NODE_SETTINGS, settings),
    logLevel: logLevel.view,
    status: { ...status, session: status.session && { ...status.session } },
    links: { total: links.length, first: links.slice(0, rows) },
    reports: node.reports.status(),
    notes,
  })
  const secrets = secretsIn(NODE_SETTINGS, settings)
  for (
    let [notes, rows] = [line.notes, LINKS_MAX];
    ;
    notes = notes.slice(Math.ceil(notes.length / 4)), rows >>= 1
  ) {
    const text = withoutSecrets(JSON.stringify(bundle(notes, rows)), secrets)
    if (Buffer.byteLength(text) <= JOB_JSON_MAX || rows === 0) return JSON.parse(text) as unknown
  }
}

type Change = (options: NodeJobsOptions, value: never) => void

/** Settings that may change while it runs, and what that does. */
const CHANGES: Readonly<Record<keyof Changeable, Change>> = {
  drainWithin: ({ changed }, value: number) => {
    changed.drainWithin = value
  },
  logLevel: ({ changed, logLevel }, value: NodeSettings['logLevel']) => {
    changed.logLevel = value
    logLevel.usually(value)
  },
}

/** Why others may not. */
const ELSEWHERE = 'an operator lays it down for this node: boson steer'
const STEERED: Readonly<Record<string, string>> = {
  tags: ELSEWHERE,
  cost: ELSEWHERE,
  maxSessions: ELSEWHERE,
}
const AT_START = 'it counts from the next start on: change it on that machine, and order a restart'

/** Changes all of them or, when one may not change, none. */
function updated(options: NodeJobsOptions, payload: unknown): unknown {
  const wanted = 'wanted an object of settings such as {"drainWithin": 30}'
  const given = Object.entries(asked(z.record(z.string(), z.unknown()), payload, wanted))
  if (given.length === 0) throw new JobFailed(wanted)
  const read = given.map(([name, value]) => ({ name, ...readChange(name, value) }))
  const refused = read.flatMap(({ name, why }) => (why === undefined ? [] : [[name, why] as const]))
  if (refused.length > 0) throw new JobFailed('nothing was changed', { refused: Object.fromEntries(refused) })
  for (const { name, value } of read) CHANGES[name as keyof Changeable](options, value as never) // as it was read
  return { changed: Object.fromEntries(read.map(({ name, value }) => [name, value])) }
}

function readChange(name: string, value: unknown): { readonly value?: unknown; readonly why?: string } {
  const setting = Object.hasOwn(NODE_SETTINGS, name)
    ? NODE_SETTINGS[name as keyof typeof NODE_SETTINGS]
    : undefined
  if (setting === undefined) return { why: 'there is no such setting' }
  if (!Object.hasOwn(CHANGES, name)) return { why: STEERED[name] ?? AT_START }
  const parsed = setting.accepts.schema.safeParse(value)
  return parsed.success ? { value: parsed.data } : { why: `wanted ${setting.accepts.wanted}` }
}

function asked<T>(schema: z.ZodType<T>, payload: unknown, wanted: string): T {
  const parsed = schema.safeParse(payload)
  if (!parsed.success) throw new JobFailed(wanted)
  return parsed.data
}
