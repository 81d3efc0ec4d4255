/** A page in a browser is a client like any other: it reaches a node over a data channel, without a plug-in. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { IceWay } from '../../src/agent/ice/ice-way.js'
import { nodeIce } from '../../src/agent/ice/node-peer.js'
import { MeshNode } from '../../src/agent/mesh-node.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { commandIn, startServer } from '../support/boson.js'
import { SHORT_TMP, shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'

const PAGE = join(import.meta.dirname, '../../../test/agent/fixtures/browser-client.html')
/** The build for browsers, which stands beside the one for Node. */
const MSGPACK = join(dirname(createRequire(import.meta.url).resolve('msgpackr')), 'index.js')

type Said = { readonly what: string } & Readonly<Record<string, unknown>>

t.test('a page reaches a node over a data channel', { skip: cannotRun() }, async t => {
  const site = await serve(t)
  const data = t.testdir()
  const server = await startServer(t, {
    cwd: data,
    env: { BOSON_ORIGINS: site.origin, BOSON_RELAY_PAYLOAD: 'any', HOST: '127.0.0.1' },
  })
  const boson = commandIn(t, { cwd: data })
  const key = (await boson('enrol', '--uses', '2', '--port', String(server.port))).stdout.trim()
  const mesh = `ws://127.0.0.1:${server.port}/mesh`

  const ice = IceWay.create()
  const node = new MeshNode({
    url: mesh,
    id: 'fra-1',
    privateKey: newKeyPair().privateKey,
    credential: key,
    ways: ice === null ? [] : [ice],
  })
  t.teardown(() => node.stop())
  node.on('packet', ({ link, packet }) => node.send(link, packet))
  await node.start()

  browse(t, `${site.origin}/?${new URLSearchParams({ mesh, id: 'page', key, node: 'fra-1' }).toString()}`)
  await until('the page hears its echo', () => site.said.some(({ what }) => what === 'echo'))
  t.match(
    site.said.find(({ what }) => what === 'echo'),
    { text: 'hello from a page' },
  )
  await until('the path is settled', () => site.said.some(({ via }) => via === 'ice'))
  t.same(
    site.said.filter(({ what }) => what === 'error' || what === 'refused'),
    [],
  )
  t.match(node.status().links, [{ peerId: 'page', state: 'direct' }])
})

function cannotRun(): string | false {
  if (spawnSync('chromium', ['--version']).status !== 0) return 'chromium is not installed'
  return nodeIce() === null && 'node-datachannel has no build here'
}

/** Serves the page; returns where, and what the page says. */
async function serve(t: Test): Promise<{ origin: string; said: readonly Said[] }> {
  const said: Said[] = []
  const server = createServer((request, response) => {
    if (request.url === '/said') {
      let body = ''
      request.on('data', piece => (body += String(piece)))
      request.on('end', () => {
        said.push(JSON.parse(body) as Said) // the page wrote it
        response.end()
      })
    } else if (request.url === '/msgpack.js') {
      response.setHeader('content-type', 'text/javascript').end(readFileSync(MSGPACK))
    } else response.setHeader('content-type', 'text/html').end(readFileSync(PAGE))
  }).listen(0, '127.0.0.1')
  await new Promise(resolved => server.once('listening', resolved))
  t.teardown(() => server.close())
  t.teardown(() => server.closeAllConnections())
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, said } // it listens
}

function browse(t: Test, url: string): void {
  const profile = shortFolder()
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`, url]
  const child = spawn('chromium', args, { stdio: 'ignore', env: { ...process.env, TMPDIR: SHORT_TMP } })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
    // Its helpers end a little later, and still write.
    rmSync(profile, { recursive: true, force: true, maxRetries: 20 })
  })
}
