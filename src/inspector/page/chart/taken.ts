/** Which arrows of a drawing a step went along. */
import type { ActorStep } from '../../../actors/ports.js'
import type { Handling } from './arrows.js'
import { statesIn } from './states.js'

/** Returns whether a step was this handling of its event. */
export function wasTaken({ event, source, target }: Handling, step: ActorStep): boolean {
  if (step.kind !== 'step' || step.event !== event) return false
  if (source !== '' && !statesIn(step.from).has(source)) return false
  return target === null ? !step.moved : statesIn(step.to).has(target)
}
