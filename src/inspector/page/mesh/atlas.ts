/** The world: its outline, and where on it a place is. All that is large about the map is here, loaded when it is looked at. */
import { geoNaturalEarth1, geoPath } from 'd3-geo'
import { feature } from 'topojson-client'
import land from 'world-atlas/land-110m.json'
import type { Point, Size } from './lens.js'
import type { Degrees } from './sites.js'

/** The frame that the world is drawn for; what is south of 58° has no nodes and is cut. */
export const WORLD: Size = { width: 1000, height: 462 }

const projection = geoNaturalEarth1().fitWidth(WORLD.width, { type: 'Sphere' })

/** Returns where a place is, in units of `WORLD`. */
export function project(at: Degrees): Point {
  const [x, y] = projection([at[0], at[1]]) ?? [0, 0]
  return { x, y }
}

type World = Parameters<typeof feature>[0]

// The package describes none of its files: this one is a topology with an object `land`.
const world = land as unknown as World & { readonly objects: { readonly land: World['objects'][string] } }

/** The land, as the path of an SVG in units of `WORLD`. */
export const LAND: string = geoPath(projection)(feature(world, world.objects.land)) ?? ''
