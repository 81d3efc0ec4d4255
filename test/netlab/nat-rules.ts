/**
 * The rules that make a Linux router each kind of NAT. Its uplink is `wan0`.
 *
 * Connection tracking alone maps a socket to one outer port, the inner one where it is free, and lets in who was
 * written to: `port`. The wider kinds write down each mapping as its packets leave (`mappings`) and send what
 * nobody asked for by that book; `addr` also writes down whom they went to (`spoken`).
 */
import type { Nat } from './nat-spec.js'

export interface NatOptions {
  /** The router's address at its uplink. */
  readonly wan: string
  readonly remap: boolean
  readonly lifetimeS: number | null
}

/** What Linux gives a UDP flow that goes both ways, s. */
const USUAL_LIFETIME_S = 120
/** An outer port that nobody behind the router can guess, and that is always the same for a socket. */
const HASHED = 'jhash ip saddr . udp sport mod 40000 seed 0x1 offset 20000'

/** Returns the ruleset for `nft -f`. It replaces the one before. */
export function natRules(nat: Nat, options: NatOptions): string {
  const lifetime = `flags dynamic,timeout; timeout ${options.lifetimeS ?? USUAL_LIFETIME_S}s`
  return `
    table inet firewall; delete table inet firewall; table ip nat; delete table ip nat
    table inet firewall {
      chain input {
        # Taken in, a punch that comes too early would hold the mapping that the host behind needs next,
        # and masquerade would give it another port. Dropped, it leaves no trace.
        type filter hook input priority filter
        iifname wan0 meta l4proto { tcp, udp } ct state new,invalid drop
      }
      chain forward {
        type filter hook forward priority filter
        ${nat === 'block' ? BLOCK : ''}
        meta nfproto ipv6 iifname wan0 meta l4proto { tcp, udp } ct state new,invalid drop
      }
    }
    table ip nat {
      map mappings { type inet_service : ipv4_addr . inet_service; ${lifetime}; }
      set spoken { type ipv4_addr . ipv4_addr . inet_service; ${lifetime}; }
      chain book {
        # A chain of type nat sees only the first packet of a flow, too few to keep the book fresh.
        type filter hook forward priority filter + 1
        ${book(nat, options.remap)}
      }
      chain prerouting {
        type nat hook prerouting priority dstnat
        ${WIDE.has(nat) ? 'iifname wan0 meta l4proto udp dnat ip to udp dport map @mappings' : ''}
      }
      chain postrouting {
        type nat hook postrouting priority srcnat
        ${options.remap && nat !== 'sym' ? `oifname wan0 meta l4proto udp snat to ${options.wan} : ${HASHED}` : ''}
        oifname wan0 masquerade ${nat === 'sym' ? 'fully-random' : ''}
      }
    }
  `
}

const WIDE = new Set<Nat>(['full', 'addr'])

const BLOCK = `
        ct state established,related accept
        oifname wan0 tcp dport { 80, 443 } accept
        oifname wan0 drop`

function book(nat: Nat, remap: boolean): string {
  if (!WIDE.has(nat)) return ''
  const outer = remap ? HASHED : 'udp sport'
  const mapping = `oifname wan0 meta l4proto udp update @mappings { ${outer} : ip saddr . udp sport }`
  if (nat === 'full') return mapping
  return `${mapping}
        oifname wan0 meta l4proto udp update @spoken { ip daddr . ip saddr . udp sport }
        iifname wan0 ct state new ip saddr . ip daddr . udp dport != @spoken drop`
}
