/**
 * The checks of a coordinator, on this machine: what each of them is told of sockets, files, databases and clocks.
 * The running coordinator, when there is one, is asked once, and everyone waits for its answer.
 */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { MailServer } from '../../access/mail/smtp.js'
import { readSmtpUrl } from '../../access/mail/smtp-url.js'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { dataDirHolder } from '../../store/index.js'
import { type DatabaseLook, isUnfinished, lookAtPglite, lookAtPostgres } from '../../store/look.js'
import { lookAtRedis, type RedisLook } from '../../store/look-redis.js'
import { issueCredentials } from '../../turn/credentials.js'
import { tryServer } from '../../turn/try-server.js'
import type { Config } from '../config.js'
import { unheeded } from '../first-names.js'
import { urlHere } from '../greeting.js'
import { existingSecrets, SECRET_FILES, secretProblems } from '../secrets.js'
import { CHECKER } from '../turn.js'
import { NODE_WANTED } from '../version.js'
import { certificate } from './certificate.js'
import { type Check, ok, reasonOf, warning } from './check.js'
import { clock } from './clock.js'
import { coordinator } from './coordinator.js'
import { dataDir } from './data-dir.js'
import { database } from './database.js'
import { countBoth, isSynchronised, writeAndSync } from './host.js'
import { mail } from './mail.js'
import { nodeVersion, openFiles, udpBuffers } from './machine.js'
import { portUses, turnUrls } from './places-of-service.js'
import { portFinding } from './ports.js'
import { holdersOf, kernelNumber, listeningPortsOf, mostOpenFiles, openFilesOf } from './proc.js'
import { redis } from './redis.js'
import { askRunning, type Running } from './running.js'
import { secrets } from './secrets.js'
import { takePort } from './take-port.js'
import { turn } from './turn.js'
import { wireguardChecks } from './wireguard-elsewhere.js'

export interface CoordinatorChecksOptions {
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
  /** The operator's token; null: the one that is configured or kept in the data directory. */
  readonly token: string | null
  /** Agents that it is to hold at once. */
  readonly sessions: number
  readonly clock: Clock
  readonly random: Random
}

/** How long a server may take to answer one question, ms: several fit into the patience of a check. */
const ANSWER_MS = 2_000
/** An embedded database up to this size is opened as a copy, bytes. */
const COPY_MAX = 256e6
/** What the listeners of STUN and TURN ask for, bytes. */
const UDP_BUFFER = 4 << 20
/** A credential that lives as long as the check, s. */
const CREDENTIAL_S = 60

/** Returns the checks of the coordinator that these settings describe. */
export function coordinatorChecks(options: CoordinatorChecksOptions): readonly Check[] {
  const { config, env, sessions, random } = options
  const found = existingSecrets(config)
  const asked = askRunning({
    url: urlHere(config, config.port),
    token: options.token ?? found.token,
    clock: options.clock,
    // Who is at the other end is known by the port; whether the certificate is good is a check of its own.
    insecure: true,
  })
  const running = asked.then(answer => (typeof answer === 'string' || answer.health === null ? null : answer))
  const holder = existsSync(config.dataDir) ? dataDirHolder(config.dataDir) : null
  const time = { clock: options.clock, withinMs: ANSWER_MS }
  const postgres = once(() => lookAtPostgres(config.databaseUrl ?? '', time))
  const redisLook = once(() => lookAtRedis(config.redisUrl ?? '', time))
  const own = holder === null || holder.elsewhere ? [] : [holder.pid]

  return [
    {
      name: 'settings',
      look: () => {
        const names = unheeded(env)
        return names.length === 0
          ? [ok('settings', 'can be used')]
          : names.map(({ name, instead }) =>
              warning('settings', `${name} of an earlier system has no effect`, instead),
            )
      },
    },
    { name: 'coordinator', look: async () => [coordinator(await asked, holder !== null)] },
    { name: 'Node.js', look: () => [nodeVersion(machine())] },
    { name: 'open files', look: () => [openFiles(machine())] },
    { name: 'UDP buffers', look: () => [udpBuffers(machine())] },
    ...portUses(config).map(use => ({
      name: use.check,
      look: async () => {
        const answers = (await running) !== null
        return [
          await portFinding(use, {
            holders: holdersOf,
            take: ({ transport, address, port }) => takePort(transport, address, port),
            own,
            answers,
            runs: answers && own.length > 0,
          }),
        ]
      },
    })),
    {
      name: 'data dir',
      look: async () =>
        dataDir({
          path: config.dataDir,
          folder: existsSync(config.dataDir) ? statSync(config.dataDir) : null,
          mayMake: writable(config.dataDir),
          uid: process.getuid?.() ?? 0,
          holder,
          holderPorts: own.flatMap(listeningPortsOf),
          answers: (await running) !== null,
          port: config.port,
          freeBytes: existsSync(config.dataDir) ? await freeBytes(config.dataDir) : null,
          sync: () => writeAndSync(config.dataDir, options.clock),
        }),
    },
    {
      name: 'database',
      look: async () => {
        const dir = join(config.dataDir, 'pglite')
        return database({
          kind: config.databaseUrl === null ? 'embedded' : 'postgres',
          look:
            config.databaseUrl === null ? () => lookAtPglite(dir, { ...time, copyMax: COPY_MAX }) : postgres,
          used: usedBy(await running, holder !== null),
          found: !existsSync(dir) ? 'nothing' : isUnfinished(config.dataDir) ? 'unfinished' : 'database',
        })
      },
    },
    ...(config.redisUrl === null ? [] : [{ name: 'redis', look: async () => [await redis(redisLook)] }]),
    {
      name: 'mail',
      look: async () => [
        await mail({
          place: config.smtpUrl === null ? null : readSmtpUrl(config.smtpUrl),
          wanted: config.signUp === 'confirmed',
          check: () => checkMail(config, options.clock),
        }),
      ],
    },
    ...wireguardChecks(config, options.clock),
    {
      name: 'clock',
      look: async () => {
        const [counted, there, db, cache, synchronised] = await Promise.all([
          countBoth(options.clock),
          running,
          config.databaseUrl === null ? null : postgres().catch(() => null),
          config.redisUrl === null ? null : redisLook().catch(() => null),
          isSynchronised(),
        ])
        return clock({ counted, synchronised, ahead: clocks(there, db, cache) })
      },
    },
    {
      name: 'turn',
      look: async () =>
        turn({
          mode: config.turnMode,
          urls: config.turnMode === 'external' ? config.turnUrls : turnUrls(config),
          runs: (await running) !== null,
          secret: found.turn !== null,
          attempt: url =>
            tryServer({
              url,
              credential:
                url.startsWith('stun:') || found.turn === null ? null : credential(found.turn, options.clock),
              clock: options.clock,
              random,
              withinMs: ANSWER_MS,
            }),
        }),
    },
    {
      name: 'certificate',
      look: async () =>
        certificate({
          cert: readPem(config.tlsCert),
          key: readPem(config.tlsKey),
          keyMode: config.tlsKey !== null && existsSync(config.tlsKey) ? statSync(config.tlsKey).mode : null,
          names: [
            ...new Set(
              [
                config.publicUrl === null ? [] : new URL(config.publicUrl).hostname,
                config.turnHost ?? [],
              ].flat(),
            ),
          ].filter(name => isIP(name) === 0),
          shown: (await running)?.fingerprint ?? null,
          production: config.mode === 'production',
          exposed: !/^(127\.|::1$|localhost$)/.test(config.host) && config.trustedProxies.length === 0,
          nowMs: options.clock.wallMs(),
        }),
    },
    {
      name: 'secrets',
      look: () =>
        secrets({
          production: config.mode === 'production',
          problems: secretProblems(config, env),
          files: SECRET_FILES.map(name => join(config.dataDir, name))
            .filter(path => existsSync(path))
            .map(path => ({ path, mode: statSync(path).mode })),
        }),
    },
  ]

  function machine() {
    const most = mostOpenFiles()
    return {
      nodeVersion: process.version,
      nodeWanted: NODE_WANTED,
      files:
        (own[0] === undefined ? null : openFilesOf(own[0])) ??
        (most === null ? null : { max: most, open: null }),
      sessions,
      rmemMax: kernelNumber('/proc/sys/net/core/rmem_max'),
      wmemMax: kernelNumber('/proc/sys/net/core/wmem_max'),
      udpBuffer: config.turnMode === 'off' ? null : UDP_BUFFER,
    }
  }
}

async function checkMail({ smtpUrl, mailFrom }: Config, clockNow: Clock): Promise<void> {
  if (smtpUrl === null || mailFrom === null) return
  const server = new MailServer({ url: smtpUrl, from: mailFrom, clock: clockNow, stepMs: ANSWER_MS })
  await server.check()
}

function usedBy(running: Running | null, isHeld: boolean) {
  if (running?.health != null) {
    const { status, latency } = running.health.services.database
    return { status, latencyMs: latency }
  }
  return isHeld ? ('unknown' as const) : null
}

function credential(secret: string, clockNow: Pick<Clock, 'wallMs'>) {
  const { username, password } = issueCredentials(secret, CHECKER, CREDENTIAL_S, clockNow.wallMs())
  return { username, password }
}

const clocks = (there: Running | null, db: DatabaseLook | null, cache: RedisLook | null) => [
  ...(there === null ? [] : [{ who: 'the coordinator', ms: there.aheadMs, roundTripMs: there.roundTripMs }]),
  ...(db === null ? [] : [{ who: 'the database', ms: db.aheadMs, roundTripMs: db.roundTripMs }]),
  ...(cache === null ? [] : [{ who: 'Redis', ms: cache.aheadMs, roundTripMs: cache.roundTripMs }]),
]

function readPem(path: string | null): string | Error | null {
  if (path === null) return null
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return error instanceof Error ? error : new Error(reasonOf(error))
  }
}

/** Returns why a directory cannot be made; null when it can. */
function writable(path: string): string | null {
  let folder = dirname(resolve(path))
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder)
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return null
  } catch (error) {
    return reasonOf(error)
  }
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

/** Returns what asks once, and has the same answer for everyone. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => (answer ??= ask())
}
