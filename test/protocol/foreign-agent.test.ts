/**
 * The page is enough: an agent in Python, written from README.md with the standard library alone, works
 * against the real coordinator.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { GOLDEN } from './golden.js'

const SCRIPT = fileURLToPath(new URL('../../../test/protocol/fixtures/agent.py', import.meta.url))
const python = spawnSync('python3', ['--version']).status === 0
const skip = python ? false : 'python3 is not installed'

t.test('it computes the worked example to the last byte', { skip }, async t => {
  const { stdout } = spawnSync('python3', [SCRIPT, 'example'])
  t.equal(stdout.toString().trim(), GOLDEN.register)
})
