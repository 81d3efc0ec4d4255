/** Network namespaces of this machine: what every lab is made of. */
import { execFile, execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PATIENCE_MS } from '../support/until.js'
import { LabError } from './lab-error.js'

/** Where the coordinator lives, in every lab. */
export const COORDINATOR = '203.0.113.10'

const exec = promisify(execFile)
const TOOLS = ['ip', 'nft', 'wg', 'wireguard-go', 'ping', 'iperf3', 'setpriv'] as const

/** Returns why labs cannot be made here, or false. For tap's `skip`. */
export function cannotRun(...more: readonly string[]): string | false {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun'
  for (const tool of [...TOOLS, ...more]) {
    try {
      execFileSync('sh', ['-c', `command -v ${tool}`], { env: environment() })
    } catch {
      return `needs ${tool}`
    }
  }
  return false
}

/** One machine of a lab. */
export class Namespace {
  /** Its name among all namespaces of this machine. */
  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  /** Runs a program to its end; resolves to what it printed, rejects when it fails. */
  async run(command: string, ...args: string[]): Promise<string> {
    return ran('ip', ...this.#prefix, command, ...args)
  }

  /** Runs the lines of a shell script; the first that fails ends it. */
  async script(...lines: readonly string[]): Promise<string> {
    return this.run('sh', '-ec', lines.join('\n'))
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

let labs = 0
let interfaces = 0

/** All namespaces of one lab. They go together, and take along what still runs in them. */
export class Spaces {
  readonly #prefix = `boson-${process.pid}-${labs++}`
  readonly #ids: string[] = []

  /** Makes a namespace that forwards nothing; `files` are what its programs see in /etc. */
  async add(name: string, files: Readonly<Record<string, string>>): Promise<Namespace> {
    if (this.#ids.length === 0) await removeOrphans()
    const space = new Namespace(`${this.#prefix}-${name}`)
    this.#ids.push(space.id)
    mkdirSync(etc(space.id), { recursive: true })
    for (const [file, text] of Object.entries(files)) writeFileSync(join(etc(space.id), file), text)
    await ran('ip', 'netns', 'add', space.id)
    await space.script('ip link set lo up', 'sysctl -qw net.ipv4.ip_forward=0')
    return space
  }

  /** Returns an interface name that is unique on this machine: all namespaces share /run/wireguard. */
  iface(): string {
    return `b${process.pid.toString(36)}x${interfaces++}`
  }

  /** Returns the CPU time that the programs running in it have used so far, ms. */
  async cpuMs(): Promise<number> {
    const pids = await Promise.all(this.#ids.map(pidsIn))
    return pids.flat().reduce((sum, pid) => sum + cpuMsOf(pid), 0)
  }

  async remove(): Promise<void> {
    await removeSpaces(this.#ids.splice(0))
  }
}

/** A test that was killed leaves its labs behind; the next lab removes them. */
async function removeOrphans(): Promise<void> {
  const labs = [...(await ran('ip', 'netns', 'list')).matchAll(/^boson-(\d+)-\d+-\w+(?:-\w+)?/gm)]
  await removeSpaces(labs.filter(([, pid]) => !existsSync(`/proc/${pid}`)).map(([id]) => id))
}

async function removeSpaces(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    for (const pid of await pidsIn(id)) kill(pid)
    await ran('ip', 'netns', 'del', id).catch(() => {})
    rmSync(etc(id), { recursive: true, force: true })
  }
}

async function pidsIn(id: string): Promise<readonly number[]> {
  const printed = await ran('ip', 'netns', 'pids', id).catch(() => '')
  return printed.split('\n').flatMap(each => (each === '' ? [] : Number(each)))
}

/** Linux counts in hundredths of a second. */
const TICK_MS = 10

function cpuMsOf(pid: number): number {
  try {
    // After the name, which may hold anything: state is the third field, times in user and kernel the 14th and 15th.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  } catch {
    return 0 // ended in the meantime
  }
}

/** `ip netns exec` mounts the files of this folder over those of /etc. */
const etc = (id: string): string => `/etc/netns/${id}`

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Ended by itself in the meantime.
  }
}

/** Runs a program to its end; resolves to what it printed, rejects with what it said when it fails. */
async function ran(...words: [string, ...string[]]): Promise<string> {
  const [command, ...args] = words
  try {
    return (await exec(command, args, { timeout: PATIENCE_MS, env: environment() })).stdout
  } catch (error) {
    const { code, signal, stderr } = error as { code: unknown; signal: unknown; stderr: string } // of execFile
    const spelled = words.join(' ').replaceAll(/\s+/g, ' ').slice(0, 200)
    throw new LabError(`${spelled}: ended with ${String(signal ?? code)}`, stderr, code)
  }
}

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
})
