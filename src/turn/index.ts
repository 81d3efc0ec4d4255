/**
 * STUN and TURN behind one interface, whoever provides them:
 *
 *   embedded   our own server, in this process
 *   coturn     a coturn that we configure, start and watch
 *   external   someone else's server that shares our secret
 *   off        none: clients get no servers
 */
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { type CoturnOptions, ManagedCoturn } from './coturn.js'
import { EmbeddedTurn, type EmbeddedOptions } from './embedded.js'
import { type ExternalOptions, ExternalTurn } from './external.js'
import { NO_STATS, type TurnService } from './service.js'
import { TurnWithEar } from './with-ear.js'

export type TurnOptions = { readonly clock: Clock; readonly random: Random } & (
  | ({ readonly mode: 'embedded' } & EmbeddedOptions)
  | ({ readonly mode: 'coturn' } & CoturnOptions & Eared)
  | ({ readonly mode: 'external' } & ExternalOptions & Eared)
  | { readonly mode: 'off' }
)

interface Eared {
  /** STUN of our own beside it, without relays; absent: none. */
  readonly ear?: Omit<EmbeddedOptions, 'clock' | 'random' | 'relays'>
}

/** Starts the service of the chosen mode; rejects when it cannot be had. */
export async function startTurn(options: TurnOptions): Promise<TurnService> {
  switch (options.mode) {
    case 'embedded':
      return EmbeddedTurn.start(options)
    case 'coturn':
      return withEar(options, await ManagedCoturn.start(options))
    case 'external':
      return withEar(options, new ExternalTurn(options))
    default:
      return NO_TURN
  }
}

async function withEar(
  { clock, random, ear }: { readonly clock: Clock; readonly random: Random } & Eared,
  relay: TurnService,
): Promise<TurnService> {
  if (ear === undefined) return relay
  try {
    return new TurnWithEar(relay, await EmbeddedTurn.start({ ...ear, clock, random, relays: [] }))
  } catch (error) {
    await relay.stop()
    throw error
  }
}

const NO_TURN: TurnService = {
  issueCredentials: () => [],
  endpoints: () => ({ stun: [], turn: [], probed: [] }),
  health: async () => ({ status: 'disabled', latencyMs: null }),
  drain: async () => {},
  stats: () => NO_STATS,
  review: () => {},
  certificateChanged: () => {},
  stop: async () => {},
}

export type { EmbeddedOptions, ListenOptions } from './embedded.js'
export { TurnError } from './errors.js'
export { NO_STATS } from './service.js'
export type { IceServer, TurnEndpoints, TurnHealth, TurnService, TurnStats } from './service.js'
