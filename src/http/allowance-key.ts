/** What limits of addresses count by. */
import ipaddr from 'ipaddr.js'

/** Returns an IPv4 address, or the /64 that one IPv6 subscriber has. */
export function allowanceKey(address: string): string {
  const colons = address.split(':')
  if (colons.length === 1 || !ipaddr.isValid(address)) return address
  return `${(ipaddr.parse(address) as ipaddr.IPv6).parts
    .slice(0, 4)
    .map(part => part.toString(16))
    .join(':')}::/64` // has colons
}
