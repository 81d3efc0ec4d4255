/** What the store's thread and the thread of its database say to each other. Questions are answered in order. */

/** What the thread is started with. */
export interface PgliteThreadData {
  /** The database's own directory; a database is made in an empty one. */
  readonly dir: string
}

export interface Question {
  readonly id: number
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** Asks for a copy of the directory, as it is between two questions. */
export interface CopyOrder {
  readonly id: number
  /** Which does not exist yet. */
  readonly copyTo: string
}

export interface Rows {
  readonly command: string
  readonly rowCount: number
  readonly rows: unknown[]
}

/** An error loses its fields between threads, so they travel by themselves. */
export interface Fault {
  readonly message: string
  /** SQLSTATE. */
  readonly code: string
  readonly constraint: string | undefined
}

export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: Rows }
  | { readonly kind: 'fault'; readonly id: number; readonly fault: Fault }

/** Asks the thread to close the database and end. */
export const CLOSE = 'close'
