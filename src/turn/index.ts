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

export type TurnOptions = { readonly clock: Clock; readonly random: Random } & (
  | ({ readonly mode: 'embedded' } & EmbeddedOptions)
  | ({ readonly mode: 'coturn' } & CoturnOptions)
  | ({ readonly mode: 'external' } & ExternalOptions)
  | { readonly mode: 'off' }
)

/** Starts the service of the chosen mode; rejects when it cannot be had. */
export async function startTurn(options: TurnOptions): Promise<TurnService> {
  switch (options.mode) {
    case 'embedded':
      return EmbeddedTurn.start(options)
    case 'coturn':
      return ManagedCoturn.start(options)
    case 'external':
      return new ExternalTurn(options)
    default:
      return NO_TURN
  }
}

const NO_TURN: TurnService = {
  issueCredentials: () => [],
  endpoints: () => ({ stun: [], turn: [] }),
  health: async () => ({ status: 'disabled', latencyMs: null }),
  drain: async () => {},
  stats: () => NO_STATS,
  review: () => {},
  stop: async () => {},
}

export { TurnError } from './errors.js'
export type { IceServer, TurnEndpoints, TurnHealth, TurnService, TurnStats } from './service.js'
