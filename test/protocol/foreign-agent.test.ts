/**
 * The page is enough: an agent in Python, written from README.md with the standard library alone, works
 * against the real coordinator.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { GOLDEN } from './golden.js'
import { NODE } from '../support/node.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** What `bin/boson` runs. */
const BOSON = join(ROOT, 'dist/src/app/main.js')
const AGENT = join(ROOT, 'test/protocol/fixtures/agent.py')
/** Nothing of the test runner, and no setting of whoever runs it. */
const env = { PATH: process.env['PATH'] ?? '' }
const skip = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed'

t.test('it computes the worked example to the last byte', { skip }, async t => {
  const { stdout } = spawnSync('python3', [AGENT, 'example'])
  t.equal(stdout.toString().trim(), GOLDEN.register)
})

t.test('at a coordinator', { skip }, async t => {
  const { port, secret } = await coordinator(t)

  t.test('it is told why it may not come in', async t => {
    const said = await agent(['run', '127.0.0.1', String(port), 'py-1', 'no such key'])
    t.same(said, [{ what: 'closed', code: CLOSE.notAuthorised.code }])
  })

  t.test('it registers, beats, resumes, and sends packets to another of its kind', async t => {
    const said = await agent(['run', '127.0.0.1', String(port), 'py-1', secret])
    t.match(said, [
      { what: 'registered', role: 'node', generation: 1, overlay4: /^10\.77\.\d+\.\d+\/32$/ },
      { what: 'acknowledged', seq: 1 },
      { what: 'acknowledged', seq: 2 },
      { what: 'resumed', generation: 2, links: [] },
      { what: 'acknowledged', seq: 1 },
      { what: 'registered', role: 'client', generation: 1 },
      { what: 'relayed', packets: 4 },
      { what: 'released' },
      { what: 'closed', code: CLOSE.left.code },
      { what: 'closed', code: CLOSE.left.code },
    ])
    t.equal(said[3]?.['sessionId'], said[0]?.['sessionId'], 'the session is the one that was lost')
  })
})

/** Starts a coordinator of its own; returns where it listens and the secret of an enrolment key for two. */
async function coordinator(t: Test): Promise<{ port: number; secret: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'boson-foreign-'))
  const args = ['server', '--port', '0', '--data-dir', dataDir, '--restart-spread-ms', '0']
  const [program, ...flags] = NODE
  const server = spawn(program, [...flags, BOSON, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(async () => {
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    await ended
    rmSync(dataDir, { recursive: true, force: true })
  })
  for await (const line of createInterface(server.stdout)) {
    const { msg, port } = JSON.parse(line) as { msg?: string; port?: number }
    if (msg !== 'listening' || port === undefined) continue
    const enrol = ['enrol', '--uses', '2', '--port', String(port), '--data-dir', dataDir]
    const made = spawnSync(process.execPath, [BOSON, ...enrol], { env })
    return { port, secret: made.stdout.toString().trim() }
  }
  throw new Error('the coordinator ended before it listened')
}

/** Runs the Python agent to its end; returns what it said. */
async function agent(args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const child = spawn('python3', [AGENT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Record<string, unknown>[] = []
  for await (const line of createInterface(child.stdout))
    said.push(JSON.parse(line) as Record<string, unknown>)
  return said
}
