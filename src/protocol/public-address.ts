/**
 * Which addresses are public. Whoever sends for others (a TURN relay, a webhook) must not be led into the networks that
 * only its own machine can reach.
 */
import { isIn, network, networks } from './network.js'

/** Returns whether an IPv6 address stands for an IPv4 one: a peer is named by the address it has. */
export const isDisguised = (ip: Buffer): boolean =>
  ip.length === 16 && (isIn(ip, DISGUISES) || (ip.readUInt32BE(8) & ~ISATAP_GLOBAL) === ISATAP)

/** Returns whether the address of 4 or 16 bytes is one that the public internet routes to a single host. */
export const isPublic = (ip: Buffer): boolean =>
  ip.length === 4 ? !isIn(ip, SPECIAL_V4) : isIn(ip, GLOBAL_V6) && !isIn(ip, SPECIAL_V6)

/** The third word of an ISATAP address (RFC 5214), but for its bit that says "globally unique". */
const ISATAP = 0x00005efe
const ISATAP_GLOBAL = 0x02000000

const DISGUISES = networks([
  '::ffff:0:0/96', // mapped
  '::ffff:0:0:0/96', // translated (RFC 2765)
  '64:ff9b::/96', // NAT64
  '64:ff9b:1::/48', // NAT64, local
  '2001::/32', // Teredo
  '2002::/16', // 6to4
])

/** RFC 6890 and its registry: not to be forwarded, or not unicast. */
const SPECIAL_V4 = networks([
  '0.0.0.0/8', // this network
  '10.0.0.0/8',
  '100.64.0.0/10', // shared by carriers
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, and cloud metadata
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24', // documentation, as the two below
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
])

/** All of IPv6 that is given out; what is not in it (::, ::1, v4-compatible, fc00::/7, fe80::/10, ff00::/8) is refused. */
const GLOBAL_V6 = [network('2000::/3')]
const SPECIAL_V6 = networks([
  '2001::/23', // protocol assignments
  '2001:db8::/32', // documentation, as the one below
  '3fff::/20',
])
