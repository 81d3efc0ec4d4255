/** The example of README.md, run as it stands there, by a program that imports the package by its name. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { newKeyPair } from '../src/protocol/proof.js'
import { servedMesh } from './agent/support/served-mesh.js'

t.test('a client sends a packet to a node, and it comes back', async t => {
  const { address, credential } = await servedMesh(t)
  const given = { url: address, credential, nodeKey: wireguardKey(), clientKey: wireguardKey() }
  const prelude = Object.entries(given).map(([name, value]) => `const ${name} = ${JSON.stringify(value)}`)
  const program = [...prelude, 'const packet = new Uint8Array(1300)', example()].join('\n')
  const dir = t.testdir({ 'program.mjs': program })

  const child = spawn(process.execPath, [join(dir, 'program.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  t.teardown(() => ended)
  for await (const line of createInterface(child.stdout)) {
    t.equal(line, '1300 bytes came back')
    child.kill()
  }
})

const example = (): string =>
  /```ts\n([\s\S]*?)```/.exec(readFileSync(new URL('../../README.md', import.meta.url), 'utf8'))?.[1] ?? ''

/** Returns a private key as `wg genkey` prints it. */
const wireguardKey = (): string => Buffer.from(newKeyPair().privateKey).toString('base64')
