/** What /proc tells of this machine: who holds a port, what a process may, what the kernel grants. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Holder {
  /** null: it belongs to another user, whose processes only root may look into. */
  readonly pid: number | null
  /** Name of the program; null when it cannot be told. */
  readonly name: string | null
  /** The local address, `*` for all of them. */
  readonly address: string
}

export type Transport = 'tcp' | 'udp'

/** Returns whoever listens on a port, on any address; null where /proc does not tell. */
export function holdersOf(transport: Transport, port: number): readonly Holder[] | null {
  const sockets = socketsOf(transport)
  if (sockets === null) return null
  const found = sockets.filter(each => each.port === port)
  if (found.length === 0) return []
  const owners = ownersOf(new Set(found.map(({ inode }) => inode)))
  return found.map(({ address, inode }) => {
    const pid = owners.get(inode) ?? null
    return { pid, name: pid === null ? null : programOf(pid), address }
  })
}

/** Returns the TCP ports that a process listens on. */
export function listeningPortsOf(pid: number): readonly number[] {
  const own = new Set(inodesOf(pid))
  const ports = (socketsOf('tcp') ?? []).filter(({ inode }) => own.has(inode)).map(({ port }) => port)
  return [...new Set(ports)].sort((a, b) => a - b)
}

/** Returns the first line of a file in /proc or /sys as a number; null when there is none. */
export function kernelNumber(path: string): number | null {
  const text = read(path)
  return text === null || text.trim() === '' || Number.isNaN(Number(text)) ? null : Number(text)
}

/** Returns how many files a process may have open, and has; null where that cannot be told. */
export function openFilesOf(
  pid: number | 'self',
): { readonly max: number; readonly open: number | null } | null {
  const [, max] = /^Max open files\s+(\d+|unlimited)/m.exec(read(`/proc/${pid}/limits`) ?? '') ?? []
  if (max === undefined) return null
  return {
    max: max === 'unlimited' ? Number.POSITIVE_INFINITY : Number(max),
    open: list(`/proc/${pid}/fd`)?.length ?? null,
  }
}

/** Returns the same limit as it may be raised to: Node raises its own to it at the start. */
export function mostOpenFiles(): number | null {
  const [, most] = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(read('/proc/self/limits') ?? '') ?? []
  return most === undefined ? null : most === 'unlimited' ? Number.POSITIVE_INFINITY : Number(most)
}

/** Returns whether this process has a capability, by its number; null where that cannot be told. */
export function hasCapability(number: number): boolean | null {
  const [, mask] = /^CapEff:\s+([\da-f]+)/m.exec(read('/proc/self/status') ?? '') ?? []
  return mask === undefined ? null : ((BigInt(`0x${mask}`) >> BigInt(number)) & 1n) === 1n
}

interface SocketEntry {
  readonly address: string
  readonly port: number
  readonly inode: string
}

/** States of a socket that takes what comes: LISTEN of TCP, unconnected of UDP. */
const TAKING: Readonly<Record<Transport, string>> = { tcp: '0A', udp: '07' }

function socketsOf(transport: Transport): readonly SocketEntry[] | null {
  const tables = [read(`/proc/net/${transport}`), read(`/proc/net/${transport}6`)]
  if (tables.every(table => table === null)) return null
  return tables.flatMap(table =>
    (table ?? '')
      .split('\n')
      .slice(1)
      .flatMap(line => {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
        const [address = '', port = ''] = local.split(':')
        return state === TAKING[transport]
          ? [{ address: addressOf(address), port: parseInt(port, 16), inode }]
          : []
      }),
  )
}

/** Words of four bytes, each in the machine's order, which is little-endian wherever we run. */
function addressOf(hex: string): string {
  if (/^0*$/.test(hex)) return '*'
  const bytes = [...hex.matchAll(/(..)(..)(..)(..)/g)].flatMap(([, a = '', b = '', c = '', d = '']) => [
    d,
    c,
    b,
    a,
  ])
  if (bytes.length === 4) return bytes.map(byte => parseInt(byte, 16)).join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    parseInt(`${bytes[2 * i]}${bytes[2 * i + 1]}`, 16).toString(16),
  )
  // The URL parser spells IPv6 the short way.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

function ownersOf(wanted: ReadonlySet<string>): ReadonlyMap<string, number> {
  const owners = new Map<string, number>()
  for (const name of list('/proc') ?? []) {
    if (!/^\d+$/.test(name)) continue
    for (const inode of inodesOf(Number(name))) if (wanted.has(inode)) owners.set(inode, Number(name))
    if (owners.size === wanted.size) break
  }
  return owners
}

function inodesOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`
  return (list(folder) ?? []).flatMap(fd => {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(attempt(() => readlinkSync(`${folder}/${fd}`)) ?? '') ?? []
    return inode === undefined ? [] : [inode]
  })
}

/** `node` says little: then what it runs counts, as `boson server` is seen in a list of processes. */
function programOf(pid: number): string | null {
  const name = read(`/proc/${pid}/comm`)?.trim() ?? null
  const [program = '', ...args] = (read(`/proc/${pid}/cmdline`) ?? '').split('\0').filter(Boolean)
  if (!/node/.test(name ?? '') && !/(^|\/)node$/.test(program)) return name
  const [script, command] = args.filter(arg => !arg.startsWith('-'))
  if (script === undefined) return name
  const shown = script.split('/').at(-1) ?? script
  return command === undefined || !/^[a-z]+$/.test(command) ? shown : `${shown} ${command}`
}

const read = (path: string): string | null => attempt(() => readFileSync(path, 'latin1'))
const list = (path: string): readonly string[] | null => attempt(() => readdirSync(path))

function attempt<T>(run: () => T): T | null {
  try {
    return run()
  } catch {
    return null
  }
}
