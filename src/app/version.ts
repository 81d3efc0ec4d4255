/** The version of this build, as the package says it. */
import { readFileSync } from 'node:fs'

const page = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
} // our own package.json

export const VERSION = page.version
