// Writes the pages that are made from definitions. A test holds that each committed page is current.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Each page, the function in the built code that returns its text, and what a running coordinator is asked for it. */
const PAGES = [
  { page: 'src/protocol/README.md', from: 'dist/src/protocol/docs.js', make: 'protocolPage' },
  { page: 'docs/metrics.md', from: 'dist/src/telemetry/docs.js', make: 'metricsDoc', ask: '/metrics' },
  { page: 'docs/API.md', from: 'dist/src/http/docs.js', make: 'apiPage', ask: '/openapi.json' },
  { page: '.env.example', from: 'dist/src/app/env-example.js', make: 'envExample' },
]
/** For a coordinator to answer, ms. */
const PATIENCE_MS = 60_000

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const built = spawnSync(process.execPath, [join(root, 'scripts/ensure.mjs')], { stdio: 'inherit' })
if (built.status !== 0) process.exit(1)
const coordinator = await startCoordinator()
for (const { page, from, make, ask } of PAGES) {
  const path = join(root, page)
  const answer = ask === undefined ? [] : [await (await fetch(`${coordinator.url}${ask}`)).text()]
  const text = (await import(join(root, from)))[make](...answer)
  let old = ''
  try {
    old = readFileSync(path, 'utf8')
  } catch {
    // A page that is not there yet.
  }
  if (old !== text) writeFileSync(path, text)
  console.log(`${page}: ${old === text ? 'current' : 'written'}`)
}
await coordinator.stop()

/** Starts a coordinator with everything in it, as nobody has set it. */
async function startCoordinator() {
  const folder = mkdtempSync(join(tmpdir(), 'boson-docs-'))
  const port = await freePort()
  const child = spawn(process.execPath, [join(root, 'bin/boson'), 'server'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      BOSON_DATA_DIR: folder,
      BOSON_TURN_MODE: 'off',
      LOG_LEVEL: 'error',
      NODE_ENV: 'test',
    },
    stdio: ['ignore', 'inherit', 'ignore'],
  })
  const url = `http://127.0.0.1:${port}`
  const giveUp = Date.now() + PATIENCE_MS
  while (
    !(await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > giveUp) {
      child.kill()
      throw new Error('a coordinator to ask did not start')
    }
    await wait(100)
  }
  return {
    url,
    async stop() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
