/** `boson log-level`: how much the coordinator logs, for a while. */
import { Argument, Command } from 'commander'
import { LOG_LEVELS, type LogLevelView } from '../../telemetry/log-level.js'
import { asDuration } from '../columns.js'
import { readDuration } from '../duration.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { heldClock } from '../../agent/held-clock.js'
import { addOperatorOptions, Operator } from '../operator.js'

const EXAMPLES = `
Examples:
  $ boson log-level                      how much is logged now
  $ boson log-level debug --for 10m      more, until then
  $ boson log-level usual                as the settings say again`

const PATH = '/api/v1/log-level'

/** Returns the command. */
export const logLevelCommand = (): Command =>
  addOperatorOptions(new Command('log-level'))
    .description('say how much the coordinator logs, or change it for a while')
    .addArgument(
      new Argument('[level]', 'of the least important lines to write').choices([...LOG_LEVELS, 'usual']),
    )
    .option('--for <time>', 'until then: 90s, 10m, 2h', '10m')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (level: string | undefined, options: Record<string, unknown>) => {
      const forMs = readDuration(String(options['for']))
      if (forMs === null)
        throw new CommandError('USAGE', '--for: wanted a time such as 90s, 10m or 2h', EXIT.usage)
      const operator = new Operator(options)
      const view = await (level === undefined
        ? operator.ask<LogLevelView>('GET', PATH)
        : level === 'usual'
          ? operator.ask<LogLevelView>('DELETE', PATH)
          : operator.ask<LogLevelView>('PUT', PATH, { level, forMs }))
      const text = options['json'] === true ? JSON.stringify(view) : logLevelText(view, heldClock.wallMs())
      process.stdout.write(`${text}\n`)
    })

/** Returns what a person sees. */
export function logLevelText({ level, usual, untilMs }: LogLevelView, nowMs: number): string {
  if (untilMs === null) return `${level}, as the settings say`
  return `${level} for ${asDuration((untilMs - nowMs) / 1_000)} more, then ${usual} again`
}
