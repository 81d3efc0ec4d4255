/** A heartbeat as agents of VPN servers send it: 25 fields, of which only the first two must be known. */
import { z } from 'zod'
import { amount } from '../../http/fields.js'
import type { Gauges } from '../agents/mailbox.js'
import { line } from '../fields.js'
import { type Figures, placed, usedPct } from '../history/figures.js'

/** No figure is larger: a number with it is still exact. */
const MOST = Number.MAX_SAFE_INTEGER

/** A load beyond this is a slip. */
const LOAD_MAX = 1e6

const figure = () => amount(0, MOST).nullish()

/** ISO 8601; without an offset it is UTC, as Python’s `utcnow().isoformat()` prints it. Gives ms since 1970 UTC. */
const time = z.iso
  .datetime({ offset: true, local: true, error: 'wanted a time such as 2026-01-15T10:30:00Z' })
  .transform(given => Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(given) ? given : `${given}Z`))

/** A name of a server, printable and without blanks at its ends. */
export const serverId = z
  .string({ error: 'wanted a server id' })
  .regex(/^(?! )[\x20-\x7e]{1,64}(?<! )$/, { error: 'wanted 1 to 64 printable characters' })
  .meta({ example: 'server-001' })

/** Its figures, and what the heartbeat of the wire calls them. */
const WIRE_NAMES = {
  uptime_s: 'uptimeS',
  mem_total_mb: 'memTotalMb',
  mem_free_mb: 'memFreeMb',
  cpu_total_pct: 'cpuTotalPct',
  softirq_pct: 'softirqPct',
  bw_rx_mbps: 'bwRxMbps',
  bw_tx_mbps: 'bwTxMbps',
  bw_total_mbps: 'bwTotalMbps',
  pps_rx: 'ppsRx',
  pps_tx: 'ppsTx',
  pps_total: 'ppsTotal',
  conn_est_rate_s: 'connEstRateS',
  active_conns: 'activeConns',
  conntrack_usage_pct: 'conntrackUsagePct',
  rx_dropped: 'rxDropped',
  tx_dropped: 'txDropped',
  latency_p50_ms: 'latencyP50Ms',
  latency_p95_ms: 'latencyP95Ms',
  packet_loss_pct: 'packetLossPct',
} as const satisfies Record<string, keyof Gauges>

export type FigureField = keyof typeof WIRE_NAMES
export const FIGURE_FIELDS = Object.keys(WIRE_NAMES) as readonly FigureField[] // all of them

const figures = Object.fromEntries(FIGURE_FIELDS.map(name => [name, figure()])) as Record<
  FigureField,
  ReturnType<typeof figure>
>

export const Heartbeat = z.object({
  server_id: serverId,
  generated_at: time.meta({ description: 'When the figures were read.' }),
  ready_at: time.nullish().meta({ description: 'When they were ready to be sent.' }),
  iface: line(64).nullish().meta({ description: 'Interface that the traffic figures are of.' }),
  ping_target: line(255).nullish().meta({ description: 'Whom the latency figures are to.' }),
  load1: z
    .union([line(32), amount(0, MOST)], { error: 'wanted a load such as "0.75"' })
    .transform(String)
    .nullish()
    .meta({ description: 'One-minute load average.' }),
  ...figures,
})
export type Heartbeat = z.output<typeof Heartbeat>

/** Returns the heartbeat as the wire tells it. */
export function gaugesOf(beat: Heartbeat): Gauges {
  const known = FIGURE_FIELDS.flatMap(name => (beat[name] == null ? [] : [[WIRE_NAMES[name], beat[name]]]))
  const load1 = loadOf(beat)
  return { ...(Object.fromEntries(known) as Gauges), ...(load1 !== null && { load1: load1.toFixed(2) }) }
}

/** Returns the heartbeat as the history keeps it. */
export function figuresOf(beat: Heartbeat): Figures {
  const { load1: _, ...gauges } = gaugesOf(beat)
  return placed({
    ...gauges,
    load1: loadOf(beat),
    memUsedPct: usedPct(beat.mem_total_mb, beat.mem_free_mb),
  })
}

function loadOf({ load1 }: Heartbeat): number | null {
  const load = Number(load1 ?? Number.NaN)
  return load >= 0 && load < LOAD_MAX ? load : null
}
