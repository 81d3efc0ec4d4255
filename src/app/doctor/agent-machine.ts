/** Whether an agent can run on this machine: WireGuard, rights, and the way to the coordinator. */
import { endpointText } from '../../protocol/address.js'
import type { Tried } from '../../turn/try-server.js'
import { failed, type Finding, ok, reasonOf, warning } from './check.js'

export interface AgentMachinePorts {
  /** Returns where a program is; null when it is not installed. */
  readonly program: (name: string) => string | null
  /** Whether the kernel has WireGuard, loaded or to be loaded; null where that cannot be told. */
  readonly kernelHas: boolean | null
  /** Whether /dev/net/tun can be opened: null when it can, else the system's code. */
  readonly tun: string | null
  /** CAP_NET_ADMIN; null where that cannot be told. */
  readonly netAdmin: boolean | null
}

/** Where the tools come from. */
const PACKAGES = {
  wg: 'wireguard-tools',
  ip: 'iproute2',
  'wireguard-go': 'wireguard-go',
  nft: 'nftables',
} as const

export function tools({ program }: AgentMachinePorts): readonly Finding[] {
  const missing = (['wg', 'ip'] as const).filter(name => program(name) === null)
  return [
    ...missing.map(name => failed(name, 'not installed', `apt install ${PACKAGES[name]}`)),
    ...(missing.length === 0 ? [ok('tools', `wg at ${program('wg')}, ip at ${program('ip')}`)] : []),
    program('nft') === null
      ? warning(
          'nft',
          'not installed: this machine cannot be an exit',
          `apt install ${PACKAGES.nft}; only boson node --exit needs it`,
        )
      : ok('nft', `at ${program('nft')}: this machine can be an exit`),
  ]
}

export function wireguard({ program, kernelHas, tun, netAdmin }: AgentMachinePorts): readonly Finding[] {
  const name = 'wireguard'
  const userspace = program('wireguard-go')
  const rights = right(netAdmin)
  if (kernelHas === true) return [ok(name, 'the kernel has it'), rights]
  const kernel = kernelHas === null ? 'whether the kernel has it cannot be told' : 'the kernel has it not'
  if (userspace === null)
    return [
      (kernelHas === null ? warning : failed)(
        name,
        `${kernel}, and there is no wireguard-go`,
        `modprobe wireguard, or apt install ${PACKAGES['wireguard-go']}`,
      ),
      rights,
    ]
  return [ok(name, `${kernel}; wireguard-go at ${userspace} will do, at more CPU`), device(tun), rights]
}

function device(tun: string | null): Finding {
  const name = '/dev/net/tun'
  if (tun === null) return ok(name, 'can be opened')
  return failed(
    name,
    `cannot be opened (${tun}), and wireguard-go needs it`,
    tun === 'EACCES' || tun === 'EPERM'
      ? 'run as root'
      : 'modprobe tun; a container wants --device /dev/net/tun',
  )
}

function right(netAdmin: boolean | null): Finding {
  const name = 'rights'
  if (netAdmin === null) return ok(name, 'this system does not tell which it gives')
  return netAdmin
    ? ok(name, 'CAP_NET_ADMIN: it may make interfaces and routes')
    : failed(
        name,
        'no CAP_NET_ADMIN: it may not make interfaces',
        'run as root (sudo), or a container with --cap-add NET_ADMIN',
      )
}

/** What came of asking the coordinator as an agent does: the page that says it lives, and the socket. */
export interface Reached {
  readonly roundTripMs: number
  readonly aheadMs: number | null
  /** Whether the WebSocket was opened and greeted; else why not. */
  readonly greeted: true | string
}

export async function reach(
  url: string | null,
  ask: (url: string) => Promise<Reached>,
): Promise<readonly Finding[]> {
  const name = 'coordinator'
  if (url === null)
    return [warning(name, 'not named, so not tried', 'name it with --server https://mesh.example.org')]
  try {
    const { roundTripMs, greeted } = await ask(url)
    const found = `${url} answers in ${Math.round(roundTripMs)} ms`
    if (greeted === true) return [ok(name, `${found}, and greets agents`)]
    return [
      failed(
        name,
        `${found}, and its WebSocket is not had (${greeted})`,
        'see whether a proxy in between passes WebSockets on',
      ),
    ]
  } catch (error) {
    const reason = reasonOf(error)
    const advice = /certificate|altname|self.signed/i.test(reason)
      ? 'name its certificate with --ca, or give it one that is trusted'
      : 'see its name, its port, and the firewall in between'
    return [failed(name, `${url} cannot be reached (${reason})`, advice)]
  }
}

/** Says whether UDP gets out, by asking the coordinator's STUN; null when no coordinator is named. */
export async function egress(ask: (() => Promise<Tried>) | null): Promise<Finding> {
  const name = 'UDP'
  if (ask === null) return warning(name, 'not tried: no coordinator is named', 'name it with --server')
  try {
    const { mapped, roundTripMs } = await ask()
    return ok(
      name,
      `gets out, and an answer back in ${roundTripMs.toFixed(1)} ms; seen as ${endpointText(mapped)} (more: boson netcheck)`,
    )
  } catch (error) {
    return warning(
      name,
      `the coordinator’s STUN does not answer (${reasonOf(error)})`,
      'let UDP out, and into the coordinator’s port 3478; until then everything is relayed over TCP',
    )
  }
}
