/** A small live plot: the last minutes of a figure, with its unit on the axis. */
import { useEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { colour, theme } from './theme.js'

/** How much time a plot shows, s. */
export const WINDOW_S = 300

export interface Line {
  readonly label: string
  /** A colour of the style sheet. */
  readonly colour: string
}

/** What is plotted: times in s since 1970 UTC, and for each line as many values; null leaves a gap. */
export type Points = readonly [readonly number[], ...(readonly (readonly (number | null)[])[])]

export function Plot(props: {
  readonly label: string
  readonly lines: readonly Line[]
  readonly points: Points
  /** Writes a value of the axis, with its unit. */
  readonly unit: (value: number) => string
  /** What a value can be at most: where the axis ends then. */
  readonly most?: number
}) {
  const { label, lines, points, unit, most } = props
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | null>(null)
  useEffect(() => {
    const { current } = place
    if (current === null) return
    const made = new UPlot(
      options(lines, unit, most, current),
      points as unknown as UPlot.AlignedData,
      current,
    ) // it only reads them
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
    // Colours are painted in: another theme is another drawing.
  }, [theme.value, lines.map(each => each.label).join()])
  useEffect(() => plot.current?.setData(points as unknown as UPlot.AlignedData), [points])
  return <div ref={place} class="plot" role="img" aria-label={`${label}: ${spoken(props)}`} />
}

/** Which line is which. */
export const PlotKey = ({ lines }: { readonly lines: readonly Line[] }) => (
  <span class="plot-key">
    {lines.map(({ label, colour: name }) => (
      <span key={label} data-colour={name}>
        {label}
      </span>
    ))}
  </span>
)

/** The newest values in words, for those who do not see the drawing. */
const spoken = ({ lines, points, unit }: Parameters<typeof Plot>[0]): string =>
  lines
    .map(({ label }, i) => {
      const last = points[i + 1]?.at(-1) as number | null | undefined // a line of values
      return `${label} ${last === null || last === undefined ? 'unknown' : unit(last)}`
    })
    .join(', ')

function options(
  lines: readonly Line[],
  unit: (value: number) => string,
  most: number | undefined,
  place: HTMLElement,
): UPlot.Options {
  const axis = {
    stroke: colour('quiet'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  }
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    cursor: { show: false },
    legend: { show: false },
    padding: [8, 28, 0, 0],
    // A window that moves on: what comes is at the right, and nothing is stretched while there is little.
    scales: {
      x: { range: (_, __, newest) => [newest - WINDOW_S, newest] },
      y: { range: (_, low, high) => [Math.min(0, low ?? 0), most ?? (high > 0 ? high * 1.1 : 1)] },
    },
    axes: [
      { ...axis, size: 28, space: 70, values: (_, times) => times.map(time => CLOCK.format(time * 1000)) },
      { ...axis, size: 74, space: 34, values: (_, values) => values.map(unit) },
    ],
    series: [
      {},
      ...lines.map(line => ({
        label: line.label,
        stroke: colour(line.colour),
        width: 1.75,
        points: { show: false },
      })),
    ],
  }
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
