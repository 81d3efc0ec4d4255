#!/bin/sh
# The one command that the coordinator's key may run (`command=` in authorized_keys): one of our scripts, by its name,
# without arguments, as root where sudo lets it.
set -eu

here=${0%/*}
case ${SSH_ORIGINAL_COMMAND-} in
"$here/wg_apply.sh" | "$here/wg_remove.sh" | "$here/wg_gen_key.sh") script=$SSH_ORIGINAL_COMMAND ;;
*)
  echo "wanted one of $here/wg_apply.sh, wg_remove.sh, wg_gen_key.sh" >&2
  exit 64
  ;;
esac
[ "$(id -u)" -eq 0 ] && exec "$script"
exec sudo -n -- "$script"
