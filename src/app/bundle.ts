/**
 * Everything that somebody who helps from elsewhere asks for first, as one JSON text: what the coordinator is, how it
 * does, and whom it knows. The lists are bounded, and no secret is in it.
 */
import type { MeshApi, Plain } from '../actors/ports.js'
import type { Clock } from '../kit/clock.js'
import type { HealthReport } from '../telemetry/health.js'
import type { LogLevel } from '../telemetry/log-level.js'
import type { LogTail } from '../telemetry/log-tail.js'
import type { LoopDelay } from '../telemetry/loop-delay.js'
import type { Metrics } from '../telemetry/metrics.js'
import type { Config } from './config.js'
import { maskedSettings, secretsIn, withoutSecrets } from './masking.js'
import { SETTINGS } from './settings.js'

export interface BundleParts {
  readonly clock: Clock
  readonly mesh: MeshApi
  readonly config: Config
  readonly version: string
  readonly storeKind: string
  readonly health: HealthReport
  readonly metrics: Metrics
  readonly loop: LoopDelay
  readonly logLevel: LogLevel
  readonly tail: LogTail
  /** Secrets that are not in the settings: made in the data directory. */
  readonly secrets: readonly string[]
}

/** Rows of each list; the counts are of all. */
const ROWS_MAX = 200
/** Lines of the log, the newest ones. */
const LINES_MAX = 300

/** Resolves with the bundle, as JSON. */
export async function bundleText(parts: BundleParts): Promise<string> {
  const { clock, mesh, config, health, metrics, loop, logLevel } = parts
  const [nodes, clients, routes, { paths }] = [mesh.nodes(), mesh.clients(), mesh.routes(), mesh.paths()]
  const bundle = {
    takenAt: new Date(clock.wallMs()).toISOString(),
    version: parts.version,
    serverId: mesh.serverId,
    state: mesh.state(),
    process: processFacts(),
    settings: maskedSettings(SETTINGS, config),
    logLevel: logLevel.view,
    store: parts.storeKind,
    health: await health.health(),
    loop: loop.peek(),
    stats: mesh.stats(),
    nodes: bounded(nodes),
    clients: bounded(clients),
    routes: bounded(routes),
    paths: bounded(paths),
    drains: mesh.drains(),
    actors: await mesh.actors({ limit: ROWS_MAX }),
    statecharts: mesh.statecharts(),
    log: parts.tail.lines({ level: 'trace' }, LINES_MAX),
    metrics: (await metrics.page()).body,
  }
  const text = JSON.stringify(bundle, (_, value: unknown) => plain(value))
  return withoutSecrets(text, [...secretsIn(SETTINGS, config), ...parts.secrets])
}

const bounded = <T>(rows: readonly T[]) => ({ total: rows.length, first: rows.slice(0, ROWS_MAX) })

/** Bytes within rows are WireGuard public keys. */
const plain = (value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value

function processFacts(): Plain {
  const { version, platform, arch, pid } = process
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  return {
    node: version,
    platform,
    arch,
    pid,
    uptimeS: Math.round(process.uptime()),
    memory: { rss, heapUsed, heapTotal, external },
  }
}
