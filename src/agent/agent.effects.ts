/** What the agent's machine does to the world. */
import type { Wire, WireOf } from '../protocol/messages.js'
import { agentMachine } from './agent.machine.js'

export interface AgentEffects {
  readonly line: {
    dial(): void
    hangUp(code: number, reason: string): void
    send(event: Wire): void
  }
  readonly session: {
    resume(): void
    register(welcome: WireOf<'welcome'>): void
    stand(said: WireOf<'registered'> | WireOf<'resumed'>): void
    renewed(said: WireOf<'renewed'>): void
    forget(): void
  }
  /** Heartbeats, the watch over silence, links and packets. */
  readonly lanes: { open(): void; probe(): void; close(): void }
  readonly tell: {
    waiting(reason: string, retryInMs: number): void
    ended(reason: string): void
    refused(code: string, reason: string): void
  }
}

export const agentWith = ({ line, session, lanes, tell }: AgentEffects) =>
  agentMachine.provide({
    actions: {
      dial: () => line.dial(),
      hangUp: (_, { code, reason }) => line.hangUp(code, reason),
      sendResume: () => session.resume(),
      sendRegister: (_, { welcome }) => session.register(welcome),
      sendRenew: () => line.send({ type: 'renew' }),
      sendGoodbye: () => line.send({ type: 'goodbye', reason: 'the agent leaves' }),
      keepSession: (_, { session: said }) => session.stand(said),
      keepTicket: (_, { renewed }) => session.renewed(renewed),
      forgetTicket: () => session.forget(),
      openLanes: () => lanes.open(),
      probe: () => lanes.probe(),
      closeLanes: () => lanes.close(),
      tellWaiting: (_, { reason, retryInMs }) => tell.waiting(reason, retryInMs),
      tellEnded: (_, { reason }) => tell.ended(reason),
      tellRefused: (_, { code, reason }) => tell.refused(code, reason),
    },
  })
