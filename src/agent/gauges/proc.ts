/**
 * The gauges of a heartbeat from /proc: a reading now, compared with the reading before. The first heartbeat
 * has no rates; a counter that went backwards (an interface was made anew) gives none either.
 */
import type { Gauges } from '../ports.js'
import { systemClock, type Clock } from '../../kit/clock.js'
import { readMachine, type Machine } from './machine.js'

export interface Latency {
  /** Whom the round trips are to. */
  readonly target: string
  readonly p50Ms: number
  readonly p95Ms: number
  /** Probes lost, %; null when not counted. */
  readonly lossPct: number | null
}

export interface ProcGaugesOptions {
  /** Where the kernel's files are; /proc. */
  readonly root?: string
  /** Whose traffic is reported; the interface of the default route. */
  readonly iface?: string
  readonly clock?: Clock
  /** The session's own round trips; null while there are none. */
  readonly latency?: () => Latency | null
}

/** Returns gauges that read the machine each time they are called. */
export function procGauges({
  root = '/proc',
  iface,
  clock = systemClock,
  latency = () => null,
}: ProcGaugesOptions = {}): Gauges {
  let before: Machine | null = null
  let beforeMs = 0
  return () => {
    const now = readMachine(root, iface ?? null)
    const nowMs = clock.now()
    const gauges = { ...levels(now), ...rates(before, now, (nowMs - beforeMs) / 1000), ...round(latency()) }
    before = now
    beforeMs = nowMs
    return gauges
  }
}

type Reading = ReturnType<Gauges>

/** What one reading tells. */
const levels = (now: Machine): Reading => ({
  ...given('uptimeS', now.uptimeS),
  ...given('load1', now.load1),
  ...given('memTotalMb', now.memTotalMb),
  ...given('memFreeMb', now.memFreeMb),
  ...given('activeConns', now.conntrackCount),
  ...given('conntrackUsagePct', share(now.conntrackCount, now.conntrackMax)),
  ...given('iface', now.traffic?.iface ?? null),
  ...given('rxDropped', now.traffic?.rxDropped ?? null),
  ...given('txDropped', now.traffic?.txDropped ?? null),
})

/** What two readings tell that are `seconds` apart. */
function rates(before: Machine | null, now: Machine, seconds: number): Reading {
  if (before === null || seconds <= 0) return {}
  const perSecond = (was: number | undefined | null, is: number | undefined | null): number | null =>
    was == null || is == null || is < was ? null : (is - was) / seconds
  const was = before.traffic?.iface === now.traffic?.iface ? before.traffic : null
  const rx = perSecond(was?.rxBytes, now.traffic?.rxBytes)
  const tx = perSecond(was?.txBytes, now.traffic?.txBytes)
  const ppsRx = perSecond(was?.rxPackets, now.traffic?.rxPackets)
  const ppsTx = perSecond(was?.txPackets, now.traffic?.txPackets)
  const ticks = before.cpu === null || now.cpu === null ? null : now.cpu.total - before.cpu.total
  const ticksOf = (part: 'idle' | 'softirq'): number | null =>
    before.cpu === null || now.cpu === null ? null : Math.max(0, now.cpu[part] - before.cpu[part])
  const idlePct = share(ticksOf('idle'), ticks)
  return {
    ...given('cpuTotalPct', idlePct === null ? null : Math.max(0, 100 - idlePct)),
    ...given('softirqPct', share(ticksOf('softirq'), ticks)),
    ...given('bwRxMbps', megabits(rx)),
    ...given('bwTxMbps', megabits(tx)),
    ...given('bwTotalMbps', megabits(sum(rx, tx))),
    ...given('ppsRx', ppsRx),
    ...given('ppsTx', ppsTx),
    ...given('ppsTotal', sum(ppsRx, ppsTx)),
    ...given('connEstRateS', perSecond(before.tcpOpened, now.tcpOpened)),
  }
}

const round = (latency: Latency | null): Reading =>
  latency === null
    ? {}
    : {
        pingTarget: latency.target,
        latencyP50Ms: latency.p50Ms,
        latencyP95Ms: latency.p95Ms,
        ...given('packetLossPct', latency.lossPct),
      }

const given = <K extends string, V>(name: K, value: V | null): { [name in K]?: V } =>
  (value === null ? {} : { [name]: value }) as { [name in K]?: V } // a computed key widens to string

const sum = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b)
const megabits = (bytesPerSecond: number | null): number | null =>
  bytesPerSecond === null ? null : (bytesPerSecond * 8) / 1e6
const share = (part: number | null, whole: number | null): number | null =>
  part === null || whole === null || whole <= 0 ? null : Math.min(100, (100 * part) / whole)
