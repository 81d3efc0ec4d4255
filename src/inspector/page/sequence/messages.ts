/**
 * Steps of actors as messages between them. A step tells what one actor heard, not who sent it: that is in what the event
 * carries, or follows from its name.
 *
 *     agent ──said──▶ session ──heard by──▶ coordinator
 */
import type { ActorStep } from '../../../actors/ports.js'
import { changeBetween } from '../chart/states.js'
import { byTime } from './steps.js'

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

/** Whose messages are shown. */
export interface Circle {
  /** All that it hears, says and does is shown. */
  readonly one: string
  /** What these say to each other, to `one` and to their agents. */
  readonly others: readonly string[]
  /** Links that are about `one`: a node speaks with its agent about many others. */
  readonly links: ReadonlySet<number>
}

/** Returns the last `most` messages that steps of several actors tell of, the oldest first. */
export const messagesOf = (steps: readonly ActorStep[], circle: Circle, most: number): readonly Message[] => {
  const ids = [circle.one, ...circle.others]
  const shown = new Set([...ids, ...ids.map(agentOf)])
  return steps
    .toSorted(byTime)
    .map(messageOf)
    .filter(message => isShown(message, circle.one, shown) && isAbout(message, circle))
    .slice(-most)
}

function isShown({ from, to, change }: Message, one: string, shown: ReadonlySet<string>): boolean {
  // What one hears by itself and stays as it is at is not said to anyone: a timer.
  if (from === to) return change !== '' && shown.has(to)
  return from === one || to === one || (shown.has(from) && shown.has(to))
}

const isAbout = ({ from, to, link }: Message, { one, links }: Circle): boolean =>
  link === null || from === one || to === one || links.has(link)

function messageOf(step: ActorStep): Message {
  const { atMs, order, actor, kind, event, data, from, to, moved } = step
  const link = fieldOf(data, 'link')
  const ends =
    kind === 'step'
      ? { from: senderOf(step), to: actor }
      : kind === 'said'
        ? { from: agentOf(actor), to: actor }
        : { from: actor, to: agentOf(actor) }
  return {
    key: `${atMs} ${order}`,
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

/** Returns the links that are about an actor: those of the paths it speaks with, and those it has spoken of. */
export const linksOf = (
  id: string,
  steps: readonly ActorStep[],
  neighbours: readonly string[],
): ReadonlySet<number> => {
  const paths = [id, ...neighbours].filter(each => each.startsWith('path/'))
  const spoken = steps.map(({ data }) => fieldOf(data, 'link')).filter(link => typeof link === 'number')
  return new Set([...paths.map(path => Number(path.slice('path/'.length))), ...spoken])
}

/** Returns who else spoke with an actor lately, the last one first. */
export const speakersOf = (id: string, steps: readonly ActorStep[]): readonly string[] => [
  ...new Set(
    steps
      .filter(({ actor, kind }) => actor === id && kind === 'step')
      .map(senderOf)
      .filter(sender => sender !== id)
      .toReversed(),
  ),
]

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
export function lifelinesOf(messages: readonly Message[], { one, others }: Circle): readonly string[] {
  const shown = new Set([one, ...others])
  for (const { from, to } of messages.toReversed())
    for (const id of [from, to]) if (shown.size < LIFELINES) shown.add(id)
  return [...shown].sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
}
