/**
 * A small internet of real network namespaces on this machine. Node and client reach the coordinator and
 * nobody else; the internet is behind the node.
 *
 *   client ───── coordinator ───── node ───── internet
 *   198.51.100.12  203.0.113.10   198.51.100.11   192.0.2.80
 */
import { execFile, execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const exec = promisify(execFile)

export const COORDINATOR = '203.0.113.10'
export const INTERNET = '192.0.2.80'
const NODE = '198.51.100.11'
const CLIENT = '198.51.100.12'

/** Returns why a test with namespaces cannot run here, or false. For tap's `skip`. */
export function cannotRun(): string | false {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun'
  for (const tool of ['ip', 'nft', 'wg', 'wireguard-go', 'ping', 'iperf3', 'setpriv']) {
    try {
      execFileSync('sh', ['-c', `command -v ${tool}`], { env: environment() })
    } catch {
      return `needs ${tool}`
    }
  }
  return false
}

/** One machine of the lab. */
export class Namespace {
  /** Its name among all namespaces of this machine. */
  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  /** Runs a program to its end; resolves to what it printed, rejects when it fails. */
  async run(command: string, ...args: string[]): Promise<string> {
    const { stdout } = await exec('ip', [...this.#prefix, command, ...args], {
      timeout: 30_000,
      env: environment(),
    })
    return stdout
  }

  /** Starts a program; the lab ends it at the latest when it goes. */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn('ip', [...this.#prefix, command, ...args], {
      ...options,
      env: { ...environment(), ...options.env },
    })
  }

  /** Programs run as they do for their users: without the hooks that the test runner gives every child. */
  get #prefix(): readonly string[] {
    return ['netns', 'exec', this.id, 'env', '-u', 'NODE_OPTIONS']
  }

  /** Returns whether one packet comes back from `address` within a second. */
  async reaches(address: string): Promise<boolean> {
    return this.run('ping', '-n', '-c', '1', '-W', '1', address).then(
      () => true,
      () => false,
    )
  }

  /** Returns all that an agent could have left behind: interfaces, rules, routes, firewall, settings, resolver. */
  async state(): Promise<string> {
    const parts = await Promise.all([
      this.run('ip', '-o', 'link', 'show'),
      this.run('ip', '-4', 'rule', 'show'),
      this.run('ip', '-6', 'rule', 'show'),
      this.run('ip', '-4', 'route', 'show', 'table', 'all'),
      this.run('nft', 'list', 'ruleset'),
      this.run('sysctl', 'net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'),
      this.run('cat', '/etc/resolv.conf'),
    ])
    return parts.join('\n')
  }
}

export interface Lab {
  readonly coordinator: Namespace
  readonly node: Namespace
  readonly client: Namespace
  readonly internet: Namespace
  /** Returns an interface name that is unique on this machine: all namespaces share /run/wireguard. */
  iface(): string
}

let made = 0

/** Makes the lab; it goes with the test, and takes along only what is its own. */
export async function makeLab(t: Test): Promise<Lab> {
  const prefix = `boson${process.pid.toString(36)}${made++}`
  const names = ['coordinator', 'node', 'client', 'internet'] as const
  const space = (name: string) => new Namespace(`${prefix}-${name}`)
  t.teardown(() => removeLab(names.map(name => space(name).id)))
  for (const name of names) await makeSpace(space(name).id)
  const [coordinator, node, client, internet] = names.map(space) as [
    Namespace,
    Namespace,
    Namespace,
    Namespace,
  ] // one for each name
  await join(node, 'up0', NODE, coordinator, 'node0', COORDINATOR)
  await join(client, 'up0', CLIENT, coordinator, 'client0', COORDINATOR)
  await join(node, 'wan0', '192.0.2.1', internet, 'up0', INTERNET)
  for (const each of [node, client]) await each.run('ip', 'route', 'add', 'default', 'via', COORDINATOR)
  // Said twice: nothing is forwarded between the two, whatever the machine's defaults are.
  await coordinator.run('sysctl', '-qw', 'net.ipv4.ip_forward=0')
  await coordinator.run(
    'nft',
    'add table inet lab; add chain inet lab forward { type filter hook forward priority 0; policy drop; }',
  )
  let interfaces = 0
  return { coordinator, node, client, internet, iface: () => `b${process.pid.toString(36)}x${interfaces++}` }
}

async function makeSpace(id: string): Promise<void> {
  mkdirSync(`/etc/netns/${id}`, { recursive: true })
  writeFileSync(`/etc/netns/${id}/resolv.conf`, 'nameserver 192.0.2.53\n')
  await exec('ip', ['netns', 'add', id], { env: environment() })
  const space = new Namespace(id)
  await space.run('ip', 'link', 'set', 'lo', 'up')
  await space.run('sysctl', '-qw', 'net.ipv4.ip_forward=0')
}

/** A cable: both ends have one address and a route to the other's. */
async function join(
  a: Namespace,
  aName: string,
  aAddress: string,
  b: Namespace,
  bName: string,
  bAddress: string,
): Promise<void> {
  await a.run('ip', 'link', 'add', aName, 'type', 'veth', 'peer', 'name', bName, 'netns', b.id)
  await a.run('ip', 'address', 'add', aAddress, 'peer', bAddress, 'dev', aName)
  await b.run('ip', 'address', 'add', bAddress, 'peer', aAddress, 'dev', bName)
  await a.run('ip', 'link', 'set', aName, 'up')
  await b.run('ip', 'link', 'set', bName, 'up')
}

async function removeLab(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { stdout } = await exec('ip', ['netns', 'pids', id], { env: environment() }).catch(() => ({
      stdout: '',
    }))
    for (const pid of stdout.split('\n').filter(each => each !== '')) kill(Number(pid))
    await exec('ip', ['netns', 'del', id], { env: environment() }).catch(() => {})
    rmSync(`/etc/netns/${id}`, { recursive: true, force: true })
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Ended by itself in the meantime.
  }
}

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
})
