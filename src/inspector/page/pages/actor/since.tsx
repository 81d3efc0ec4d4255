/** Said while nothing was heard of an actor: nothing is known of what it did before somebody looked. */
import { useRef } from 'preact/hooks'
import { nowMs } from '../../ui/clock.js'
import { duration } from '../../ui/format.js'
import { Empty } from '../../ui/parts.js'

/** Shorter than this is just now, ms. */
const JUST_NOW_MS = 5_000

export function Since({ hasAny = false }: { hasAny?: boolean }) {
  const beganMs = useRef(nowMs.peek()).current
  const agoMs = nowMs.value - beganMs
  if (hasAny) return <Empty title="No event contains that">Clear the filter to see them all.</Empty>
  return (
    <Empty title="Nothing since you look">
      Watching began {agoMs < JUST_NOW_MS ? 'just now' : `${duration(Math.floor(agoMs / 1000) * 1000)} ago`};
      nothing is kept of an actor that nobody watches. What it hears, says and does appears here.
    </Empty>
  )
}
