#!/bin/sh
# Makes a key pair, and keeps nothing of it.
set -eu
. "${0%/*}/wg_lib.sh"

private=$(wg genkey)
public=$(printf '%s\n' "$private" | wg pubkey)
printf 'key\t%s\t%s\nend\n' "$private" "$public"
