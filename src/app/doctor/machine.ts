/** Whether this machine is one that a coordinator runs well on: Node, open files, UDP buffers. */
import { type Finding, ok, warning, failed } from './check.js'

export interface MachinePorts {
  /** Such as `v20.19.0`. */
  readonly nodeVersion: string
  /** `engines.node` of our package. */
  readonly nodeWanted: string
  /** Files that a coordinator may have open, and has; null where that cannot be told. */
  readonly files: { readonly max: number; readonly open: number | null } | null
  /** Agents that it is to hold at once. */
  readonly sessions: number
  /** Largest buffers that the kernel gives a socket, bytes; null where that cannot be told. */
  readonly rmemMax: number | null
  readonly wmemMax: number | null
  /** Largest that STUN and TURN ask for, bytes; null when they are not ours. */
  readonly udpBuffer: number | null
}

/** Files beside the sockets of agents: the database, the journal, pages that are being read, relays of TURN. */
const OTHER_FILES = 512

export function nodeVersion({
  nodeVersion: has,
  nodeWanted,
}: Pick<MachinePorts, 'nodeVersion' | 'nodeWanted'>): Finding {
  if (meets(has, nodeWanted)) return ok('Node.js', `${has}`)
  return failed('Node.js', `${has}, wanted ${nodeWanted}`, 'install a supported version of Node')
}

export function openFiles({ files, sessions }: MachinePorts): Finding {
  const name = 'open files'
  if (files === null) return ok(name, 'this system does not tell its limit')
  const { max, open } = files
  const has = `${max === Number.POSITIVE_INFINITY ? 'no limit' : `at most ${grouped(max)}`}${open === null ? '' : `, ${grouped(open)} open now`}`
  const needed = sessions + OTHER_FILES
  if (open !== null && open > 0.9 * max)
    return failed(name, has, `raise the limit: LimitNOFILE=${2 * needed} in the unit file, or ulimit -n`)
  if (max >= needed) return ok(name, `${has}: enough for ${grouped(sessions)} sessions`)
  return warning(
    name,
    `${has}: too few for ${grouped(sessions)} sessions`,
    `LimitNOFILE=${needed} in the unit file, or ulimit -n ${needed}; --sessions says for how many to look`,
  )
}

export function udpBuffers({ rmemMax, wmemMax, udpBuffer }: MachinePorts): Finding {
  const name = 'UDP buffers'
  if (udpBuffer === null) return ok(name, 'STUN and TURN are served elsewhere')
  if (rmemMax === null || wmemMax === null) return ok(name, 'this system does not tell its limits')
  const has = `receive up to ${kib(rmemMax)}, send up to ${kib(wmemMax)}`
  if (Math.min(rmemMax, wmemMax) >= udpBuffer) return ok(name, has)
  return warning(
    name,
    `${has}; STUN and TURN ask for ${kib(udpBuffer)}, so bursts may be lost`,
    `sysctl -w net.core.rmem_max=${udpBuffer} net.core.wmem_max=${udpBuffer}`,
  )
}

/** Whether a version is in a range such as `^20.19.0 || ^22.12.0`. */
export function meets(version: string, range: string): boolean {
  const has = parts(version)
  return range.split('||').some(one => {
    const least = parts(one)
    return has[0] === least[0] && (has[1] > least[1] || (has[1] === least[1] && has[2] >= least[2]))
  })
}

function parts(text: string): readonly [number, number, number] {
  const [, major, minor, patch] = /(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []
  return [Number(major), Number(minor), Number(patch)]
}

const grouped = (count: number): string => count.toLocaleString('en-US')
const kib = (bytes: number): string => `${grouped(Math.round(bytes / 1024))} KiB`
