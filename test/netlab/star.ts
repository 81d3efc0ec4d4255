/**
 * A small internet of real network namespaces on this machine. Node and client reach the coordinator and
 * nobody else; the internet is behind the node.
 *
 *   client ───── coordinator ───── node ───── internet
 *   198.51.100.12  203.0.113.10   198.51.100.11   192.0.2.80
 */
import type { Test } from 'tap'
import { COORDINATOR, Spaces, type Namespace } from './namespaces.js'

export const INTERNET = '192.0.2.80'
export const NODE = '198.51.100.11'
const CLIENT = '198.51.100.12'

export interface Lab {
  readonly coordinator: Namespace
  readonly node: Namespace
  readonly client: Namespace
  readonly internet: Namespace
  /** Returns an interface name that is unique on this machine. */
  iface(): string
}

/** Makes the lab; it goes with the test, and takes along only what is its own. */
export async function makeLab(t: Test): Promise<Lab> {
  const spaces = new Spaces()
  t.teardown(() => spaces.remove())
  const add = (name: string) => spaces.add(name, { 'resolv.conf': 'nameserver 192.0.2.53\n' })
  const coordinator = await add('coordinator')
  const node = await add('node')
  const client = await add('client')
  const internet = await add('internet')
  await join(node, 'up0', NODE, coordinator, 'node0', COORDINATOR)
  await join(client, 'up0', CLIENT, coordinator, 'client0', COORDINATOR)
  await join(node, 'wan0', '192.0.2.1', internet, 'up0', INTERNET)
  for (const each of [node, client]) await each.run('ip', 'route', 'add', 'default', 'via', COORDINATOR)
  // Said twice: a namespace forwards nothing, and the coordinator's not even then.
  await coordinator.run(
    'nft',
    'add table inet lab; add chain inet lab forward { type filter hook forward priority 0; policy drop; }',
  )
  return { coordinator, node, client, internet, iface: () => spaces.iface() }
}

/** A cable: both ends have one address and a route to the other's. */
async function join(
  a: Namespace,
  aName: string,
  aAddress: string,
  b: Namespace,
  bName: string,
  bAddress: string,
): Promise<void> {
  await a.script(
    `ip link add ${aName} type veth peer name ${bName} netns ${b.id}`,
    `ip address add ${aAddress} peer ${bAddress} dev ${aName}`,
    `ip link set ${aName} up`,
  )
  await b.script(`ip address add ${bAddress} peer ${aAddress} dev ${bName}`, `ip link set ${bName} up`)
}
