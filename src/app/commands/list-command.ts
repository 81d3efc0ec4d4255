/** What the commands that list something have in common: filters, order, pages, `--watch` and `--json`. */
import { Command } from 'commander'
import { type Cell, columns } from '../columns.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { addWatchOptions, show, showOptions } from '../watching.js'

export interface ListSpec<Row> {
  readonly name: string
  /** Of the answer: `nodes` of `{ nodes, total, next }`. */
  readonly field: string
  readonly path: string
  readonly description: string
  readonly examples: readonly string[]
  /** Name of a filter as the coordinator knows it, and what it is. */
  readonly filters: Readonly<Record<string, string>>
  /** What can be ordered by; empty: it has one order. */
  readonly sorts: readonly string[]
  readonly heading: readonly string[]
  readonly row: (row: Row) => readonly Cell[]
  /** What is said when there is none at all. */
  readonly none: string
}

/** A page of any list. */
export interface ListPage<Row> {
  readonly rows: readonly Row[]
  readonly total: number
  readonly next: string | null
  /** Whether something was asked of the rows. */
  readonly isPart: boolean
}

/** Rows when nobody says. */
const ROWS = 40

/** Returns the command. */
export function listCommand<Row>(spec: ListSpec<Row>): Command {
  const command = addOperatorOptions(new Command(spec.name)).description(spec.description)
  for (const [name, doc] of Object.entries(spec.filters)) command.option(`--${flagOf(name)} <value>`, doc)
  if (spec.sorts.length > 0)
    command.option('--sort <field>', `${spec.sorts.join(', ')}; with a minus before it in reverse`)
  command
    .option('--limit <rows>', 'at most so many', String(ROWS))
    .option('--after <next>', 'go on after the page before, as it says')
  return addWatchOptions(command)
    .addHelpText('after', `\nExamples:\n${spec.examples.map(line => `  $ ${line}`).join('\n')}`)
    .action(async (options: Record<string, unknown>) => {
      const shown = showOptions(options)
      const operator = new Operator(options)
      const query = new URLSearchParams()
      for (const name of [...Object.keys(spec.filters), 'sort', 'limit', 'after']) {
        const given = options[optionOf(name)]
        if (typeof given === 'string') query.set(name, given)
      }
      await show(
        {
          look: () => operator.ask<Record<string, unknown>>('GET', `${spec.path}?${query.toString()}`),
          page: answer =>
            listPage(spec, {
              rows: answer[spec.field] as readonly Row[], // as documented
              total: Number(answer['total']),
              next: answer['next'] as string | null,
              isPart: [...Object.keys(spec.filters), 'after'].some(name => query.has(name)),
            }),
        },
        shown,
      )
    })
}

/** `user_id` of the interface is `--user-id` here, and `userId` among commander's options. */
const flagOf = (name: string): string => name.replaceAll('_', '-')
const optionOf = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())

/** Returns what a person sees. */
export function listPage<Row>(
  { heading, row, none, field }: Pick<ListSpec<Row>, 'heading' | 'row' | 'none' | 'field'>,
  { rows, total, next, isPart }: ListPage<Row>,
): string {
  if (rows.length === 0) return isPart ? `no ${field} like that` : none
  const table = columns(heading, rows.map(row))
  return next === null ? table : `${table}\n… ${rows.length} of ${total}; the next ones: --after ${next}`
}
