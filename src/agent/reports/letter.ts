/** What a script reports by way of the agent of its machine: one record, as it is put into the agent's inbox. */
import {
  type ClientSeen,
  clientRecord,
  type LogSeen,
  logRecord,
  type Record,
  type TrafficSeen,
  trafficRecord,
} from './records.js'

/** `atMs` is ms since 1970 UTC. */
export type Letter = { readonly atMs: number; readonly level?: LogSeen['level'] | undefined } & (
  | ({ readonly kind: 'client' } & ClientSeen)
  | ({ readonly kind: 'traffic' } & TrafficSeen)
  | ({ readonly kind: 'log' } & LogSeen)
)

export function recordOf(letter: Letter): Record {
  switch (letter.kind) {
    case 'client':
      return clientRecord(letter, letter.atMs)
    case 'traffic':
      return trafficRecord(letter)
    case 'log':
      return logRecord(letter, letter.atMs)
  }
}

/** Returns the letter that a text holds; null when it holds none. */
export function readLetter(text: string): Letter | null {
  try {
    const letter = JSON.parse(text) as Letter // checked below
    if (typeof letter !== 'object' || !Number.isFinite(letter.atMs)) return null
    if (letter.kind === 'client') return typeof letter.ip === 'string' ? letter : null
    if (letter.kind === 'log')
      return typeof letter.message === 'string' && LEVELS.includes(letter.level) ? letter : null
    if (letter.kind !== 'traffic') return null
    return TYPES.includes(letter.resourceType) && typeof letter.resourceId === 'string' ? letter : null
  } catch {
    return null
  }
}

const LEVELS: readonly unknown[] = ['info', 'warning', 'error']
const TYPES: readonly unknown[] = ['proxy', 'domain']
