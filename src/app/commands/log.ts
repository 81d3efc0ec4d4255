/** `boson log`: the last lines of the coordinator’s log, and those that follow. */
import { Command, Option } from 'commander'
import { heldClock } from '../../agent/held-clock.js'
import { LEVELS } from '../../protocol/operator-messages.js'
import type { LogLine } from '../../telemetry/log-tail.js'
import { addOperatorOptions, Operator } from '../operator.js'

const EXAMPLES = `
Examples:
  $ boson log                            the last forty lines
  $ boson log --level warn --watch       warnings as they are written
  $ boson log --search fra-1 --json      with everything that is known of each line`

/** How often --watch asks, ms. */
const WATCH_EVERY_MS = 1_000
/** Lines when nobody says, and in one answer at most. */
const LINES = { usual: 40, most: 1_000 }

/** Returns the command. */
export const logCommand = (): Command =>
  addOperatorOptions(new Command('log'))
    .description('show what the coordinator has logged lately')
    .addOption(
      new Option('--level <level>', 'these lines and those above').choices([...LEVELS]).default('info'),
    )
    .option('--search <text>', 'only lines with this in them, in any case')
    .option('--limit <lines>', 'at most so many', String(LINES.usual))
    .option('--watch', 'go on with what is logged from now on')
    .option('--json', 'print JSON, one line each')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      const operator = new Operator(options)
      const query = new URLSearchParams()
      for (const name of ['level', 'search', 'limit'])
        if (typeof options[name] === 'string') query.set(name, options[name])
      for (;;) {
        const { lines } = await operator.ask<{ readonly lines: readonly LogLine[] }>(
          'GET',
          `/api/v1/log?${query.toString()}`,
        )
        for (const line of lines)
          process.stdout.write(`${options['json'] === true ? JSON.stringify(line) : lineText(line)}\n`)
        if (options['watch'] !== true) return
        const last = lines.at(-1)
        if (last !== undefined) query.set('after', String(last.seq))
        query.set('limit', String(LINES.most))
        await new Promise<void>(resolve => {
          heldClock.setTimeout(resolve, WATCH_EVERY_MS)
        })
      }
    })

/** What a terminal would take for more than text. */
// oxlint-disable-next-line no-control-regex -- finding control characters is its purpose
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]+/g

/** Returns a line as a person reads it. */
export function lineText({ atMs, level, message, fields }: LogLine): string {
  const values = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const time = new Date(atMs).toISOString().slice(11, 23)
  return [time, level.toUpperCase().padEnd(5), message, ...values].join('  ').replaceAll(CONTROLS, ' ')
}
