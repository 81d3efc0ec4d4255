/** What the store needs of a logger; pino fits. Values are fields, never in the text. */
export interface StoreLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
