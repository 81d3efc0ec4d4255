/**
 * The process's clock, with timers that keep the process alive: an agent that waits to dial again has no
 * socket that would.
 */
import { type Clock, systemClock } from '../kit/clock.js'

export const heldClock: Clock = { ...systemClock, setTimeout: (run, ms) => setTimeout(run, ms) }
