/**
 * A plot of what was before: the mean as a line, the least and the most as a band behind it, nothing where nothing was
 * told. Plots of one `sync` show the same moment while one points at any of them.
 */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import type { Band } from './band.js'
import { nowMs } from './clock.js'
import { moment } from './format.js'
import { colour, theme } from './theme.js'

export function BandPlot(props: {
  readonly label: string
  readonly band: Band
  /** What is shown of time, s since 1970 UTC: also where nothing was told. */
  readonly from: number
  readonly to: number
  /** A colour of the style sheet. */
  readonly colour: string
  /** Writes a value, with its unit. */
  readonly unit: (value: number) => string
  /** What a value can be at most: where the axis ends then. */
  readonly most?: number
  readonly sync: string
}) {
  const { label, band, from, to, colour: name, unit, most, sync } = props
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | null>(null)
  const at = useSignal<number | null>(null)
  const window = useRef({ from, to })
  window.current = { from, to }
  useEffect(() => {
    const { current } = place
    if (current === null) return
    const axis = {
      stroke: colour('quiet'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    }
    const ink = colour(name)
    const edge = { stroke: 'transparent', points: { show: false } }
    const made = new UPlot(
      {
        width: current.clientWidth,
        height: current.clientHeight,
        legend: { show: false },
        cursor: { sync: { key: sync }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
        padding: [8, 16, 0, 0],
        scales: {
          x: { range: () => [window.current.from, window.current.to] },
          y: { range: (_, low, high) => [Math.min(0, low ?? 0), most ?? (high > 0 ? high * 1.1 : 1)] },
        },
        axes: [
          { ...axis, size: 28, space: 70, values: (_, times) => times.map(time => tick(time, to - from)) },
          { ...axis, size: 74, space: 34, values: (_, values) => values.map(unit) },
        ],
        series: [
          {},
          { stroke: ink, width: 1.75, points: { show: true, size: 4, fill: ink, filter: alone } },
          { ...edge, label: 'min' },
          { ...edge, label: 'max' },
        ],
        bands: [{ series: [3, 2], fill: `${ink}33` }],
        hooks: { setCursor: [({ cursor }) => void (at.value = cursor.idx ?? null)] },
      },
      band as unknown as UPlot.AlignedData, // it only reads them
      current,
    )
    plot.current = made
    const sizes = new ResizeObserver(() =>
      made.setSize({ width: current.clientWidth, height: current.clientHeight }),
    )
    sizes.observe(current)
    return () => {
      sizes.disconnect()
      made.destroy()
      plot.current = null
    }
    // Colours are painted in: another theme is another drawing. So are the axes of another span.
  }, [theme.value, to - from, name])
  useEffect(() => plot.current?.setData(band as unknown as UPlot.AlignedData), [band]) // it only reads them
  return (
    <>
      <div ref={place} class="plot" role="img" aria-label={`${label}: ${said(band, null, unit)}`} />
      <p class="plot-said">{said(band, at.value, unit)}</p>
    </>
  )
}

/** A line needs two points: one between gaps is drawn as a dot. */
function alone({ data }: UPlot, series: number): number[] {
  const values = data[series] ?? []
  return [...values.keys()].filter(i => values[i] != null && values[i - 1] == null && values[i + 1] == null)
}

/** A point in words: the one that is pointed at, or the newest that is known. */
function said([times, mean, min, max]: Band, at: number | null, unit: (value: number) => string): string {
  const i = at ?? mean.findLastIndex(value => value !== null)
  const [time, value, low, high] = [times[i], mean[i], min[i], max[i]]
  if (time === undefined) return 'nothing yet'
  const when = moment(time * 1000, nowMs.value)
  if (value === null || value === undefined) return `nothing was told at ${when}`
  const isOne = low === high || typeof low !== 'number' || typeof high !== 'number'
  return `${unit(value)}${isOne ? '' : `, ${unit(low)} to ${unit(high)}`} at ${when}`
}

const DAY_S = 86_400
const HOURS = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const DAYS = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

const tick = (time: number, spanS: number): string =>
  (spanS > 2 * DAY_S ? DAYS : HOURS).format(new Date(time * 1000))
