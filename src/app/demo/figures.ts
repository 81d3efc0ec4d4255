/** What the nodes of the lively demo say of themselves: figures that come and go like tides, each node's in its own time. */
import type { Gauges } from '../../agent/ports.js'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'

export interface FigureOptions {
  /** Tells nodes apart. */
  readonly index: number
  readonly bandwidthMbps: number
  /** How busy it is in the mean, 0 to 1. */
  readonly busy: number
  /** Links that it has now. */
  readonly links: () => number
  readonly clock: Clock
  readonly random: Random
}

/** From one high tide to the next, ms. */
const TIDE_MS = 120_000
/** Share of the figure that is noise. */
const NOISE = 0.08
/** A link of the demo stands for this much traffic, Mbit/s. */
const LINK_MBPS = 6

/** Returns the gauges of a node. */
export function tidalFigures({ index, bandwidthMbps, busy, links, clock, random }: FigureOptions): Gauges {
  const wave = (phase: number) =>
    0.5 + 0.5 * Math.sin((2 * Math.PI * clock.now()) / TIDE_MS + phase + 1.7 * index)
  const noisy = (value: number) => Math.max(0, value * (1 + NOISE * (2 * random.float() - 1)))
  const memTotalMb = 1_024 * 2 ** (index % 4)
  return () => {
    const load = Math.min(1, busy * (0.6 + 0.8 * wave(0)))
    const mbps = Math.min(bandwidthMbps * 0.99, noisy(bandwidthMbps * load * 0.8 + links() * LINK_MBPS))
    const cpuTotalPct = Math.min(100, noisy(100 * load))
    const memFreeMb = noisy(memTotalMb * (0.75 - 0.5 * load))
    return {
      iface: 'eth0',
      uptimeS: clock.now() / 1_000 + 86_400 * (index + 1),
      load1: ((cpuTotalPct / 100) * 4).toFixed(2),
      memTotalMb,
      memFreeMb,
      cpuTotalPct,
      softirqPct: cpuTotalPct / 12,
      bwRxMbps: mbps * 0.46,
      bwTxMbps: mbps * 0.54,
      bwTotalMbps: mbps,
      ppsRx: mbps * 95,
      ppsTx: mbps * 105,
      ppsTotal: mbps * 200,
      connEstRateS: noisy(3 + 20 * load),
      activeConns: Math.round(noisy(200 + 4_000 * load)),
      conntrackUsagePct: noisy(2 + 30 * load),
    }
  }
}
