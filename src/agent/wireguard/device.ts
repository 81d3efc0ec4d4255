/**
 * A WireGuard interface: made by us (by the kernel where it can, else by wireguard-go, which is watched and
 * started anew), or someone else's that we attach to, never take down and give no key.
 */
import { readFileSync } from 'node:fs'
import type { Log } from '../../app/mesh.js'
import { backoffMs } from '../../kit/backoff.js'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { SystemError } from '../system/errors.js'
import type { Ledger } from '../system/ledger.js'
import type { Run } from '../system/run.js'
import { withUnnamedFile } from '../system/unnamed-file.js'
import { parseCidr, type Cidr } from './cidr.js'
import { Userspace } from './userspace.js'
import { type Dump, parseDump } from './wg.js'

export interface DeviceOptions {
  /** An interface of this name is attached to when it exists, else made; null: the first free `boson0`, `boson1`, … */
  readonly name: string | null
  /** Base64. */
  readonly privateKey: string
  /** UDP port of an interface that is made; 0: any. */
  readonly port: number
  readonly mtu: number
  readonly ledger: Ledger
  readonly run: Run
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The interface was made anew: its peers and routes are gone. */
  readonly rebuilt: () => Promise<void>
}

/** Where to look for a free name. */
const NAMES = Array.from({ length: 100 }, (_, n) => `boson${n}`)

export class Device {
  readonly name: string
  /** Whether the interface is someone else's. */
  readonly attached: boolean
  /** Peers that were there before us: not ours to change. */
  foreign: ReadonlyMap<string, readonly string[]> = new Map()
  /** Where WireGuard listens. It stays when the interface is made anew. */
  listenPort: number
  readonly #options: DeviceOptions
  #addresses: readonly string[] = []
  #mtu: number
  #userspace: Userspace | null = null
  #closing = false

  private constructor(name: string, attached: boolean, options: DeviceOptions) {
    this.name = name
    this.attached = attached
    this.#options = options
    this.#mtu = options.mtu
    this.listenPort = options.port
  }

  static async open(options: DeviceOptions): Promise<Device> {
    const name = options.name ?? (await freeName(options.run))
    const attached = options.name !== null && (await exists(name, options.run))
    const device = new Device(name, attached, options)
    if (attached) await device.#attach()
    else await device.#make()
    return device
  }

  /** Whether the interface takes IPv6. */
  get ipv6(): boolean {
    try {
      return readFileSync(`/proc/sys/net/ipv6/conf/${this.name}/disable_ipv6`, 'latin1').trim() === '0'
    } catch {
      return false
    }
  }

  /** Returns whether the interface can have an address, or a route to an address, of this family. */
  takes({ family }: Cidr): boolean {
    return family === '-4' || this.ipv6
  }

  /** Gives the interface these addresses and no other of ours. */
  async address(addresses: readonly string[]): Promise<void> {
    const wanted = addresses
      .filter(each => each !== '')
      .map(parseCidr)
      .filter(each => this.takes(each))
      .map(({ text }) => text)
    for (const old of this.#addresses.filter(each => !wanted.includes(each))) {
      await this.#options.run('ip', ['address', 'del', old, 'dev', this.name]).catch(() => {})
    }
    for (const address of wanted.filter(each => !this.#addresses.includes(each))) await this.#add(address)
    this.#addresses = wanted
  }

  /** Sets the largest inner packet, bytes, on an interface of ours. */
  async resize(mtu: number): Promise<void> {
    if (this.attached || mtu === this.#mtu) return
    await this.#options.run('ip', ['link', 'set', 'dev', this.name, 'mtu', String(mtu)])
    this.#mtu = mtu
  }

  /** Returns what WireGuard knows now. */
  async dump(): Promise<Dump> {
    return parseDump(await this.#options.run('wg', ['show', this.name, 'dump']))
  }

  /** Takes an interface of ours down. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#stopUserspace()
  }

  async #attach(): Promise<void> {
    const { privateKey } = this.#options
    const { privateKey: theirs, listenPort, peers } = await this.dump()
    if (theirs !== privateKey)
      throw new SystemError(
        'taken',
        `the interface ${this.name} has another key than this agent: use the interface’s key as --key-file, or another --interface`,
      )
    if (listenPort === 0)
      throw new SystemError('taken', `the interface ${this.name} is down: ip link set ${this.name} up`)
    this.listenPort = listenPort
    this.foreign = new Map(peers.map(peer => [peer.publicKey, peer.allowedIps]))
  }

  async #make(): Promise<void> {
    const { ledger, run } = this.#options
    try {
      await ledger.take({ kind: 'interface', name: this.name }, () =>
        run('ip', ['link', 'add', 'dev', this.name, 'type', 'wireguard']),
      )
    } catch (error) {
      if (!(error instanceof Error && /unknown device type|not supported/i.test(error.message))) throw error
      await ledger
        .take({ kind: 'interface', name: this.name }, () => this.#startUserspace())
        .catch(withoutKernel)
    }
    await this.#configure()
  }

  async #configure(): Promise<void> {
    const { run, privateKey } = this.#options
    const port = this.listenPort === 0 ? [] : ['listen-port', String(this.listenPort)]
    // Not /dev/stdin: `wg` opens it by name, which fails for the socket that Node makes of it.
    await withUnnamedFile(`${privateKey}\n`, path =>
      run('wg', ['set', this.name, ...port, 'private-key', path]),
    )
    await run('ip', ['link', 'set', 'dev', this.name, 'mtu', String(this.#mtu), 'up'])
    this.listenPort = Number(await run('wg', ['show', this.name, 'listen-port']))
  }

  async #startUserspace(): Promise<void> {
    const userspace = await Userspace.start(this.name, this.#options.run)
    this.#userspace = userspace
    void userspace.ended.then(said => this.#revive(said))
  }

  /** wireguard-go is gone and took the interface with it: makes it anew, however long it takes. */
  async #revive(said: string): Promise<void> {
    const { clock, random, log, rebuilt } = this.#options
    this.#userspace = null
    for (let attempt = 0; !this.#closing && this.#userspace === null; attempt++) {
      log.warn({ interface: this.name, said, attempt }, 'wireguard-go ended; starting it again')
      await new Promise<void>(resolve => clock.setTimeout(resolve, backoffMs(attempt, random)))
      if (this.#closing) return
      try {
        await this.#startUserspace()
        await this.#configure()
        for (const address of this.#addresses) await this.#add(address)
        await rebuilt()
      } catch (error) {
        log.warn({ interface: this.name, error: String(error) }, 'the interface could not be made anew yet')
        // One that started and failed later is ended, and its end brings us back here.
        if (this.#userspace !== null) return this.#stopUserspace()
      }
    }
    if (this.#closing) await this.#stopUserspace()
  }

  async #stopUserspace(): Promise<void> {
    await this.#userspace?.stop()
  }

  async #add(address: string): Promise<void> {
    const { ledger, run } = this.#options
    // `replace` would also take an address that is not ours.
    const add = () => run('ip', ['address', 'add', address, 'dev', this.name])
    if (!this.attached) await add()
    else if (!(await this.#has(address)))
      await ledger.take({ kind: 'address', interface: this.name, address }, add)
  }

  async #has(address: string): Promise<boolean> {
    const list = await this.#options.run('ip', ['-o', 'address', 'show', 'dev', this.name])
    return list.includes(` ${address} `)
  }
}

/** Returns the private key of an interface that is there, base64; null when there is none. */
export async function existingKey(name: string, run: Run): Promise<string | null> {
  if (!(await exists(name, run))) return null
  return parseDump(await run('wg', ['show', name, 'dump'])).privateKey
}

/** wireguard-go is wanted only where the kernel cannot do it: says both. */
function withoutKernel(error: unknown): never {
  if (error instanceof SystemError && error.code === 'tool_missing')
    throw new SystemError('tool_missing', `this kernel has no WireGuard, and ${error.message}`)
  throw error
}

const exists = (name: string, run: Run): Promise<boolean> =>
  run('ip', ['link', 'show', 'dev', name]).then(
    () => true,
    error => {
      if (error instanceof SystemError && error.code === 'command_failed') return false
      throw error
    },
  )

async function freeName(run: Run): Promise<string> {
  const there = await run('ip', ['-o', 'link', 'show'])
  const name = NAMES.find(each => !there.includes(`: ${each}:`) && !there.includes(`: ${each}@`))
  if (name === undefined) throw new SystemError('taken', 'no interface name from boson0 to boson99 is free')
  return name
}
