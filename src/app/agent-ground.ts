/**
 * The ground that an agent stands on: its state directory, key, ledger and tunnel. Taken before anything is
 * dialled, so that a missing program or right is said at once.
 */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { FullTunnel } from '../agent/exit/full-tunnel.js'
import { KnownAddresses } from '../agent/exit/known-addresses.js'
import { dialWs, keyBytes, keyFile, type MeshAgentOptions, memoryFile, meshUrl } from '../agent/index.js'
import { Ledger } from '../agent/system/ledger.js'
import { run } from '../agent/system/run.js'
import { existingKey } from '../agent/wireguard/device.js'
import { WireGuardTunnel } from '../agent/wireguard/tunnel.js'
import { systemClock } from '../kit/clock.js'
import { publicOf } from '../protocol/proof.js'
import { asCommandError, messageOf } from './agent-errors.js'
import { agentWays } from './agent-ways.js'
import type { ClientSettings, NodeSettings } from './agent-settings.js'
import { CommandError, EXIT } from './exit-codes.js'
import type { LiveLine } from './live-line.js'
import type { Log } from './mesh.js'
import { type Leveled, LogLevel } from '../telemetry/log-level.js'
import { takeStateDir } from './state-dir.js'

/**
 * The longest ceiling of the reconnect back-off, ms. Somebody waits for this tunnel, and its session can be resumed
 * for two minutes only: a coordinator that was killed finds everyone back within this time.
 */
const RECONNECT_MAX_MS = 3_000

type Settings = NodeSettings | ClientSettings

export interface Ground {
  /** What a `MeshNode` or `MeshClient` is made of. */
  readonly agent: MeshAgentOptions
  readonly tunnel: WireGuardTunnel
  readonly ledger: Ledger
  /** Name of the interface. */
  readonly iface: string
  /** The state directory. */
  readonly folder: string
  readonly logLevel: LogLevel
  /** Lets the state directory go; the tunnel is stopped by the agent. */
  release(): void
}

/** Takes what an agent needs of this machine; throws a CommandError that says what is missing and what to do. */
export async function prepare(role: 'node' | 'client', settings: Settings, line: LiveLine): Promise<Ground> {
  const { id, credential } = settings
  const url = meshUrl(settings.server)
  const folder = settings.stateDir ?? stateDirOf(role, id)
  const state = takeStateDir(folder)
  try {
    const leveled: Leveled = { level: settings.logLevel }
    const log = logTo(line, leveled)
    const { ledger, recovered } = await Ledger.open(join(folder, 'machine.json'), run)
    if (recovered.length > 0)
      line.note(`gave back what an earlier process left: ${recovered.map(each => each.kind).join(', ')}`)
    const privateKey = await keyOf(settings, folder)
    const addresses = new KnownAddresses(url, systemClock)
    const fullTunnel = fullTunnelOf(settings, addresses, ledger)
    const tunnel = new WireGuardTunnel({
      privateKey: Buffer.from(privateKey).toString('base64'),
      ledger,
      log,
      mtu: settings.mtu,
      port: settings.wireguardPort,
      ...(settings.interface !== null && { interface: settings.interface }),
      ...(fullTunnel !== null && { fullTunnel }),
    })
    const iface = await tunnel.start()
    if (tunnel.ownPort !== null) await fullTunnel?.keepPortOutside(tunnel.ownPort)
    const agent: MeshAgentOptions = {
      url,
      id,
      privateKey,
      credential: credential ?? undefined,
      tunnel,
      policy: settings.policy,
      ...agentWays({ wanted: settings.ways, port: settings.port, tunnel, fullTunnel, log }),
      memory: memoryFile({ path: join(folder, 'session.json'), url, id, publicKey: publicOf(privateKey) }),
      timing: { reconnectMaxMs: RECONNECT_MAX_MS },
      dial: dialWs({
        ca: settings.ca === null ? undefined : readCertificates(settings.ca),
        insecure: settings.insecure,
        lookup: addresses.lookup,
      }),
    }
    const logLevel = new LogLevel(systemClock, leveled)
    return { agent, tunnel, ledger, iface, folder, logLevel, release: () => state.release() }
  } catch (error) {
    state.release()
    throw asCommandError(error)
  }
}

/** Returns where an agent keeps its state when nobody says. */
export const stateDirOf = (role: 'node' | 'client', id: string): string =>
  join(homedir(), '.local', 'state', 'boson', `${role}-${id}`)

/** The key of an interface that is used as it is counts: it is who this machine is already. */
async function keyOf(settings: Settings, folder: string): Promise<Uint8Array> {
  if (settings.keyFile !== null) return keyFile(settings.keyFile)
  const theirs = settings.interface === null ? null : await existingKey(settings.interface, run)
  return theirs === null ? keyFile(join(folder, 'key')) : keyBytes(theirs)
}

function fullTunnelOf(settings: Settings, addresses: KnownAddresses, ledger: Ledger): FullTunnel | null {
  if (!('all' in settings) || !settings.all) return null
  const tunnel = new FullTunnel({ outside: () => addresses.all, dns: settings.dns, ledger, run })
  addresses.moved = found => tunnel.keepOutside(found)
  return tunnel
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CommandError(
      'BAD_CONFIG',
      `--ca: wanted a file with certificates (${messageOf(error)})`,
      EXIT.usage,
    )
  }
}

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent']

/** A log whose lines stand above the live line. */
function logTo(line: LiveLine, least: Leveled): Log {
  const at = (level: string) => (fields: object, message: string) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least.level)) return
    const values = Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`)
    line.note(`${level}: ${[message, ...values].join(' ')}`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
