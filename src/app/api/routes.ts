/** The operator's HTTP interface: every page there is, and who may ask for it. */
import type { MeshApi, Store, TurnView } from '../../actors/ports.js'
import type { Endpoint } from '../../http/endpoint.js'
import type { BackUp } from '../../store/index.js'
import type { Clock } from '../../kit/clock.js'
import type { HealthReport } from '../../telemetry/health.js'
import type { LogLevel } from '../../telemetry/log-level.js'
import type { LogTail } from '../../telemetry/log-tail.js'
import type { LoopDelay } from '../../telemetry/loop-delay.js'
import type { Metrics } from '../../telemetry/metrics.js'
import type { Rate } from '../../telemetry/rate.js'
import type { Config } from '../config.js'
import type { MoreRows } from '../plugins.js'
import type { Timing } from '../timing.js'
import { actorRoutes } from './actors.js'
import { auditRoute } from './audit.js'
import { backupRoutes } from './backups.js'
import { bundleRoute } from './bundle.js'
import { decisionRoutes } from './decisions.js'
import { drainRoutes } from './drains.js'
import { enrolmentRoutes } from './enrolment-keys.js'
import { healthRoutes } from './health.js'
import { interventionRoutes } from './interventions.js'
import { listRoutes } from './lists.js'
import { logRoute } from './log.js'
import { logLevelRoutes } from './log-level.js'
import { meshRoute, rootRoute } from './mesh-page.js'
import { metricsRoutes } from './metrics.js'
import { pathRoutes } from './paths.js'
import { pictureRoute } from './picture.js'
import { statusRoute } from './status.js'
import { steeringRoutes } from './steering.js'

export interface ApiParts {
  readonly config: Config
  /** Secrets that are not in the settings. */
  readonly secrets: readonly string[]
  readonly serverId: string
  readonly clock: Clock
  readonly mesh: MeshApi
  readonly store: Store
  /** Backs up the database; null where there is none. */
  readonly backUp: BackUp | null
  /** How the store is kept, in words: `embedded (pglite)`. */
  readonly storeKind: string
  readonly health: HealthReport
  readonly metrics: Metrics
  readonly loop: LoopDelay
  readonly logLevel: LogLevel
  /** The last lines of the log. */
  readonly tail: LogTail
  /** STUN and TURN; null when they are off. */
  readonly turn: (() => TurnView) | null
  /** What the relay forwards, bytes/s. */
  readonly relayBytes: Rate
  /** Whether everyone may read the metrics, or only this machine and holders of the token. */
  readonly metricsOpen: boolean
  /** The times that hold here. */
  readonly timing: Timing
  readonly version: string
  /** What plug-ins add to the rows of lists. */
  readonly rows: MoreRows
}

/** Returns every endpoint of the coordinator. */
export const apiRoutes = (parts: ApiParts): readonly Endpoint[] => [
  ...healthRoutes(parts),
  ...metricsRoutes(parts),
  statusRoute(parts),
  ...enrolmentRoutes(parts),
  ...listRoutes(parts),
  ...pathRoutes(parts),
  pictureRoute(parts),
  ...decisionRoutes(parts),
  ...steeringRoutes(parts),
  ...drainRoutes(parts),
  ...interventionRoutes(parts),
  ...logLevelRoutes(parts),
  logRoute(parts),
  bundleRoute(parts),
  ...backupRoutes(parts),
  ...actorRoutes(parts),
  auditRoute(parts),
  rootRoute,
  meshRoute,
]
