/** What the sessions' actions do. Composed once for all sessions; an action finds its session by its slot. */
import { hash } from 'node:crypto'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { CLOSE } from '../../protocol/close-codes.js'
import { RELAY_PAYLOAD_MAX } from '../../protocol/relay-frame.js'
import { clientMachine } from '../client/client.machine.js'
import type { CoordinatorEvent } from '../coordinator/coordinator.machine.js'
import { nodeMachine } from '../node/node.machine.js'
import type { Paths } from '../path/paths.js'
import type { Slot, Socket, StoredSession, Traversal } from '../ports.js'
import type { Changes } from '../snapshot/snapshots.js'
import type { Cell } from './cell.js'
import { closeFor } from '../admission/refusals.js'
import type { Identities } from '../admission/identities.js'
import type { sessionActions } from './session.actions.js'
import type { SessionContext } from './session.events.js'
import type { Sessions } from './sessions.js'

/** The lanes of a session: opened when it gets a socket, closed when it loses it. */
export interface Lanes {
  attach(slot: Slot, socket: Socket): void
  detach(slot: Slot): void
  forget(slot: Slot): void
}

/** The params of a session action, by its name. */
type Params<K extends keyof typeof sessionActions> = Parameters<(typeof sessionActions)[K]>[1]

export interface SessionEffectsOptions {
  readonly identities: Identities
  readonly clock: Clock
  readonly random: Random
  readonly sessions: Sessions
  readonly paths: Paths
  readonly lanes: Lanes
  /** null: agents get no STUN nor TURN servers. */
  readonly traversal: Traversal | null
  readonly changes: Changes
  readonly timing: {
    readonly beatEveryMs: number
    readonly silenceMs: number
    readonly resumeWindowMs: number
  }
  readonly coordinator: (event: CoordinatorEvent) => void
  /** The session has a socket, and its agent knows. */
  readonly greeted: (cell: Cell, by: 'register' | 'resume') => void
  readonly count: (what: 'registered' | 'resumed' | 'replaced') => void
}

const TICKET_BYTES = 32
export const hashOf = (secret: Uint8Array): Uint8Array => hash('sha256', secret, 'buffer')
/** Returns a ticket's hash as the sessions are looked up by it. */
export const ticketKey = (hash: Uint8Array): string => Buffer.from(hash).toString('base64')

export function sessionLogics(options: SessionEffectsOptions): {
  node: typeof nodeMachine
  client: typeof clientMachine
} {
  const { clock, random, sessions, paths, lanes, traversal, changes, timing, coordinator } = options

  const withCell =
    <P>(run: (cell: Cell, params: P) => void) =>
    ({ context }: { context: SessionContext }, params: P) => {
      const cell = sessions.at(context.slot)
      if (cell !== undefined) run(cell, params)
    }

  const store = (cell: Cell, state: StoredSession['state']) =>
    changes.touch({
      kind: 'session',
      key: cell.sessionId,
      value: {
        sessionId: cell.sessionId,
        identityId: cell.identity.id,
        generation: cell.identity.generation,
        ticketHash: state === 'closed' || cell.ticket === null ? null : Buffer.from(cell.ticket, 'base64'),
        state,
        startedAtMs: cell.startedAtMs,
        changedAtMs: clock.wallMs(),
      },
    })

  const newTicket = (cell: Cell): Uint8Array => {
    const ticket = random.bytes(TICKET_BYTES)
    sessions.setTicket(cell, ticketKey(hashOf(ticket)))
    return ticket
  }

  const servers = (cell: Cell) =>
    traversal === null ? {} : { iceServers: traversal.iceServers(cell.identity.id) }

  const actions = {
    greet: withCell<Params<'greet'>>((cell, { by }) => {
      const line = cell.incoming
      if (line === null) return
      cell.incoming = null
      cell.line = line
      cell.lostMs = null
      cell.lapsed = false
      cell.identity = { ...cell.identity, generation: cell.identity.generation + 1 }
      options.identities.set(cell.identity)
      const ticket = newTicket(cell)
      store(cell, 'online')
      line.attach(cell.slot)
      lanes.attach(cell.slot, line.socket)
      const { generation, overlay4, overlay6 } = cell.identity
      const links = [...(cell.links ?? [])]
      const common = { sessionId: cell.sessionId, generation, ticket, links, ...servers(cell) }
      if (by === 'resume') line.tell({ type: 'resumed', ...common })
      else
        line.tell({
          type: 'registered',
          ...common,
          overlay4: `${overlay4}/32`,
          overlay6: `${overlay6}/128`,
          beatEveryMs: timing.beatEveryMs,
          silenceMs: timing.silenceMs,
          resumeWindowMs: timing.resumeWindowMs,
          relayMtu: RELAY_PAYLOAD_MAX,
        })
      options.count(by === 'resume' ? 'resumed' : 'registered')
      paths.introduceAll(cell)
      options.greeted(cell, by)
    }),
    refuse: withCell<Params<'refuse'>>((cell, answer) => {
      const line = cell.incoming
      cell.incoming = null
      line?.tell({ type: 'refused', ...answer })
      line?.close(closeFor(answer.code), answer.reason)
    }),
    detach: withCell(cell => {
      cell.line = null
      cell.lostMs = clock.now()
      lanes.detach(cell.slot)
      store(cell, 'suspended')
    }),
    openWindow: withCell(cell => sessions.openWindow(cell)),
    closeWindow: withCell(cell => sessions.closeWindow(cell)),
    tellReplaced: withCell(cell => {
      const line = cell.line
      if (line === null) return
      cell.line = null
      lanes.detach(cell.slot)
      line.tell({ type: 'replaced', generation: cell.identity.generation + 1 })
      line.close('replaced', CLOSE.replaced.doc)
      options.count('replaced')
      changes.audit({
        kind: 'session.replaced',
        actor: cell.identity.id,
        subject: cell.sessionId,
        detail: {
          from: line.socket.remote,
          to: cell.incoming?.socket.remote ?? null,
          generation: cell.identity.generation + 1,
        },
      })
    }),
    closeSocket: withCell<Params<'closeSocket'>>((cell, { close, reason }) => {
      cell.line?.close(close, reason)
    }),
    renewTicket: withCell(cell => {
      const ticket = newTicket(cell)
      store(cell, 'online')
      cell.line?.tell({ type: 'renewed', ticket, ...servers(cell) })
    }),
    inform: withCell<Params<'inform'>>((cell, { fact }) => coordinator({ type: 'session.told', cell, fact })),
    release: withCell(cell => {
      cell.line = null
      lanes.forget(cell.slot)
      sessions.forget(cell)
      if (cell.identity.generation === 0) return // it never began
      store(cell, 'closed')
      changes.touch({ kind: 'identity', key: cell.identity.id, value: cell.identity })
    }),
    askRoute: withCell<Params<'askRoute'>>((cell, { requestId, wish }) =>
      coordinator({ type: 'route.wanted', cell, requestId, wish }),
    ),
    giveRouteBack: withCell<Params<'giveRouteBack'>>((cell, { routeId }) =>
      coordinator({ type: 'route.unwanted', cell, routeId }),
    ),
    tellRoute: withCell<Params<'tellRoute'>>((cell, { message }) => {
      if (message !== null) cell.line?.tell(message)
    }),
  }
  return { node: nodeMachine.provide({ actions }), client: clientMachine.provide({ actions }) }
}
