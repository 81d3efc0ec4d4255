/**
 * A node that is an exit: forwards what its clients send to the internet, in its own name.
 *
 *   client ─ tunnel interface ─► forward (internet only) ─► masquerade ─► the node's uplink
 *
 * Its own network is not the internet: private addresses and other clients are not reached through it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Ledger } from '../system/ledger.js'
import type { Run } from '../system/run.js'

/** Not on the internet: RFC 6890's private, shared, link-local and loopback ranges. */
const PRIVATE4 = '10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16'
const PRIVATE6 = 'fc00::/7, fe80::/10'

export interface ForwardingOptions {
  /** The tunnel's interface. */
  readonly iface: string
  readonly ledger: Ledger
  readonly run: Run
  /** Where the kernel's settings are; /proc/sys. */
  readonly settings?: string
}

/** Begins to forward; the ledger gives everything back. */
export async function startForwarding({
  iface,
  ledger,
  run,
  settings = '/proc/sys',
}: ForwardingOptions): Promise<void> {
  const table = `boson-${iface}`
  // The rules come before the forwarding: nothing is forwarded without them.
  await ledger.take({ kind: 'nftables', table }, () =>
    run('nft', ['-f', '-'], { stdin: ruleset(table, iface) }),
  )
  const set = (path: string, was: string, now: string) => setKernel(`${settings}/${path}`, was, now, ledger)
  await set('net/ipv4/ip_forward', '0', '1')
  // A machine that forwards IPv6 hears router advertisements only with 2: it would lose its own default route.
  for (const name of interfaces(`${settings}/net/ipv6/conf`)) {
    await set(`net/ipv6/conf/${name}/accept_ra`, '1', '2')
  }
  await set('net/ipv6/conf/all/forwarding', '0', '1')
}

/** Changes a kernel setting that has the value `was`; any other value, or none, stays. */
async function setKernel(path: string, was: string, now: string, ledger: Ledger): Promise<void> {
  if (current(path) !== was) return
  await ledger.take({ kind: 'setting', path, was, now }, () => writeFileSync(path, now))
}

function interfaces(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Returns null when the kernel has no such setting: no IPv6, nothing to forward. */
function current(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return null
  }
}

/** Replaces the table whole: one that is there is left from a start whose ledger was lost. */
const ruleset = (table: string, iface: string): string => `
add table inet ${table}
delete table inet ${table}
table inet ${table} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${iface}" oifname "${iface}" drop
    iifname "${iface}" ip daddr { ${PRIVATE4} } drop
    iifname "${iface}" ip6 daddr { ${PRIVATE6} } drop
    oifname "${iface}" ct state new drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    iifname "${iface}" oifname != "${iface}" masquerade
  }
}
`
