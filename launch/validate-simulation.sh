#!/usr/bin/env bash
# launch/validate-simulation.sh [--rounds N] [--seconds S] [--limit PERCENT] [--output DIR] [key=value …]
#
# Whether dtrain simulate predicts what is then measured. On this node: `dtrain scale` measures 1, 2, 4 and 8 ranks, with
# one batch over all and with a batch each; the model is fitted on 1 and 2 ranks of the first and on the all-reduce of 2
# ranks, and predicts all. Between two network namespaces: the link is fitted on an all-reduce at 500 Mbit/s, and training
# is predicted at 200 and 100 Mbit/s, with one rank a node and with two that share its link. N rounds (3) of S seconds
# (1); settings as arguments go to all. Prints a table of predicted and measured images/s and the error in %, and keeps
# all files in DIR (validation).
#
# A machine that other work disturbs is not what the model is of: run it on a quiet one. It needs the program
# (DTRAIN_EXECUTABLE or .build/debug/dtrain); the links also the right to make namespaces (root), ip and tc (Debian:
# iproute2), and are left out with a word where those are missing.
#
# Exit codes: 0 every prediction that was not fitted is within PERCENT (10), 1 one is not; else those of dtrain.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=3 seconds=1 limit=10 output=validation
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/validate-simulation.sh
      exit 0
      ;;
    --rounds) rounds=$2 && shift 2 ;;
    --seconds) seconds=$2 && shift 2 ;;
    --limit) limit=$2 && shift 2 ;;
    --output) output=$2 && shift 2 ;;
    *) break ;;
  esac
done
# shellcheck source=launch/environment.sh
. launch/environment.sh
say() { printf 'launch/validate-simulation.sh: %s\n' "$1" >&2; }
# shellcheck source=launch/two-nodes.sh
. launch/two-nodes.sh
program=$(realpath "${DTRAIN_EXECUTABLE:-.build/debug/dtrain}")
mkdir -p "$output"
output=$(realpath "$output")
readonly strong=configs/scaling-strong.yaml weak=configs/scaling-weak.yaml
trial=$(mktemp -d /tmp/dtrain-validation.XXXXXX)
readonly trial

clean_up() {
  remove_nodes
  rm -rf "$trial"
}
trap clean_up EXIT

readonly timing=(--rounds "$rounds" --seconds "$seconds")
readonly times=(--rounds "$rounds" --seconds 0.02 --largest 2097152)
# What a bucket holds passes at once: smaller vectors would tell of the bucket and not of the link.
readonly link_times=(--rounds "$rounds" --seconds 0.1 --smallest 65536 --largest 1048576)

# column FILE NAME: the number of a column, from 1.
column() { head -n 1 "$1" | tr , '\n' | grep -nx "$2" | cut -d : -f 1; }

# compare CASE PREDICTED MEASURED FITTED: a line for each number of ranks that both files have; FITTED are the numbers that
# the figures come from.
compare() {
  local case=$1 predicted=$2 measured=$3 fitted=$4
  awk -F , -v what="$case" -v fitted=",$fitted," -v limit="$limit" -v failed="$trial/failed" \
    -v p="$(column "$predicted" images_per_second)" -v b="$(column "$predicted" batch)" \
    -v m="$(column "$measured" images_per_second)" -v c="$(column "$measured" batch)" '
    FNR == 1 { next }
    NR == FNR { speed[$1 "," $b] = $p; next }
    ($1 "," $c) in speed {
      predicted = speed[$1 "," $c]
      error = 100 * (predicted / $m - 1)
      isFitted = index(fitted, "," $1 ",") > 0
      word = isFitted ? "fitted" : "held out"
      printf "| %s | %d | %d | %.0f | %.0f | %+.1f %% | %s |\n", what, $1, $c, predicted, $m, error, word
      if (!isFitted && (error > limit || error < -limit)) print what ", " $1 " ranks" >> failed
    }' "$predicted" "$measured" >>"$trial/table"
}

say 'measuring on one node'
mpirun -n 2 "$program" bench allreduce "${times[@]}" --json "$output/two.json" >/dev/null
"$program" scale --config $strong --ranks 1,2,4,8 "${timing[@]}" --output "$output/strong" "$@" >/dev/null
"$program" scale --weak --config $weak --ranks 1,2,4,8 "${timing[@]}" --output "$output/weak" "$@" >/dev/null
readonly fit=(--scale "$output/strong/scale.json" --allreduce "$output/two.json" --fit-ranks "1,2" --ranks-per-node 8)
"$program" simulate --config $strong "${fit[@]}" --ranks 1,2,4,8 --output "$output/strong-simulated" "$@" \
  >"$output/strong-simulated.txt"
"$program" simulate --weak --config $weak "${fit[@]}" --ranks 1,2,4,8 --output "$output/weak-simulated" "$@" >/dev/null
compare 'one node, strong' "$output/strong-simulated/simulation.csv" "$output/strong/scale.csv" 1,2
compare 'one node, weak' "$output/weak-simulated/simulation.csv" "$output/weak/scale.csv" ''

# link MBIT SLOTS: measures so many ranks a node over the link, and predicts them. Both nodes are on this one's cores.
link() {
  local rate=$1 slots=$2 name="link-$1-mbit-$2-a-node"
  limit_link "${rate}mbit"
  in_node "$one" "$program" scale --config $strong --ranks $((2 * slots)) "${timing[@]}" --output "$output/$name" \
    --mpirun-options="--host $one:$slots,$two:$slots ${node_options[*]}" "${@:3}" >/dev/null
  "$program" simulate --config $strong --scale "$output/strong/scale.json" --fit-ranks 2 \
    --allreduce "$output/two.json,$output/link.json" --ranks $((2 * slots)) --ranks-per-node "$slots" \
    --cores-per-node $((cores / 2 > 1 ? cores / 2 : 1)) \
    --bandwidth-gbit "$(awk -v rate="$rate" -v share="$share" 'BEGIN { print rate / 1000 * share }')" \
    --output "$output/$name-simulated" "${@:3}" >"$output/$name-simulated.txt"
  compare "link of $rate Mbit/s, $slots a node" "$output/$name-simulated/simulation.csv" "$output/$name/scale.csv" ''
}

if make_nodes 500mbit; then
  cores=$(nproc)
  say 'measuring over links'
  on_nodes "$one:1,$two:1" "$program" bench allreduce "${link_times[@]}" --json "$output/link.json" >/dev/null
  # What of the link's rate is left for the bytes of messages; the same share is taken of other rates.
  "$program" simulate --config $strong --scale "$output/strong/scale.json" --fit-ranks 2 \
    --allreduce "$output/link.json" --ranks 2 --output "$output/link-fitted" "$@" >"$output/link-fitted.txt"
  share=$(awk '$1 == "bandwidth-gbit" { print $2 / 0.5 }' "$output/link-fitted.txt")
  say "messages have $share of the link's rate"
  for megabits in 200 100; do
    for slots in 1 2; do link $megabits $slots "$@"; done
  done
else
  say 'no link was measured'
fi

printf '| what | ranks | batch | predicted images/s | measured | error | |\n'
printf '| --- | --- | --- | --- | --- | --- | --- |\n'
cat "$trial/table"
if [ -e "$trial/failed" ]; then
  say "more than $limit % off: $(paste -sd ';' "$trial/failed")"
  exit 1
fi
