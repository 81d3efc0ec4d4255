/** Lets XState wait on a clock of ours. */
import type { ActorOptions, AnyStateMachine } from 'xstate'
import type { Clock } from '../kit/clock.js'

export const actorClock = (clock: Clock): NonNullable<ActorOptions<AnyStateMachine>['clock']> => ({
  setTimeout: (run: () => void, ms: number) => clock.setTimeout(run, ms),
  clearTimeout: timer => clock.clearTimeout(timer),
})
