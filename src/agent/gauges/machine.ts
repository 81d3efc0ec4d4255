/** One reading of the machine: counters as the kernel keeps them, from files that cost no disk access. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Counters only grow; null is what this system does not tell. */
export interface Machine {
  readonly uptimeS: number | null
  readonly load1: string | null
  readonly memTotalMb: number | null
  readonly memFreeMb: number | null
  /** Ticks of all CPUs together. */
  readonly cpu: { readonly total: number; readonly idle: number; readonly softirq: number } | null
  readonly traffic: Traffic | null
  /** TCP connections opened, either way, since the start. */
  readonly tcpOpened: number | null
  readonly conntrackCount: number | null
  readonly conntrackMax: number | null
}

export interface Traffic {
  readonly iface: string
  readonly rxBytes: number
  readonly rxPackets: number
  readonly rxDropped: number
  readonly txBytes: number
  readonly txPackets: number
  readonly txDropped: number
}

/** Returns a reading of the files below `root`; the traffic is that of `iface`, or of the default route's interface. */
export function readMachine(root: string, iface: string | null): Machine {
  const read = (path: string): string | null => {
    try {
      return readFileSync(join(root, path), 'latin1')
    } catch {
      return null
    }
  }
  const memory = read('meminfo')
  return {
    uptimeS: number(read('uptime')?.split(' ', 1)[0]),
    load1: read('loadavg')?.split(' ', 1)[0] ?? null,
    memTotalMb: mebibytes(memory, 'MemTotal'),
    memFreeMb: mebibytes(memory, 'MemAvailable') ?? mebibytes(memory, 'MemFree'),
    cpu: cpu(read('stat')),
    traffic: traffic(read('net/dev'), iface ?? defaultInterface(read)),
    tcpOpened: tcpOpened(read('net/snmp')),
    conntrackCount: number(read('sys/net/netfilter/nf_conntrack_count') ?? undefined),
    conntrackMax: number(read('sys/net/netfilter/nf_conntrack_max') ?? undefined),
  }
}

function number(text: string | undefined): number | null {
  if (text === undefined || text.trim() === '') return null
  const value = Number(text)
  return Number.isFinite(value) ? value : null
}

function mebibytes(meminfo: string | null, name: string): number | null {
  const kibibytes = number(meminfo?.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))?.[1])
  return kibibytes === null ? null : kibibytes / 1024
}

/** `cpu user nice system idle iowait irq softirq steal guest…`; guest time is already within user. */
function cpu(stat: string | null): Machine['cpu'] {
  const line = stat?.slice(0, stat.indexOf('\n')).trim().split(/\s+/)
  if (line?.[0] !== 'cpu') return null
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
    .slice(1)
    .map(Number)
  const total = user + nice + system + idle + iowait + irq + softirq + steal
  return { total, idle: idle + iowait, softirq }
}

/** `iface: rxBytes packets errs drop fifo frame compressed multicast txBytes packets errs drop …` */
function traffic(dev: string | null, iface: string | null): Traffic | null {
  if (dev === null || iface === null) return null
  const line = dev.split('\n').find(each => each.trimStart().startsWith(`${iface}:`))
  if (line === undefined) return null
  const n = line
    .slice(line.indexOf(':') + 1)
    .trim()
    .split(/\s+/)
    .map(Number)
  const at = (index: number): number => n[index] ?? 0
  return {
    iface,
    rxBytes: at(0),
    rxPackets: at(1),
    rxDropped: at(3),
    txBytes: at(8),
    txPackets: at(9),
    txDropped: at(11),
  }
}

/** Returns the interface of the default route with the lowest metric; IPv6 only when there is no IPv4. */
function defaultInterface(read: (path: string) => string | null): string | null {
  // iface destination gateway flags refcnt use metric mask: everything in hexadecimal but the metric.
  const v4 = fields(read('net/route'))
    .filter(f => f[1] === '00000000' && f[7] === '00000000')
    .sort((a, b) => Number(a[6]) - Number(b[6]))
  if (v4[0]?.[0] !== undefined) return v4[0][0]
  // destination length source length gateway metric refcnt use flags iface; the unreachable default is on lo.
  const v6 = fields(read('net/ipv6_route'))
    .filter(f => f[0] === NOWHERE6 && f[1] === '00' && f[9] !== 'lo')
    .sort((a, b) => Number.parseInt(a[5] ?? '', 16) - Number.parseInt(b[5] ?? '', 16))
  return v6[0]?.[9] ?? null
}

const NOWHERE6 = '0'.repeat(32)
const fields = (text: string | null) => (text ?? '').split('\n').map(line => line.trim().split(/\s+/))

/** Two lines per protocol: names, then values. */
function tcpOpened(snmp: string | null): number | null {
  const [names, values] = (snmp ?? '').split('\n').filter(line => line.startsWith('Tcp:'))
  if (names === undefined || values === undefined) return null
  const figures = values.split(' ')
  const figure = (name: string): number | null => number(figures[names.split(' ').indexOf(name)])
  const active = figure('ActiveOpens')
  const passive = figure('PassiveOpens')
  return active === null || passive === null ? null : active + passive
}
