/** `boson databases activity`, `locks`, `statements`: what goes on in a server. */
import { type Command, Option } from 'commander'
import type { Activity, Locks, Session, Statements, Waiting } from '../../../pgmon/activity/forms.js'
import { STATEMENT_ORDERS } from '../../../pgmon/activity/forms.js'
import { asDuration, asMs, asPercent, columns, plain } from '../../columns.js'
import { Operator } from '../../operator.js'
import { addWatchOptions, show, showOptions } from '../../watching.js'
import { aboutServer, type Options, optionsOf, serverPath } from './about-server.js'

/** What is shown of a query; --json has all that is told. Characters. */
const QUERY_MAX = 100
const ROWS = 20

/** Returns the commands. */
export const workCommands = (): readonly Command[] => [
  shown<Activity>('activity', 'list the sessions of a server, active and long ones first', activityPage, {
    state: 'only those that are active, idle, "idle in transaction", …',
    database: 'only those in this database',
    'min-s': 'only those whose transaction or query has run for so many seconds',
  }),
  shown<Locks>(
    'locks',
    'draw who waits for whom, those that hold what others want at the left',
    locksPage,
    {},
  ),
  shown<Statements>('statements', 'list the statements that cost the most', statementsPage, {
    limit: `at most so many, ${ROWS} when nobody says`,
  }).addOption(new Option('--by <what>', 'in which order').choices(STATEMENT_ORDERS)),
]

/** Returns a command that shows a page of a server; `filters` go into the query. */
function shown<T>(
  name: string,
  description: string,
  page: (found: T) => string,
  filters: Readonly<Record<string, string>>,
): Command {
  const command = aboutServer(name, description)
  for (const [flag, doc] of Object.entries(filters)) command.option(`--${flag} <value>`, doc)
  return addWatchOptions(command).action(async (server: string, _, self: Command) => {
    const options = optionsOf(self)
    const operator = new Operator(options)
    const query = new URLSearchParams(name === 'statements' ? { limit: String(ROWS) } : {})
    const given: Options = self.opts()
    for (const [option, field] of FIELDS) {
      const value = given[option]
      if (typeof value === 'string') query.set(field, value)
    }
    const path = `${serverPath(server)}/${name}?${query.toString()}`
    await show({ look: () => operator.ask<T>('GET', path), page }, showOptions(options))
  })
}

/** Options, and what the interface calls them. */
const FIELDS = [
  ['state', 'state'],
  ['database', 'database'],
  ['minS', 'min_s'],
  ['by', 'by'],
  ['limit', 'limit'],
] as const

/** Returns what a person sees. */
export function activityPage({ sessions, total, unknown }: Activity): string {
  const rows = sessions.map(session => [
    session.pid,
    session.user,
    session.database,
    session.application === '' ? null : session.application,
    session.state ?? session.kind,
    session.wait,
    ago(session.transaction_s),
    ago(session.query_s),
    session.blocked_by.join(', ') || null,
    queryOf(session.query),
  ])
  const heading = [
    'PID',
    'USER',
    'DATABASE',
    'PROGRAM',
    'STATE',
    'WAITS FOR',
    'TX',
    'QUERY',
    'BLOCKED BY',
    'TEXT',
  ]
  const more = total > sessions.length ? [`… ${sessions.length} of ${total}`] : []
  return page(rows.length === 0 ? ['no session like that'] : [columns(heading, rows), ...more], unknown)
}

/** Returns what a person sees: a tree, each session below what it waits for. */
export function locksPage({ tree, blocked, left_out, unknown }: Locks): string {
  if (tree.length === 0) return page(['nobody waits for anybody'], unknown)
  const more = left_out > 0 ? [`… ${left_out} more`] : []
  return page([`${blocked} waiting`, ...tree.flatMap(root => branch(root, '', '')), ...more], unknown)
}

function branch(
  { session, lock, waited_s, is_repeated, waiting }: Waiting,
  first: string,
  rest: string,
): string[] {
  const wants = lock === null ? '' : ` wants ${lock.mode} on ${plain(lock.relation ?? lock.type)}`
  const since = waited_s === null ? '' : `, ${asDuration(waited_s)}`
  const again = is_repeated ? ' (again)' : ''
  const line = `${first}${session.pid} ${who(session)}${wants}${since}${again}: ${queryOf(session.query) ?? session.state ?? '-'}`
  return [
    line,
    ...waiting.flatMap((each, i) => {
      const isLast = i === waiting.length - 1
      return branch(each, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`)
    }),
  ]
}

const who = ({ user, database, application }: Session): string =>
  plain(`${user ?? '-'}@${database ?? '-'}${application ? ` (${application})` : ''}`)

/** Returns what a person sees. */
export function statementsPage({ statements, since, unknown }: Statements): string {
  const rows = statements.map(each => [
    asPercent(each.time_ratio * 100),
    each.calls,
    asMs(each.mean_ms),
    asMs(each.max_ms),
    each.rows,
    asPercent(each.cache_hit_ratio === null ? null : each.cache_hit_ratio * 100),
    each.blocks_read,
    each.database,
    queryOf(each.query),
  ])
  const heading = ['TIME', 'CALLS', 'MEAN', 'MAX', 'ROWS', 'HITS', 'READ', 'DATABASE', 'TEXT']
  const from = since === null ? [] : [`since ${since.slice(0, 16).replace('T', ' ')} UTC`]
  return page(rows.length === 0 ? ['no statement is known'] : [columns(heading, rows), ...from], unknown)
}

type Unknown = Activity['unknown']

const page = (parts: readonly string[], unknown: Unknown): string =>
  [...parts, ...unknown.map(({ what, why }) => `not known: ${plain(what)}: ${plain(why)}`)].join('\n')

const queryOf = (query: string | null): string | null =>
  query === null ? null : plain(query, QUERY_MAX) || null

const ago = (seconds: number | null): string | null => (seconds === null ? null : asDuration(seconds))
