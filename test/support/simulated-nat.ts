/** What an agent behind a given NAT would find out, and what the STUN servers would see of it. */
import type { Evidence } from '../../src/mesh/nat-classify.js'

type Dependence = 'endpoint_independent' | 'address_dependent' | 'address_and_port_dependent'

export interface SimulatedNat {
  readonly mapping: Dependence
  readonly filtering: Dependence
  readonly preservesPort: boolean
  readonly blocked: boolean
}

/** Which addresses and ports answer. */
export type Servers = 'one' | 'two ports' | 'two addresses' | 'two of both'
export type Report = Evidence

interface Place {
  readonly address: string
  readonly port: number
}

const LOCAL_PORT = 51_900
const OUTSIDE = '198.51.100.7'
const FIRST: Place = { address: '203.0.113.10', port: 3478 }
const SECOND_PORT: Place = { address: FIRST.address, port: 3479 }
const SECOND_ADDRESS: Place = { address: '203.0.113.11', port: FIRST.port }
const SECOND_BOTH: Place = { address: SECOND_ADDRESS.address, port: SECOND_PORT.port }

/** Runs every test that the servers allow, the filtering ones from a socket that has asked nobody else. */
export function simulateProbe(nat: SimulatedNat, servers: Servers): Report {
  const seen = new Map<string, Set<string>>()
  const tests: Evidence['tests'][number][] = []
  const mappings = new Map<string, number>()
  const hasPort = servers === 'two ports' || servers === 'two of both'
  const hasAddress = servers === 'two addresses' || servers === 'two of both'

  const send = (socket: number, to: Place): { id: Uint8Array; from: string } => {
    const id = Uint8Array.from({ length: 12 }, () => tests.length + 1)
    const from = `${OUTSIDE}:${mappedPort(nat, mappings, socket, to)}`
    if (!nat.blocked) seen.set(Buffer.from(id).toString('hex'), new Set([from]))
    return { id, from }
  }
  const ask = (kind: Evidence['tests'][number][0], to: Place) => {
    const { id, from } = send(LOCAL_PORT, to)
    tests.push([kind, id, nat.blocked ? null : from, nat.blocked ? null : 10])
  }
  const askFrom = (kind: Evidence['tests'][number][0], source: Place) => {
    const { id, from } = send(LOCAL_PORT + 1, FIRST)
    const passes = !nat.blocked && letsIn(nat.filtering, source)
    tests.push([kind, id, passes ? from : null, passes ? 10 : null])
  }

  ask('mapping', FIRST)
  if (hasPort) ask('mapping_other_port', SECOND_PORT)
  if (hasAddress) ask('mapping_other_address', SECOND_ADDRESS)
  if (servers === 'two of both') {
    ask('mapping_other_address', SECOND_BOTH)
    askFrom('filtering_other_address', SECOND_BOTH)
  }
  if (hasPort) askFrom('filtering_other_port', SECOND_PORT)
  return { tests, seen, local: [`192.168.1.2:${LOCAL_PORT}`] }
}

/** The socket has asked FIRST only: who else may answer? */
function letsIn(filtering: Dependence, source: Place): boolean {
  if (filtering === 'endpoint_independent') return true
  return filtering === 'address_dependent' && source.address === FIRST.address
}

function mappedPort(nat: SimulatedNat, mappings: Map<string, number>, socket: number, to: Place): number {
  const key = {
    endpoint_independent: `${socket}`,
    address_dependent: `${socket} ${to.address}`,
    address_and_port_dependent: `${socket} ${to.address} ${to.port}`,
  }[nat.mapping]
  const known = mappings.get(key)
  if (known !== undefined) return known
  const port = nat.preservesPort && mappings.size === 0 ? socket : 20_000 + mappings.size
  mappings.set(key, port)
  return port
}
