/**
 * Agents that register for real: key, proof and enrolment key, one connection after another in several places
 * at once. Slow beside the generator, which does not matter: what is measured is the server's CPU per agent.
 *
 *   registrar.js <port> <first> <count> [<credential>]
 *
 * Without a credential the server is bare: agents connect and leave.
 */
import { WebSocket } from 'ws'
import { decodeAll, encode } from '../../src/protocol/codec.js'
import type { WireOf } from '../../src/protocol/messages.js'
import { makeProof, newKeyPair, privateKeyOf } from '../../src/protocol/proof.js'
import { MESH_PATH, SUBPROTOCOL } from '../../src/protocol/timing.js'

/** Agents that come at the same time. */
const PLACES = 32

const [port, first, count, credential] = process.argv.slice(2)

let next = Number(first)
const end = next + Number(count)
async function place(): Promise<void> {
  while (next < end) await visit(next++)
}

function visit(n: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(
      `ws://127.0.0.1:${port}${MESH_PATH}${credential === undefined ? `?id=${n}` : ''}`,
      SUBPROTOCOL,
      {
        perMessageDeflate: false,
        localAddress: `127.20.0.${1 + (n % 200)}`,
      },
    )
    socket.on('error', reject)
    socket.on('close', () => resolve())
    if (credential === undefined) socket.on('open', () => socket.close())
    socket.on('message', (data: Buffer) => {
      for (const event of decodeAll(data)) {
        if (event.type === 'welcome') socket.send(encode(hello(n, event)))
        else if (event.type === 'registered') socket.close()
        else if (event.type === 'refused' || event.type === 'error')
          reject(new Error(`${event.code}: ${event.reason}`))
      }
    })
  })
}

function hello(n: number, { nonce, serverId, challenge }: WireOf<'welcome'>): WireOf<'register'> {
  const { publicKey, privateKey } = newKeyPair()
  const id = `newcomer-${n}`
  const proof = makeProof(privateKeyOf(privateKey), challenge, { nonce, role: 'node', id, serverId })
  return {
    type: 'register',
    role: 'node',
    id,
    publicKey,
    proof,
    credential: credential ?? '',
    agent: 'bench',
  }
}

await Promise.all(Array.from({ length: PLACES }, place))
process.stdout.write('"done"\n')
