/**
 * `boson server`: starts the coordinator, and stops it so that nothing is lost and everyone comes back.
 *
 *   lock the data directory ─→ token, id ─→ store ─→ journal ─→ mesh ─→ listen
 *   SIGTERM, SIGINT: stop listening ─→ tell every agent its slot ─→ snapshot ─→ close ─→ exit 0
 *   SIGHUP: read the certificate again
 */
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { heldClock } from '../agent/held-clock.js'
import { systemClock } from '../kit/clock.js'
import { systemRandom } from '../kit/random.js'
import {
  type DataDirLock,
  lockDataDir,
  openJournal,
  type OpenStore,
  openStore,
  StoreUnavailable,
} from '../store/index.js'
import { finishRestore } from '../store/backup/index.js'
import { openRedis, type RedisLink } from '../store/redis.js'
import { createLog } from '../telemetry/log.js'
import { LogTail } from '../telemetry/log-tail.js'
import type { Config } from './config.js'
import { type Coordinator, startCoordinator } from './coordinator.js'
import { EXIT } from './exit-codes.js'
import { unheeded } from './first-names.js'
import { greeting } from './greeting.js'
import { PLUGINS } from './plugins.js'
import { checkSecrets, jwtSecret, operatorToken, ownServerId, turnSecret, vaultSecret } from './secrets.js'
import { guardedUpgrade } from './upgrade.js'
import { Turn, type TurnOptions } from './turn.js'

/** A database that starts together with us is waited for this long, ms … */
const STORE_PATIENCE_MS = 30_000
/** … and asked this often, ms. */
const STORE_RETRY_MS = 1_000
/** A stop that takes longer than this is given up; the journal keeps what the database has not taken, ms. */
const STOP_MAX_MS = 30_000
/** The same after a second signal, and after a fault of ours, ms. */
const HURRY_MAX_MS = 2_000
const DAY_MS = 86_400_000

/** Resolves when the coordinator serves; from then on the process ends by a signal. */
export async function serve(config: Config, env: NodeJS.ProcessEnv): Promise<void> {
  checkSecrets(config, env)
  const pretty = process.stdout.isTTY === true
  const tail = new LogTail()
  const log = createLog({ level: config.logLevel, pretty, tail })
  for (const name of unheeded(env)) log.warn(name, 'a setting of an earlier system has no effect')
  const running = await startServer(config, log, tail)
  endBySignals(running, config, log)
  process.on('SIGHUP', () => reload(running.coordinator, config, log))
  const { coordinator, store } = running
  const { serverId } = coordinator.mesh
  log.info({ serverId, host: config.host, port: coordinator.port, store: store.kind }, 'listening')
  if (pretty || config.mode !== 'production')
    process.stderr.write(greeting(config, coordinator.port, store.kind))
}

export interface RunningServer {
  readonly coordinator: Coordinator
  readonly store: OpenStore
  /** Closes everything below the coordinator, which stops first. */
  close(): Promise<void>
}

/** Resolves when the coordinator of these settings serves; whoever starts it ends it. `tail` is what `log` is followed by. */
export async function startServer(config: Config, log: Logger, tail: LogTail): Promise<RunningServer> {
  const { turnMode } = config
  const lock: DataDirLock = lockDataDir(config.dataDir)
  const opened: (() => unknown)[] = [() => lock.release()]
  const close = async () => {
    for (const each of opened.reverse()) await each()
  }
  try {
    finishRestore(config.dataDir)
    const store = await patiently(log, () =>
      openStore({
        databaseUrl: config.databaseUrl ?? undefined,
        dataDir: config.dataDir,
        overlay4: config.overlay4,
        overlay6: config.overlay6,
        retention: { pathsMs: config.pathsKeptDays * DAY_MS },
        log,
        upgrade: guardedUpgrade(config, systemClock, log),
      }),
    )
    opened.push(() => store.close())
    const journal = openJournal(join(config.dataDir, 'journal'), { log })
    opened.push(() => journal.close())
    const redis: RedisLink | null = config.redisUrl === null ? null : openRedis({ url: config.redisUrl, log })
    opened.push(() => redis?.close())
    const coordinator = await startCoordinator({
      config,
      store,
      journal,
      log,
      tail,
      clock: systemClock,
      random: systemRandom,
      serverId: ownServerId(config, systemRandom),
      token: operatorToken(config, systemRandom),
      jwtSecret: jwtSecret(config, systemRandom),
      vaultKey: vaultSecret(config, systemRandom),
      plugins: { list: PLUGINS, room: store.room },
      backUp: store.backUp,
      storeKind: store.kind === 'pglite' ? 'embedded (pglite)' : 'postgres',
      redis: redis && (() => redis.ping()),
      ...(turnMode !== 'off' && turning(config, turnMode, log)),
    })
    return { coordinator, store, close }
  } catch (error) {
    await close()
    throw error
  }
}

function turning(config: Config, mode: TurnOptions['mode'], log: Logger) {
  const secret = turnSecret(config, systemRandom)
  return {
    turnSecret: secret,
    turn: (mesh: TurnOptions['mesh']) => new Turn({ config, mode, secret, mesh, log }),
  }
}

/** A database that is started beside the coordinator may need a moment. */
async function patiently(log: Logger, open: () => Promise<OpenStore>): Promise<OpenStore> {
  const giveUpMs = systemClock.now() + STORE_PATIENCE_MS
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || systemClock.now() > giveUpMs) throw error
      log.warn({ reason: error.message }, 'the database does not answer yet')
      await wait(STORE_RETRY_MS)
    }
  }
}

function endBySignals(running: RunningServer, config: Config, log: Logger): void {
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= running.coordinator.stop(config.restartSpreadMs).then(() => running.close())
    return stopping
  }
  const end = async (code: number, withinMs: number) => {
    const inTime = await Promise.race([stop().then(() => true), wait(withinMs).then(() => false)])
    if (!inTime) log.warn({ withinMs }, 'not everything could be written in time; the journal keeps it')
    process.exit(code)
  }
  const fail = (error: unknown) => {
    log.error({ err: error }, 'our own code failed; what is in memory is written, then the process ends')
    end(EXIT.failed, HURRY_MAX_MS).catch(() => process.exit(EXIT.failed))
  }
  let asked = 0
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, asked === 0 ? 'stopping: agents are told when to come back' : 'stopping at once')
      end(EXIT.ok, asked++ === 0 ? STOP_MAX_MS : HURRY_MAX_MS).catch(fail)
    })
  }
  process.on('uncaughtException', fail)
}

function reload(coordinator: Coordinator, config: Config, log: Logger): void {
  if (config.tlsCert === null) {
    log.info({}, 'SIGHUP: there is no certificate to read again')
    return
  }
  try {
    coordinator.reload()
    log.info({ cert: resolve(config.tlsCert) }, 'the certificate was read again')
  } catch (error) {
    log.error({ err: error }, 'the certificate cannot be used; the old one stays')
  }
}

/** The held clock's timers keep the process alive: somebody waits for this one. */
const wait = (ms: number): Promise<void> =>
  new Promise(resolved => {
    heldClock.setTimeout(resolved, ms)
  })
