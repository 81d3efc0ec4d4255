/** A session as its paths see it, with a line that a test hears. */
import type { Identity, Socket } from '../../src/actors/ports.js'
import type { Cell, Line } from '../../src/actors/session/cell.js'
import { USUAL_TERMS } from '../../src/mesh/terms.js'
import type { Wire } from '../../src/protocol/messages.js'
import { SENT } from '../../src/protocol/sent.js'
import { UNKNOWN_PROFILE } from './unknown-profile.js'

export const IDENTITY: Identity = {
  id: 'x',
  role: 'node',
  publicKey: new Uint8Array(32),
  overlay4: '10.77.0.2',
  overlay6: 'fd77::2',
  generation: 1,
  profile: UNKNOWN_PROFILE,
  createdAtMs: 0,
  revokedAtMs: null,
}

/** Returns an end that can leave the relay; `hear` gets what it is told. */
export function endCell(slot: number, hear: (event: Wire) => void = () => {}): Cell {
  const socket: Socket = { remote: 'test', send: () => SENT.ok, buffered: () => 0, close: () => {} }
  const line: Line = { socket, gone: false, tell: hear, attach: () => {}, close: () => {} }
  return {
    slot,
    role: 'node',
    sessionId: `s${slot}`,
    identity: { ...IDENTITY, id: `i${slot}`, profile: { ...IDENTITY.profile, can: ['udp'] } },
    terms: USUAL_TERMS,
    standing: null as never, // a path asks nothing of what its ends' machines say
    line,
    incoming: null,
    ticket: null,
    startedAtMs: 0,
    lostMs: null,
    lapsed: false,
    links: new Set(),
  }
}
