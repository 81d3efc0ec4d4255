/** Whether Redis answers, where one is configured. */
import type { RedisLook } from '../../store/look-redis.js'
import { failed, type Finding, ok, reasonOf } from './check.js'

export async function redis(look: () => Promise<RedisLook>): Promise<Finding> {
  const name = 'redis'
  try {
    const { version, roundTripMs } = await look()
    return ok(name, `${version === null ? 'it' : `Redis ${version}`} answers in ${roundTripMs.toFixed(1)} ms`)
  } catch (error) {
    return failed(
      name,
      `does not answer (${reasonOf(error)})`,
      'start it, or see to REDIS_URL; the coordinator serves without',
    )
  }
}
