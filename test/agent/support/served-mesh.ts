/** A real coordinator on a real port of this machine, with everything in memory. */
import type { Test } from 'tap'
import { createMesh } from '../../../src/app/mesh.js'
import { meshChannel } from '../../../src/edge/mesh-channel.js'
import { Remotes } from '../../../src/edge/remote.js'
import { listen, type ServerOptions } from '../../../src/edge/server.js'
import { systemClock } from '../../../src/kit/clock.js'
import { systemRandom } from '../../../src/kit/random.js'
import { MemoryJournal, MemoryStore } from '../../../src/store/index.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

export async function servedMesh(t: Test, tls: ServerOptions['tls'] = null) {
  const mesh = createMesh({
    serverId: 'coordinator-1',
    clock: systemClock,
    random: systemRandom,
    store: new MemoryStore({ overlay4: '10.77.0.0/16', overlay6: 'fd77::/64' }),
    journal: new MemoryJournal(),
    log: quiet,
    relay: { payload: 'any' },
  })
  await mesh.start()
  const server = listen({
    host: '127.0.0.1',
    port: 0,
    tls,
    channels: [meshChannel(mesh.intake, [])],
    remotes: new Remotes([]),
    http: response => response.writeStatus('404 Not Found').end(),
    faulted: error => t.fail(String(error)),
  })
  t.teardown(async () => {
    await mesh.stop({ spreadMs: 0 })
    server.close()
  })
  const key = { role: null, uses: null, ttlMs: null, note: 'test', actor: 'test' }
  const { secret } = await mesh.createEnrolmentKey(key)
  return { mesh, address: `127.0.0.1:${server.port}`, credential: secret }
}
