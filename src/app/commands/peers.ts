/** `boson peers`: WireGuard peers of accounts, and what their devices need. */
import { Command } from 'commander'
import { qrText } from '../../access/peers/qr-code.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { listCommand, type ListSpec } from './list-command.js'

interface Peer {
  readonly id: number
  readonly email: string
  readonly name: string
  readonly wg_public_key: string | null
  readonly wg_ip: string | null
  readonly wg_ip6: string | null
  readonly status: string
  readonly provisioner: string
  readonly identity: string
  readonly error: string | null
}
interface MadePeer extends Peer {
  readonly wg_private_key: string | null
}
interface Allowed {
  readonly allowed: boolean
  readonly state: string
  readonly reason: string | null
  readonly until: string | null
  readonly used_bytes: number
  readonly limit_bytes: number | null
}
interface PeerConfig {
  readonly conf: string | null
  readonly agent: { readonly command: string } | null
  readonly note: string
}

type Options = Readonly<Record<string, unknown>>

const PATH = '/vpn_peers/'

const LIST: Omit<ListSpec<Peer>, 'name'> = {
  field: 'peers',
  path: PATH,
  description: 'list WireGuard peers of accounts; `add`, `remove` and others change them',
  examples: [
    'boson peers                                    everyone’s',
    'boson peers --q anna --status pending',
    'boson peers add anna@example.org --public-key "$(wg pubkey < key)"',
    'boson peers show 17                            whether it may connect, and why not',
    'boson peers config 17                          what its device runs or imports',
    'boson peers config 17 --qr                     … as a QR code, for the WireGuard app',
    'boson peers deactivate 17',
  ],
  filters: {
    user_id: 'only those of this user, by number',
    status: 'only those that are active, inactive, pending, refused, needs_key, removing or removed',
    q: 'only those with this in the name, of the peer or its account; or with this key',
  },
  sorts: [],
  heading: ['ID', 'ACCOUNT', 'NAME', 'STATE', 'WHERE', 'IN THE MESH', 'ADDRESS'],
  row: ({ id, email, name, status, provisioner, identity, wg_ip }) => [
    id,
    email,
    name,
    status,
    provisioner,
    identity,
    wg_ip,
  ],
  none: 'no peer yet: `boson peers add <account>` makes one',
}

/** Returns the command. */
export function peersCommand(): Command {
  const peers = listCommand<Peer>({ ...LIST, name: 'peers' }).enablePositionalOptions()
  peers.addCommand(listCommand<Peer>({ ...LIST, name: 'list', description: 'list peers' }))
  peers.addCommand(
    sub('show', 'show a peer, and whether it may connect').action((id: string, _, command: Command) =>
      show(id, command),
    ),
  )
  peers.addCommand(
    sub('config', 'print what the device of a peer runs or imports')
      .option('--qr', 'as a QR code, for the WireGuard app')
      .action((id: string, _, command: Command) => config(id, command)),
  )
  peers.addCommand(
    addOperatorOptions(new Command('add'))
      .description('make a peer for an account')
      .argument('<account>', 'its name, or its number')
      .option('--name <name>', 'of the device')
      .option('--public-key <key>', 'of a private key that the device keeps; absent: as WG_KEY_POLICY says')
      .option('--json', 'print JSON')
      .action((account: string, _, command: Command) => add(account, command)),
  )
  for (const [name, description] of [
    ['activate', 'switch a peer on'],
    ['deactivate', 'switch a peer off: its sessions end at once'],
  ] as const)
    peers.addCommand(
      sub(name, description).action((id: string, _, command: Command) =>
        change('POST', `${PATH}${numberOf(id)}/${name}`, command),
      ),
    )
  peers.addCommand(
    sub('remove', 'remove a peer: its name, key and addresses in the mesh are given to nobody again').action(
      (id: string, _, command: Command) => change('DELETE', `${PATH}${numberOf(id)}`, command),
    ),
  )
  return peers
}

const sub = (name: string, description: string): Command =>
  addOperatorOptions(new Command(name))
    .description(description)
    .argument('<id>', 'number of the peer')
    .option('--json', 'print JSON')

async function show(id: string, command: Command): Promise<void> {
  const options: Options = command.optsWithGlobals()
  const operator = new Operator(options)
  const at = `${PATH}${numberOf(id)}`
  const peer = await operator.ask<Peer>('GET', at)
  const allowed = await operator.ask<Allowed>('GET', `${at}/allowed`)
  print(options['json'] === true ? JSON.stringify({ ...peer, allowed }) : page(peer, allowed))
}

async function config(id: string, command: Command): Promise<void> {
  const options: Options = command.optsWithGlobals()
  const answer = await new Operator(options).ask<PeerConfig>('GET', `${PATH}${numberOf(id)}/config`)
  if (options['json'] === true) return print(JSON.stringify(answer))
  const { conf, agent, note } = answer
  if (options['qr'] === true) {
    if (conf === null) throw new CommandError('NO_CONF', `--qr: ${note}`, EXIT.failed)
    print(qrText(conf))
  } else print(conf?.trimEnd() ?? agent?.command ?? '')
  process.stderr.write(`${note}\n`)
}

async function add(account: string, command: Command): Promise<void> {
  const options: Options = command.optsWithGlobals()
  const operator = new Operator(options)
  const { name, publicKey } = options
  const body = {
    user_id: await userIdOf(operator, account),
    ...(name !== undefined && { name }),
    ...(publicKey !== undefined && { public_key: publicKey }),
  }
  const made = await operator.ask<MadePeer>('POST', PATH, body)
  if (options['json'] === true) return print(JSON.stringify(made))
  const { wg_private_key: key, id, email, identity, status } = made
  if (key !== null) {
    print(key)
    process.stderr.write('The private key above is shown this once.\n')
  }
  process.stderr.write(`${identity} of ${email} is ${status}: \`boson peers config ${id}\`\n`)
}

/** Users are called by their name or their number. */
async function userIdOf(operator: Operator, account: string): Promise<number> {
  if (/^\d{1,15}$/.test(account)) return Number(account)
  const found = await operator.ask<{ userId: number }>('GET', `/api/v1/users/${encodeURIComponent(account)}`)
  return found.userId
}

async function change(method: 'POST' | 'DELETE', path: string, command: Command): Promise<void> {
  const options: Options = command.optsWithGlobals()
  const peer = await new Operator(options).ask<Peer>(method, path)
  if (options['json'] === true) return print(JSON.stringify(peer))
  process.stderr.write(`${peer.identity} of ${peer.email} is ${peer.status}\n`)
}

function page(peer: Peer, { allowed, state, reason, until, used_bytes, limit_bytes }: Allowed): string {
  const why = reason === null ? '' : `: ${reason}`
  const lines: readonly (readonly [string, string | null])[] = [
    ['peer', `${peer.id}, ${peer.name}, of ${peer.email}`],
    ['in the mesh', peer.identity],
    ['where', peer.provisioner],
    ['state', peer.error === null ? peer.status : `${peer.status}: ${peer.error}`],
    ['may connect', allowed ? `yes (${state})` : `no (${state})${why}`],
    ['until', until],
    ['traffic', `${used_bytes} bytes${limit_bytes === null ? '' : ` of ${limit_bytes}`}`],
    ['public key', peer.wg_public_key],
    ['addresses', [peer.wg_ip, peer.wg_ip6].filter(Boolean).join(', ') || null],
  ]
  return lines.map(([name, value]) => `${name.padEnd(12)}${value ?? '–'}`).join('\n')
}

function numberOf(id: string): string {
  if (/^\d{1,15}$/.test(id)) return id
  throw new CommandError('USAGE', `wanted the number of a peer, got ${JSON.stringify(id)}`, EXIT.usage)
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)
