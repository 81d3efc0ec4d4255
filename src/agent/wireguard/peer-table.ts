/**
 * The peers that WireGuard is to know, and the routes to them. Changes that arrive while a command runs are
 * gathered and made by the next one: a node whose coordinator was restarted opens hundreds of links at once,
 * and a command takes a few milliseconds however many peers it names.
 */
import { isDeepStrictEqual } from 'node:util'
import { SystemError } from '../system/errors.js'
import type { Ledger } from '../system/ledger.js'
import type { Run } from '../system/run.js'
import type { Taken } from '../system/taken.js'
import { parseCidr, type Cidr } from './cidr.js'
import type { Device } from './device.js'
import { keepaliveArgs, peerArgs, removalArgs, type PeerEntry } from './wg.js'

/** Peers named by one command: far below what a command line may hold. */
const PEERS_PER_COMMAND = 100
/**
 * A new peer gets a keepalive at first, s, even when none is wanted: turning it on makes WireGuard begin a
 * handshake at once. The other end may hold a session with a WireGuard of ours that is gone, and would need
 * 15 s to notice.
 */
const WAKE_S = 25

export class PeerTable {
  readonly #device: Device
  readonly #run: Run
  readonly #ledger: Ledger
  readonly #wanted = new Map<string, PeerEntry>()
  readonly #applied = new Map<string, PeerEntry>()
  readonly #failed = new Map<string, unknown>()
  #changed = new Set<string>()
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | null = null
  /** What was written down for a peer on someone else's interface. */
  readonly #taken = new Map<string, readonly Taken[]>()
  /** Peers that shall say something at once, as they were steered elsewhere. */
  readonly #woken = new Set<string>()
  /** To which peer a route belongs: an address moves to the newest. */
  readonly #routes = new Map<string, string>()

  constructor(device: Device, run: Run, ledger: Ledger) {
    this.#device = device
    this.#run = run
    this.#ledger = ledger
  }

  /** Adds or changes a peer; resolves when WireGuard knows. The same entry again changes nothing. */
  async set(entry: PeerEntry): Promise<void> {
    this.#claim(entry)
    if (same(this.#wanted.get(entry.publicKey), entry) && !this.#failed.has(entry.publicKey)) return
    this.#wanted.set(entry.publicKey, entry)
    await this.#change(entry.publicKey)
  }

  /**
   * Sets a peer whether it has changed or not: WireGuard may have followed it elsewhere. It says something at once,
   * where its keepalive is on.
   */
  async steer(entry: PeerEntry): Promise<void> {
    this.#wanted.set(entry.publicKey, entry)
    this.#woken.add(entry.publicKey)
    await this.#change(entry.publicKey)
  }

  async remove(publicKey: string): Promise<void> {
    if (!this.#wanted.delete(publicKey)) return
    await this.#change(publicKey)
  }

  /** Sets every peer again: the interface was made anew. */
  async reapply(): Promise<void> {
    this.#applied.clear()
    this.#routes.clear()
    for (const key of this.#wanted.keys()) this.#changed.add(key)
    await this.#flush()
  }

  /** WireGuard moves an allowed address to the newest peer without a word; someone else's peers keep theirs. */
  #claim({ publicKey, allowedIps }: PeerEntry): void {
    const wanted = allowedIps.map(each => parseCidr(each).text)
    if (this.#device.foreign.has(publicKey))
      throw new SystemError('taken', `${this.#device.name} already has a peer with this key that is not ours`)
    for (const addresses of this.#device.foreign.values()) {
      const theirs = wanted.find(each => addresses.includes(each))
      if (theirs !== undefined)
        throw new SystemError('taken', `${theirs} belongs to another peer of ${this.#device.name}`)
    }
  }

  async #change(key: string): Promise<void> {
    this.#changed.add(key)
    this.#failed.delete(key)
    await this.#flush()
    if (this.#failed.has(key)) throw this.#failed.get(key)
  }

  /** Resolves when a run that began after this call is over. */
  #flush(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = null
      return (this.#running = this.#apply())
    })
    return this.#next
  }

  async #apply(): Promise<void> {
    const keys = [...this.#changed]
    this.#changed = new Set()
    for (let i = 0; i < keys.length; i += PEERS_PER_COMMAND)
      await this.#applyBatch(keys.slice(i, i + PEERS_PER_COMMAND))
  }

  /** One command for all; when it fails, one for each, so that a bad peer fails alone. */
  async #applyBatch(keys: readonly string[]): Promise<void> {
    try {
      await this.#tell(keys)
    } catch (error) {
      if (keys.length > 1) {
        for (const key of keys) await this.#applyBatch([key])
      } else if (keys[0] !== undefined) this.#failed.set(keys[0], error)
    }
  }

  async #tell(keys: readonly string[]): Promise<void> {
    const entries = keys.map(key => this.#wanted.get(key)).filter(entry => entry !== undefined)
    const removed = keys.filter(key => !this.#wanted.has(key) && this.#applied.has(key))
    const silent = entries.filter(each => !this.#applied.has(each.publicKey) && each.keepaliveS === 0)
    // WireGuard says something when a keepalive is turned on: for that it must have been off.
    const woken = entries.filter(each => this.#woken.delete(each.publicKey))
    const args = [
      ...removed.flatMap(removalArgs),
      ...woken.flatMap(each => keepaliveArgs(each.publicKey, 0)),
      ...entries.flatMap(each =>
        peerArgs(
          silent.includes(each) ? { ...each, keepaliveS: WAKE_S } : each,
          this.#applied.get(each.publicKey),
        ),
      ),
    ]
    const set = () => this.#set(args)
    if (this.#device.attached) await this.#takeThen(entries, set)
    else await set()
    await this.#route(entries, removed)
    await this.#set(silent.flatMap(each => keepaliveArgs(each.publicKey, 0)))
    for (const key of removed) this.#applied.delete(key)
    for (const entry of entries) this.#applied.set(entry.publicKey, entry)
    if (this.#device.attached) for (const key of removed) await this.#giveBack(key)
  }

  async #set(args: readonly string[]): Promise<void> {
    if (args.length > 0) await this.#run('wg', ['set', this.#device.name, ...args])
  }

  async #takeThen(entries: readonly PeerEntry[], set: () => Promise<void>): Promise<void> {
    const taken = entries.map(entry => [entry.publicKey, this.#newBelongings(entry)] as const)
    await this.#ledger.take(
      taken.flatMap(([, each]) => each),
      set,
    )
    for (const [key, each] of taken) this.#taken.set(key, [...(this.#taken.get(key) ?? []), ...each])
  }

  #newBelongings(entry: PeerEntry): readonly Taken[] {
    const known = this.#taken.get(entry.publicKey) ?? []
    return this.#belongings(entry).filter(each => !known.some(other => isDeepStrictEqual(each, other)))
  }

  #belongings(entry: PeerEntry): readonly Taken[] {
    const { name } = this.#device
    return [
      { kind: 'peer', interface: name, publicKey: entry.publicKey },
      ...this.#routable(entry).map(
        ({ family, text }): Taken => ({ kind: 'route', family, route: [text, 'dev', name] }),
      ),
    ]
  }

  async #giveBack(key: string): Promise<void> {
    for (const taken of this.#taken.get(key) ?? []) await this.#ledger.giveBack(taken)
    this.#taken.delete(key)
  }

  /** Sets the routes of `entries`, and removes those that nobody has any more. */
  async #route(entries: readonly PeerEntry[], removed: readonly string[]): Promise<void> {
    const gone: string[] = []
    const added: string[] = []
    for (const key of [...removed, ...entries.map(each => each.publicKey)]) {
      const wanted = this.#wanted.get(key)
      const texts = wanted === undefined ? [] : this.#routable(wanted).map(({ text }) => text)
      for (const [text, owner] of this.#routes) {
        if (owner !== key || texts.includes(text)) continue
        this.#routes.delete(text)
        gone.push(text)
      }
      for (const text of texts) {
        if (!this.#routes.has(text)) added.push(text)
        this.#routes.set(text, key)
      }
    }
    // One that is gone already is as good.
    await this.#batch('del', gone).catch(() => {})
    await this.#batch('replace', added)
  }

  async #batch(verb: 'del' | 'replace', routes: readonly string[]): Promise<void> {
    if (routes.length === 0) return
    const stdin = routes.map(each => `route ${verb} ${each} dev ${this.#device.name}\n`).join('')
    await this.#run('ip', ['-force', '-batch', '-'], { stdin })
  }

  /** The addresses that get a route of their own; a route for everything is the full tunnel's. */
  #routable({ allowedIps }: PeerEntry): readonly Cidr[] {
    return allowedIps.map(parseCidr).filter(each => !each.everything && this.#device.takes(each))
  }
}

const same = (a: PeerEntry | undefined, b: PeerEntry): boolean =>
  a !== undefined &&
  a.endpoint === b.endpoint &&
  a.keepaliveS === b.keepaliveS &&
  a.allowedIps.join() === b.allowedIps.join()
