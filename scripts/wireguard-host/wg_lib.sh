# What the scripts of this folder share; sourced, not run. Everything that comes from outside passes `read_request`, which
# knows one shape of each line and refuses the rest: what is used afterwards is made of letters, digits and + / = . : , -
#
#   stdin    base64url of lines:  {"interface":"wg0"}
#                                 {"publicKey":"…=","allowedIps":"10.8.0.2/32,fd08::2/128"}
#   stdout   interface <public key> <port>, peer <key> <allowed ips> <received> <sent> ours|other, end; parted by tabs
#
#   64 misshapen   65 refused   66 this interface was not given to us   69 WireGuard is not there   75 others are at it
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 077

# Made by the operator, a folder for each interface that the coordinator may touch. It keeps the keys that we have added.
state=${BOSON_WG_STATE:-/var/lib/boson-wireguard}
# Bytes of a request: some thousand peers.
request_max=1048576

interface_line='\{"interface":"[a-z][a-z0-9_-]{0,14}"\}'
key_field='"publicKey":"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="'
v4='([0-9]{1,3}\.){3}[0-9]{1,3}/32'
v6='[0-9a-f:]{2,39}/128'
ips_field="\"allowedIps\":\"($v4|$v6|$v4,$v6)\""

fail() {
  code=$1
  shift
  echo "$*" >&2
  exit "$code"
}

# Reads stdin, of which every line but the first matches $1. Sets $interface and $request, the lines after the first.
read_request() {
  request=$(head -c "$request_max" | tr -d '\r\n' | tr '_-' '/+' | base64 -d 2>/dev/null) ||
    fail 64 'stdin: wanted base64url'
  first=${request%%"
"*}
  printf '%s\n' "$first" | grep -Eqx "$interface_line" || fail 64 'stdin: wanted an interface in the first line'
  interface=${first#*:\"}
  interface=${interface%\"*}
  request=$(printf '%s\n' "$request" | tail -n +2)
  if [ -n "$request" ] && printf '%s\n' "$request" | grep -Evqx "$1"; then
    fail 64 'stdin: wanted peers in the lines after the first'
  fi
  [ -d "$state/$interface" ] || fail 66 "$interface was not given to us: mkdir -p $state/$interface"
  list=$state/$interface/peers
  [ -e "$list" ] || : >"$list"
}

# One at a time for each interface; the lock goes with the process.
take_turn() {
  exec 9>"$state/$interface/lock"
  flock -w 5 9 || fail 75 "$interface: somebody else is changing it"
}

# The value of field $2 in the line $1.
field() {
  value=${1#*"\"$2\":\""}
  printf '%s' "${value%%\"*}"
}

# What WireGuard says of $interface, without its private key and those of its peers.
dump() {
  shown=$(wg show "$interface" dump) || fail 69 "wg cannot tell of $interface"
  printf '%s\n' "$shown" |
    awk -F '\t' -v OFS='\t' 'NR == 1 { print "interface", $2, $3 } NR > 1 { print "peer", $1, $4, $6, $7 }'
}

is_ours() { grep -Fqx -e "$1" "$list"; }

# Tells of the lines of a dump on stdin which peers are ours.
marked() {
  awk -F '\t' -v OFS='\t' -v list="$list" '
    BEGIN { while ((getline key < list) > 0) ours[key] = 1 }
    $1 == "peer" { print $0, ($2 in ours) ? "ours" : "other"; next }
    { print }
    END { print "end" }'
}
