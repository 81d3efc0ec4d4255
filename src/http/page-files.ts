/** Files of a page that the coordinator serves itself: scripts, styles, and the frame they are in. Browsers ask nobody else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { notFound } from './faults.js'
import type { Reply } from './reply.js'

/** What browsers may take for such a page: our own files, and pictures that are in the style sheet. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
]
/** Of a page that is all ours: no text ever becomes markup or a script in it. */
const STRICT = ["require-trusted-types-for 'script'", "trusted-types 'none'"]

/** uWebSockets adds no charset, and without one browsers do not read a script as it is meant. */
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
}

/** A name that the build made of the contents: `index-Dse33OyG.js`. */
const HASHED = /-[A-Za-z0-9_-]{8}\.\w+$/

export interface PageOptions {
  /** Every script of the page is ours. */
  readonly isStrict?: boolean
}

/** Returns what answers with a file of `folder`, where the build has put texts also under gzip; a 404 when there is none. */
export function pageFiles(
  folder: string,
  { isStrict = false }: PageOptions = {},
): (name: string, encodings?: string) => Reply {
  const policy = (isStrict ? [...POLICY, ...STRICT] : POLICY).join('; ')
  const read = new Map<string, Uint8Array>()
  const contentsOf = (name: string): Uint8Array | null => {
    const known = read.get(name)
    if (known !== undefined) return known
    const body = contents(join(folder, name))
    // What is not there is not remembered: callers choose names.
    if (body !== null) read.set(name, body)
    return body
  }
  return (name, encodings = '') => {
    const zipped = /\bgzip\b/.test(encodings) ? contentsOf(`${name}.gz`) : null
    const body = zipped ?? contentsOf(name)
    if (body === null) throw notFound('no such page')
    return {
      status: 200,
      headers: {
        'Content-Type': TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
        ...(zipped !== null && { 'Content-Encoding': 'gzip' }),
        Vary: 'Accept-Encoding',
        'Cache-Control': HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
        'Content-Security-Policy': policy,
        'Referrer-Policy': 'no-referrer',
      },
      body,
    }
  }
}

function contents(path: string): Uint8Array | null {
  try {
    return readFileSync(path)
  } catch {
    return null
  }
}
