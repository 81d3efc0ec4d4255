/** `boson demo --stay`: the lively mesh on a coordinator with a database and a port of its own, until Ctrl-C. */
import { createServer, type AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { destination } from 'pino'
import { systemRandom } from '../../kit/random.js'
import { createLog } from '../../telemetry/log.js'
import { LogTail } from '../../telemetry/log-tail.js'
import { readConfig } from '../config.js'
import { operatorToken } from '../secrets.js'
import { startServer } from '../serve.js'
import { LivelyMesh } from './lively.js'

export interface StayOptions {
  readonly nodes: number
  readonly clients: number
  readonly perSecond: number
  /** Of the pages and the WebSocket; 0: any. */
  readonly port: number
  readonly happened: (what: string) => void
}

export interface StayingDemo {
  readonly url: string
  readonly token: string
  readonly dataDir: string
  stop(): Promise<void>
}

/** Resolves when the mesh lives. */
export async function startStaying({ port, ...options }: StayOptions): Promise<StayingDemo> {
  const dataDir = mkdtempSync(join(tmpdir(), 'boson-demo-'))
  const config = readConfig({
    flags: await settings(dataDir, port),
    env: { SECRET_TOKEN: process.env['SECRET_TOKEN'], LOG_LEVEL: process.env['LOG_LEVEL'] },
  })
  const tail = new LogTail()
  const log = createLog({
    level: config.logLevel,
    pretty: false,
    tail,
    to: destination({ dest: join(dataDir, 'server.log'), sync: true }),
  })
  const server = await startServer(config, log, tail)
  const { coordinator } = server
  const url = `http://127.0.0.1:${coordinator.port}`
  const lively = await LivelyMesh.start({ ...options, url, mesh: coordinator.mesh })
  return {
    url,
    token: operatorToken(config, systemRandom),
    dataDir,
    async stop() {
      await lively.stop()
      await coordinator.stop(0)
      await server.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Everything is on this machine, so the limits on what comes from one address are out of the way. */
async function settings(dataDir: string, port: number) {
  const many = '1000000'
  return {
    host: '127.0.0.1',
    port: String(port),
    dataDir,
    relayPayload: 'any',
    greetingPerAddress: many,
    hellosPerSecond: many,
    helloBurst: many,
    sessionsPerAddress: many,
    httpPerMinute: many,
    turnPort: String(await freePort()),
    turnOtherPort: String(await freePort()),
    // STUN of two addresses and two ports tells all that a NAT does.
    ...(process.platform === 'linux' && { turnOtherAddress: '127.0.0.2' }),
    turnExcepted: '127.0.0.0/8',
    beatEveryMs: '2000',
    trafficEveryMs: '5000',
    historyEveryMs: '5000',
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo // it listens
  await new Promise(resolve => probe.close(resolve))
  return port
}
