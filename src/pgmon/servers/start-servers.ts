/** Keeps the list of the servers that are watched: as somebody changes it here, and as others do elsewhere. */
import { every } from '../../kit/clock.js'
import type { Ground, Part } from '../part.js'
import { keepOwnServer } from './own-server.js'
import { ServerBook } from './server-book.js'

/** How soon what other coordinators change is seen, ms. */
const REREAD_EVERY_MS = 30_000

export async function startServers(ground: Ground): Promise<Part & { readonly servers: ServerBook }> {
  const { clock, log } = ground.host
  const servers = new ServerBook(ground)
  await keepOwnServer(ground)
  await servers.load()
  let reading = Promise.resolve()
  const end = every(clock, REREAD_EVERY_MS, () => {
    reading = reading
      .then(() => servers.load())
      .catch((err: unknown) => log.debug({ err }, 'the list of monitored servers could not be read'))
  })
  return {
    servers,
    routes: [],
    async stop() {
      end()
      await reading
    },
  }
}
