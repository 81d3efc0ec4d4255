/**
 * A program with the library inside, as a node that counts datagrams or a client that sends them by ICE.
 *
 *   datagrams.js node <url> <credential>                       writes how many bytes came, once a line is read
 *   datagrams.js client <url> <credential> <seconds> <mbps>    writes {"msToDirect"} when it is direct, then {"bytes"}
 */
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { MeshClient, MeshNode } from '../../src/agent/index.js'
import { IceWay } from '../../src/agent/ice/ice-way.js'
import { newKeyPair } from '../../src/protocol/proof.js'

/** What fits into a packet of the internet with everything around it, bytes. */
const SIZE = 1_200
const EVERY_MS = 5
const NODE = 'bench-node'

const [role, url = '', credential, seconds, mbps] = process.argv.slice(2)
const ice = IceWay.create()
if (ice === null) throw new Error('node-datachannel has no build for this machine')
const options = { url, credential, privateKey: newKeyPair().privateKey, ways: [ice] }
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`)

if (role === 'node') {
  const node = new MeshNode({ ...options, id: NODE })
  let bytes = 0
  node.on('packet', ({ packet }) => (bytes += packet.length))
  await node.start()
  say({ online: true })
  process.stdin.on('data', () => say({ bytes }))
} else {
  const client = new MeshClient({ ...options, id: 'bench-client' })
  const began = performance.now()
  await client.start()
  await client.route({ target: NODE }, { patient: true })
  while (client.status().links[0]?.via !== 'ice') await wait(10)
  say({ msToDirect: performance.now() - began })
  await once(process.stdin, 'data')
  const packet = new Uint8Array(SIZE)
  const perMs = (Number(mbps) * 1e6) / 8 / SIZE / 1_000
  const start = performance.now()
  let sent = 0
  for (let now = start; now - start < Number(seconds) * 1_000; now = performance.now()) {
    for (; sent < (now - start) * perMs; sent++) client.send(packet)
    await wait(EVERY_MS)
  }
  say({ bytes: sent * SIZE })
}
