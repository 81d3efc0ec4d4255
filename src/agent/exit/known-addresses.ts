/**
 * The coordinator's addresses, remembered. While a tunnel carries everything and its session is lost, the
 * resolver's own packets have nowhere to go: the agent finds back with what it knew.
 */
import { lookup as resolve } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import type { Clock } from '../../kit/clock.js'

/** Patience with the resolver while there is something to fall back on, ms. */
const RESOLVE_MS = 1_500

export class KnownAddresses {
  readonly #clock: Clock
  readonly #known = new Set<string>()
  readonly #resolve: (hostname: string) => Promise<readonly string[]>
  /** Told of addresses that are new, before they are used. */
  moved: (addresses: readonly string[]) => Promise<void> = async () => {}

  constructor(url: string, clock: Clock, resolver = systemResolver) {
    this.#clock = clock
    this.#resolve = resolver
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
    // An address needs no look-up and never comes through one.
    if (isIP(host) !== 0) this.#known.add(host)
  }

  get all(): readonly string[] {
    return [...this.#known]
  }

  /** For a socket's `lookup` option. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#findThen(hostname, (error, found) => {
      if (error !== null) return callback(error, '')
      const addresses = found.map(address => ({ address, family: isIP(address) }))
      if (options.all === true) callback(null, addresses)
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family)
    })
  }

  readonly #findThen = callbackify((hostname: string) => this.#find(hostname))

  async #find(hostname: string): Promise<readonly string[]> {
    if (this.#known.size === 0) return this.#remember(await this.#resolve(hostname))
    let timer
    const tooLate = new Promise<null>(late => (timer = this.#clock.setTimeout(() => late(null), RESOLVE_MS)))
    const found = await Promise.race([this.#resolve(hostname).catch(() => null), tooLate])
    this.#clock.clearTimeout(timer)
    return found === null ? this.all : this.#remember(found)
  }

  async #remember(found: readonly string[]): Promise<readonly string[]> {
    const unknown = found.filter(address => !this.#known.has(address))
    for (const address of unknown) this.#known.add(address)
    if (unknown.length > 0) await this.moved(unknown)
    return found
  }
}

const systemResolver = async (hostname: string): Promise<readonly string[]> =>
  (await resolve(hostname, { all: true })).map(({ address }) => address)
