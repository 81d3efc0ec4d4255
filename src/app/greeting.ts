/** What `boson server` says to the person who started it: where it is, where things are, what comes next. */
import { join, relative } from 'node:path'
import type { Config } from './config.js'
import { TOKEN_FILE } from './secrets.js'
import { VERSION } from './version.js'

/** Returns the lines for a terminal. */
export function greeting(config: Config, port: number, storeKind: 'pglite' | 'postgres'): string {
  const url = urlHere(config, port)
  const dataDir = shown(config.dataDir)
  const lines = [
    `BosonServer ${VERSION} serves at ${url}${openness(config)}`,
    '',
    `  store    ${storeKind === 'pglite' ? `embedded database in ${dataDir}` : 'PostgreSQL'}`,
    `  look     ${url}/inspector`,
    `  token    ${config.secretToken === null ? shown(join(config.dataDir, TOKEN_FILE)) : 'SECRET_TOKEN'}`,
    '',
    ...next(url).map(([command, does]) => `  ${command.padEnd(44)}  ${does}`),
    '',
  ]
  return `${lines.join('\n')}\n`
}

/** Returns where a coordinator on this machine is reached from this machine. */
export const urlHere = ({ tlsCert, host }: Config, port: number): string =>
  `${tlsCert === null ? 'http' : 'https'}://${reachable(host)}:${port}`

const next = (url: string) =>
  [
    ['boson users first <name>', 'makes the first account, for the inspector'],
    ['boson enrol --role node', 'makes a key for a node'],
    [`boson node --server ${url}`, 'attaches it; the key goes into BOSON_CREDENTIAL'],
    ['boson status --watch', 'shows nodes and clients'],
    ['boson demo', 'shows a whole mesh in one terminal, by itself'],
  ] as const

/** An address that listens everywhere is reached here by the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

function openness({ host, mode }: Config): string {
  if (host !== '127.0.0.1' && host !== '::1' && host !== 'localhost') return ''
  return mode === 'production'
    ? ' (this machine only)'
    : ' (this machine only; HOST=0.0.0.0 opens it to others)'
}

/** A path as it is shortest from here. */
function shown(path: string): string {
  const near = relative('.', path)
  return near.startsWith('..') || near === '' ? path : near
}
