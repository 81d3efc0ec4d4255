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

/** Returns the labels that have room; earlier ones go first. */
export function placed(labels: readonly Label[]): readonly Label[] {
  const boxes: { readonly label: Label; readonly half: number }[] = []
  for (const label of labels) {
    const half = (label.text.length * LETTER) / 2
    const isCovered = boxes.some(
      other =>
        Math.abs(other.label.x - label.x) < other.half + half + 4 &&
        Math.abs(other.label.y + other.label.below - label.y - label.below) < LINE,
    )
    if (!isCovered) boxes.push({ label, half })
  }
  return boxes.map(({ label }) => label)
}
