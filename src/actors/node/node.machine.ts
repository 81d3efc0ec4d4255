/**
 * A node's session: the life of session.states.ts, and while it is online
 *
 *   presence  fresh ⇄ lapsed                 is it heard?
 *   reach     unknown → probing → known      what is its NAT like? (nat-probe finds out)
 *   duty      accepting ⇄ full, ⇄ leaving    may new clients come?
 */
import {
  closed,
  online,
  presence,
  refused,
  registering,
  session,
  suspended,
  whatever,
} from '../session/session.states.js'

export const nodeMachine = session.createMachine({
  id: 'node',
  context: ({ input }) => ({ slot: input.slot }),
  initial: 'registering',
  ...whatever,
  states: {
    registering,
    online: {
      ...online,
      type: 'parallel',
      states: {
        presence,
        reach: {
          initial: 'unknown',
          states: {
            unknown: { on: { 'probe.begun': 'probing' } },
            probing: { on: { 'nat.classified': 'known', 'probe.unanswered': 'unknown' } },
            known: { on: { 'probe.begun': 'probing' } },
          },
        },
        duty: {
          initial: 'accepting',
          on: { 'asked.to.leave': '.leaving' },
          states: {
            accepting: { on: { 'places.taken': 'full' } },
            full: { on: { 'places.freed': 'accepting' } },
            leaving: { on: { 'asked.to.stay': 'accepting' } },
          },
        },
      },
    },
    suspended,
    closed,
    refused,
  },
})
