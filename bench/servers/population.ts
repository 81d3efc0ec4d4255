/**
 * Sessions that a bench server finds in its store, so that the load generator needs no cryptography: each may be
 * resumed with a ticket that follows from its number.
 */
import { createHash } from 'node:crypto'
import type {
  Change,
  EnrolOutcome,
  EnrolRequest,
  Identity,
  Restored,
  Role,
  Store,
  StoredRoute,
  StoredSession,
} from '../../src/actors/ports.js'
import { FIRST_LINK } from '../../src/protocol/relay-frame.js'

/** Returns the ticket of session `n`: zeroes, and `n` in the last four bytes. `wsload.cpp` makes the same. */
export function ticketOf(n: number): Uint8Array {
  const ticket = Buffer.alloc(32)
  ticket.writeUInt32BE(n, 28)
  return ticket
}

export interface Population {
  /** Pairs come first: session 2n is a client, and its route leads to the node that has session 2n + 1. */
  readonly pairs: number
  /** Then nodes. */
  readonly nodes: number
  /** Then clients, whose routes lead to the first `carriers` of these nodes in turn. */
  readonly clients: number
  readonly carriers: number
}

/** Returns suspended sessions, numbered from 0 in the order above, and the routes between them. */
export function populationOf({
  pairs = 0,
  nodes = 0,
  clients = 0,
  carriers = nodes,
}: Partial<Population>): Restored {
  const [firstNode, firstClient] = [2 * pairs, 2 * pairs + nodes]
  const numbers = Array.from({ length: firstClient + clients }, (_, n) => n)
  const roleOf = (n: number): Role => ((n < firstNode ? n % 2 === 0 : n >= firstClient) ? 'client' : 'node')
  return {
    identities: numbers.map(n =>
      // A node that carries many has said so.
      n >= firstNode && n < firstNode + carriers && clients > 0
        ? identity(n, 'node', Math.ceil(clients / carriers))
        : identity(n, roleOf(n)),
    ),
    sessions: numbers.map(session),
    routes: [
      ...Array.from({ length: pairs }, (_, n) => route(n, 2 * n, 2 * n + 1)),
      ...Array.from({ length: clients }, (_, n) =>
        route(pairs + n, firstClient + n, firstNode + (n % carriers)),
      ),
    ],
    paths: [],
    steerings: [],
  }
}

/** Each identity's address in the mesh: 10.64.0.0/10 and fd77:b050::/96 have room for every bench. */
const overlay4 = (n: number) => `10.${64 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
const overlay6 = (n: number) => `fd77:b050::${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}`
const idOf = (n: number) => `agent-${n}`

export function identity(n: number, role: Role, maxSessions: number | null = null): Identity {
  const publicKey = new Uint8Array(32).fill(7)
  new DataView(publicKey.buffer).setUint32(0, n)
  return {
    id: idOf(n),
    role,
    publicKey,
    overlay4: overlay4(n),
    overlay6: overlay6(n),
    generation: 1,
    profile: {
      agent: 'bench',
      country: 'DE',
      region: 'eu-central',
      latitude: null,
      longitude: null,
      maxSessions,
      bandwidthMbps: 1_000,
      exit: false,
      tags: [],
      costWeight: null,
      policy: 'auto',
      can: [],
    },
    createdAtMs: Date.now(),
    revokedAtMs: null,
  }
}

function session(n: number): StoredSession {
  return {
    sessionId: `session-${n}`,
    identityId: idOf(n),
    generation: 1,
    ticketHash: createHash('sha256').update(ticketOf(n)).digest(),
    state: 'suspended',
    startedAtMs: Date.now(),
    changedAtMs: Date.now(),
  }
}

function route(n: number, client: number, node: number): StoredRoute {
  return {
    routeId: `route-${n}`,
    link: FIRST_LINK + n,
    clientId: idOf(client),
    nodeId: idOf(node),
    request: {},
    explanation: { considered: 1, qualified: 1, excluded: {}, compared: [] },
    state: 'active',
    assignedAtMs: Date.now(),
    endedAtMs: null,
    cause: null,
  }
}

/** Hands the population over and takes every write at once: what a database costs is measured elsewhere. */
export class PopulationStore implements Store {
  #restored: Restored | null
  #enrolled: number

  constructor(restored: Restored) {
    this.#restored = restored
    this.#enrolled = restored.identities.length
  }

  /** Resolves once with the population, which is nobody's memory but the mesh's afterwards. */
  load(): Promise<Restored> {
    const restored = this.#restored ?? { identities: [], sessions: [], routes: [], paths: [], steerings: [] }
    this.#restored = null
    return Promise.resolve(restored)
  }
  write(_changes: readonly Change[]): Promise<void> {
    return Promise.resolve()
  }
  enrol({ id, role, publicKey, profile }: EnrolRequest): Promise<EnrolOutcome> {
    const n = this.#enrolled++
    return Promise.resolve({
      ok: true,
      identity: { ...identity(n, role), id, publicKey, profile, generation: 0 },
    })
  }
  addEnrolmentKey(): Promise<void> {
    return Promise.resolve()
  }
  enrolmentKeys(): Promise<readonly []> {
    return Promise.resolve([])
  }
  revokeEnrolmentKey(): Promise<boolean> {
    return Promise.resolve(false)
  }
  pathsBetween(): Promise<readonly []> {
    return Promise.resolve([])
  }
  endedPaths(): Promise<readonly []> {
    return Promise.resolve([])
  }
  auditEvents(): Promise<readonly []> {
    return Promise.resolve([])
  }
  ping(): Promise<number> {
    return Promise.resolve(0)
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}
