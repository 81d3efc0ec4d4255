/** One clock for all ages on the page: it ticks once a second, and only those who read it are drawn again. */
import { signal } from '@preact/signals'
import { serverNowMs } from '../live/hooks.js'

const TICK_MS = 1000

/** The coordinator's time, ms since 1970 UTC. */
export const nowMs = signal(serverNowMs())

setInterval(() => {
  // A page that nobody sees draws nothing.
  if (document.visibilityState === 'visible') nowMs.value = serverNowMs()
}, TICK_MS)
