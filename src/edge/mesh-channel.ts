/** Where agents connect. */
import type { Intake } from '../actors/ports.js'
import { MESH_PATH, MESSAGE_MAX, SUBPROTOCOL } from '../protocol/timing.js'
import type { Channel } from './channel.js'

/** Above it uWebSockets would drop control messages as well, so the mesh stays far below, bytes. */
const WAITING_MAX = 4 * 1024 * 1024

/** Returns the mesh’s channel; `origins`: web pages that may open it. */
export const meshChannel = (intake: Intake, origins: readonly string[]): Channel => ({
  path: MESH_PATH,
  subprotocol: SUBPROTOCOL,
  name: 'the mesh',
  pages: { origins: new Set(origins), own: false, setting: 'BOSON_ORIGINS' },
  messageMax: MESSAGE_MAX,
  waitingMax: WAITING_MAX,
  // The mesh decides who is silent: bytes that trickle in would keep this timer happy for ever.
  silenceS: 0,
  intake,
})
