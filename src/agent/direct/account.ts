/** What an end tells the coordinator of an attempt: `path.attempt`. */
import { type Endpoint, endpointText } from '../../protocol/address.js'
import type { WireOf } from '../../protocol/messages.js'
import type { Pair } from './pair.js'
import type { Pairs } from './pairs.js'

export type Account = WireOf<'path.attempt'>
export type Cause = NonNullable<Account['cause']>

export interface AccountOptions {
  readonly link: number
  readonly pairs: Pairs
  readonly outcome: Account['outcome']
  readonly cause?: Cause
  /** The pair that it is about; without one, none was found. */
  readonly pair?: Pair
}

/** What the wire takes of the list of pairs. */
const TRIED_MAX = 16
const TRIED_TEXT_MAX = 160
/** Only for a socket that was closed meanwhile. */
const NOWHERE: Endpoint = { address: '0.0.0.0', port: 9 }

export function accountOf({ link, pairs, outcome, cause, pair }: AccountOptions): Account {
  return {
    type: 'path.attempt',
    link,
    attempt: pairs.attempt,
    via: 'udp',
    outcome,
    ...(pair !== undefined && {
      local: localOf(pair),
      remote: `${pair.type} ${endpointText(pair.remote)}`,
    }),
    ...(pair !== undefined && pair.rttMs !== null && { rttMs: pair.rttMs }),
    ...(cause !== undefined && { cause }),
    tried: pairs.all.slice(0, TRIED_MAX).map(fateOf),
  }
}

/** This end of a pair, as the peer sees it. */
function localOf({ base, mapped }: Pair): string {
  const own = base.socket.local()
  if (base.type === 'relay') return `relay ${endpointText(own[0] ?? NOWHERE)}`
  const seen = endpointText(mapped ?? own[0] ?? NOWHERE)
  return own.some(each => endpointText(each) === seen) ? `host ${seen}` : `srflx ${seen}`
}

function fateOf({ base, remote, type, sent, rttMs }: Pair): string {
  const from = base.type === 'relay' ? 'by TURN to ' : ''
  const fate = rttMs === null ? `no answer to ${sent} checks` : `answered in ${rttMs.toFixed(1)} ms`
  return `${from}${type} ${endpointText(remote)}: ${fate}`.slice(0, TRIED_TEXT_MAX)
}
