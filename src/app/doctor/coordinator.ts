/** Whether a coordinator runs, how it says it is, and whether it is of this version. */
import { VERSION } from '../version.js'
import { type Finding, ok, warning } from './check.js'
import type { Running } from './running.js'

/** `answer` is what came of asking it; `isHeld` says whether somebody works in its data directory. */
export function coordinator(answer: Running | string, isHeld: boolean): Finding {
  const name = 'coordinator'
  if (typeof answer === 'string')
    return isHeld
      ? warning(name, `does not answer (${answer})`, 'see the data lock below')
      : ok(name, 'does not run: this is how it would find this machine')
  const { url, health, status } = answer
  if (health === null)
    return warning(name, `something answers at ${url}, and it is no coordinator`, 'see the http port below')
  const runs = `runs at ${url}, ${health.status}`
  if (status === null) return ok(name, `${runs}; more with SECRET_TOKEN or --token`)
  if (status.version !== VERSION)
    return warning(
      name,
      `${runs}, as version ${status.version}, and this is ${VERSION}`,
      'restart it to run this version',
    )
  const away = Object.entries(health.services).filter(([, service]) => service.status === 'unhealthy')
  return away.length > 0
    ? warning(
        name,
        `${runs}: it has no ${away.map(([service]) => service).join(', ')}`,
        'see the lines below',
      )
    : ok(name, `${runs}, version ${status.version}, ${status.connections.open} sockets`)
}
