/** Files with secrets that everybody on the machine could read: a start refuses them. */
import { statSync } from 'node:fs'

/** Bits of a file's mode that let everybody do anything. A group may: an administrator makes the file, the service reads it. */
const EVERYBODY = 0o007

/** Returns what is wrong with the mode of a file that holds secrets; null: nothing. */
export function modeComplaint(path: string): string | null {
  const { mode } = statSync(path)
  if ((mode & EVERYBODY) === 0) return null
  return `${path}: wanted a file that not everybody can read, got mode ${(mode & 0o777).toString(8)}: chmod 600 ${path}`
}
