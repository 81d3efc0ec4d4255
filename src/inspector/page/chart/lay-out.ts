/**
 * Lays a statechart out: boxes in boxes, and within each box its states as a layered graph. Regions of a parallel state
 * stand beside or above each other, whichever comes nearer to the shape of a screen.
 */
import { Graph, layout } from '@dagrejs/dagre'
import type { StatechartState } from '../../../actors/ports.js'
import { type Arrow, type Arrows, arrowsOf, type Handling } from './arrows.js'

export interface Point {
  readonly x: number
  readonly y: number
}

interface Place extends Point {
  readonly width: number
  readonly height: number
}

/** A state. All lengths are px at a scale of 1; what is inside stands on the same ground as what is outside. */
export interface Box extends Place {
  readonly path: string
  readonly name: string
  readonly isFinal: boolean
  /** One of several that a parallel state is in at once. */
  readonly isRegion: boolean
  /** What it does without leaving. */
  readonly lines: readonly Handling[]
}

/** Where a level begins (a dot), or what stands for every state of it (the word `any`). */
export interface Mark extends Place {
  readonly id: string
  readonly is: 'start' | 'any'
}

export interface Edge {
  readonly id: string
  readonly points: readonly Point[]
  /** The middle of its words; null: it has none. */
  readonly at: Point | null
  readonly handlings: readonly Handling[]
}

export interface Drawing {
  readonly width: number
  readonly height: number
  /** Outer ones first. */
  readonly boxes: readonly Box[]
  readonly marks: readonly Mark[]
  readonly edges: readonly Edge[]
}

/** Type of the drawing, px: a letter of the monospaced face at 11 px, and its line. */
export const LETTER = 6.7
const NAME_LETTER = 7.4
export const LINE = 15
export const TITLE = 28
const PAD = 12
const GAP = 14
const START = 9
const ANY = { width: 34, height: 18 }
/** What a drawing should come near to, px: the panel beside the facts of the actor. */
const SCREEN = { width: 840, height: 560 }

/** Returns the drawing of a statechart. */
export function layOut(root: StatechartState): Drawing {
  const arrows = arrowsOf(root)
  // The machine has a box of its own only where it hears something without leaving any state.
  return arrows.lines.has('') ? boxOf(root, arrows) : contentOf(root, arrows)
}

function contentOf(state: StatechartState, arrows: Arrows): Drawing {
  if (state.states.length === 0) return { width: 0, height: 0, boxes: [], marks: [], edges: [] }
  if (state.type === 'parallel') {
    const regions = state.states.map(each => boxOf(each, arrows, true))
    return nearest(inRow(regions), inColumn(regions))
  }
  return nearest(graphOf(state, arrows, 'TB'), graphOf(state, arrows, 'LR'))
}

/** A state with what is in it, its own box first. */
function boxOf(state: StatechartState, arrows: Arrows, isRegion = false): Drawing {
  const lines = arrows.lines.get(state.path) ?? []
  const content = contentOf(state, arrows)
  const top = TITLE + lines.length * LINE + (lines.length > 0 ? 6 : 0)
  const hasContent = content.width > 0
  const width =
    Math.max(
      state.key.length * NAME_LETTER + (state.type === 'final' ? 8 : 0),
      widthOf(lines),
      content.width,
    ) +
    2 * PAD
  const height = top + (hasContent ? content.height + PAD : 0)
  const inside = shifted(content, (width - content.width) / 2, top)
  const box: Box = {
    path: state.path,
    name: state.key,
    x: 0,
    y: 0,
    width,
    height,
    isFinal: state.type === 'final',
    isRegion,
    lines,
  }
  return { ...inside, width, height, boxes: [box, ...inside.boxes] }
}

const widthOf = (lines: readonly Handling[]): number =>
  Math.max(0, ...lines.map(({ label }) => label.length * LETTER))

function graphOf(state: StatechartState, arrows: Arrows, rankdir: 'TB' | 'LR'): Drawing {
  const graph = new Graph({ directed: true })
  graph.setGraph({ rankdir, nodesep: 26, edgesep: 14, ranksep: 26 })
  const children = state.states.map(each => boxOf(each, arrows))
  state.states.forEach(({ path }, i) => {
    const { width, height } = children[i] as Drawing // one for each
    graph.setNode(path, { width, height })
  })
  const start = state.states.find(({ path }) => state.initial?.startsWith(path))?.path
  const here = arrows.within.get(state.path) ?? []
  const any = `${state.path}*`
  const begin = `${state.path}!`
  if (here.some(({ from }) => from === null)) graph.setNode(any, { ...ANY })
  for (const { from, to, handlings } of here)
    graph.setEdge(from ?? any, to, {
      width: widthOf(handlings) + 10,
      height: handlings.length * LINE + 4,
      labelpos: 'c',
    })
  if (start !== undefined) {
    graph.setNode(begin, { width: START, height: START })
    graph.setEdge(begin, start, { width: 0, height: 0, weight: 4 })
  }
  layout(graph)
  const inside = state.states.map(({ path }, i) => {
    const { x, y } = cornerOf(graph.node(path) as Place)
    return shifted(children[i] as Drawing, x, y) // one for each
  })
  const marks: Mark[] = []
  for (const [id, is] of [
    [any, 'any'],
    [begin, 'start'],
  ] as const)
    if (graph.hasNode(id)) marks.push({ id, is, ...cornerOf(graph.node(id) as Place) })
  const edges = here.map(arrow => edgeOf(graph, state.path, arrow, arrow.from ?? any))
  if (start !== undefined)
    edges.push({ ...edgeOf(graph, state.path, { from: begin, to: start, handlings: [] }, begin), at: null })
  const { width = 0, height = 0 } = graph.graph() as Partial<Place>
  return {
    width,
    height,
    boxes: inside.flatMap(({ boxes }) => boxes),
    marks: [...marks, ...inside.flatMap(each => each.marks)],
    edges: [...edges, ...inside.flatMap(each => each.edges)],
  }
}

function edgeOf(graph: Graph, level: string, { to, handlings }: Arrow, from: string): Edge {
  const { points, x, y } = graph.edge(from, to) as Point & { readonly points: readonly Point[] } // as laid out
  return { id: `${level}:${from}>${to}`, points, at: { x, y }, handlings }
}

/** Layouts say where the middle is. */
const cornerOf = ({ x, y, width, height }: Place): Place => ({
  x: x - width / 2,
  y: y - height / 2,
  width,
  height,
})

const moved = <T extends Point>(of: T, x: number, y: number): T => ({ ...of, x: of.x + x, y: of.y + y })

const shifted = (drawing: Drawing, x: number, y: number): Drawing => ({
  ...drawing,
  boxes: drawing.boxes.map(box => moved(box, x, y)),
  marks: drawing.marks.map(mark => moved(mark, x, y)),
  edges: drawing.edges.map(edge => ({
    ...edge,
    points: edge.points.map(point => moved(point, x, y)),
    at: edge.at && moved(edge.at, x, y),
  })),
})

function inRow(parts: readonly Drawing[]): Drawing {
  const height = Math.max(...parts.map(part => part.height))
  let x = 0
  const placed = parts.map(part => {
    const at = x
    x += part.width + GAP
    return shifted(stretched(part, part.width, height), at, 0)
  })
  return { ...joined(placed), width: x - GAP, height }
}

function inColumn(parts: readonly Drawing[]): Drawing {
  const width = Math.max(...parts.map(part => part.width))
  let y = 0
  const placed = parts.map(part => {
    const at = y
    y += part.height + GAP
    return shifted(stretched(part, width, part.height), 0, at)
  })
  return { ...joined(placed), width, height: y - GAP }
}

/** Regions are as high, or as wide, as the largest of them. */
function stretched(part: Drawing, width: number, height: number): Drawing {
  const [box, ...rest] = part.boxes
  return box === undefined ? part : { ...part, boxes: [{ ...box, width, height }, ...rest] }
}

const joined = (parts: readonly Drawing[]): Pick<Drawing, 'boxes' | 'marks' | 'edges'> => ({
  boxes: parts.flatMap(({ boxes }) => boxes),
  marks: parts.flatMap(({ marks }) => marks),
  edges: parts.flatMap(({ edges }) => edges),
})

/** Returns the drawing that can be shown the larger; the first one when it does not matter. */
const nearest = (a: Drawing, b: Drawing): Drawing => (sizeOf(b) < sizeOf(a) ? b : a)

const sizeOf = ({ width, height }: Drawing): number => Math.max(width / SCREEN.width, height / SCREEN.height)
