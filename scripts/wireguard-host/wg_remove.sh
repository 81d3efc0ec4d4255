#!/bin/sh
# Takes the peers of a request away, if they are ours, and tells how they were. See wg_lib.sh for what it reads and prints.
set -eu
. "${0%/*}/wg_lib.sh"

read_request "\\{$key_field\\}"
take_turn
before=$(dump)
printf '%s\n' "$before" | awk -F '\t' '$1 == "interface"'
printf '%s\n' "$request" | while IFS= read -r line; do
  [ -n "$line" ] || continue
  key=$(field "$line" publicKey)
  is_ours "$key" || continue
  printf '%s\n' "$before" | awk -F '\t' -v OFS='\t' -v key="$key" '$1 == "peer" && $2 == key { print $0, "ours" }'
  wg set "$interface" peer "$key" remove
  grep -Fvx -e "$key" "$list" >"$list.new" || :
  mv "$list.new" "$list"
done
echo end
