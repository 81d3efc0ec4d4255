/**
 * What the first BosonServer and the first VPN API called their settings, beside the names that both have: taken where ours
 * say the same in another way, and answered where there is nothing to set any more. Our own names count first.
 */
import type { Sources } from './read-settings.js'

type Env = Sources['env']

/** Returns the environment with what its older names say under ours; what cannot be used is added to `problems`. */
export function withFirstNames(env: Env, problems: string[]): Env {
  const found = {
    DATABASE_URL: urlOf('postgres', POSTGRES, env, problems),
    REDIS_URL: urlOf('redis', REDIS, env, problems),
    BOSON_PUBLIC_URL: publicUrlOf(env, problems),
    BOSON_TURN_ADDRESS: env.SERVER_PUBLIC_IP,
    JWT_SECRET: env.SECRET_KEY,
    TURN_HOST: given(env.STUN_HOST) ?? env.SERVER_PUBLIC_HOSTNAME,
    TURN_LISTENING_PORT: env.STUN_PORT,
    ...rateOf(env, problems),
  }
  return {
    ...Object.fromEntries(Object.entries(found).filter(([, value]) => given(value) !== undefined)),
    ...set(env),
  }
}

/** Names that have no effect here, and what does instead. */
const UNHEEDED: Readonly<Record<string, string>> = {
  LOG_DIR: 'logs are lines on standard output: whoever starts the coordinator keeps them',
  WEB_PORT: 'pages are on PORT',
  NODE_API_PORT: 'nodes are not called: they fetch what is for them',
  WIREGUARD_PORT: 'WireGuard runs on the nodes, which say where it listens',
  WIREGUARD_SERVER_HOST: 'WireGuard runs on the nodes, which say where it listens',
  WIREGUARD_SERVER_PUBLIC_KEY: 'WireGuard runs on the nodes, each with a key of its own',
  RELAY_PROTOCOL: 'the relay is the WebSocket of the mesh',
  DEBUG: 'LOG_LEVEL=debug',
  ALGORITHM: 'tokens are signed in one way alone, with which nobody can be talked into another',
  ACCESS_TOKEN_EXPIRE_MINUTES:
    'tokens of people are good for a quarter of an hour, and renewed by who has signed in',
  DEV_INIT_DB: 'tables are made at the first start, and brought to their version at each',
}

/** Returns the names in the environment that have no effect, each with what does. */
export const unheeded = (env: Env): readonly { readonly name: string; readonly instead: string }[] =>
  Object.entries(UNHEEDED).flatMap(([name, instead]) =>
    given(env[name]) === undefined ? [] : [{ name, instead }],
  )

/** An empty variable is how compose files and unit files spell "not set". */
const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value)
const set = (env: Env): Env => Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))

interface Parts {
  readonly host: string
  readonly port: string
  readonly defaults: { readonly port: string; readonly user: string; readonly path: string }
  readonly user?: string
  readonly password: string
  readonly path: string
}

const POSTGRES: Parts = {
  host: 'POSTGRES_HOST',
  port: 'POSTGRES_PORT',
  user: 'POSTGRES_USER',
  password: 'POSTGRES_PASSWORD',
  path: 'POSTGRES_DB',
  defaults: { port: '5432', user: 'bosonserver', path: 'bosonserver' },
}
const REDIS: Parts = {
  host: 'REDIS_HOST',
  port: 'REDIS_PORT',
  password: 'REDIS_PASSWORD',
  path: 'REDIS_DB',
  defaults: { port: '6379', user: '', path: '0' },
}

/** Returns the URL that several variables make together; undefined without a host. */
function urlOf(scheme: string, parts: Parts, env: Env, problems: string[]): string | undefined {
  const host = given(env[parts.host])
  if (host === undefined) return undefined
  const value = (name: string | undefined) => (name === undefined ? undefined : given(env[name]))
  const url = new URL(`${scheme}://localhost`)
  try {
    url.hostname = host
    url.port = value(parts.port) ?? parts.defaults.port
    url.username = encodeURIComponent(value(parts.user) ?? parts.defaults.user)
    url.password = encodeURIComponent(value(parts.password) ?? '')
    url.pathname = `/${encodeURIComponent(value(parts.path) ?? parts.defaults.path)}`
  } catch {
    problems.push(`${parts.host}: wanted a host name`)
  }
  if (url.hostname.toLowerCase() !== host.toLowerCase() && url.hostname !== `[${host}]`)
    problems.push(`${parts.host}: wanted a host name, got ${JSON.stringify(host)}`)
  return url.href
}

/** The relay was a place of its own; here it is where agents connect. */
function publicUrlOf(env: Env, problems: string[]): string | undefined {
  const host = given(env.RELAY_HOST)
  if (host === undefined) return undefined
  const port = given(env.RELAY_PORT)
  const scheme = given(env.BOSON_TLS_CERT) !== undefined || port === '443' ? 'https' : 'http'
  const url = `${scheme}://${host}${port === undefined ? '' : `:${port}`}`
  if (!URL.canParse(url))
    problems.push(`RELAY_HOST, RELAY_PORT: wanted a host and a port, got ${JSON.stringify(url)}`)
  return url
}

/** So many requests in a window: the same in the long run, and as many at once. */
function rateOf(env: Env, problems: string[]): Env {
  const most = given(env.RATE_LIMIT_MAX_REQUESTS)
  const windowMs = given(env.RATE_LIMIT_WINDOW_MS)
  if (most === undefined && windowMs === undefined) return {}
  const [count, ms] = [Number(most ?? 100), Number(windowMs ?? 900_000)]
  if (!(count >= 1 && ms >= 1_000)) {
    problems.push(
      'RATE_LIMIT_MAX_REQUESTS, RATE_LIMIT_WINDOW_MS: wanted at least 1 request in at least 1000 ms',
    )
    return {}
  }
  return {
    BOSON_HTTP_PER_MINUTE: ((count * 60_000) / ms).toFixed(3),
    BOSON_HTTP_BURST: String(Math.trunc(count)),
  }
}
