/** The arithmetic of the mesh's drawing: where things are, what is one, what is seen. */
import t from 'tap'
import type { PicturedLink, PicturedNode } from '../../src/actors/ports.js'
import { clustered } from '../../src/inspector/page/mesh/clusters.js'
import { middleOf } from '../../src/inspector/page/mesh/countries.js'
import { graphOf, inFrame, type Graph } from '../../src/inspector/page/mesh/graph.js'
import { placed } from '../../src/inspector/page/mesh/labels.js'
import { around, moved, nearer, seen, WHOLE } from '../../src/inspector/page/mesh/lens.js'
import { radiusOf, stepOf, widthOf } from '../../src/inspector/page/mesh/scales.js'
import { sitesOf } from '../../src/inspector/page/mesh/sites.js'

const FRAME = { width: 1000, height: 500 }

const node = (id: string, more: Partial<PicturedNode> = {}): PicturedNode => ({
  id,
  state: 'online',
  country: null,
  latitude: null,
  longitude: null,
  clients: 0,
  places: null,
  load: null,
  draining: false,
  ailment: null,
  rttMs: null,
  lossPct: null,
  ...more,
})

const link = (clientId: string | null, nodeId: string, more: Partial<PicturedLink> = {}): PicturedLink => ({
  nodeId,
  tier: 'relayed',
  clients: 1,
  clientId,
  link: clientId === null ? null : 1,
  country: null,
  latitude: null,
  longitude: null,
  bytes: 0,
  rttMs: null,
  lossPct: null,
  reasons: {},
  ...more,
})

t.test('zooming leaves what is under the pointer where it is', async t => {
  const lens = nearer(WHOLE, 4, { x: 300, y: 200 }, FRAME)
  t.same(seen(lens, { x: 300, y: 200 }), { x: 300, y: 200 })
  t.equal(lens.scale, 4)
  t.same(nearer(lens, 1 / 100, { x: 10, y: 10 }, FRAME), WHOLE, 'never farther than all of it')
  t.equal(nearer(lens, 1000, { x: 10, y: 10 }, FRAME).scale, 64, 'and not nearer than anything is to be seen')
})

t.test('the frame shows nothing beside the drawing', async t => {
  t.same(moved(WHOLE, { x: 50, y: -50 }, FRAME), WHOLE)
  const near = moved(nearer(WHOLE, 2, { x: 0, y: 0 }, FRAME), { x: -9999, y: 9999 }, FRAME)
  t.same(near, { scale: 2, x: -1000, y: 0 })
})

t.test('a look at some points has all of them in the frame', async t => {
  const points = [
    { x: 100, y: 100 },
    { x: 180, y: 120 },
  ]
  const lens = around(points, FRAME)
  t.ok(lens.scale > 3)
  for (const point of points) {
    const { x, y } = seen(lens, point)
    t.ok(x > 0 && x < FRAME.width && y > 0 && y < FRAME.height, `${x} ${y}`)
  }
  t.equal(around([{ x: 5, y: 5 }], FRAME).scale, 64, 'one point is looked at as near as can be')
})

t.test('what would cover each other is one, where the largest is', async t => {
  const at = (id: string, x: number, weight: number) => ({ id, x, y: 0, weight })
  const clusters = clustered([at('a', 0, 1), at('b', 10, 5), at('c', 19, 2), at('d', 100, 9)], 15)
  t.same(
    clusters.map(({ x, of }) => [x, of.map(({ id }) => id)]),
    [
      [100, ['d']],
      [10, ['b', 'c', 'a']],
    ],
  )
})

t.test('names that would cover others are left out', async t => {
  const label = (key: string, x: number) => ({ key, x, y: 0, text: 'fra-1-long', below: 20 })
  t.same(
    placed([label('a', 0), label('b', 30), label('c', 200)]).map(({ key }) => key),
    ['a', 'c'],
  )
  const circle = { key: 'c', x: 200, y: 20, radius: 10 }
  t.same(
    placed([label('c', 200), label('d', 260)], [circle]).map(({ key }) => key),
    ['c'],
    'nor circles that are not their own',
  )
})

t.test('nodes are where they say, or in the middle of their country', async t => {
  const sites = sitesOf({
    nodes: [
      node('exact', { latitude: 50, longitude: 8, country: 'DE' }),
      node('rough', { country: 'JP' }),
      node('nowhere'),
      node('odd', { country: 'ZZ' }),
    ],
    links: [link('alice', 'exact', { country: 'FR' }), link(null, 'exact', { clients: 7 })],
  })
  t.same(
    sites.nodes.map(({ of, at, isRough }) => [of.id, at, isRough]),
    [
      ['exact', [8, 50], false],
      ['rough', [...(middleOf('JP') ?? [])], true],
    ],
  )
  t.same(
    sites.unplacedNodes.map(({ id }) => id),
    ['nowhere', 'odd'],
  )
  t.equal(sites.unplacedClients, 7)
})

t.test('nodes of one place are drawn beside each other, the same way each time', async t => {
  const nodes = ['c', 'a', 'b'].map(id => node(id, { country: 'DE' }))
  const places = (of: readonly PicturedNode[]) =>
    sitesOf({ nodes: of, links: [] }).nodes.map(each => [each.of.id, ...each.at])
  t.equal(new Set(places(nodes).map(([, ...at]) => at.join())).size, 3)
  t.same(places(nodes), places(nodes.toReversed()))
})

t.test('every country of the table is somewhere', async t => {
  for (const code of ['DE', 'US', 'ZW', 'AD', 'XK']) t.match(middleOf(code), [Number, Number], code)
  t.equal(middleOf('??'), undefined)
  t.equal(middleOf(null), undefined)
})

const placesOf = (graph: Graph) =>
  Object.fromEntries(
    [...graph.nodes, ...graph.clients].map(vertex => {
      const { x, y } = inFrame(graph, vertex)
      return [vertex.id, [x, y]]
    }),
  )

const SMALL = {
  nodes: [node('fra-1', { clients: 2 }), node('ams-1', { clients: 1 })],
  links: [link('alice', 'fra-1'), link('bob', 'fra-1'), link('carol', 'ams-1')],
}

t.test('a graph is the same for the same mesh, and inside its frame', async t => {
  const graph = graphOf(SMALL, FRAME)
  t.same(placesOf(graph), placesOf(graphOf(SMALL, FRAME)))
  t.equal(graph.edges.length, 3)
  for (const [id, [x = -1, y = -1]] of Object.entries(placesOf(graph)))
    t.ok(x >= 0 && x <= FRAME.width && y >= 0 && y <= FRAME.height, id)
})

t.test('figures that change move nothing, and a new client begins beside its node', async t => {
  const before = graphOf(SMALL, FRAME)
  const busier = { ...SMALL, links: SMALL.links.map(each => ({ ...each, bytes: 1e9 })) }
  t.same(placesOf(graphOf(busier, FRAME, before)), placesOf(before))
  const after = graphOf({ ...SMALL, links: [...SMALL.links, link('dave', 'ams-1')] }, FRAME, before)
  const { 'client/dave': [x = 0, y = 0] = [], 'node/ams-1': [nodeX = 0, nodeY = 0] = [] } = placesOf(after)
  t.ok(Math.hypot(x - nodeX, y - nodeY) < 200)
})

t.test('bundled clients are one circle of a country, a tier and a node', async t => {
  const graph = graphOf(
    {
      nodes: SMALL.nodes,
      links: [
        link(null, 'fra-1', { clients: 40, country: 'DE', latitude: 50, longitude: 8 }),
        link(null, 'fra-1', { clients: 9, country: 'DE', latitude: 53, longitude: 13 }),
        link(null, 'fra-1', { clients: 5, country: 'DE', tier: 'direct' }),
        link('gone', 'a-node-that-is-not-drawn'),
      ],
    },
    FRAME,
  )
  t.same(
    graph.edges.map(({ tier, links }) => [tier, links.length]),
    [
      ['relayed', 2],
      ['direct', 1],
    ],
  )
})

t.test('sizes grow with what they show, and end', async t => {
  t.ok(radiusOf(0, 100) < radiusOf(25, 100) && radiusOf(25, 100) < radiusOf(100, 100))
  t.equal(radiusOf(5, 0), radiusOf(0, 100), 'where nobody has clients all are small')
  t.ok(widthOf(1e6) < widthOf(1e9))
  t.equal(widthOf(1e15), widthOf(1e12))
  t.equal(widthOf(0), widthOf(1e5))
  t.same([0, 0.2, 0.21, 0.99, 1.3, null].map(stepOf), [0, 0, 1, 4, 4, null])
})
