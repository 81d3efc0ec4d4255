// Writes the pages that are made from definitions. A test holds that each committed page is current.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Each page, and the function in the built code that returns its text. */
const PAGES = [
  { page: 'src/protocol/README.md', from: 'dist/src/protocol/docs.js', make: 'protocolPage' },
  { page: 'docs/metrics.md', from: 'dist/src/telemetry/docs.js', make: 'metricsDoc' },
  { page: '.env.example', from: 'dist/src/app/env-example.js', make: 'envExample' },
]

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const built = spawnSync(process.execPath, [join(root, 'scripts/ensure.mjs')], { stdio: 'inherit' })
if (built.status !== 0) process.exit(1)
for (const { page, from, make } of PAGES) {
  const path = join(root, page)
  const text = (await import(join(root, from)))[make]()
  let old = ''
  try {
    old = readFileSync(path, 'utf8')
  } catch {
    // A page that is not there yet.
  }
  if (old !== text) writeFileSync(path, text)
  console.log(`${page}: ${old === text ? 'current' : 'written'}`)
}
