/** Whether each port of the settings is free, held by our own coordinator, or by somebody else. */
import type { Holder, Transport } from './proc.js'
import { failed, type Finding, ok, warning } from './check.js'

export interface PortUse {
  /** `http port`, `turn port`. */
  readonly check: string
  readonly transport: Transport
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  /** Which setting chooses it. */
  readonly setting: string
  /** Who is to hold it besides the coordinator itself: `turnserver`. */
  readonly program?: string
}

export interface PortPorts {
  /** null: this system does not tell. */
  readonly holders: (transport: Transport, port: number) => readonly Holder[] | null
  /** Takes the port and gives it back at once; resolves with the system's code when that fails, else null. */
  readonly take: (use: PortUse) => Promise<string | null>
  /** Processes that are our coordinator: the one that holds the data directory. */
  readonly own: readonly number[]
  /** Whether a coordinator answers at the HTTP port. */
  readonly answers: boolean
  /** Whether our coordinator runs and should have this port. */
  readonly runs: boolean
}

/** Resolves with what is to be said of one port. */
export async function portFinding(use: PortUse, ports: PortPorts): Promise<Finding> {
  const { check, transport, port, address, setting, program } = use
  if (port === 0) return ok(check, `any free one, as ${setting}=0 says`)
  const name = `${port}/${transport} on ${address}`
  const holders = ports.holders(transport, port)?.filter(each => meets(each.address, address)) ?? null
  if (holders !== null && holders.length > 0) return heldFinding(use, name, holders, ports)
  const error = await ports.take(use)
  if (error === null) {
    if (!ports.runs) return ok(check, `${name} is free`)
    return failed(
      check,
      `${name} is free, although the coordinator runs`,
      `look for ${program ?? 'STUN and TURN'} in its log, or run boson doctor with the settings that it has`,
    )
  }
  if (error === 'EADDRINUSE') {
    if (check === 'http port' && ports.answers) return ok(check, `${name} is held by our coordinator`)
    return held(use, name, 'another process, which cannot be told', ports)
  }
  if (error === 'EACCES')
    return warning(check, `${name} may not be had by this user`, 'ports below 1024 want CAP_NET_BIND_SERVICE')
  if (error === 'EADDRNOTAVAIL')
    return failed(
      check,
      `this machine has no address ${address}`,
      'set HOST to one that it has, or to 0.0.0.0',
    )
  return failed(check, `${name} cannot be had (${error})`, `choose another with ${setting}`)
}

function heldFinding(use: PortUse, name: string, holders: readonly Holder[], ports: PortPorts): Finding {
  const [first] = holders
  const ours = holders.find(
    ({ pid, name: by }) => pid !== null && (ports.own.includes(pid) || (by === use.program && ports.runs)),
  )
  if (ours !== undefined)
    return ok(
      use.check,
      `${name} is held by our ${ours.name === use.program ? ours.name : 'coordinator'} (process ${ours.pid})`,
    )
  if (first?.pid == null)
    return use.check === 'http port' && ports.answers
      ? ok(use.check, `${name} is held by a coordinator of another user`)
      : held(use, name, 'a process of another user: root may see which', ports)
  return held(use, name, `${first.name ?? 'a process'} (process ${first.pid})`, ports)
}

function held({ check, setting }: PortUse, name: string, by: string, { answers }: PortPorts): Finding {
  // Another coordinator, with a data directory of its own, is no stranger, and no less in the way.
  const who = check === 'http port' && answers ? `another coordinator: ${by}` : by
  return failed(check, `${name} is held by ${who}`, `end that, or choose another port with ${setting}`)
}

/** Whether a listener at `held` keeps others from listening at `wanted`. */
function meets(held: string, wanted: string): boolean {
  const any = (address: string) => address === '*' || address === '0.0.0.0' || address === '::'
  return any(held) || any(wanted) || held === wanted
}
