#!/bin/sh
# Makes the peers of a request so, and tells how they are; asked of none, it tells of all. Touches no peer of others, and
# takes no address from one. See wg_lib.sh for what it reads and prints.
set -eu
. "${0%/*}/wg_lib.sh"

read_request "\\{$key_field,$ips_field\\}"
take_turn
before=$(dump)
[ -n "$request" ] || {
  printf '%s\n' "$before" | marked
  exit 0
}

asked=
printf '%s\n' "$request" | {
  while IFS= read -r line; do
    key=$(field "$line" publicKey)
    ips=$(field "$line" allowedIps)
    there=$(printf '%s\n' "$before" | awk -F '\t' -v key="$key" '$1 == "peer" && $2 == key { print $3 }')
    is_ours "$key" || [ -z "$there" ] || [ "$there" = "$ips" ] ||
      fail 65 'there is a peer with this key already, and it is not ours'
    for ip in $(printf '%s' "$ips" | tr ',' ' '); do
      holder=$(printf '%s\n' "$before" |
        awk -F '\t' -v ip="$ip" '$1 == "peer" { n = split($3, ips, ","); for (i = 1; i <= n; i++) if (ips[i] == ip) print $2 }')
      [ -z "$holder" ] || is_ours "$holder" || fail 65 "$ip belongs to a peer that is not ours"
    done
    # First noted, then made: what is cut short in between can be taken away again.
    is_ours "$key" || printf '%s\n' "$key" >>"$list"
    [ "$there" = "$ips" ] || wg set "$interface" peer "$key" allowed-ips "$ips"
    asked="$asked $key"
  done
  dump | awk -F '\t' -v asked="$asked" '
    BEGIN { n = split(asked, keys, " "); for (i = 1; i <= n; i++) wanted[keys[i]] = 1 }
    $1 == "interface" || ($2 in wanted)' | marked
}
