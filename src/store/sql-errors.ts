/** What a driver throws, as what the caller can do about it: come back later, or repair its own doing. */
import { StoreConflict, StoreError, StoreUnavailable } from './errors.js'

/**
 * Classes of SQLSTATE that say that the question was wrong: data (22), constraints (23), syntax and names (42).
 * Whatever else comes is a matter of the database or the way to it, and passes.
 */
const OUR_FAULT = new Set(['22', '23', '42'])
const UNIQUE_VIOLATION = '23505'

const ADVICE: Readonly<Record<string, string>> = {
  '25006': 'it is read-only; point DATABASE_URL to the primary',
  '28': 'it refuses this user; check user and password of DATABASE_URL',
  '3D': 'there is no such database; create it, or check DATABASE_URL',
  '53100': 'its disk is full; make room',
  '53300': 'it takes no more connections; raise max_connections',
  '57014': 'a statement took too long',
  '57P': 'it is shutting down or starting',
  ECONNREFUSED: 'nothing listens there; start it, or check DATABASE_URL',
  ENOENT: 'nothing listens there; start it, or check DATABASE_URL',
  ENOTFOUND: 'its host name is unknown; check DATABASE_URL',
}

export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION

export function asStoreError(error: unknown): Error {
  if (error instanceof StoreError || error instanceof TypeError) return error
  if (!(error instanceof Error)) return new TypeError('a driver threw what is no error', { cause: error })
  const { code = '', constraint } = error as { code?: string; constraint?: string }
  if (isUniqueViolation(error)) return new StoreConflict(constraint ?? 'a value', { cause: error })
  if (OUR_FAULT.has(code.slice(0, 2))) return error
  const what = adviceOn(error, code) ?? error.message
  return new StoreUnavailable(`the database cannot be asked now: ${what}`, { cause: error })
}

function adviceOn(error: Error, code: string): string | undefined {
  // Of a file, not of a connection.
  if ('path' in error && !('address' in error)) return `${error.message}; check BOSON_DATA_DIR`
  return ADVICE[code] ?? ADVICE[code.slice(0, 3)] ?? ADVICE[code.slice(0, 2)]
}
