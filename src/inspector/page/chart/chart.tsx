/** A statechart, with the states that an actor is in lit, and the last step it took on its way. */
import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { ActorStep, Statechart } from '../../../actors/ports.js'
import type { Handling } from './arrows.js'
import { type Box, type Drawing, type Edge, layOut, LETTER, LINE, type Point, TITLE } from './lay-out.js'
import { leavesOf } from './states.js'
import { wasTaken } from './taken.js'

/** Room around the drawing, and beside it, px. */
const MARGIN = 6
const PAD = 12
/** It is never drawn so small that it cannot be read, unless one wants to see all of it; nor much larger than the rest. */
const SMALLEST = 0.82
const LARGEST = 1.15

export function Chart(props: {
  readonly chart: Statechart
  /** Paths of the states that it is in. */
  readonly lit: ReadonlySet<string>
  /** The last step that was seen. */
  readonly last: ActorStep | null
}) {
  const { chart, lit, last } = props
  const drawing = useMemo(() => layOut(chart.root), [chart])
  const pointed = useSignal<Handling | null>(null)
  const isWhole = useSignal(false)
  const isCut = useSignal(false)
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => show(place.current), [chart.id])
  const { width, height } = drawing
  useEffect(() => {
    const { current } = place
    if (current === null) return
    const sizes = new ResizeObserver(() => {
      isCut.value = current.clientWidth - 2 * PAD < (width + 2 * MARGIN) * SMALLEST
    })
    sizes.observe(current)
    return () => sizes.disconnect()
  }, [width])
  const point = (handling: Handling | null) => {
    pointed.value = handling
  }
  return (
    <>
      <div ref={place} class="chart">
        <svg
          viewBox={`${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`}
          style={{
            minWidth: isWhole.value ? 0 : (width + 2 * MARGIN) * SMALLEST,
            maxWidth: (width + 2 * MARGIN) * LARGEST,
          }}
          role="group"
          aria-label={`Statechart; now in ${leavesOf(lit).join(', ')}`}
        >
          <Arrowheads />
          {drawing.boxes.map(box => (
            <State key={box.path} box={box} isLit={lit.has(box.path)} point={point} />
          ))}
          <Marks marks={drawing.marks} />
          {drawing.edges.map(edge => {
            const isTaken = last !== null && edge.handlings.some(each => wasTaken(each, last))
            return (
              <Way
                key={edge.id}
                edge={edge}
                taken={isTaken ? last : null}
                isPointed={edge.handlings.some(({ id }) => id === pointed.value?.id)}
                point={point}
              />
            )
          })}
        </svg>
      </div>
      <div class="chart-foot">
        <p aria-live="polite">
          <Told handling={pointed.value} />
        </p>
        {isCut.value && (
          <button
            type="button"
            class="button"
            data-size="small"
            aria-pressed={isWhole.value}
            onClick={() => {
              isWhole.value = !isWhole.peek()
            }}
          >
            All of it
          </button>
        )}
      </div>
    </>
  )
}

/** Begins where the lit states are, when not everything fits. */
function show(place: HTMLElement | null): void {
  const lit = place?.querySelector('.chart-state[data-lit="leaf"]')
  if (place === null || lit === null || lit === undefined) return
  const [outer, inner] = [place.getBoundingClientRect(), lit.getBoundingClientRect()]
  place.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2
}

function Told({ handling }: { handling: Handling | null }) {
  if (handling === null) return <span class="quiet">Point at an event to see its guard and its actions.</span>
  const { event, guard, actions, source, target } = handling
  return (
    <>
      <strong class="mono">{event}</strong> {source === '' ? 'in any state' : `in ${source}`}
      {target === null ? ' stays there' : ` leads to ${target}`}
      {guard !== null && (
        <>
          {' '}
          if <span class="mono">{guard}</span>
        </>
      )}
      {actions.length > 0 ? (
        <>
          {'; does '}
          <span class="mono">{actions.join(', ')}</span>
        </>
      ) : (
        '; does nothing else'
      )}
    </>
  )
}

const Arrowheads = () => (
  <defs>
    {['plain', 'taken'].map(kind => (
      <marker
        key={kind}
        id={`arrow-${kind}`}
        class="chart-head"
        data-kind={kind}
        viewBox="0 0 8 8"
        refX="7"
        refY="4"
        markerWidth="8"
        markerHeight="8"
        markerUnits="userSpaceOnUse"
        orient="auto"
      >
        <path d="M0 0.5 8 4 0 7.5Z" />
      </marker>
    ))}
  </defs>
)

type Pointing = (handling: Handling | null) => void

function State({ box, isLit, point }: { box: Box; isLit: boolean; point: Pointing }) {
  const { x, y, width, height, name, lines, isFinal, isRegion } = box
  const hasInside = height > TITLE + lines.length * LINE + (lines.length > 0 ? 6 : 0)
  return (
    <g
      class="chart-state"
      data-lit={isLit ? (hasInside ? 'around' : 'leaf') : 'no'}
      data-region={isRegion ? 'yes' : 'no'}
    >
      <rect x={x} y={y} width={width} height={height} rx="8" />
      {isFinal && <rect x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx="6" />}
      <text
        class="chart-name"
        x={hasInside ? x + 12 : x + width / 2}
        y={y + 18}
        data-middle={hasInside ? 'no' : 'yes'}
      >
        {name}
      </text>
      {lines.map((line, i) => (
        <Words key={line.id} of={line} x={x + 12} y={y + TITLE + i * LINE + 8} point={point} />
      ))}
    </g>
  )
}

const Marks = ({ marks }: { marks: Drawing['marks'] }) => (
  <g class="chart-marks" aria-hidden="true">
    {marks.map(({ id, is, x, y, width, height }) =>
      is === 'start' ? (
        <circle key={id} cx={x + width / 2} cy={y + height / 2} r={width / 2} />
      ) : (
        <g key={id}>
          <rect x={x} y={y} width={width} height={height} rx={height / 2} />
          <text x={x + width / 2} y={y + 13}>
            any
          </text>
        </g>
      ),
    )}
  </g>
)

/** An arrow and its words; `taken` is the step that went along it. */
function Way(props: { edge: Edge; taken: ActorStep | null; isPointed: boolean; point: Pointing }) {
  const { edge, taken, isPointed, point } = props
  const { at, handlings } = edge
  const d = curve(edge.points)
  return (
    <g class="chart-way" data-taken={taken === null ? 'no' : 'yes'} data-pointed={isPointed ? 'yes' : 'no'}>
      <path d={d} marker-end={`url(#arrow-${taken === null ? 'plain' : 'taken'})`} />
      {taken !== null && <Pulse key={`${taken.atMs} ${taken.event}`} d={d} />}
      {at !== null &&
        handlings.map((handling, i) => (
          <Words
            key={handling.id}
            of={handling}
            x={at.x}
            y={at.y + (i - (handlings.length - 1) / 2) * LINE}
            isMiddle
            point={point}
          />
        ))}
    </g>
  )
}

/** Runs along the arrow once. */
const Pulse = ({ d }: { d: string }) => <path class="chart-pulse" d={d} pathLength={1} />

/** An event’s name, at the middle of its line. */
function Words(props: { of: Handling; x: number; y: number; isMiddle?: boolean; point: Pointing }) {
  const { of, x, y, isMiddle = false, point } = props
  return (
    <g
      class="chart-words"
      tabIndex={0}
      role="img"
      aria-label={spoken(of)}
      onMouseEnter={() => point(of)}
      onFocus={() => point(of)}
      onClick={() => point(of)}
    >
      {isMiddle && (
        <rect
          x={x - of.label.length * (LETTER / 2) - 2}
          y={y - LINE / 2}
          width={of.label.length * LETTER + 4}
          height={LINE}
        />
      )}
      <text x={x} y={y + 4} data-middle={isMiddle ? 'yes' : 'no'}>
        {of.label}
      </text>
    </g>
  )
}

const spoken = ({ event, source, target, guard, actions }: Handling): string =>
  [
    `${event} in ${source === '' ? 'any state' : source}`,
    target === null ? 'stays there' : `leads to ${target}`,
    ...(guard === null ? [] : [`if ${guard}`]),
    ...(actions.length === 0 ? [] : [`does ${actions.join(', ')}`]),
  ].join(', ')

/** A line through the middles of its parts, bent at its points. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points
  const last = rest.at(-1)
  if (first === undefined || last === undefined) return ''
  const bends = rest.slice(0, -1).map((point, i) => {
    const next = rest[i + 1] as Point // there is one after each but the last
    return `Q${xy(point)} ${xy({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`
  })
  return `M${xy(first)} ${bends.join(' ')} L${xy(last)}`
}

const xy = ({ x, y }: Point): string => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`
