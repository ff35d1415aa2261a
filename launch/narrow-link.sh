#!/usr/bin/env bash
# launch/narrow-link.sh [--rounds N] [--rate RATE] [key=value …]
#
# What communication.compression and communication.local_steps are worth on a narrow link: trains on two ranks, once on one
# node and once over a link of 200 Mbit/s (--rate) between two network namespaces of this host, with each form of
# compression and with ten local steps, and prints one table: images/s of the median step on one node and over the link
# (the best of N rounds, 1; with local steps of all steps together, of which one in ten takes longer), the share of the
# first that is left, the bytes that a node sends in a step, as the link counts them, and the test accuracy. Settings as
# arguments go to each training, behind two epochs of the default settings in two groups: `training.epochs=5`,
# `communication.top_k_share=0.02`.
#
# It needs the right to make namespaces (root), ip and tc (Debian: iproute2), MNIST, and the program, DTRAIN_EXECUTABLE or
# .build/debug/dtrain. It takes minutes, and its speeds mean something on a quiet machine alone. It leaves nothing behind.
#
# Exit codes: 0 top-k keeps 90 % of the speed, 1 it does not, 64 wrong usage, 69 ip or tc is not there, 77 no namespaces can
# be made; else those of dtrain.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=1 rate=200mbit
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/narrow-link.sh
      exit 0
      ;;
    --rounds) rounds=$2 && shift 2 ;;
    --rate) rate=$2 && shift 2 ;;
    *) break ;;
  esac
done
# shellcheck source=launch/environment.sh
. launch/environment.sh
say() { printf 'launch/narrow-link.sh: %s\n' "$1" >&2; }
# shellcheck source=launch/two-nodes.sh
. launch/two-nodes.sh
program=$(realpath "${DTRAIN_EXECUTABLE:-.build/debug/dtrain}")

clean_up() {
  local code=$?
  if [ $code -gt 1 ] && [ -n "$node_folder" ] && [ -e "$node_folder/output" ]; then cat "$node_folder/output" >&2; fi
  remove_nodes
}
trap clean_up EXIT
make_nodes "$rate" || exit $?

# train HOSTS FORM SETTING …: leaves speed in images/s, steps, and the test accuracy in result.
train() {
  local hosts=$1 form=$2 settings
  shift 2
  case $form in
    local) settings=(communication.local_groups=2 communication.local_steps=10) ;;
    *) settings=(communication.compression_groups=2 "communication.compression=$form") ;;
  esac
  rm -rf "$node_folder/run"
  on_nodes "$hosts" \
    "$program" train --run-dir "$node_folder/run" --progress none reporting.tensorboard=false checkpoint.every_epochs=0 \
    training.epochs=2 "${settings[@]}" "$@" >"$node_folder/output" 2>&1
  grep '^step,' "$node_folder/run/metrics.csv" | cut -d , -f 8 | sort -n >"$node_folder/speeds"
  steps=$(wc -l <"$node_folder/speeds")
  if [ "$form" = local ]; then
    speed=$(awk '{ seconds += 1 / $1 } END { printf "%d", NR / seconds }' "$node_folder/speeds")
  else
    speed=$(sed -n "$(((steps + 1) / 2))s/\\..*//p" "$node_folder/speeds")
  fi
  result=$(sed -n 's/^test accuracy //p' "$node_folder/output")
}

larger() { if [ "$1" -gt "$2" ]; then echo "$1"; else echo "$2"; fi; }

readonly forms=(none float16 bfloat16 int8 top-k local)
declare -A alone linked bytes accuracy
for ((round = 1; round <= rounds; round++)); do
  for form in "${forms[@]}"; do
    train $one:2 "$form" "$@"
    alone[$form]=$(larger "$speed" "${alone[$form]:-0}")
    before=$(sent_bytes)
    train $one:1,$two:1 "$form" "$@"
    bytes[$form]=$((($(sent_bytes) - before) / steps))
    linked[$form]=$(larger "$speed" "${linked[$form]:-0}")
    accuracy[$form]=$result
    say "round $round of $rounds, $form: ${alone[$form]} images/s on one node, ${linked[$form]} over the link"
  done
done

printf '| form | one node, images/s | link of %s, images/s | share | bytes sent a step | test accuracy |\n' "$rate"
printf '| --- | --- | --- | --- | --- | --- |\n'
for form in "${forms[@]}"; do
  printf '| %s | %d | %d | %d %% | %d | %s |\n' "$form" "${alone[$form]}" "${linked[$form]}" \
    $((100 * ${linked[$form]} / ${alone[$form]})) "${bytes[$form]}" "${accuracy[$form]}"
done
if [ $((100 * ${linked[top-k]})) -lt $((90 * ${alone[top-k]})) ]; then
  say "over the link top-k keeps less than 90 % of one node's images/s"
  exit 1
fi
