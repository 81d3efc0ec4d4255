/** `boson enrol`: makes enrolment keys on a running coordinator, lists and revokes them. */
import { Command } from 'commander'
import type { ListedKey } from '../api/enrolment-keys.js'
import { columns } from '../columns.js'
import { readDuration } from '../duration.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { addOperatorOptions, Operator } from '../operator.js'

const EXAMPLES = `
Examples:
  $ boson enrol --role node                        one node, within a day
  $ boson enrol --role client --uses 50 --ttl 30d --note "office"
  $ BOSON_CREDENTIAL=$(boson enrol --role node) boson node --server https://mesh.example.org
  $ boson enrol list
  $ boson enrol revoke 1f0c5d7a9b2e`

interface MakeOptions {
  readonly role?: string
  readonly uses: string
  readonly ttl: string
  readonly note: string
  readonly json?: boolean
}

/** Returns the command. */
export function enrolCommand(): Command {
  const enrol = addOperatorOptions(new Command('enrol'))
    .description('make an enrolment key, with which an agent registers for the first time')
    .option('--role <role>', 'node or client; without it, either')
    .option('--uses <count>', 'how many agents it enrols, or `any`', '1')
    .option('--ttl <time>', 'how long it is good: 90s, 15m, 12h, 7d, or `forever`', '1d')
    .option('--note <text>', 'what it is for; shown in the list', '')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(make)
  enrol.addCommand(
    addOperatorOptions(new Command('list'))
      .description('list the keys')
      .option('--json', 'print JSON')
      .action((_options, command: Command) => list(command.optsWithGlobals())),
  )
  enrol.addCommand(
    addOperatorOptions(new Command('revoke'))
      .description('make a key useless; agents that have enrolled with it stay')
      .argument('<key id>', 'as `boson enrol list` shows it')
      .option('--json', 'print JSON')
      .action((keyId: string, _options, command: Command) => revoke(keyId, command.optsWithGlobals())),
  )
  return enrol
}

async function make(options: MakeOptions & Record<string, unknown>): Promise<void> {
  const wish = {
    role: options.role ?? null,
    uses: options.uses === 'any' ? null : usesOf(options.uses),
    ttlMs: options.ttl === 'forever' ? null : ttlOf(options.ttl),
    note: options.note,
  }
  if (wish.role !== null && wish.role !== 'node' && wish.role !== 'client')
    throw usage(`--role: wanted node or client, got ${JSON.stringify(wish.role)}`)
  const operator = new Operator(options)
  const made = await operator.ask<{ keyId: string; secret: string }>('POST', '/api/v1/enrolment-keys', wish)
  if (options.json === true) return print(JSON.stringify({ ...made, ...wish }))
  print(made.secret)
  const whom = wish.role ?? 'an agent'
  process.stderr.write(
    `An enrolment key for ${whom === 'an agent' ? whom : `a ${whom}`}, shown this once. Use it with:\n` +
      `  BOSON_CREDENTIAL=${made.secret} boson ${wish.role ?? 'node'} --server ${operator.url}\n`,
  )
}

async function list(options: Record<string, unknown>): Promise<void> {
  const { keys } = await new Operator(options).ask<{ keys: readonly ListedKey[] }>(
    'GET',
    '/api/v1/enrolment-keys',
  )
  if (options['json'] === true) return print(JSON.stringify(keys))
  const rows = keys.map(key => [
    key.keyId,
    key.role ?? 'any',
    key.usesLeft === null ? 'any' : String(key.usesLeft),
    key.revokedAt === null ? (key.expiresAt?.slice(0, 16).replace('T', ' ') ?? 'never') : 'revoked',
    key.note,
  ])
  print(columns(['KEY', 'ROLE', 'LEFT', 'EXPIRES (UTC)', 'NOTE'], rows))
}

async function revoke(keyId: string, options: Record<string, unknown>): Promise<void> {
  const path = `/api/v1/enrolment-keys/${encodeURIComponent(keyId)}`
  const answer = await new Operator(options).ask<object>('DELETE', path)
  if (options['json'] === true) return print(JSON.stringify(answer))
  process.stderr.write(`${keyId} is revoked\n`)
}

function ttlOf(text: string): number {
  const ttlMs = readDuration(text)
  if (ttlMs === null)
    throw usage(`--ttl: wanted a time such as 90s, 15m, 12h, 7d, or forever; got ${JSON.stringify(text)}`)
  return ttlMs
}

function usesOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw usage(`--uses: wanted a whole number from 1 to 999999, or any; got ${JSON.stringify(text)}`)
  return Number(text)
}

const usage = (message: string) => new CommandError('USAGE', message, EXIT.usage)
const print = (line: string): void => void process.stdout.write(`${line}\n`)
