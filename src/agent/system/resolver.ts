/** The resolver's configuration, /etc/resolv.conf: replaced while a tunnel carries everything, put back after. */
import {
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type { Taken } from './taken.js'

type TakenResolver = Extract<Taken, { kind: 'resolver' }>

/** Returns what to write down before `writeResolver`. */
export function planResolver(path: string, servers: readonly string[]): TakenResolver {
  const link =
    lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : null
  return {
    kind: 'resolver',
    path,
    link,
    was: existsSync(path) ? readFileSync(path, 'utf8') : '',
    now: `# Written by boson while its tunnel is up.\n${servers.map(each => `nameserver ${each}\n`).join('')}`,
  }
}

export const writeResolver = ({ path, now }: TakenResolver): void => replace(path, now)

/** Puts back what was there, unless someone else has written the file since. */
export function restoreResolver({ path, was, now, link }: TakenResolver): void {
  if (!existsSync(path) || readFileSync(path, 'utf8') !== now) return
  if (link === null) return replace(path, was)
  rmSync(`${path}.boson`, { force: true })
  symlinkSync(link, `${path}.boson`)
  renameSync(`${path}.boson`, path)
}

/** Replaces at once for every reader; in a container the file is a mount of its own and can only be written to. */
function replace(path: string, text: string): void {
  const beside = `${path}.boson`
  writeFileSync(beside, text, { mode: 0o644 })
  try {
    renameSync(beside, path)
  } catch {
    rmSync(beside, { force: true })
    writeFileSync(path, text)
  }
}
