/** `boson databases add`, `set`, `remove`: which servers are watched, and how they are reached. */
import type { Command } from 'commander'
import type { ServerForm } from '../../../pgmon/servers/forms.js'
import { POOL_PROFILES, TLS } from '../../../pgmon/ports.js'
import { Operator } from '../../operator.js'
import { aboutServer, type Options, optionsOf, print, say, serverPath } from './about-server.js'
import { fileText, firstLine, usage } from './secret-file.js'

/** Returns the commands. */
export const addCommands = (): readonly Command[] => [
  reachable(aboutServer('add', 'begin to watch a server')).action((name: string, _, command: Command) =>
    add(name, command),
  ),
  reachable(aboutServer('set', 'change how a server is reached, or whether it is watched'))
    .option('--name <name>', 'call it otherwise')
    .option('--enable', 'ask it again')
    .option('--disable', 'ask nothing of it')
    .option('--no-password', 'it wants none')
    .action((name: string, _, command: Command) => set(name, command)),
  aboutServer('remove', 'watch a server no more').action((name: string, _, command: Command) =>
    remove(name, command),
  ),
]

/** Adds the options that say where a server is. Secrets come from files: what is on a command line, everybody on the machine sees. */
const reachable = (command: Command): Command =>
  command
    .option(
      '--host <host>',
      'its name or address, with :port where that is not 5432; private ones only where BOSON_PGMON_NETWORKS lets them',
    )
    .option('--database <name>', 'the one that it is asked in, postgres when nobody says')
    .option('--user <role>', 'a role of its own with pg_monitor is best')
    .option('--password-file <file>', 'whose first line is the password; - is standard input')
    .option('--tls <way>', `${TLS.join(', ')}; require when nobody says`)
    .option('--tls-ca <file>', 'PEM of who signs its certificate, for verify-full')
    .option('--pool <profile>', POOL_PROFILES.join(', '))
    .option('--description <text>')
    .option('--ssh-host <host>', 'its machine, where that is another name')
    .option('--ssh-port <port>', '22 when nobody says')
    .option('--ssh-user <user>', 'who asks how full its disks are')
    .option('--ssh-key <id>', 'number of an SSH key')
    .option('--ssh-password-file <file>', 'whose first line is the password, instead of a key')
    .option('--ssh-host-key <fingerprint>', 'SHA256:…, by which its machine is known')
    .option('--json', 'print JSON')

async function add(name: string, command: Command): Promise<void> {
  const options = optionsOf(command)
  for (const wanted of ['host', 'user'])
    if (options[wanted] === undefined)
      throw usage(`wanted --${wanted}: where the server is, and as whom it is asked`)
  const server = await new Operator(options).ask<ServerForm>('POST', '/pgmon/servers', {
    name,
    ...wishOf(options),
  })
  tell(server, options, `${name} is watched: \`boson databases test ${name}\``)
}

async function set(name: string, command: Command): Promise<void> {
  const options = optionsOf(command)
  if (options['enable'] === true && options['disable'] === true)
    throw usage('--enable and --disable exclude each other')
  const change = {
    ...wishOf(options),
    ...(options['name'] !== undefined && { name: options['name'] }),
    ...(options['password'] === false && { password: null }),
    ...(options['enable'] === true && { enabled: true }),
    ...(options['disable'] === true && { enabled: false }),
  }
  if (Object.keys(change).length === 0) throw usage('wanted what to change: see --help')
  const server = await new Operator(options).ask<ServerForm>('PUT', serverPath(name), change)
  tell(server, options, `${server.name} is changed`)
}

async function remove(name: string, command: Command): Promise<void> {
  await new Operator(optionsOf(command)).ask('DELETE', serverPath(name))
  say(`${name} is watched no more`)
}

function tell(server: ServerForm, { json }: Options, what: string): void {
  if (json === true) print(JSON.stringify(server))
  else say(what)
}

/** Options whose text is sent as it is, and the field that each is. */
const TEXTS: Readonly<Record<string, string>> = {
  database: 'database',
  user: 'user',
  tls: 'tls',
  pool: 'pool',
  description: 'description',
  sshHost: 'ssh_host',
  sshUser: 'ssh_user',
  sshHostKey: 'ssh_host_key',
}
const NUMBERS: Readonly<Record<string, string>> = { sshPort: 'ssh_port', sshKey: 'ssh_key_id' }
/** Options that name a file, and what is made of its text. */
const FILES: Readonly<Record<string, readonly [field: string, read: (text: string) => string]>> = {
  passwordFile: ['password', firstLine],
  sshPasswordFile: ['ssh_password', firstLine],
  tlsCa: ['tls_ca', text => text],
}

function wishOf(options: Options): Record<string, unknown> {
  const { sshKey, sshPasswordFile } = options
  if (sshKey !== undefined && sshPasswordFile !== undefined)
    throw usage('--ssh-key and --ssh-password-file exclude each other')
  const wish: Record<string, unknown> = placeOf(options['host'])
  const given = (table: object) => Object.keys(table).filter(option => options[option] !== undefined)
  for (const option of given(TEXTS)) wish[TEXTS[option] ?? ''] = options[option]
  for (const option of given(NUMBERS)) wish[NUMBERS[option] ?? ''] = numberOf(option, options[option])
  for (const option of given(FILES)) {
    const [field, read] = FILES[option] ?? ['', firstLine]
    wish[field] = read(fileText(String(options[option])))
  }
  if (sshKey !== undefined) wish['ssh_auth'] = 'key'
  if (sshPasswordFile !== undefined) wish['ssh_auth'] = 'password'
  return wish
}

/** Returns host and port; IPv6 with a port is in brackets. */
function placeOf(given: unknown): Record<string, unknown> {
  if (typeof given !== 'string') return {}
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(given) ?? []
  const host = bracketed ?? plain ?? given
  return { host, ...(port !== undefined && { port: Number(port) }) }
}

function numberOf(option: string, given: unknown): number {
  if (/^\d{1,10}$/.test(String(given))) return Number(given)
  const flag = option.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  throw usage(`--${flag}: wanted a number, got ${JSON.stringify(given)}`)
}
