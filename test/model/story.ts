/** Plays one story from its first step until everybody has left and nothing is left over. */
import { Checks } from './checks.js'
import { BACK_MS } from './reference.js'
import { sentence, type Step, type Story } from './step.js'
import { World } from './world.js'

/** How long a repaired mesh has until everyone is served: agents come back, then clients ask again, ms. */
const SETTLE_MS = 2 * BACK_MS
/** Sessions of agents that never said goodbye have ended after this, ms. */
const EMPTY_MS = 160_000

/** While time passes the mesh is looked at this often, ms. */
const LOOK_EVERY_MS = 1_000

/** What went wrong, and the story that led there in sentences. */
export class StoryError extends Error {
  constructor(what: string, told: readonly string[]) {
    super([what, ...told.map(line => `  ${line}`)].join('\n'))
    this.name = 'StoryError'
  }
}

export async function play({ chance, pace, steps }: Story): Promise<void> {
  const told: string[] = []
  const world = await World.begun(chance, pace)
  const checks = new Checks(world)
  const tell = (line: string) => told.push(`${(world.now / 1_000).toFixed(2).padStart(8)} s  ${line}`)
  const wait = async (ms: number) => {
    for (let leftMs = ms; leftMs > 0; leftMs -= LOOK_EVERY_MS) {
      await world.lab.clock.run(Math.min(leftMs, LOOK_EVERY_MS))
      checks.always()
    }
  }
  const perform = async (step: Step) => {
    const line = tell(sentence(step))
    if (step.do === 'wait') return wait(step.ms)
    if (!(await world.perform(step))) told.length = line - 1
    checks.always()
  }
  try {
    checks.always()
    for (const step of steps) await perform(step)
    tell('everything is repaired')
    await world.heal()
    await wait(SETTLE_MS)
    await checks.settled()
    tell('everybody leaves')
    await world.leave()
    await world.lab.clock.run(EMPTY_MS)
    checks.always()
    checks.empty()
    tell('the coordinator stops')
    await stopped(world)
  } catch (error) {
    throw new StoryError(error instanceof Error ? error.message : String(error), told)
  }
}

async function stopped({ lab }: World): Promise<void> {
  const stopping = lab.mesh.stop()
  await lab.clock.run(200)
  await stopping
  lab.traversal.stop()
  if (lab.clock.waiting > 0) throw new Error(`${lab.clock.waiting} timers outlive the coordinator`)
}
