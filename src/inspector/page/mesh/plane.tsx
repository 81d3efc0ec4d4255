/**
 * A surface to look around on: nearer and farther by wheel, pinch, buttons and + − 0, further by dragging and arrows.
 * What is drawn on it says of itself what a hint tells while one points at it, or has the focus there.
 */
import { type Signal, useComputed, useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { around, type Lens, moved, nearer, type Point, seen, type Size, WHOLE } from './lens.js'

/** What a drawing is told, and may ask. */
export interface Stage {
  /** Of the surface, px. */
  readonly frame: Size
  readonly lens: Lens
  /** What is pointed at, or has the focus. */
  readonly looked: string | null
  /** Returns where a point of the drawing, which fills the frame, is on the screen. */
  at(point: Point): Point
  /** Shows a part of the drawing. */
  show(points: readonly Point[]): void
  /** Returns what makes an element tell its hint. */
  hint(key: string): HintProps
}

interface HintProps {
  readonly onPointerEnter: () => void
  readonly onPointerLeave: () => void
  readonly onFocus: () => void
  readonly onBlur: () => void
}

/** A hint, and where on the screen what it is about is. */
export interface Hint extends Point {
  readonly body: ComponentChildren
}

/** What a drawing is, for one stage. */
export interface Drawn {
  readonly picture: ComponentChildren
  readonly hintOf: (key: string) => Hint | null
}

/** How much nearer a press of a button brings it, and how far an arrow moves, px. */
const STEP = 1.6
const ARROW_PX = 80
/** A pointer that moves less than this has not dragged, px. */
const STILL_PX = 4

export function Plane({ label, draw }: { readonly label: string; readonly draw: (stage: Stage) => Drawn }) {
  const place = useRef<HTMLDivElement>(null)
  const frame = useSignal<Size>({ width: 0, height: 0 })
  const lens = useSignal<Lens>(WHOLE)
  const looked = useSignal<string | null>(null)
  useEffect(() => {
    const { current } = place
    if (current === null) return
    const measure = () => {
      frame.value = { width: current.clientWidth, height: current.clientHeight }
      lens.value = moved(lens.peek(), { x: 0, y: 0 }, frame.value)
    }
    const sizes = new ResizeObserver(measure)
    sizes.observe(current)
    measure()
    return () => sizes.disconnect()
  }, [])
  useGestures(place, frame, lens)
  const hintOf = useRef<Drawn['hintOf']>(() => null)
  /** What gets the focus by the keyboard may be beside the frame: it is brought into it. */
  const reveal = (key: string) => {
    const { width, height } = frame.peek()
    const at = hintOf.current(key)
    if (at === null || (at.x >= 0 && at.x <= width && at.y >= 0 && at.y <= height)) return
    lens.value = moved(lens.peek(), { x: width / 2 - at.x, y: height / 2 - at.y }, frame.peek())
  }
  const stage = useComputed<Stage>(() => ({
    frame: frame.value,
    lens: lens.value,
    looked: looked.value,
    at: point => seen(lens.value, point),
    show: points => {
      lens.value = around(points, frame.peek())
    },
    hint: key => {
      const look = () => {
        looked.value = key
      }
      const leave = () => {
        if (looked.peek() === key) looked.value = null
      }
      const focus = () => {
        look()
        reveal(key)
      }
      return { onPointerEnter: look, onPointerLeave: leave, onFocus: focus, onBlur: leave }
    },
  })).value
  const zoom = (factor: number) => {
    const { width, height } = frame.peek()
    lens.value = nearer(lens.peek(), factor, { x: width / 2, y: height / 2 }, frame.peek())
  }
  const { width, height } = frame.value
  const drawn = width === 0 ? null : draw(stage)
  if (drawn !== null) hintOf.current = drawn.hintOf
  const hint = looked.value === null ? null : hintOf.current(looked.value)
  return (
    <div
      ref={place}
      class="plane"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrows and + − 0 need a place to be pressed at
      tabIndex={0}
      role="group"
      aria-label={`${label}: plus and minus zoom, arrows move, 0 shows all`}
      data-near={lens.value.scale > 1}
      onKeyDown={event => {
        const arrow = ARROWS[event.key]
        if (event.key === '+' || event.key === '=') zoom(STEP)
        else if (event.key === '-') zoom(1 / STEP)
        else if (event.key === '0') lens.value = WHOLE
        else if (arrow !== undefined && lens.peek().scale > 1)
          lens.value = moved(lens.peek(), arrow, frame.peek())
        else return
        event.preventDefault()
      }}
    >
      <svg width={width} height={height} aria-hidden={drawn === null}>
        <title>{label}</title>
        {drawn?.picture}
      </svg>
      <div class="plane-buttons">
        <button type="button" class="button" aria-label="Zoom in" onClick={() => zoom(STEP)}>
          +
        </button>
        <button
          type="button"
          class="button"
          aria-label="Zoom out"
          disabled={lens.value.scale === 1}
          onClick={() => zoom(1 / STEP)}
        >
          −
        </button>
        <button
          type="button"
          class="button"
          aria-label="Show all"
          disabled={lens.value.scale === 1}
          onClick={() => {
            lens.value = WHOLE
          }}
        >
          0
        </button>
      </div>
      {hint !== null && <Tip hint={hint} frame={frame.value} />}
    </div>
  )
}

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: ARROW_PX, y: 0 },
  ArrowRight: { x: -ARROW_PX, y: 0 },
  ArrowUp: { x: 0, y: ARROW_PX },
  ArrowDown: { x: 0, y: -ARROW_PX },
}

/** Beside the point, on the side that has room. */
function Tip({ hint: { x, y, body }, frame }: { readonly hint: Hint; readonly frame: Size }) {
  const isLeft = x > frame.width / 2
  const isAbove = y > frame.height / 2
  return (
    <div
      class="tip"
      role="status"
      style={{
        ...(isLeft ? { right: `${frame.width - x + TIP_GAP}px` } : { left: `${x + TIP_GAP}px` }),
        ...(isAbove
          ? { bottom: `${Math.max(0, frame.height - y - TIP_GAP)}px` }
          : { top: `${Math.max(0, y - TIP_GAP)}px` }),
      }}
    >
      {body}
    </div>
  )
}

/** Between a point and its hint, px. */
const TIP_GAP = 18

/** Wheel, drag and pinch. They are listened to by hand: only so can they keep the page from scrolling. */
function useGestures(
  place: { readonly current: HTMLDivElement | null },
  frame: Signal<Size>,
  lens: Signal<Lens>,
): void {
  useEffect(() => {
    const { current } = place
    if (current === null) return
    const pointers = new Map<number, Point>()
    let dragged = 0
    const here = ({ clientX, clientY }: MouseEvent): Point => {
      const { left, top } = current.getBoundingClientRect()
      return { x: clientX - left, y: clientY - top }
    }
    const wheel = (event: WheelEvent) => {
      // At the end of the zoom the page scrolls on.
      if (event.deltaY > 0 && lens.peek().scale === 1) return
      event.preventDefault()
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1
      lens.value = nearer(lens.peek(), Math.exp(-event.deltaY * lines * 0.0022), here(event), frame.peek())
    }
    const down = (event: PointerEvent) => {
      if (event.button !== 0 || (event.target as Element).closest('.plane-buttons') !== null) return
      if (pointers.size === 0) dragged = 0
      pointers.set(event.pointerId, here(event))
    }
    const move = (event: PointerEvent) => {
      const before = pointers.get(event.pointerId)
      if (before === undefined) return
      const now = here(event)
      const by = { x: now.x - before.x, y: now.y - before.y }
      const [other] = [...pointers].flatMap(([id, at]) => (id === event.pointerId ? [] : [at]))
      pointers.set(event.pointerId, now)
      dragged += Math.hypot(by.x, by.y)
      if (dragged < STILL_PX) return
      // Only a drag takes the pointer: a press stays one on what is below it.
      if (!current.hasPointerCapture(event.pointerId)) current.setPointerCapture(event.pointerId)
      if (other === undefined) lens.value = moved(lens.peek(), by, frame.peek())
      else {
        const [far, was] = [distance(now, other), distance(before, other)]
        const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }
        if (was > 0) lens.value = nearer(lens.peek(), far / was, middle, frame.peek())
      }
    }
    const up = (event: PointerEvent) => {
      pointers.delete(event.pointerId)
    }
    const click = (event: MouseEvent) => {
      if (dragged < STILL_PX) return
      event.preventDefault()
      event.stopPropagation()
    }
    const stop = (event: Event) => event.preventDefault()
    current.addEventListener('wheel', wheel, { passive: false })
    current.addEventListener('pointerdown', down)
    current.addEventListener('pointermove', move)
    current.addEventListener('pointerup', up)
    current.addEventListener('pointercancel', up)
    current.addEventListener('click', click, { capture: true })
    current.addEventListener('dragstart', stop)
    return () => {
      current.removeEventListener('wheel', wheel)
      current.removeEventListener('pointerdown', down)
      current.removeEventListener('pointermove', move)
      current.removeEventListener('pointerup', up)
      current.removeEventListener('pointercancel', up)
      current.removeEventListener('click', click, { capture: true })
      current.removeEventListener('dragstart', stop)
    }
  }, [])
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y)
