/**
 * What part of a drawing is seen: a point of the drawing is on the screen at `scale` times it, and `x`, `y` further.
 * A drawing fills its frame at scale 1, and never leaves it.
 */
export interface Lens {
  readonly scale: number
  readonly x: number
  readonly y: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export const WHOLE: Lens = { scale: 1, x: 0, y: 0 }

/** Streets apart is as near as anyone looks. */
const SCALE_MAX = 64

/** Returns where a point of the drawing is on the screen. */
export const seen = ({ scale, x, y }: Lens, at: Point): Point => ({
  x: at.x * scale + x,
  y: at.y * scale + y,
})

/** Returns the lens nearer by `factor`, with what is at `at` on the screen staying there. */
export function nearer(lens: Lens, factor: number, at: Point, frame: Size): Lens {
  const scale = Math.min(SCALE_MAX, Math.max(1, lens.scale * factor))
  const by = scale / lens.scale
  return held({ scale, x: at.x - (at.x - lens.x) * by, y: at.y - (at.y - lens.y) * by }, frame)
}

export const moved = (lens: Lens, by: Point, frame: Size): Lens =>
  held({ ...lens, x: lens.x + by.x, y: lens.y + by.y }, frame)

/** Returns the lens that shows these points of the drawing, with room around them. */
export function around(points: readonly Point[], frame: Size): Lens {
  const [left, right] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))]
  const [top, bottom] = [Math.min(...points.map(({ y }) => y)), Math.max(...points.map(({ y }) => y))]
  const room = 2.5
  const fit = Math.min(frame.width / (room * (right - left)), frame.height / (room * (bottom - top)))
  const scale = Math.min(SCALE_MAX, Math.max(1, fit))
  return held(
    {
      scale,
      x: frame.width / 2 - (scale * (left + right)) / 2,
      y: frame.height / 2 - (scale * (top + bottom)) / 2,
    },
    frame,
  )
}

/** Nothing but the drawing is in the frame. */
function held({ scale, x, y }: Lens, { width, height }: Size): Lens {
  const within = (value: number, size: number) => Math.min(0, Math.max(size * (1 - scale), value))
  return { scale, x: within(x, width), y: within(y, height) }
}
