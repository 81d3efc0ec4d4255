/**
 * A coordinator that listens: the mesh, its pages and its figures on one port. Whoever starts it brings the
 * store and the journal, and closes them afterwards.
 */
import { Facts } from '../actors/facts.js'
import type { Journal, Store } from '../actors/ports.js'
import { heldClock } from '../agent/held-clock.js'
import { Allowances } from '../edge/allowances.js'
import { bearers, type RecogniseBearer, recogniser } from '../edge/bearer.js'
import { admit, ask } from '../edge/ask.js'
import { httpHandler } from '../edge/http.js'
import { meshChannel } from '../edge/mesh-channel.js'
import { Remotes } from '../edge/remote.js'
import type { Endpoint } from '../http/endpoint.js'
import { Router } from '../http/router.js'
import { type EdgeServer, listen } from '../edge/server.js'
import type { House } from '../edge/visit.js'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { HealthReport, type Ping } from '../telemetry/health.js'
import { type Leveled, LogLevel } from '../telemetry/log-level.js'
import { LogTail } from '../telemetry/log-tail.js'
import { LoopDelay } from '../telemetry/loop-delay.js'
import { Metrics } from '../telemetry/metrics.js'
import { Rate } from '../telemetry/rate.js'
import { agentTokens } from './agent-tokens.js'
import { documentationRoutes } from './api/documentation.js'
import { apiRoutes } from './api/routes.js'
import type { Config } from './config.js'
import { createMesh, type Log, type Mesh } from './mesh.js'
import { startPlugins } from './plugins.js'
import type { BackUp, OpenRoom } from '../store/index.js'
import type { Plugin, Revoked } from './plugin.js'
import { signingKeys } from './signing-keys.js'
import { timingOf } from './timing.js'
import type { Turn, TurnOptions } from './turn.js'
import { openVault } from './vault.js'
import { VERSION } from './version.js'

export interface CoordinatorOptions {
  readonly config: Config
  readonly serverId: string
  /** The operator's bearer token. */
  readonly token: string
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  /** How the store is kept, in words. */
  readonly storeKind: string
  readonly journal: Journal
  /** Backs up the database; absent: there is none. */
  readonly backUp?: BackUp
  /** Rooms beside the mesh, and where they keep their tables; absent: none. */
  readonly plugins?: { readonly list: readonly Plugin[]; readonly room: OpenRoom }
  /** Signs the tokens of agents that speak HTTP. */
  readonly jwtSecret: string
  /** Seals the secrets that plug-ins keep in the database. */
  readonly vaultKey: string
  /** Signs the credentials of a TURN server; absent: there is none. */
  readonly turnSecret?: string
  /** null when there is no Redis. */
  readonly redis: Ping | null
  /** Makes STUN and TURN for those whom the mesh knows; absent: none. */
  readonly turn?: (mesh: TurnOptions['mesh']) => Turn
  readonly log: Log & Leveled
  /** The last lines of `log`; absent: nobody sees them. */
  readonly tail?: LogTail
}

export interface Coordinator {
  readonly mesh: Mesh
  readonly port: number
  /** Everything that it answers over HTTP, plug-ins included. */
  readonly endpoints: readonly Endpoint[]
  /** Reads the certificate again; throws, and goes on with the old one, when it cannot be used. */
  reload(): void
  /** Says goodbye to every agent, with a slot to come back within `spreadMs`, and writes what is not written yet. */
  stop(spreadMs: number): Promise<void>
}

/** Clients of TURN get this long to move to another path before their relay ends, ms. */
const TURN_DRAIN_MS = 5_000
/** The longest that a stop keeps the process alive by itself, ms. */
const ALIVE_MS = 60_000

/** Resolves when the coordinator serves. */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { config, clock, store, log, tail = new LogTail() } = options
  const turn = options.turn?.({
    isPresent: id => mesh.isPresent(id),
    mayReach: (id, address) => mesh.mayReach(id, address),
  })
  const mesh = createMesh({ ...meshOptions(options), ...(turn && { traversal: turn }) })
  await mesh.start()
  await turn?.start()
  const loop = new LoopDelay()
  const logLevel = new LogLevel(clock, log)
  const view = turn === undefined ? null : () => turn.view()
  const metrics = new Metrics({ clock, mesh, loop, turn: view, startedAtMs: clock.wallMs() })
  const health = new HealthReport({
    clock,
    mesh,
    database: () => store.ping(),
    redis: options.redis,
    turn: turn === undefined ? null : { ping: () => turn.ping(), state: () => turn.view().state },
  })
  const relayBytes = new Rate(clock, () => mesh.stats().relay.bytes)
  const remotes = new Remotes(config.trustedProxies)
  const tokens = agentTokens({
    clock,
    mesh,
    serverId: options.serverId,
    secret: options.jwtSecret,
    oldSecret: config.jwtOldSecret,
    lifeMs: config.jwtLifeMs,
  })
  const revocations = new Facts<Revoked>((error, { accountId }) =>
    log.error({ err: error, accountId }, 'a listener failed'),
  )
  const plugins = await startPlugins(options.plugins?.list ?? [], mesh, {
    config,
    version: VERSION,
    clock,
    random: options.random,
    log,
    tokens,
    recognise: bearer => recognise(bearer),
    ask: question => ask(house, question),
    admit: question => admit(house, question),
    revocations,
    signingKeys: signingKeys(options.jwtSecret, config.jwtOldSecret),
    vault: openVault(options.vaultKey, options.random),
    traversal: turn ?? null,
    room: options.plugins?.room,
    audit: event => mesh.audit(event),
    tail,
  })
  const recognise: RecogniseBearer = bearers(options.token, ...plugins.recognisers, bearer =>
    tokens.recognise(bearer),
  )
  metrics.add(plugins.figures)
  const { token, jwtSecret, vaultKey, turnSecret = '' } = options
  const routes = apiRoutes({
    config,
    secrets: [token, jwtSecret, vaultKey, turnSecret],
    serverId: options.serverId,
    rows: plugins.rows,
    clock,
    mesh,
    store,
    health,
    metrics,
    loop,
    logLevel,
    tail,
    turn: view,
    backUp: options.backUp ?? null,
    relayBytes,
    storeKind: options.storeKind,
    metricsOpen: config.metricsOpen,
    timing: timingOf(config),
    version: VERSION,
  })
  const endpoints: readonly Endpoint[] = [
    ...routes,
    ...plugins.routes,
    ...documentationRoutes({ version: VERSION, endpoints: () => endpoints }),
  ]
  const house: House = {
    clock,
    router: new Router(endpoints),
    allowances: {
      address: new Allowances(clock, config.httpPerMinute, config.httpBurst ?? undefined),
      identity: new Allowances(clock, config.httpPerMinutePerIdentity),
    },
    served: request => {
      metrics.served(request)
      log.debug(request, 'a request was answered')
    },
    faulted: (error, route) => log.error({ err: error, route }, 'a request failed'),
  }
  loop.start()
  let server: EdgeServer
  try {
    server = listen({
      host: config.host,
      port: config.port,
      tls:
        config.tlsCert === null || config.tlsKey === null
          ? null
          : { cert: config.tlsCert, key: config.tlsKey },
      channels: [meshChannel(mesh.intake, config.origins), ...plugins.channels],
      remotes,
      http: httpHandler({
        ...house,
        remotes,
        recognise: recogniser(recognise),
        corsOrigins: new Set(config.corsOrigin),
      }),
      refused: ({ statusCode, code }, path) =>
        metrics.served({ method: 'GET', endpoint: path, status: statusCode, fault: code, durationMs: 0 }),
      faulted: (error, remote) => log.error({ err: error, remote }, 'a socket failed and was closed'),
    })
  } catch (error) {
    await plugins.stop()
    await Promise.all([mesh.stop({ spreadMs: 0 }), turn?.stop()])
    relayBytes.stop()
    loop.stop()
    throw error
  }
  return {
    mesh,
    port: server.port,
    endpoints,
    reload() {
      server.reload()
      turn?.reload()
    },
    async stop(spreadMs) {
      server.shut()
      // The mesh's timers do not keep the process alive, and nothing may listen any more.
      const alive = heldClock.setTimeout(() => undefined, ALIVE_MS)
      await plugins.stop()
      await Promise.all([mesh.stop({ spreadMs }), turn?.drain(Math.min(spreadMs, TURN_DRAIN_MS))])
      await turn?.stop()
      heldClock.clearTimeout(alive)
      server.close()
      relayBytes.stop()
      loop.stop()
    },
  }
}

function meshOptions(options: CoordinatorOptions): Parameters<typeof createMesh>[0] {
  const { config, serverId, clock, random, store, journal, log } = options
  return {
    serverId,
    clock,
    random,
    store,
    journal,
    log,
    natProbeEveryMs: config.natProbeEveryMs,
    snapshotEveryMs: config.snapshotEveryMs,
    timing: {
      beatEveryMs: config.beatEveryMs,
      resumeWindowMs: config.resumeWindowMs,
      failoverAfterMs: config.failoverAfterMs,
      routeDwellMs: config.routeDwellMs,
    },
    limits: {
      greetingPerAddress: config.greetingPerAddress,
      greetingTotal: config.greetingTotal,
      sessionsPerAddress: config.sessionsPerAddress,
      hellosPerSecond: config.hellosPerSecond,
      helloBurst: config.helloBurst,
      strikesPerMinute: config.strikesPerMinute,
      pingsPerSecond: config.pingsPerSecond,
      controlPerSecond: config.controlPerSecond,
      controlBurst: config.controlBurst,
    },
    admission: { perSecond: config.admissionsPerSecond, burst: config.admissionBurst },
    pathPolicy: config.pathPolicy,
    relay: { mbpsPerIdentity: config.relayMbpsPerIdentity, payload: config.relayPayload },
  }
}
