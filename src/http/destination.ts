/**
 * Where a request of ours may lead. The coordinator stands inside its operator's network: a name that leads there, now or
 * after its owner has changed it, must not, unless the operator says so.
 *
 *   http(s), a usual port, no password ─→ looked up once ─→ every address public, or allowed ─→ the first is called
 */
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { ipBytes } from '../protocol/address.js'
import { isIn, type Network, networks } from '../protocol/network.js'
import { isDisguised, isPublic } from '../protocol/public-address.js'

export interface DestinationsOptions {
  /** Networks that may be called although they are not public. */
  readonly allowed: readonly string[]
  /** Networks that may not be called although they look public. */
  readonly denied: readonly string[]
  /** The setting that `allowed` is from, for whoever finds an address missing there. */
  readonly setting: string
  /** Whether ports of other services may be called: only where no stranger names the URL. */
  readonly anyPort?: boolean
  readonly lookUp?: LookUp
}

/** Resolves with every address of a name; rejects when there is none. */
export type LookUp = (name: string) => Promise<readonly string[]>

export class Destinations {
  readonly #allowed: readonly Network[]
  readonly #denied: readonly Network[]
  readonly #refused: string
  readonly #anyPort: boolean
  readonly #lookUp: LookUp

  constructor(options: DestinationsOptions) {
    const { allowed, denied, setting, anyPort = false, lookUp = lookUpByDns } = options
    this.#allowed = networks(allowed)
    this.#denied = networks(denied)
    this.#refused = `it leads to an address that is not public; ${setting} names those that may be called`
    this.#anyPort = anyPort
    this.#lookUp = lookUp
  }

  /** Returns what is wrong with a URL, as far as it shows; null: nothing. */
  complaint(text: string): string | null {
    if (!URL.canParse(text)) return 'wanted a URL such as https://example.org/hook'
    const url = new URL(text)
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'wanted http:// or https://'
    if (url.username !== '' || url.password !== '')
      return 'a URL is shown in lists: wanted one without a password'
    const port = portOf(url)
    if (port < FREE_PORTS && port !== 80 && port !== 443 && !this.#anyPort)
      return `wanted port 80, 443, or one from ${FREE_PORTS}`
    return this.hostComplaint(hostOf(url))
  }

  /** Returns what is wrong with a host, as far as it shows; null: nothing. */
  hostComplaint(host: string): string | null {
    return isIP(host) !== 0 && !this.#mayCall(host) ? this.#refused : null
  }

  /** Resolves with the address to call; rejects when the URL leads where it may not. */
  async addressOf(url: URL): Promise<string> {
    const complaint = this.complaint(url.href)
    if (complaint !== null) throw new DestinationError(complaint)
    return this.addressOfHost(hostOf(url))
  }

  /** Resolves with the address to call of a name or an address; rejects when it leads where nothing of ours may. */
  async addressOfHost(host: string): Promise<string> {
    const found = isIP(host) === 0 ? await this.#lookUp(host) : [host]
    if (!found.every(address => this.#mayCall(address))) throw new DestinationError(this.#refused)
    const [first] = found
    if (first === undefined) throw new DestinationError('the name has no address', 'NO_ADDRESS')
    return first
  }

  #mayCall(address: string): boolean {
    const ip = ipBytes(address)
    if (ip === null || isDisguised(ip)) return false
    return isIn(ip, this.#allowed) || (isPublic(ip) && !isIn(ip, this.#denied))
  }
}

export class DestinationError extends Error {
  override readonly name = 'DestinationError'
  readonly code: 'BAD_DESTINATION' | 'NO_ADDRESS'

  /** `NO_ADDRESS`: it may have one later. */
  constructor(message: string, code: 'BAD_DESTINATION' | 'NO_ADDRESS' = 'BAD_DESTINATION') {
    super(message)
    this.code = code
  }
}

/** Ports below this belong to services that were never meant to read what we send. */
const FREE_PORTS = 1_024

export const portOf = ({ protocol, port }: URL): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)

/** Returns the host without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')

/** For one server to answer, ms, and how often each is asked. */
const DNS = { timeout: 1_500, tries: 2 }

/**
 * Asks the name servers of this machine. Not by `getaddrinfo`: a name server that hangs would keep one of the few threads
 * that it shares with everything else.
 */
async function lookUpByDns(name: string): Promise<readonly string[]> {
  if (name === 'localhost') return ['127.0.0.1']
  const resolver = new Resolver(DNS)
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const found = [v4, v6].flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []))
  if (found.length === 0) throw new DestinationError(`the name ${name} could not be looked up`, 'NO_ADDRESS')
  return found
}
