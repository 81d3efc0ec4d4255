/** Whatever one connection says, in whatever state its session is, happens to that connection alone. */
import fc from 'fast-check'
import t from 'tap'
import { encode } from '../../src/protocol/codec.js'
import { CREDENTIAL } from '../lab/lab.js'
import { eventsOf } from '../protocol/arbitrary.js'
import { MESSAGES, pack } from '../protocol/bytes.js'
import type { RawAgent } from '../support/raw-agent.js'
import { type Town, town } from '../support/town.js'

/** A good message, a message with the wrong things in it, or no message at all. */
const body = fc.oneof(
  ...MESSAGES.map(message => eventsOf(message).map(event => Uint8Array.from(encode(event)))),
  fc
    .tuple(fc.constantFrom(...MESSAGES), fc.array(fc.anything({ maxDepth: 2 }), { maxLength: 6 }))
    .map(([{ code }, fields]) => pack([code, ...fields])),
  fc.uint8Array({ maxLength: 60 }),
)

const PHASES: Readonly<Record<string, (town: Town, id: string) => Promise<RawAgent>>> = {
  'before it has greeted': ({ lab }, id) => lab.raw('client', id),
  'while its first contact is being written': async ({ lab }, id) => {
    const enrol = lab.store.enrol.bind(lab.store)
    lab.store.enrol = () => new Promise(() => {})
    const agent = await lab.raw('client', id)
    agent.say(agent.hello({ credential: CREDENTIAL }))
    await lab.clock.run(30)
    lab.store.enrol = enrol
    return agent
  },
  'as a node': ({ lab }, id) => lab.enrolled('node', id),
  'as a node that a client waits for': async ({ lab }, id) => {
    const node = await lab.enrolled('node', id)
    const client = await lab.enrolled('client', `of-${id}`)
    client.say({ type: 'route.request', requestId: 1, target: id })
    await lab.clock.run(30)
    return node
  },
  'as a client': ({ lab }, id) => lab.enrolled('client', id),
  'as a client whose path opens': async ({ lab }, id) => {
    const agent = await lab.enrolled('client', id)
    agent.say({ type: 'route.request', requestId: 1 })
    await lab.clock.run(30)
    return agent
  },
  'as a client that has not been heard for long': async ({ lab, node, client }, id) => {
    const agent = await lab.enrolled('client', id)
    await lab.live([node, client], 20_000)
    return agent
  },
  'after it was replaced': async ({ lab }, id) => {
    const agent = await lab.enrolled('client', id)
    const newer = await lab.raw('client', id, agent.keys)
    newer.say(newer.hello())
    await lab.clock.run(5)
    return agent
  },
}

for (const [phase, enter] of Object.entries(PHASES)) {
  t.test(`whatever an agent says ${phase} concerns itself alone`, async t => {
    const here = await town(t)
    const { lab, peace, node, client } = here
    let n = 0
    await fc.assert(
      fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 4 }), async bodies => {
        const agent = await enter(here, `x-${++n}`)
        for (const bytes of bodies) agent.sayBytes(bytes)
        await lab.clock.run(30)
        lab.internet.drop(`x-${n}`)
        for (const honest of [node, client]) honest.say(honest.beat(n))
      }),
      { seed: 5, numRuns: 100 },
    )
    await peace()
  })
}
