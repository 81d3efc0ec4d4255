/** Facts of the mesh as receivers of webhooks see them. */
import type { Fact, IdentityId, Role } from '../../actors/ports.js'

export const EVENT_TYPES = [
  'node.online',
  'node.offline',
  'node.flapping',
  'route.switched',
  'relay.saturated',
  'relay.relieved',
  'key.revoked',
  'client.online',
  'client.offline',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

/** What a webhook gets that does not say what it wants: clients come and go all day. */
export const USUAL_EVENTS: readonly EventType[] = EVENT_TYPES.filter(type => !type.startsWith('client.'))

/** Sent when an operator asks for it, and to whom they ask for. */
export const TEST_EVENT = 'webhook.test'

export interface MeshEvent {
  /** The same for every receiver, attempt and redelivery. */
  readonly id: string
  readonly type: EventType | typeof TEST_EVENT
  /** What it is about, such as `node:fra-1`. Events of one subject arrive in order. */
  readonly subject: string
  /** Grows with each session of an agent and each move of a route; null where nothing counts. */
  readonly generation: number | null
  readonly atMs: number
  readonly data: Readonly<Record<string, unknown>>
}

export const PRESENCES = ['online', 'offline'] as const
export type Presence = (typeof PRESENCES)[number]

/** What became of someone by the look of it: nobody remembers by which session. */
type Sight = Omit<Extract<Fact, { readonly sessionId: string }>, 'sessionId'> & { readonly sessionId: null }

/** Returns the event of a fact. */
export function eventOf(fact: Fact | Sight, id: string): MeshEvent {
  const { type, atMs } = fact
  switch (fact.type) {
    case 'node.online':
    case 'node.offline':
    case 'client.online':
    case 'client.offline': {
      const role: Role = fact.type.startsWith('node.') ? 'node' : 'client'
      const data = { [`${role}Id`]: fact.id, sessionId: fact.sessionId }
      return { id, type, subject: subjectOf(role, fact.id), generation: fact.generation, atMs, data }
    }
    case 'node.flapping': {
      const data = { nodeId: fact.id, sessionsLostLately: Math.round(fact.flaps * 10) / 10 }
      return { id, type, subject: subjectOf('node', fact.id), generation: fact.generation, atMs, data }
    }
    case 'route.switched': {
      const { routeId, clientId, from, to, cause } = fact
      const data = { routeId, clientId, from, to, cause }
      return { id, type, subject: `route:${routeId}`, generation: fact.moved, atMs, data }
    }
    case 'relay.saturated':
    case 'relay.relieved':
      return { id, type, subject: 'relay', generation: null, atMs, data: { droppedPackets: fact.dropped } }
    case 'key.revoked': {
      const data = { kind: fact.subject, id: fact.id, by: fact.by }
      return { id, type, subject: `key:${fact.subject}:${fact.id}`, generation: null, atMs, data }
    }
  }
}

export const subjectOf = (role: Role, id: IdentityId): string => `${role}:${id}`

/** Returns whether someone came or went; null when the event is about something else. */
export function presenceOf({ type }: { readonly type: string }): Presence | null {
  if (type.endsWith('.online')) return 'online'
  return type.endsWith('.offline') ? 'offline' : null
}

/** Returns what is sent, and signed. */
export const bodyOf = ({ id, type, subject, generation, atMs, data }: MeshEvent, server: string): string =>
  JSON.stringify({ id, type, at: new Date(atMs).toISOString(), server, subject, generation, data })
