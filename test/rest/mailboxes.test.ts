/** Mailboxes on a simulated clock: for how long they speak for their agents, and what becomes of two at once. */
import t from 'tap'
import type { Hello } from '../../src/actors/ports.js'
import { TIMING } from '../../src/protocol/timing.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import type { Mailbox } from '../../src/rest/agents/mailbox.js'
import { Mailboxes } from '../../src/rest/agents/mailboxes.js'
import { httpTiming } from '../../src/rest/agents/timing.js'
import { CREDENTIAL, Lab, type LabOptions } from '../lab/lab.js'

const REMOTE = '198.51.100.9'
const MINUTE_MS = 60_000
const HANDSHAKE = Uint8Array.of(1, 0, 0, 0, ...Array.from({ length: 144 }, () => 7))

t.test(
  'a heartbeat speaks for its node for ninety seconds, and then silence does what it always does',
  async t => {
    const { lab, enter } = await rig()
    await enter(newcomer('fra-1'))
    await lab.clock.run(89_000)
    t.match(lab.mesh.node('fra-1'), { state: 'online' })
    await lab.clock.run(18_000)
    t.match(lab.mesh.node('fra-1'), { state: 'lapsed' })
    await lab.clock.run(5_000)
    t.match(lab.mesh.node('fra-1'), { state: 'suspended' }, 'offline after 110 seconds')
    await lab.clock.run(120_000)
    t.equal(lab.mesh.node('fra-1'), null, 'gone after 230')
  },
)

t.test('a client keeps its session for an hour after it was heard', async t => {
  const { lab, mailboxes, enter } = await rig()
  const box = await enter(newcomer('anna', 'client'))
  await lab.clock.run(40 * MINUTE_MS)
  mailboxes.heard(box)
  await lab.clock.run(59 * MINUTE_MS)
  t.match(lab.mesh.client('anna'), { state: 'online' })
  await lab.clock.run(2 * MINUTE_MS)
  t.equal(lab.mesh.client('anna'), null, 'and gives its route back at once')
  t.equal(mailboxes.size, 0)
})

t.test('an agent that falls silent and comes back has the session that it had', async t => {
  const { lab, mailboxes, run, enter } = await rig()
  const box = await enter(newcomer('fra-1'))
  await lab.clock.run(150_000)
  t.ok(box.isClosed)
  const back = await run(mailboxes.at('fra-1', REMOTE))
  t.equal(back.session.sessionId, box.session.sessionId)
  t.equal(back.session.generation, 2)
  t.equal(mailboxes.of('fra-1'), back)
})

t.test('two requests at once that find no session begin one', async t => {
  const { lab, mailboxes, run, enter } = await rig()
  await enter(newcomer('fra-1'))
  await lab.clock.run(150_000)
  const [one, other] = await run(Promise.all([mailboxes.at('fra-1', REMOTE), mailboxes.at('fra-1', REMOTE)]))
  t.equal(one, other)
  t.equal(one?.session.generation, 2)
  t.equal(one && (await run(mailboxes.at('fra-1', REMOTE))), one)
})

t.test('of two that begin at once the newer one stays', async t => {
  const { lab, mailboxes, run, enter } = await rig()
  const hello = newcomer('fra-1')
  await enter(hello)
  const begin = () => mailboxes.enter(hello, { by: 'token' }, REMOTE)
  const [older, newer] = await run(Promise.allSettled([begin(), begin()]))
  t.match(older, { status: 'rejected', reason: { statusCode: 409 } })
  t.match(newer, { status: 'fulfilled', value: mailboxes.of('fra-1') })
  await lab.clock.run(60_000)
  t.match(lab.mesh.node('fra-1'), { state: 'online', generation: 3 })
})

t.test('a client that is relayed to a node which fetches nothing is moved', async t => {
  const { lab, enter } = await rig()
  const [idle, busy] = [await enter(newcomer('idle')), await enter(newcomer('busy'))]
  const anna = await enter(newcomer('anna', 'client'))
  anna.say({ type: 'route.request', requestId: 1, prefer: ['idle'] })
  await lab.clock.run(1_000)
  t.equal(lab.mesh.client('anna')?.nodeId, 'idle')
  const send = async () => {
    const [link] = anna.links
    if (link !== undefined) anna.say({ type: 'relay.data', link: link.link, payload: HANDSHAKE })
    await lab.clock.run(4_000)
    await busy.inbox.fetch(9, 0)
  }
  for (let i = 0; i < 4; i++) await send()
  t.equal(lab.mesh.client('anna')?.nodeId, 'idle', 'it may be slow to look')
  for (let i = 0; i < 6; i++) await send()
  t.equal(lab.mesh.client('anna')?.nodeId, 'busy')
  t.same([...idle.links], [])
  for (let i = 0; i < 12; i++) await send()
  t.equal(lab.mesh.client('anna')?.nodeId, 'busy', 'who looks keeps it')
})

t.test('a limit of the mesh is told as HTTP tells it', async t => {
  const crowded = await rig({ limits: { sessionsPerAddress: 1 } })
  await crowded.enter(newcomer('fra-1'))
  await t.rejects(crowded.enter(newcomer('fra-2')), {
    name: 'HttpError',
    statusCode: 503,
    code: 'overloaded',
  })
  const hasty = await rig({ limits: { helloBurst: 1 } })
  await hasty.enter(newcomer('fra-1'))
  await t.rejects(hasty.enter(newcomer('fra-2')), { name: 'HttpError', statusCode: 429 })
  const open = await rig()
  await t.rejects(open.enter({ ...newcomer('fra-1'), credential: 'bek_wrong' }), {
    name: 'HttpError',
    statusCode: 403,
  })
  await t.rejects(open.run(open.mailboxes.at('nobody', REMOTE)), { name: 'HttpError', statusCode: 404 })
})

t.test('an answer that does not come is an answer too', async t => {
  const { run, enter } = await rig()
  const box = await enter(newcomer('anna', 'client'))
  const never = (event: { type: string }): event is never => event.type === 'no such thing'
  await t.rejects(run(box.answer(never)), { name: 'HttpError', statusCode: 503 })
  const waiting = box.answer(never)
  box.say({ type: 'goodbye', reason: 'test' })
  await t.rejects(run(waiting), { name: 'HttpError', code: 'session_ended' })
})

async function rig(options: LabOptions = {}) {
  const lab = await Lab.start(options)
  const { beatEveryMs, resumeWindowMs } = TIMING
  const mailboxes = new Mailboxes({
    clock: lab.clock,
    mesh: lab.mesh,
    timing: httpTiming({ httpBeatEveryS: 30, beatEveryMs, resumeWindowMs }),
    beatEveryMs,
    opened: () => {},
    closed: () => {},
  })
  /** Lets time pass until a promise is settled. */
  const run = async <T>(promise: Promise<T>): Promise<T> => {
    const settled = promise.then(
      () => true,
      () => true,
    )
    while (!(await Promise.race([settled, lab.clock.run(100).then(() => false)])));
    return promise
  }
  const enter = (hello: Hello): Promise<Mailbox> => run(mailboxes.enter(hello, { by: 'credential' }, REMOTE))
  return { lab, mailboxes, run, enter }
}

const newcomer = (id: string, role: Hello['role'] = 'node'): Hello => ({
  role,
  id,
  publicKey: newKeyPair().publicKey,
  agent: 'http',
  credential: CREDENTIAL,
})
