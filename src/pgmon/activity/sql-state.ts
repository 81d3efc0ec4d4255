/** What PostgreSQL refuses, by its SQLSTATE. */
export const NO_RIGHT = '42501'
/** An extension is there, but PostgreSQL was started without its library. */
export const NOT_LOADED = '55000'

export const isRefusal = (error: unknown, sqlState: string): boolean =>
  error instanceof Error && 'code' in error && error.code === sqlState
