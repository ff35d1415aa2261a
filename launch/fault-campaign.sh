#!/usr/bin/env bash
# launch/fault-campaign.sh [--rounds N] [--seed S] [--only KIND[,KIND …]] [--markdown FILE] [--limit S]
#                          [--epochs N] [--require-namespaces] [--list]
#
# Trains a short run on 3 ranks under `dtrain launch` again and again, each time with one fault at a random moment, and
# checks that it ends on the weights of a run that nothing disturbed. Some rounds run on three hosts, which are network
# namespaces of this one. It prints a line a round and a table at the end.
#
#   --rounds N             how many rounds (one of each kind); the kinds take turns in an order that the seed draws
#   --seed S               where the random moments come from; each round prints its own
#   --only KIND            these kinds alone: with a round's own seed and --rounds 1 it is that round again
#   --markdown FILE        writes the table there as well
#   --limit S              seconds after which a round counts as hung (180)
#   --epochs N             of 20 steps, how long a run is (3)
#   --require-namespaces   fail, and do not skip, where hosts of namespaces cannot be made
#   --list                 name the kinds of faults
#
# DTRAIN_EXECUTABLE names the program (default: it is built). Exit codes: 0 all rounds ended as they should, 1 some did
# not, 64 wrong usage, 77 namespaces are required and the right is missing.
set -euo pipefail

case ${1:-} in
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$0"
    exit 0
    ;;
esac
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=launch/environment.sh
. "$root/launch/environment.sh"
# Ranks of one round that follows another may still be leaving a core.
export OMPI_MCA_hwloc_base_binding_policy="${OMPI_MCA_hwloc_base_binding_policy:-none}"

# ip and tc.
export PATH=$PATH:/usr/sbin:/sbin

if [ -z "${DTRAIN_EXECUTABLE:-}" ]; then
  (cd "$root" && swift build --product dtrain >&2)
  DTRAIN_EXECUTABLE=$(cd "$root" && swift build --show-bin-path)/dtrain
fi
exec python3 -B "$root/launch/fault-campaign/campaign.py" --dtrain "$DTRAIN_EXECUTABLE" "$@"
