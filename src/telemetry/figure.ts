/**
 * A figure of the metrics page that is read from its source when the page is asked for: nothing is kept
 * twice, and nothing costs anything between two scrapes.
 */
import type { Metric } from 'prom-client'
import type { HistogramView } from '../actors/ports.js'

type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

export interface LabelledHistogram {
  readonly labels: Labels
  readonly view: HistogramView
}

/** A figure of a source `S`. Names follow Prometheus: base units, and `_total` for what only grows. */
export type Figure<S> = { readonly name: string; readonly help: string } & (
  | { readonly type: 'gauge' | 'counter'; readonly read: (source: S) => number | readonly Sample[] }
  | {
      readonly type: 'histogram'
      readonly read: (source: S) => HistogramView | readonly LabelledHistogram[]
      /** What a bound and the sum are multiplied with, to come to base units; 1 when absent. */
      readonly scale?: number
    }
)

/** Makes a figure something that a prom-client registry prints. */
export function asMetric<S>(figure: Figure<S>, source: () => S): Metric {
  const { name, help, type } = figure
  const get = () => ({
    name,
    help,
    type,
    aggregator: 'sum',
    values:
      figure.type === 'histogram'
        ? labelled(figure.read(source())).flatMap(each => histogramValues(name, each, figure.scale ?? 1))
        : plainValues(figure.read(source())),
  })
  return { name, get } as unknown as Metric // all that a registry asks of a metric
}

interface Line {
  readonly metricName?: string
  readonly labels: Labels | Readonly<Record<string, string | number>>
  readonly value: number
}

function plainValues(read: number | readonly Sample[]): Line[] {
  if (typeof read === 'number') return [{ labels: {}, value: read }]
  return read.map(({ labels = {}, value }) => ({ labels, value }))
}

const labelled = (read: HistogramView | readonly LabelledHistogram[]): readonly LabelledHistogram[] =>
  'bounds' in read ? [{ labels: {}, view: read }] : read

/** Buckets are cumulative on the page and separate in a HistogramView. */
function histogramValues(name: string, { labels, view }: LabelledHistogram, scale: number): Line[] {
  let upTo = 0
  const buckets = [...view.bounds, Number.POSITIVE_INFINITY].map((bound, i) => {
    upTo += view.counts[i] ?? 0
    const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : round(bound * scale)
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: upTo }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: view.sum * scale },
    { metricName: `${name}_count`, labels, value: view.count },
  ]
}

/** 0.1 × 0.001 is 0.0001, not 0.00010000000000000002. */
const round = (value: number): number => Number(value.toPrecision(12))
