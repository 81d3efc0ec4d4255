/** `boson report`: a script of this machine reports something by way of the node that runs here. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { leave, waitingIn } from '../../agent/reports/inbox.js'
import type { Letter } from '../../agent/reports/letter.js'
import { systemClock } from '../../kit/clock.js'
import { messageOf } from '../agent-errors.js'
import { stateDirOf } from '../agent-ground.js'
import { nodeNameOfMachine } from '../agent-settings.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { INBOX } from '../reporting.js'

const EXAMPLES = `
Examples:
  $ boson report log "upstream failed" --level error --details "timeout after 30 s" --metadata '{"retries":3}'
  $ boson report client --ip 185.142.123.45 --user-agent Mozilla/5.0 --country Germany --country-code DE
  $ boson report traffic --type domain --resource shop.example --in 1000 --out 2000 --requests 3 --for 60
  $ boson report status

What is reported is left with the node that runs on this machine under --id, which sends it on: errors at once. While
none runs, or the coordinator is away, it waits.`

interface Where {
  readonly id?: string
  readonly stateDir?: string
}

/** Returns the command. */
export function reportCommand(): Command {
  return new Command('report')
    .description('report an event, a user or traffic by way of the node of this machine')
    .addHelpText('after', EXAMPLES)
    .addCommand(logCommand())
    .addCommand(clientCommand())
    .addCommand(trafficCommand())
    .addCommand(statusCommand())
}

const subcommand = (name: string): Command =>
  new Command(name)
    .option('--id <id>', 'name of the node that runs here; when not set: made of the machine’s name')
    .option('--state-dir <folder>', 'its state directory, where it is not the usual one')

const logCommand = (): Command =>
  subcommand('log')
    .description('a line for the coordinator’s log')
    .argument('<message>', 'what happened')
    .addOption(new Option('--level <level>').choices(['info', 'warning', 'error']).default('info'))
    .option('--details <text>', 'more about it')
    .option('--metadata <json>', 'anything for programs')
    .action(
      (
        message: string,
        options: Where & { level: 'info' | 'warning' | 'error'; details?: string; metadata?: string },
      ) => {
        const { level, details, metadata } = options
        const extra = metadata === undefined ? undefined : jsonOf('--metadata', metadata)
        put(options, { kind: 'log', atMs: systemClock.wallMs(), level, message, details, metadata: extra })
      },
    )

const clientCommand = (): Command =>
  subcommand('client')
    .description('a user that was seen')
    .requiredOption('--ip <address>', 'its IP address')
    .option('--user-agent <text>', 'its software')
    .option('--country <name>', 'where it is')
    .option('--city <name>')
    .option('--country-code <code>', 'ISO 3166-1, two capital letters')
    .action((options: Where & Omit<Extract<Letter, { kind: 'client' }>, 'kind' | 'atMs'>) => {
      const { ip, userAgent, country, city, countryCode } = options
      put(options, { kind: 'client', atMs: systemClock.wallMs(), ip, userAgent, country, city, countryCode })
    })

const trafficCommand = (): Command =>
  subcommand('traffic')
    .description('what a resource carried')
    .addOption(new Option('--type <type>').choices(['proxy', 'domain']).makeOptionMandatory())
    .requiredOption('--resource <id>', 'which one')
    .option('--in <bytes>', 'received from users', '0')
    .option('--out <bytes>', 'sent to users', '0')
    .option('--requests <count>', 'how many; nothing is reported of a resource without any', '1')
    .option('--response-ms <ms>', 'mean response time', '0')
    .option('--errors <count>', 'of those requests', '0')
    .option('--for <seconds>', 'how long it took, up to now', '300')
    .action((options: Where & Record<string, string>) => {
      const figure = (flag: string, value = '0') => figureOf(flag, value)
      const untilMs = systemClock.wallMs()
      put(options, {
        kind: 'traffic',
        atMs: untilMs,
        resourceType: options['type'] === 'domain' ? 'domain' : 'proxy',
        resourceId: options['resource'] ?? '',
        fromMs: untilMs - 1_000 * figure('--for', options['for']),
        untilMs,
        inboundBytes: figure('--in', options['in']),
        outboundBytes: figure('--out', options['out']),
        requests: figure('--requests', options['requests']),
        responseTimeMs: figure('--response-ms', options['responseMs']),
        errors: figure('--errors', options['errors']),
      })
    })

const statusCommand = (): Command =>
  subcommand('status')
    .description('what waits for the node to take it')
    .option('--json', 'as JSON')
    .action((options: Where & { readonly json?: boolean }) => {
      const folder = inboxOf(options)
      const waiting = waitingIn(folder)
      const words = `${waiting === 1 ? '1 report waits' : `${waiting} reports wait`} in ${folder}`
      process.stdout.write(`${options.json === true ? JSON.stringify({ folder, waiting }) : words}\n`)
    })

/** Leaves the letter; the name sorts by time. */
function put(where: Where, letter: Letter): void {
  const folder = inboxOf(where)
  try {
    leave(folder, `${String(letter.atMs).padStart(15, '0')}-${randomUUID()}`, letter)
  } catch (error) {
    throw new CommandError(
      'INBOX',
      `${folder}: cannot be written (${messageOf(error)}); run this as the user that runs the node, or name its --state-dir`,
      EXIT.unable,
    )
  }
}

const inboxOf = ({ id, stateDir }: Where): string =>
  join(stateDir ?? stateDirOf('node', id ?? nodeNameOfMachine()), INBOX)

function jsonOf(flag: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new CommandError('USAGE', `${flag}: wanted JSON, got ${JSON.stringify(text)}`, EXIT.usage)
  }
}

function figureOf(flag: string, text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value > Number.MAX_SAFE_INTEGER)
    throw new CommandError(
      'USAGE',
      `${flag}: wanted a number that is not negative, got ${JSON.stringify(text)}`,
      EXIT.usage,
    )
  return value
}
