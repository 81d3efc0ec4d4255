/** Files of a page that the coordinator serves itself: scripts, styles, and the frame they are in. Browsers ask nobody else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reply } from './reply.js'

/** What browsers may take for such a page: our own files, and pictures that are in the style sheet. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** uWebSockets adds no charset, and without one browsers do not read a script as it is meant. */
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/** Returns what answers with a file of `folder`, where the build has put each also under gzip. */
export function pageFiles(folder: string): (name: string, encodings?: string) => Reply {
  const read = new Map<string, Uint8Array>()
  return (name, encodings = '') => {
    const isZipped = /\bgzip\b/.test(encodings)
    const file = isZipped ? `${name}.gz` : name
    let body = read.get(file)
    if (body === undefined) read.set(file, (body = readFileSync(join(folder, file))))
    return {
      status: 200,
      headers: {
        'Content-Type': TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
        ...(isZipped && { 'Content-Encoding': 'gzip' }),
        Vary: 'Accept-Encoding',
        'Content-Security-Policy': POLICY,
        'Referrer-Policy': 'no-referrer',
      },
      body,
    }
  }
}
