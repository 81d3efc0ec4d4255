/** The version of this build and the Node that it wants, as the package says them. */
import { readFileSync } from 'node:fs'

const page = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
  readonly engines: { readonly node: string }
} // our own package.json

export const VERSION = page.version
/** A range such as `^20.19.0 || ^22.12.0`. */
export const NODE_WANTED = page.engines.node
