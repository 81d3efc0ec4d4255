/** Behind real NATs `boson netcheck` and the coordinator say what coturn's own client says. */
import t from 'tap'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeView } from '../../src/actors/ports.js'
import { type Nat, UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { until } from '../support/until.js'
import { cannotRun, type Namespace } from './namespaces.js'
import { NatLab, SERVER } from './nat-lab.js'
import { NatMesh } from './nat-mesh.js'

const BOSON = new URL('../../../bin/boson', import.meta.url).pathname
const skip = cannotRun('turnserver', 'turnutils_natdiscovery')
const why = skip === false ? '' : ` (${skip})`
const [FIRST] = SERVER

const KINDS = [
  'none',
  'full',
  'full,remap',
  'addr',
  'addr,remap',
  'port',
  'port,remap',
  'port+port',
  'addr+port',
  'sym',
  'port+sym',
  'sym+full',
] as const
/** So many are asked at once: each is a process. */
const AT_ONCE = 4

t.test(`our words for a NAT are those of foreign eyes${why}`, { skip }, async t => {
  const lab = await NatLab.forTest(t, `${KINDS.map((kind, i) => `h${i}=${kind}`).join(' ')} blocked=block`)
  const root = mkdtempSync(join(tmpdir(), 'boson-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  await startCoturn(lab, root)

  const foreign = KINDS.map((_, i) =>
    lab.host(`h${i}`).space.run('turnutils_natdiscovery', '-m', '-f', '-H', FIRST),
  )
  for (let first = 0; first < KINDS.length; first += AT_ONCE) {
    const some = KINDS.slice(first, first + AT_ONCE)
    const ours = await Promise.all(some.map((_, i) => netcheck(lab.host(`h${first + i}`).space, root)))
    for (const [i, kind] of some.entries()) {
      const { nat } = ours[i] as Answer // one each
      const theirs = await foreign[first + i]
      t.match(theirs, `NAT with ${asTheySay(nat.mapping)} Mapping!`, `${kind}: mapping`)
      t.match(theirs, `NAT with ${asTheySay(nat.filtering)} Filtering!`, `${kind}: filtering`)
      t.equal(nat.hairpin, theirs?.includes('maybe a successful hairpinning'), `${kind}: hairpin`)
      t.match(nat, { udp: 'open', nat: kind !== 'none', ipv6: false }, kind)
      t.equal(nat.portPreservation, !kind.includes('remap') && !kind.includes('sym'), `${kind}: port`)
    }
  }

  const { code, nat, advice } = await netcheck(lab.host('blocked').space, root)
  t.match({ code, nat }, { code: 3, nat: { udp: 'blocked', mapping: 'unknown' } })
  t.match(advice[0], /^let UDP out/)
})

t.test(`the coordinator sees each NAT as it is, and confirms it${why}`, { skip }, async t => {
  const kinds = ['none', 'full', 'addr', 'port', 'sym', 'block'] as const
  const mesh = await NatMesh.make(kinds.map((kind, i) => `h${i}=${kind}`).join(' '))
  t.teardown(() => mesh.remove())
  const foreign = kinds
    .slice(0, -1)
    .map((_, i) => mesh.lab.host(`h${i}`).space.run('turnutils_natdiscovery', '-m', '-f', FIRST))
  for (const i of kinds.keys()) mesh.startNode(`h${i}`)
  const known = await until('all NATs are known', async () => {
    const page = await mesh.coordinator.ask<{ nodes: readonly NodeView[] }>('/api/v1/nodes')
    const nats = new Map(page?.nodes.map(({ id, nat }) => [id, nat]))
    return kinds.every((_, i) => (nats.get(`h${i}`)?.udp ?? 'unknown') !== 'unknown') && nats
  })
  for (const [i, kind] of kinds.slice(0, -1).entries()) {
    const nat = known.get(`h${i}`) ?? UNKNOWN_NAT
    const theirs = await foreign[i]
    t.match(nat, { udp: 'open', nat: kind !== 'none', confirmed: true }, kind)
    t.match(theirs, `NAT with ${asTheySay(nat.mapping)} Mapping!`, `${kind}: mapping`)
    t.match(theirs, `NAT with ${asTheySay(nat.filtering)} Filtering!`, `${kind}: filtering`)
  }
  t.match(known.get('h5'), { udp: 'blocked', mapping: 'unknown', filtering: 'unknown' })
})

interface Answer {
  readonly code: number | null
  readonly nat: Nat
  readonly advice: readonly string[]
}

async function netcheck(space: Namespace, cwd: string): Promise<Answer> {
  const child = space.spawn(process.execPath, [BOSON, 'netcheck', '--json', '--stun', `${FIRST}:3478`], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, ...(JSON.parse(said) as Omit<Answer, 'code'>) }
}

/** `endpoint_independent` as coturn spells it. */
const asTheySay = (behaviour: string): string =>
  behaviour
    .split('_')
    .map(word => (word === 'and' ? word : `${word.charAt(0).toUpperCase()}${word.slice(1)}`))
    .join(' ')

async function startCoturn(lab: NatLab, root: string): Promise<void> {
  const files = ['--pidfile', join(root, 'pid'), '--userdb', join(root, 'db'), '-l', join(root, 'log')]
  const stun = ['-n', '-S', '--no-cli', '--no-tls', '--no-dtls', '--alt-listening-port', '3479', ...files]
  lab.server.spawn('turnserver', [...stun, ...SERVER.flatMap(each => ['-L', each])], { stdio: 'ignore' })
  await until('coturn listens', async () => (await lab.server.run('ss', '-Hlun', 'sport = :3479')) !== '')
}
