/** Names beside what they name, as many as do not cover each other. */
import type { Point } from './lens.js'

export interface Label extends Point {
  readonly key: string
  readonly text: string
  /** How far the middle of the text is below the point, px. */
  readonly below: number
}

/** Of the font that labels are drawn in, px. */
const LETTER = 6.4
const LINE = 15

/** What a label must not cover, unless it is its own. */
export interface Obstacle extends Point {
  readonly key: string
  readonly radius: number
}

/** Returns the labels that have room; earlier ones go first. */
export function placed(labels: readonly Label[], obstacles: readonly Obstacle[] = []): readonly Label[] {
  const boxes: { readonly label: Label; readonly half: number }[] = []
  for (const label of labels) {
    const half = (label.text.length * LETTER) / 2
    const isCovered = boxes.some(
      other =>
        Math.abs(other.label.x - label.x) < other.half + half + 4 &&
        Math.abs(other.label.y + other.label.below - label.y - label.below) < LINE,
    )
    const middle = label.y + label.below - LINE / 4
    const covers = obstacles.some(
      ({ key, x, y, radius }) =>
        key !== label.key &&
        Math.abs(x - label.x) < half + radius &&
        Math.abs(y - middle) < LINE / 2 + radius,
    )
    if (!isCovered && !covers) boxes.push({ label, half })
  }
  return boxes.map(({ label }) => label)
}

/** A name, in letters; the hint has the whole. */
const NAME_MAX = 18

export const shortened = (name: string): string =>
  name.length > NAME_MAX ? `${name.slice(0, NAME_MAX - 1)}…` : name
