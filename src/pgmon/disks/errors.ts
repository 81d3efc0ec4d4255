/** What is wrong with the way to a machine, as HTTP tells it. */
import { HttpError } from '../../http/faults.js'
import { SshError } from '../../ssh/errors.js'

/** When a machine that is away should be asked again, s. */
const RETRY_AFTER_S = '30'

/** Returns a fault of SSH as HTTP tells it: a 503 when it passes by itself, a 409 when somebody has to do something. Any other error as it is. */
export function asHttpError(error: unknown): unknown {
  if (!(error instanceof SshError)) return error
  const { code, message } = error
  return code === 'SSH_AWAY'
    ? new HttpError(503, 'ssh_away', message, { 'Retry-After': RETRY_AFTER_S })
    : new HttpError(409, code.toLowerCase(), message)
}
