/** Turns what a person types into the address of a coordinator. */
import { isIP } from 'node:net'
import { MESH_PATH } from '../protocol/timing.js'
import { AgentError } from './errors.js'

const SCHEMES: Record<string, string> = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' }

/**
 * Returns the WebSocket address of a coordinator. Takes `https://host`, `wss://host/mesh`, `host:port`
 * or `host`; without a path the mesh's own is meant, without a scheme TLS, except on this machine.
 * Throws an AgentError that says what was wanted.
 */
export function meshUrl(input: string): string {
  const text = input.trim()
  const schemed = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  let url = parse(schemed ? text : `wss://${text}`, input)
  if (!schemed && isLoopback(url.hostname)) url = parse(`ws://${text}`, input)
  const scheme = SCHEMES[url.protocol]
  if (scheme === undefined) throw bad(input, `${url.protocol} is not spoken here`)
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw bad(input, 'credentials and parameters do not belong in it: addresses end up in logs')
  }
  return `${scheme}//${url.host}${url.pathname === '/' ? MESH_PATH : url.pathname}`
}

/** Returns true when traffic to `hostname` never leaves this machine. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) === 4) return host.startsWith('127.')
  return host === '::1' || host === 'localhost' || host.endsWith('.localhost')
}

function parse(text: string, input: string): URL {
  try {
    return new URL(text)
  } catch {
    throw bad(input, 'it is not an address')
  }
}

const bad = (input: string, why: string) =>
  new AgentError(
    'BAD_ADDRESS',
    `${JSON.stringify(input)}: ${why}; wanted https://host, wss://host/mesh or host:port`,
  )
