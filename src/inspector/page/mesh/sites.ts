/**
 * Where on the globe nodes and clients are: where they say, or else in the middle of their country. Who says neither has
 * no place, and is told of beside the map.
 */
import type { MeshPicture, PicturedLink, PicturedNode, Profile } from '../../../actors/ports.js'
import { middleOf } from './countries.js'

export type Degrees = readonly [longitude: number, latitude: number]

export interface Placed<T> {
  readonly of: T
  readonly at: Degrees
  /** Only its country is known. */
  readonly isRough: boolean
}

export interface Sites {
  readonly nodes: readonly Placed<PicturedNode>[]
  readonly links: readonly Placed<PicturedLink>[]
  readonly unplacedNodes: readonly PicturedNode[]
  /** Clients whose place is not known. */
  readonly unplacedClients: number
}

export function sitesOf({ nodes, links }: Pick<MeshPicture, 'nodes' | 'links'>): Sites {
  const placedLinks = links.flatMap(link => placed(link))
  return {
    nodes: spread(nodes.flatMap(node => placed(node))),
    links: placedLinks,
    unplacedNodes: nodes.filter(node => placeOf(node) === null),
    unplacedClients: clientsOf(links) - clientsOf(placedLinks.map(({ of }) => of)),
  }
}

export const clientsOf = (links: readonly PicturedLink[]): number =>
  links.reduce((sum, { clients }) => sum + clients, 0)

type Place = Pick<Profile, 'country' | 'latitude' | 'longitude'>

function placed<T extends Place>(of: T): readonly Placed<T>[] {
  const place = placeOf(of)
  return place === null ? [] : [{ of, ...place }]
}

function placeOf({ country, latitude, longitude }: Place): Omit<Placed<unknown>, 'of'> | null {
  if (latitude !== null && longitude !== null) return { at: [longitude, latitude], isRough: false }
  const middle = middleOf(country)
  return middle === undefined ? null : { at: middle, isRough: true }
}

/** How far apart things of the same place are drawn, degrees: one sees them apart by looking nearer. */
const APART_DEG = 0.4
/** Seeds of a sunflower: even, and the same each time. */
const TURN = Math.PI * (3 - Math.sqrt(5))

/** Nodes of one place are laid around it, in the order of their names. */
function spread(nodes: readonly Placed<PicturedNode>[]): readonly Placed<PicturedNode>[] {
  const seen = new Map<string, number>()
  return nodes
    .toSorted((a, b) => (a.of.id < b.of.id ? -1 : 1))
    .map(node => {
      const [longitude, latitude] = node.at
      const key = node.at.join()
      const i = seen.get(key) ?? 0
      seen.set(key, i + 1)
      const far = APART_DEG * Math.sqrt(i)
      return { ...node, at: [longitude + far * Math.cos(i * TURN), latitude + far * Math.sin(i * TURN)] }
    })
}
