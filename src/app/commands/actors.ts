/** `boson actors`: the living actors as a tree or a list, one of them, and what it does. */
import { Command } from 'commander'
import type { ActorRow, ActorsPage, ActorStep, ActorView, Plain } from '../../actors/ports.js'
import { asDuration, columns } from '../columns.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { addWatchOptions, show as showLive, showOptions } from '../watching.js'

const EXAMPLES = `
Examples:
  $ boson actors                                list them
  $ boson actors --kind node --state lapsed     some of them
  $ boson actors --search symmetric             by name, country or what they are about
  $ boson actors tree                           who looks after whom
  $ boson actors show node/fra-1                all that is known of one
  $ boson actors tail node/fra-1                what it hears, says and does, until Ctrl-C

An actor is watched only while somebody looks: nothing is known of what it did before.`

/** Rows on a terminal; --json has as many as --limit says. */
const ROWS = 40
/** Rows of a tree. */
const TREE_ROWS = '1000'
/** How long one question of `tail` waits, ms: less than the operator's patience. */
const WAIT_MS = 8_000

interface ListOptions {
  readonly search?: string
  readonly kind?: string
  readonly state?: string
  readonly country?: string
  readonly reason?: string
  readonly parent?: string
  readonly sort?: string
  readonly limit?: string
  readonly json?: boolean
}

type Page = Pick<ActorsPage, 'actors' | 'total' | 'next'>

/** Returns the command. */
export function actorsCommand(): Command {
  const list = filters(addOperatorOptions(new Command('list')))
    .description('list the living actors')
    .action(async (options: ListOptions & Record<string, unknown>) => {
      const shown = showOptions(options)
      await showLive({ look: () => ask(options), page: actorsPage }, shown)
    })
  const tree = filters(addOperatorOptions(new Command('tree')))
    .description('show who looks after whom')
    .action(async (options: ListOptions & Record<string, unknown>) => {
      const shown = showOptions(options)
      const wish = { ...options, limit: options.limit ?? TREE_ROWS }
      await showLive({ look: () => ask(wish), page: treePage }, shown)
    })
  const show = addWatchOptions(addOperatorOptions(new Command('show')))
    .description('show all that is known of one actor')
    .argument('<id>', 'such as node/fra-1 or path/65537')
    .action(async (id: string, options: Record<string, unknown>) => {
      const shown = showOptions(options)
      const operator = new Operator(options)
      await showLive({ look: () => operator.ask<ActorView>('GET', pathOf(id)), page: actorPage }, shown)
    })
  const tail = addOperatorOptions(new Command('tail'))
    .description('show what one actor hears, says and does')
    .argument('<id>', 'such as node/fra-1 or coordinator')
    .option('--json', 'print one JSON object per step')
    .action(async (id: string, options: Record<string, unknown>) => {
      const operator = new Operator(options)
      for (let after = 0; ; ) {
        const { steps } = await operator.ask<{ steps: readonly (ActorStep & { seq: number })[] }>(
          'GET',
          `${pathOf(id)}/steps?after=${after}&waitMs=${WAIT_MS}`,
        )
        for (const step of steps) print(options['json'] === true ? JSON.stringify(step) : stepLine(step))
        after = steps.at(-1)?.seq ?? after
      }
    })
  return new Command('actors')
    .description('show the living actors, one of them, or what it does')
    .addHelpText('after', EXAMPLES)
    .addCommand(list, { isDefault: true })
    .addCommand(tree)
    .addCommand(show)
    .addCommand(tail)
}

const filters = (command: Command): Command =>
  addWatchOptions(command)
    .option('--search <text>', 'a part of the id, of the country or of what they are about')
    .option('--kind <kinds>', 'node, client, path, nat-probe, drain, coordinator, …; several by commas')
    .option('--state <text>', 'a part of the state: lapsed, suspended, relayed')
    .option('--country <code>', 'two capital letters')
    .option('--reason <code>', 'paths that are not direct because of this, such as symmetric_both')
    .option('--parent <id>', 'those that this actor looks after, such as client/anna')
    .option('--sort <field>', 'id, state, country or about; with a minus before it in reverse')
    .option('--limit <count>', 'the most that are wanted')

function ask(options: ListOptions & Record<string, unknown>): Promise<Page> {
  const { search, kind: kinds, state, country, reason, parent, sort, limit = String(ROWS) } = options
  const wish = { search, kinds, state, country, reason, parent, sort, limit }
  const query = Object.entries(wish).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string]],
  )
  return new Operator(options).ask<Page>('GET', `/api/v1/actors?${new URLSearchParams(query).toString()}`)
}

const pathOf = (id: string): string => `/api/v1/actors/${encodeURIComponent(id)}`

/** Returns a list of actors as a table. */
export function actorsPage({ actors, total }: Page): string {
  const table = columns(
    ['ACTOR', 'STATE', 'COUNTRY', 'ABOUT'],
    actors.map(({ id, state, country, about }) => [id, state, country, about]),
  )
  const more = total - actors.length
  return more > 0 ? `${table}\n… and ${more} more: --search, --kind, --limit` : table
}

/** Returns actors as a tree; one whose parent is not among them stands by itself. */
export function treePage({ actors, total }: Page): string {
  const ids = new Set(actors.map(({ id }) => id))
  const children = new Map<string | null, ActorRow[]>()
  for (const actor of actors) {
    const parent = actor.parent !== null && ids.has(actor.parent) ? actor.parent : null
    children.set(parent, [...(children.get(parent) ?? []), actor])
  }
  const lines: string[] = []
  const draw = (parent: string | null, indent: string) => {
    const each = children.get(parent) ?? []
    for (const [i, { id, state, about }] of each.entries()) {
      const isLast = i === each.length - 1
      const branch = parent === null ? '' : isLast ? '└─ ' : '├─ '
      lines.push(`${indent}${branch}${id}  ${state}${about === null ? '' : `  ${about}`}`)
      draw(id, parent === null ? '' : `${indent}${isLast ? '   ' : '│  '}`)
    }
  }
  draw(null, '')
  const more = total - actors.length
  return more > 0 ? `${lines.join('\n')}\n… and ${more} more: --limit` : lines.join('\n')
}

/** Returns one actor with all that is known of it. */
export function actorPage(view: ActorView): string {
  const { id, state, parent, about, unreadBytes, timers, neighbours, context } = view
  const lines = [
    `${id}  ${state}`,
    ...(about === null ? [] : [about]),
    '',
    ...(parent === null ? [] : [`looked after by  ${parent}`]),
    ...timers.map(({ name, inMs }) => `${name} in  ${asDuration(inMs / 1_000)}`),
    ...(unreadBytes === null ? [] : [`its agent has still to read  ${unreadBytes} B`]),
    ...(neighbours.length === 0 ? [] : [`speaks with  ${neighbours.join('  ')}`]),
    '',
    ...fieldLines(context, ''),
  ]
  return lines.join('\n').trimEnd()
}

function fieldLines(value: Plain, indent: string): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return [`${indent}${textOf(value)}`]
  return Object.entries(value).flatMap(([name, field]) =>
    field !== null && typeof field === 'object' && !Array.isArray(field)
      ? [`${indent}${name}`, ...fieldLines(field, `${indent}  `)]
      : [`${indent}${name}  ${textOf(field)}`],
  )
}

/** Returns a step as one line: when, what, where it led, what was done. */
export function stepLine({ atMs, kind, event, data, from, to, moved, actions }: ActorStep): string {
  const time = new Date(atMs).toISOString().slice(11, 23)
  const sign = kind === 'said' ? '→' : kind === 'told' ? '←' : '•'
  const fields = textOf(data)
  const parts = [
    `${time} ${sign} ${event}`,
    ...(fields === '{}' ? [] : [fields]),
    ...(moved ? [`${from} ⇒ ${to}`] : []),
    ...(actions.length === 0 ? [] : [`[${actions.join(' ')}]`]),
  ]
  return parts.join('  ')
}

function textOf(value: Plain): string {
  if (value === null) return '-'
  if (Array.isArray(value))
    return value.length === 0 ? '-' : value.map(item => textOf(item as Plain)).join(', ') // its items are plain
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, field]) => `${name}: ${textOf(field)}`)
      .join(', ')}}`
  return String(value)
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
