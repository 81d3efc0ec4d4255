/** The mesh as a map shows it. */
import t from 'tap'
import { begun } from '../../src/actors/path/path-story.js'
import type { PathRecord } from '../../src/actors/ports.js'
import { PathBundles, type Place } from '../../src/app/path-bundles.js'
import { smallMesh } from '../support/small-mesh.js'

t.test('a small mesh is drawn path by path', async t => {
  const { ask } = await smallMesh(t)
  const { status, body } = await ask('GET', '/api/v1/map')
  t.equal(status, 200)
  t.match(body, {
    nodes: [
      { id: 'fra-1', state: 'online', clients: 1, load: null, draining: false },
      { id: 'ams-1', clients: 0, draining: true },
    ],
    totalNodes: 2,
    links: [{ nodeId: 'fra-1', clientId: 'alice', clients: 1, link: Number, reasons: Object }],
    totalPaths: 1,
    totalClients: 1,
  })
  const few = await ask('GET', '/api/v1/map?nodes=1&links=1')
  t.match(few.body, { nodes: [{ id: 'fra-1' }], totalNodes: 2 }, 'the largest, and how many there are')
  t.equal((await ask('GET', '/api/v1/map?links=0')).status, 400)
})

const PLACES: Readonly<Record<string, Place>> = {
  alice: { country: 'DE', latitude: 50, longitude: 8 },
  bob: { country: 'DE', latitude: 52, longitude: 9 },
  carol: { country: 'JP', latitude: 36, longitude: 139 },
}

const path = (clientId: string, link: number, more: Partial<PathRecord> = {}): PathRecord => ({
  ...begun({ link, routeId: `r${link}`, clientId, nodeId: 'fra-1', policy: 'auto' }, 0),
  tier: 'relayed',
  reason: 'symmetric_both',
  ...more,
})

const bundled = (isSingle: boolean, paths: readonly PathRecord[], most = 10) => {
  const bundles = new PathBundles({ isSingle, nodes: new Set(['fra-1']), placeOf: id => PLACES[id] })
  for (const each of paths) bundles.add(each)
  return bundles.links(most)
}

t.test('paths from one place to one node are one link', async t => {
  const rtt = (rttMs: number | null) => ({ client: { ...path('x', 1).client, rttMs } })
  const links = bundled(false, [
    path('alice', 1, rtt(10)),
    path('bob', 2, { ...rtt(30), reason: 'starting' }),
    path('carol', 3),
    path('nobody', 4),
    path('alice', 5, { tier: 'direct', reason: null }),
    path('alice', 6, { nodeId: 'elsewhere' }),
  ])
  t.match(links[0], {
    country: 'DE',
    tier: 'relayed',
    clients: 2,
    clientId: null,
    link: null,
    latitude: 51,
    longitude: 8.5,
    rttMs: 20,
    reasons: { symmetric_both: 1, starting: 1 },
  })
  t.same(
    links.slice(1).map(({ clientId, country, tier }) => [clientId, country, tier]),
    [
      ['carol', 'JP', 'relayed'],
      ['nobody', null, 'relayed'],
      ['alice', 'DE', 'direct'],
    ],
    'one alone is named; one of unknown place has none; another tier is another link',
  )
})

t.test('few paths stay by themselves, and no more are told than are wanted', async t => {
  const paths = [path('alice', 1), path('bob', 2), path('carol', 3)]
  t.same(
    bundled(true, paths).map(({ clientId }) => clientId),
    ['alice', 'bob', 'carol'],
  )
  t.equal(bundled(true, paths, 2).length, 2)
})
