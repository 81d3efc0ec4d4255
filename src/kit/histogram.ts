/**
 * Counts in fixed buckets, cheap enough for hot paths; read by the metrics page and by benchmarks.
 * A value equal to a bound belongs to that bound's bucket, as in Prometheus (`le`).
 */
export class Histogram {
  readonly bounds: readonly number[]
  /** One count per bound, and a last one for what is above all bounds. */
  readonly counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let i = 0
    while (i < this.bounds.length && value > (this.bounds[i] as number)) i++ // i is inside
    this.counts[i] = (this.counts[i] as number) + 1
    this.sum += value
    this.count++
  }
}
