import t from 'tap'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../support/until.js'
import { cannotRun, type Namespace } from './namespaces.js'
import { NatLab, SERVER, SERVER6 } from './nat-lab.js'

const skip = cannotRun('turnserver', 'turnutils_natdiscovery')
const why = skip === false ? '' : ` (${skip})`
const [FIRST, SECOND] = SERVER

type Five = [Namespace, Namespace, Namespace, Namespace, Namespace]

/** How each NAT maps and filters, in the words of RFC 5780, and whether it turns packets to itself round. */
const KINDS = [
  ['none', 'Endpoint Independent', 'Endpoint Independent', true],
  ['full', 'Endpoint Independent', 'Endpoint Independent', false],
  ['full,remap', 'Endpoint Independent', 'Endpoint Independent', false],
  ['addr', 'Endpoint Independent', 'Address Dependent', false],
  ['addr,remap', 'Endpoint Independent', 'Address Dependent', false],
  ['port', 'Endpoint Independent', 'Address and Port Dependent', false],
  ['port,remap', 'Endpoint Independent', 'Address and Port Dependent', false],
  ['port+port', 'Endpoint Independent', 'Address and Port Dependent', false],
  ['addr+port', 'Endpoint Independent', 'Address and Port Dependent', false],
  ['sym', 'Address and Port Dependent', 'Address and Port Dependent', false],
  ['port+sym', 'Address and Port Dependent', 'Address and Port Dependent', false],
  ['sym+full', 'Address and Port Dependent', 'Address and Port Dependent', false],
] as const

t.test(`foreign eyes see each NAT as what it is meant to be${why}`, { skip }, async t => {
  const hosts = KINDS.map(([kind], i) => `h${i}=${kind}`).join(' ')
  const lab = await NatLab.forTest(t, `${hosts} blocked=block short=port,to=5`)
  const root = mkdtempSync(join(tmpdir(), 'boson-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const listening = SERVER.flatMap(each => ['-L', each])
  const files = ['--pidfile', join(root, 'pid'), '--userdb', join(root, 'db'), '-l', join(root, 'log')]
  const stun = ['-n', '-S', '--no-cli', '--no-tls', '--no-dtls', '--alt-listening-port', '3479', ...files]
  lab.server.spawn('turnserver', [...stun, ...listening], { stdio: 'ignore' })
  await until('coturn listens', async () => (await lab.server.run('ss', '-Hlun', 'sport = :3479')) !== '')

  /** What coturn's client finds out. */
  const discover = (host: string, ...what: readonly string[]) =>
    lab.host(host).space.run('turnutils_natdiscovery', ...what, FIRST)

  const asked = KINDS.map((_, i) => discover(`h${i}`, '-m', '-f', '-H'))
  const blocked = discover('blocked', '-m')
  const lifetimes = ['3', '8'].map(seconds => discover('short', '-t', '-T', seconds))
  t.match(await blocked, 'STUN receive timeout', 'no UDP comes through')
  t.notOk(await lab.host('blocked').space.reaches(FIRST))
  for (const [i, [kind, mapping, filtering, hairpin]] of KINDS.entries()) {
    const found = await asked[i]
    t.match(found, `NAT with ${mapping} Mapping!`, kind)
    t.match(found, `NAT with ${filtering} Filtering!`, kind)
    t.equal(found?.includes('maybe a successful hairpinning'), hairpin, `${kind} and packets to itself`)
  }
  const [within, after] = await Promise.all(lifetimes)
  t.match(within, 'RFC 5780 response 2', 'a mapping of 5 s is there after 3 s without traffic')
  t.notMatch(after, 'RFC 5780 response 2', 'and gone after 8 s')
})

t.test(`a lab can be cut, healed and moved${why}`, { skip }, async t => {
  const lab = await NatLab.make('node=port,v6 n2@node client=sym far=port+full p=none')
  t.teardown(() => lab.remove())
  const [node, n2, client, far, p] = lab.hosts.map(each => each.space) as Five
  const reaches = async (from: Namespace, to: string) =>
    t.ok(await from.reaches(to), `${from.id} reaches ${to}`)
  const misses = async (from: Namespace, to: string) =>
    t.notOk(await from.reaches(to), `${from.id} misses ${to}`)

  await t.test('everyone reaches the server, and neighbours each other', async () => {
    for (const each of [node, n2, client, far, p]) await reaches(each, SECOND)
    await reaches(node, SERVER6)
    await reaches(client, '2001:db8:101::2')
    await reaches(n2, '192.168.1.2')
    await misses(p, '192.168.1.2')
  })

  await t.test('a cut host is alone, and its neighbour is not', async () => {
    await lab.cut('node')
    await Promise.all([misses(node, FIRST), misses(node, SERVER6), reaches(n2, FIRST)])
    await lab.cut('node', 'tcp')
    await reaches(node, FIRST)
    await lab.cut('node', { peer: 'p' })
    await Promise.all([misses(node, lab.host('p').address), reaches(node, FIRST)])
    await lab.heal('node')
    await reaches(node, lab.host('p').address)
  })

  await t.test('a site that moves has another address, and goes on', async t => {
    t.equal(await lab.rebind('node'), '198.51.100.111')
    await Promise.all([reaches(node, FIRST), reaches(n2, FIRST)])
    t.equal(await lab.rebind('n2'), '198.51.100.11')
    await reaches(node, FIRST)
  })

  const living = node.spawn('sleep', ['300'])
  const lost = new Promise(resolve => living.once('exit', resolve))
  await lab.remove()
  await lost
  const left = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
  t.notMatch(left, node.id.replace(/node$/, ''), 'nothing is left')
})
