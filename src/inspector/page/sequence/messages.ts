/**
 * Steps of actors as messages between them. A step tells what one actor heard, not who sent it: that is in what the event
 * carries, or follows from its name.
 *
 *     agent ──said──▶ session ──heard by──▶ coordinator
 */
import type { ActorStep } from '../../../actors/ports.js'
import { changeBetween } from '../chart/states.js'

export interface Message {
  readonly key: string
  readonly atMs: number
  /** Lifelines; the same twice where an actor does something by itself. */
  readonly from: string
  readonly to: string
  readonly event: string
  /** How the state of `to` has changed, `asking → served`; empty where it has not. */
  readonly change: string
  /** The link that it is about; null: none. */
  readonly link: number | null
}

/** Lifelines that are drawn side by side at most: more cannot be read. */
const LIFELINES = 8

/** Returns the lifeline of the agent on the other side of a session’s socket. */
export const agentOf = (id: string): string => `agent ${id}`

/** Returns the last `most` messages that steps of several actors tell of, the oldest first. */
export const messagesOf = (steps: readonly ActorStep[], most: number): readonly Message[] =>
  steps
    .toSorted((a, b) => a.atMs - b.atMs)
    .slice(-most)
    .map(messageOf)

function messageOf(step: ActorStep, i: number): Message {
  const { atMs, actor, kind, event, data, from, to, moved } = step
  const link = fieldOf(data, 'link')
  const ends =
    kind === 'step'
      ? { from: senderOf(step), to: actor }
      : kind === 'said'
        ? { from: agentOf(actor), to: actor }
        : { from: actor, to: agentOf(actor) }
  return {
    key: `${atMs} ${actor} ${event} ${i}`,
    atMs,
    ...ends,
    event,
    change: moved ? changeBetween(from, to) : '',
    link: typeof link === 'number' ? link : null,
  }
}

/** Fields of events that name the actor which they come from, or are about. */
const NAMES = ['cell', 'node', 'client', 'end'] as const

/** What sessions hear from others than their agents. */
const SENDERS: readonly (readonly [event: RegExp, sender: (name: string) => string])[] = [
  [/^(?:route\.(?:given|denied|ended)|places\.|asked\.to\.)/, () => 'coordinator'],
  [/^(?:probe|nat)\./, name => `nat-probe/${name}`],
]

function senderOf({ actor, event, data }: ActorStep): string {
  for (const name of NAMES) {
    const value = fieldOf(data, name)
    if (typeof value === 'string' && /^(?:node|client)\/./.test(value)) return value
  }
  if (!isSession(actor)) return actor
  const name = actor.slice(actor.indexOf('/') + 1)
  return SENDERS.find(([pattern]) => pattern.test(event))?.[1](name) ?? actor
}

const fieldOf = (data: ActorStep['data'], name: string): unknown =>
  data !== null && typeof data === 'object' && !Array.isArray(data)
    ? (data as Readonly<Record<string, unknown>>)[name] // an object of plain data
    : undefined

const isSession = (id: string): boolean => /^(?:node|client)\//.test(id)

/** Clients stand to the left, what is between them and the nodes in the middle. */
const ORDER: readonly RegExp[] = [
  /^agent client\//,
  /^client\//,
  /^nat-probe\//,
  /^(?:server|cluster|snapshot)$/,
  /^coordinator$/,
  /^drain\//,
  /^path\//,
  /^relay$/,
  /^node\//,
  /^agent node\//,
]
const rankOf = (id: string): number => ORDER.findIndex(pattern => pattern.test(id))

/** Returns the lifelines of messages from left to right: those that are followed, and those who spoke with them last. */
export function lifelinesOf(messages: readonly Message[], followed: readonly string[]): readonly string[] {
  const shown = new Set(followed)
  for (const { from, to } of messages.toReversed())
    for (const id of [from, to]) if (shown.size < LIFELINES) shown.add(id)
  return [...shown].sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
}
