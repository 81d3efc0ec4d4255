/** Log lines: JSON for machines, coloured text on a terminal. Values are fields, never in the text. */
import { type DestinationStream, destination, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { LogTail } from './log-tail.js'

export interface LogOptions {
  readonly level: string
  /** People look at it: text instead of JSON. */
  readonly pretty: boolean
  /** Where lines go; standard output when absent. */
  readonly to?: DestinationStream
  /** What keeps the last lines. */
  readonly tail?: LogTail
}

/** Fields that must never be written, wherever someone puts them by mistake. */
const NEVER = [
  'secret',
  'token',
  'ticket',
  'credential',
  'password',
  'authorization',
  'cookie',
  'privateKey',
  'databaseUrl',
  'redisUrl',
  'secretToken',
  'jwtSecret',
  'turnStaticSecret',
]

/** Returns a logger. */
export function createLog(options: LogOptions): Logger {
  const settings = {
    level: options.level,
    base: null,
    redact: { paths: NEVER.flatMap(name => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' },
  }
  const to = options.to ?? destination({ dest: 1, sync: true })
  if (!options.pretty) {
    const formatters = { level: (level: string) => ({ level }) }
    return pino(
      { ...settings, formatters, timestamp: pino.stdTimeFunctions.isoTime },
      behind(to, options.tail),
    )
  }
  return pino(
    settings,
    behind(
      pretty({ destination: to, colorize: true, singleLine: true, translateTime: 'HH:MM:ss.l', sync: true }),
      options.tail,
    ),
  )
}

const behind = (to: DestinationStream, tail: LogTail | undefined): DestinationStream =>
  tail === undefined
    ? to
    : {
        write(line) {
          tail.take(line)
          to.write(line)
        },
      }
