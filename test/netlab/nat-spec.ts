/**
 * How a lab is written down: `node=port+sym,to=20 client=full,remap`.
 *
 *   HOST=KIND[+KIND…][,OPTION…]   a host behind one router per KIND; the first is the nearest to it,
 *                                 so `port+sym` is a home router behind a carrier's
 *   HOST@OTHER                    one more host on the LAN of OTHER
 *   A:B                           short for `node=A client=B`
 *
 *   KIND    none   a public address, no router        sym    a new random port for each destination
 *           full   lets everyone in                   block  TCP to 80 and 443 only, no UDP
 *           addr   lets in addresses that were written to
 *           port   lets in endpoints that were written to
 *   OPTION  to=SECONDS  lifetime of a mapping         remap  the outer port differs from the inner one
 *           lan=A.B.C   prefix of the LAN             v6     IPv6 beside IPv4, in the whole lab
 */

/** What a router does. */
export type Nat = (typeof NATS)[number]

const NATS = ['full', 'addr', 'port', 'sym', 'block'] as const
const EXAMPLE = 'wanted for example node=port+sym,to=20 client=full'

export interface HostSpec {
  readonly name: string
  /** As it was written, without the name. */
  readonly text: string
  /** Its routers, the nearest first; none when it has a public address. */
  readonly nats: readonly Nat[]
  /** The host whose LAN it joins, instead of having routers of its own. */
  readonly besides: string | null
  /** How long a UDP mapping lives without traffic, s; null leaves it to the kernel. */
  readonly lifetimeS: number | null
  /** Whether outer ports differ from inner ones, although one mapping serves all destinations. */
  readonly remap: boolean
  /** First three numbers of the LAN's addresses; null takes one that no other LAN of the lab has. */
  readonly lan: string | null
  readonly v6: boolean
}

export class BadSpec extends Error {
  readonly code = 'BAD_SPEC'
}

/** Returns the hosts that a line of specifications names; throws a BadSpec that says what was wanted. */
export function readSpecs(line: string): readonly HostSpec[] {
  const words = line.trim().split(/\s+/).flatMap(spellOut)
  const hosts = words.map(readHost)
  for (const { name, besides } of hosts) {
    if (hosts.filter(each => each.name === name).length > 1) throw new BadSpec(`${name}: wanted once`)
    const other = hosts.find(each => each.name === besides)
    if (besides !== null && (other?.nats.length ?? 0) === 0)
      throw new BadSpec(`${name}@${besides}: wanted a host behind a router`)
  }
  return hosts
}

const spellOut = (word: string): readonly string[] => {
  const [a, b] = word.split(':')
  return b === undefined ? [word] : [`node=${a}`, `client=${b}`]
}

function readHost(word: string): HostSpec {
  const [, name = '', join = '', text = ''] = /^([a-z][a-z0-9]{0,9})([=@])(.+)$/.exec(word) ?? []
  if (name === '' || RESERVED.has(name)) throw new BadSpec(`${word}: ${EXAMPLE}`)
  const bare = { name, text, nats: [], besides: null, lifetimeS: null, remap: false, lan: null, v6: false }
  if (join === '@') return { ...bare, besides: text }
  const [kinds = '', ...options] = text.split(',')
  const nats = kinds === 'none' ? [] : kinds.split('+').map(kind => readNat(kind, word))
  return options.reduce<HostSpec>((host, option) => ({ ...host, ...readOption(option, word) }), {
    ...bare,
    nats,
  })
}

/** Names of the lab's own namespaces. */
const RESERVED = new Set(['core', 'server'])

function readNat(kind: string, word: string): Nat {
  const nat = NATS.find(each => each === kind)
  if (nat === undefined) throw new BadSpec(`${word}: wanted none, ${NATS.join(', ')}, not ${kind}`)
  return nat
}

function readOption(option: string, word: string): Partial<HostSpec> {
  const [, lifetime] = /^to=([1-9]\d{0,3})$/.exec(option) ?? []
  const [, lan] = /^lan=(\d{1,3}(?:\.\d{1,3}){2})$/.exec(option) ?? []
  if (lifetime !== undefined) return { lifetimeS: Number(lifetime) }
  if (lan !== undefined) return { lan }
  if (option === 'remap') return { remap: true }
  if (option === 'v6') return { v6: true }
  throw new BadSpec(`${word}: wanted to=SECONDS, remap, v6 or lan=A.B.C, not ${option}`)
}
