/** Every setting of `boson node` and `boson client`, once: variables, flags, defaults and what is accepted. */
import { hostname, userInfo } from 'node:os'
import { isIP } from 'node:net'
import { z } from 'zod'
import { meshUrl } from '../agent/address.js'
import { BadConfig, readSettings, type Sources } from './read-settings.js'
import { REPORT_SETTINGS } from './report-settings.js'
import {
  list,
  matching,
  number,
  oneOf,
  optional,
  secret,
  standard,
  text,
  whole,
  yesNo,
  type Accepts,
} from './setting.js'
import { country, name, TAGS_MAX, WISH_SETTINGS } from './wish.js'

const path = text(4096)

export const coordinatorAddress: Accepts<string> = {
  schema: z.string().refine(value => {
    try {
      return meshUrl(value) !== ''
    } catch {
      return false
    }
  }),
  wanted: 'the coordinator’s address such as https://mesh.example.org',
}
const address: Accepts<string> = {
  schema: z.string().refine(value => isIP(value) !== 0),
  wanted: 'IP address',
}

const WAYS: readonly string[] = ['wireguard', 'udp']

const SHARED = {
  server: optional('BOSON_SERVER', coordinatorAddress, {
    doc: 'The coordinator.',
    example: 'https://mesh.example.org',
  }),
  id: optional('BOSON_ID', name, {
    doc: 'Name in the mesh, bound to the key at first contact. When not set: made of the names of machine and user.',
  }),
  credential: secret('BOSON_CREDENTIAL', {
    doc: 'Enrolment key; needed at first contact only. `boson enrol` makes one.',
  }),
  stateDir: optional('BOSON_STATE_DIR', path, {
    doc: 'Directory of the key, the session and the list of what is to be given back. When not set: ~/.local/state/boson/ROLE-ID.',
  }),
  keyFile: optional('BOSON_KEY_FILE', path, {
    doc: 'WireGuard private key, as `wg genkey` prints it; made when it is not there. When not set: `key` in the state directory.',
  }),
  interface: optional('BOSON_INTERFACE', matching(/^[A-Za-z0-9_.-]{1,15}$/, '1 to 15 of A-Z a-z 0-9 _ . -'), {
    doc: 'WireGuard interface: used as it is when it exists, else made. When not set: the first free boson0, boson1, …',
  }),
  mtu: standard('BOSON_MTU', whole(1_280, 8_920), 1_380, {
    doc: 'Largest packet inside the tunnel, bytes.',
  }),
  policy: standard('BOSON_POLICY', oneOf('auto', 'relay-only', 'direct-only'), 'auto' as const, {
    doc: 'Which ways packets may travel: the best there is; the coordinator’s relay only, which shows no address to peers; never by a relay.',
  }),
  port: standard('BOSON_PORT', whole(0, 65_535), 0, {
    doc: 'UDP port for direct paths; 0 takes any. A fixed one can be opened in a firewall.',
  }),
  ways: standard('BOSON_WAYS', list(matching(/^(wireguard|udp)$/, 'wireguard or udp')), WAYS, {
    doc: 'Ways off the relay: by UDP sockets of the agents, and from there on by WireGuard’s own, past the agents.',
  }),
  wireguardPort: standard('BOSON_WIREGUARD_PORT', whole(0, 65_535), 0, {
    doc: 'UDP port of WireGuard itself, on an interface that the agent makes; 0 takes any.',
  }),
  ca: optional('BOSON_CA', path, { doc: 'Certificates to trust instead of the system’s, PEM.' }),
  insecure: standard('BOSON_INSECURE', yesNo, false, {
    doc: 'Takes any certificate of the coordinator: for a first try only.',
  }),
  giveUpAfter: standard('BOSON_GIVE_UP_AFTER', number(0, 86_400), 0, {
    doc: 'Ends when the coordinator could not be reached for the first time within this many seconds; 0 tries for ever.',
  }),
  logLevel: standard('LOG_LEVEL', oneOf('debug', 'info', 'warn', 'error', 'silent'), 'warn' as const, {
    doc: 'The least important lines on the error output.',
  }),
}

export const NODE_SETTINGS = {
  ...SHARED,
  country: optional('BOSON_COUNTRY', country, { doc: 'Where the node is.', example: 'DE' }),
  region: optional('BOSON_REGION', text(64), { doc: 'Region by your own names.', example: 'eu-central' }),
  bandwidth: optional('BOSON_BANDWIDTH', number(0, 1_000_000), { doc: 'What its uplink can carry, Mbit/s.' }),
  maxSessions: optional('BOSON_MAX_SESSIONS', whole(1, 1_000_000), {
    doc: 'Clients that it carries at once.',
  }),
  tags: standard('BOSON_TAGS', list(name, TAGS_MAX), [] as readonly string[], { doc: 'Free labels.' }),
  cost: optional('BOSON_COST', number(0, 1_000), {
    doc: 'How dear it is to use it: 1 is usual, 2 twice as dear.',
  }),
  exit: standard('BOSON_EXIT', yesNo, false, {
    doc: 'Forwards what clients send to the internet, in this machine’s name.',
  }),
  ...REPORT_SETTINGS,
  drainWithin: standard('BOSON_DRAIN_WITHIN', number(0, 86_400), 10, {
    doc: 'When told to end, it carries its clients on until they have moved to other nodes, for at most this many seconds; 0 ends at once.',
  }),
}

export const CLIENT_SETTINGS = {
  ...SHARED,
  ...WISH_SETTINGS,
  wait: standard('BOSON_WAIT', yesNo, false, {
    doc: 'Waits for a node that meets every requirement when there is none now.',
  }),
  all: standard('BOSON_ALL', yesNo, false, {
    doc: 'Sends everything this machine sends through the node, which must be an exit.',
  }),
  dns: standard('BOSON_DNS', list(address), [] as readonly string[], {
    doc: 'Name servers while the tunnel is up; with --all.',
    example: '9.9.9.9',
  }),
}

export type NodeSettings = ReturnType<typeof readNodeSettings>
export type ClientSettings = ReturnType<typeof readClientSettings>

/** Returns the settings of a node; throws a BadConfig that names everything that is wrong. */
export function readNodeSettings(sources: Sources) {
  const problems: string[] = []
  const settings = readSettings(NODE_SETTINGS, sources, problems)
  return settled(settings, settings.id ?? nodeNameOfMachine(), problems)
}

/** Returns the settings of a client; throws a BadConfig that names everything that is wrong. */
export function readClientSettings(sources: Sources) {
  const problems: string[] = []
  const settings = readSettings(CLIENT_SETTINGS, sources, problems)
  if (settings.dns.length > 0 && !settings.all)
    problems.push('--dns: wanted together with --all: without it, name servers are reached as before')
  return settled(settings, settings.id ?? asName(`${userInfo().username}-${hostname()}`), problems)
}

function settled<S extends { readonly server: string | null }>(
  settings: S,
  id: string,
  problems: readonly string[],
) {
  const { server } = settings
  const missing = server === null && !problems.some(each => /^(--server|BOSON_SERVER|server )/.test(each))
  const all = missing ? [`--server: wanted ${coordinatorAddress.wanted}`, ...problems] : problems
  if (server === null || all.length > 0) throw new BadConfig(all)
  return { ...settings, server, id }
}

/** Returns the name of a node that was given none. */
export const nodeNameOfMachine = (): string => asName(hostname())

/** Machines and users have names that the mesh does not take. */
const asName = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64) || 'agent'
