import t, { type Test } from 'tap'
import { setTimeout as wait } from 'node:timers/promises'
import { online } from './made-mesh.js'
import { cannotRun } from './namespaces.js'
import { NatMesh } from './nat-mesh.js'
import { settled, type Trial, tryPair } from './trial.js'

const skip = cannotRun()
const why = skip === false ? '' : ` (${skip})`
t.jobs = 3

/** What becomes of a pair that needs a second look. */
function story(
  name: string,
  line: string,
  tell: (t: Test, trial: Trial, mesh: NatMesh) => Promise<void>,
): void {
  t.test(`${name}${why}`, { skip, buffered: true }, async t => {
    const mesh = await NatMesh.make(line)
    t.teardown(() => mesh.remove())
    await online(mesh.startNode('node'))
    const trial = await tryPair(mesh, 'node', 'client')
    t.comment(JSON.stringify(trial.outcome))
    await tell(t, trial, mesh)
  })
}

story('two symmetric NATs are no obstacle with IPv6', 'node=sym,v6 client=sym,v6', async (t, { outcome }) => {
  t.match(outcome, { tier: 'direct', reason: null })
})

story('hosts of one network meet inside it', 'node=port client@node', async (t, { outcome }) => {
  t.match(outcome, { tier: 'direct', reason: null })
})

story(
  'two homes behind carriers use the same addresses',
  'node=port+port,lan=192.168.1 client=port+port,lan=192.168.1',
  async (t, { outcome }) => {
    t.match(outcome, { tier: 'direct', reason: null })
  },
)

story('NATs may give any outer port', 'node=port,remap client=addr,remap', async (t, { outcome }) => {
  t.match(outcome, { tier: 'direct', reason: null })
})

story(
  'a path stays direct while idle, although mappings live 10 s',
  'node=port,to=10 client=port,to=10',
  async (t, { ping, outcome, nodeAddress }, mesh) => {
    t.match(outcome, { tier: 'direct' })
    await ping.end()
    const before = await mesh.path('client')
    await wait(25_000) // the time itself is what the NATs are asked about
    const after = await mesh.path('client')
    t.match(after, { tier: 'direct', sinceMs: before?.sinceMs, history: before?.history })
    t.ok(await mesh.lab.host('client').space.reaches(nodeAddress))
  },
)

story(
  'a client whose network has moved is back by itself, and direct again',
  'node=port client=port',
  async (t, { ping, outcome }, mesh) => {
    t.match(outcome, { tier: 'direct' })
    const last = ping.replies.at(-1)?.seq
    await mesh.lab.rebind('client')
    const movedAtS = Date.now() / 1_000
    const backAtS = await ping.flows(movedAtS + 0.1)
    const { lost } = ping.count(last)
    t.comment(`back after ${Math.round((backAtS - movedAtS) * 1_000)} ms, ${lost} lost`)
    t.match(await settled(mesh, 'client'), { tier: 'direct' })
  },
)
