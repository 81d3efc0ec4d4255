/** `boson users`: the accounts of people, as admins keep them. */
import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { CommandError, EXIT } from '../exit-codes.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { listCommand, type ListSpec } from './list-command.js'

/** An account as the coordinator tells it. */
export interface User {
  readonly name: string
  readonly role: string
  readonly disabledAt: string | null
  readonly createdAt: string
  readonly lastSignInAt: string | null
}

interface Made {
  readonly account: User
  /** null: it was given. */
  readonly password: string | null
}

type Options = Readonly<Record<string, unknown>>

const PATH = '/api/v1/users'
const ROLES =
  'viewer (sees the mesh), operator (acts on it), admin (keeps accounts and enrolment keys), or user'
const FROM_STDIN = 'read the password from standard input; otherwise one is made, and shown once'

const LIST: Omit<ListSpec<User>, 'name'> = {
  field: 'users',
  path: PATH,
  description: 'list accounts; `first`, `add`, `set`, `rename` and `remove` change them',
  examples: [
    'boson users first ada                         on the coordinator’s machine, once',
    'boson users add bob@example.org --role viewer',
    'boson users set bob@example.org --role operator',
    'boson users set bob@example.org --new-password',
    'boson users set bob@example.org --disable',
    'boson users rename bob bob@example.org',
    'pass show boson/carl | boson users add carl --role admin --password-stdin',
    'boson users --role admin --json',
  ],
  filters: {
    role: 'only those with this role: user, viewer, operator or admin',
    disabled: 'only those that are disabled: true or false',
    search: 'only those with this in their name',
  },
  sorts: ['name', 'createdAt'],
  heading: ['NAME', 'ROLE', 'STATE', 'LAST SIGN-IN (UTC)', 'MADE (UTC)'],
  row: ({ name, role, disabledAt, lastSignInAt, createdAt }) => [
    name,
    role,
    disabledAt === null ? 'good' : 'disabled',
    minute(lastSignInAt),
    minute(createdAt),
  ],
  none: 'no account: `boson users first <name>` makes the first, on the coordinator’s machine',
}

/** Returns the command. */
export function usersCommand(): Command {
  // What follows the name of a subcommand is its own: both have a --role.
  const users = listCommand<User>({ ...LIST, name: 'users' }).enablePositionalOptions()
  users.addCommand(listCommand<User>({ ...LIST, name: 'list', description: 'list accounts' }))
  users.addCommand(
    changing('first', 'make the first account, an admin: on the coordinator’s machine, while there is none')
      .option('--password-stdin', FROM_STDIN)
      .action((name: string, _, command: Command) => make(name, `${PATH}/first`, {}, command)),
  )
  users.addCommand(
    changing('add', 'make an account')
      .requiredOption('--role <role>', ROLES)
      .option('--password-stdin', FROM_STDIN)
      .action((name: string, { role }: Options, command: Command) => make(name, PATH, { role }, command)),
  )
  users.addCommand(
    changing('set', 'change an account: its tokens end at once')
      .option('--role <role>', ROLES)
      .option('--disable', 'sign it out everywhere, and let it in no more')
      .option('--enable', 'let it in again')
      .option('--new-password', 'make another password, and show it once')
      .option('--password-stdin', 'read another password from standard input')
      .action((name: string, _, command: Command) => set(name, command)),
  )
  users.addCommand(
    changing('rename', 'call an account otherwise; its tokens stay good')
      .argument('<new-name>', 'which no other account has')
      .action((name: string, newName: string, _, command: Command) => rename(name, newName, command)),
  )
  users.addCommand(
    changing('remove', 'remove an account; what it did stays in the audit').action(
      (name: string, _, command: Command) => remove(name, command),
    ),
  )
  return users
}

const changing = (name: string, description: string): Command =>
  addOperatorOptions(new Command(name))
    .description(description)
    .argument('<name>', 'of the account; an e-mail address may be one')
    .option('--json', 'print JSON')

async function make(name: string, path: string, wish: object, command: Command): Promise<void> {
  const options: Options = command.optsWithGlobals()
  const operator = new Operator(options)
  const given = await passwordOf(options)
  const made = await operator.ask<Made>('POST', path, { name, ...wish, ...given })
  if (options['json'] === true) return print(JSON.stringify(made))
  tell(made, `${made.account.name} can sign in at ${operator.url} as ${made.account.role}`)
}

async function set(name: string, command: Command): Promise<void> {
  const options: Options = command.optsWithGlobals()
  const operator = new Operator(options)
  const change = changeOf(options)
  const given = await passwordOf(options)
  const hasPassword = given.password !== undefined || options['newPassword'] === true
  if (Object.keys(change).length === 0 && !hasPassword)
    throw usage('wanted what to change: --role, --disable, --enable, --new-password or --password-stdin')
  const at = `${PATH}/${encodeURIComponent(name)}`
  let account: User | null = null
  if (Object.keys(change).length > 0) account = await operator.ask<User>('PATCH', at, change)
  const made = hasPassword ? await operator.ask<Made>('POST', `${at}/password`, given) : null
  if (options['json'] === true)
    return print(JSON.stringify({ account: made?.account ?? account, password: made?.password ?? null }))
  tell(made, `${name} is changed, and has to sign in again`)
}

async function rename(name: string, newName: string, command: Command): Promise<void> {
  const options: Options = command.optsWithGlobals()
  const at = `${PATH}/${encodeURIComponent(name)}`
  const account = await new Operator(options).ask<User>('PATCH', at, { name: newName })
  if (options['json'] === true) return print(JSON.stringify(account))
  process.stderr.write(`${name} is ${account.name} now\n`)
}

async function remove(name: string, command: Command): Promise<void> {
  const options: Options = command.optsWithGlobals()
  const answer = await new Operator(options).ask<object>('DELETE', `${PATH}/${encodeURIComponent(name)}`)
  if (options['json'] === true) return print(JSON.stringify(answer))
  process.stderr.write(`${name} is removed\n`)
}

/** Only a password that was made goes to the output: it is for a file or another program. */
function tell(made: Made | null, what: string): void {
  if (made !== null && made.password !== null) {
    print(made.password)
    process.stderr.write(`${what}. The password above is shown this once.\n`)
  } else process.stderr.write(`${what}.\n`)
}

function changeOf({ role, disable, enable }: Options): object {
  if (disable === true && enable === true) throw usage('--disable and --enable exclude each other')
  return {
    ...(role !== undefined && { role }),
    ...(disable === true && { disabled: true }),
    ...(enable === true && { disabled: false }),
  }
}

/** Resolves with the password of standard input, without the end of its line; nothing when it is not asked for. */
async function passwordOf({ passwordStdin, newPassword }: Options): Promise<{ password?: string }> {
  if (passwordStdin !== true) return {}
  if (newPassword === true) throw usage('--password-stdin and --new-password exclude each other')
  return { password: (await text(process.stdin)).replace(/\r?\n$/, '') }
}

const minute = (moment: string | null): string | null => moment && moment.slice(0, 16).replace('T', ' ')

const usage = (message: string) => new CommandError('USAGE', message, EXIT.usage)
const print = (line: string): void => void process.stdout.write(`${line}\n`)
