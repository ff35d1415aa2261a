#!/usr/bin/env bash
# launch/linked-allreduce.sh [--ranks N] [--rounds N] [--rates RATE,RATE,…] [--largest BYTES]
#
# The ordered all-reduce beside MPI's where ranks are on two nodes: runs `dtrain bench allreduce` with N ranks (2), half of
# them on each of two network namespaces of this host, with the link between them at 10 Gbit/s, 1 Gbit/s and 200 Mbit/s
# (--rates), and prints one table: medians of --rounds (3) rounds in microseconds, and ours by MPI's. --largest (4194304)
# is the largest vector, in bytes.
#
# It needs the right to make namespaces (root), ip and tc (Debian: iproute2), and the program, DTRAIN_EXECUTABLE or
# .build/debug/dtrain. Its figures mean something on a quiet machine alone. It leaves nothing behind.
#
# Exit codes: 64 wrong usage, 69 ip or tc is not there, 77 no namespaces can be made; else those of dtrain.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
ranks=2 rounds=3 rates=10gbit,1gbit,200mbit largest=4194304
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/linked-allreduce.sh
      exit 0
      ;;
    --ranks) ranks=$2 && shift 2 ;;
    --rounds) rounds=$2 && shift 2 ;;
    --rates) rates=$2 && shift 2 ;;
    --largest) largest=$2 && shift 2 ;;
    *)
      printf 'launch/linked-allreduce.sh: %s is not known; see --help\n' "$1" >&2
      exit 64
      ;;
  esac
done
# shellcheck source=launch/environment.sh
. launch/environment.sh
say() { printf 'launch/linked-allreduce.sh: %s\n' "$1" >&2; }
# shellcheck source=launch/two-nodes.sh
. launch/two-nodes.sh
program=$(realpath "${DTRAIN_EXECUTABLE:-.build/debug/dtrain}")

clean_up() {
  local code=$?
  if [ $code -ne 0 ] && [ -n "$node_folder" ] && [ -e "$node_folder/output" ]; then cat "$node_folder/output" >&2; fi
  remove_nodes
}
trap clean_up EXIT

IFS=, read -r -a links <<<"$rates"
make_nodes "${links[0]}" || exit $?
for link in "${links[@]}"; do
  limit_link "$link"
  say "$link"
  on_nodes "$one:$((ranks - ranks / 2)),$two:$((ranks / 2))" "$program" bench allreduce --rounds "$rounds" \
    --seconds 0.1 --largest "$largest" >"$node_folder/output" 2>&1
  awk '$1 ~ /^[0-9]+$/ && NF == 6 { print $1, $2, $4, $6 }' "$node_folder/output" >"$node_folder/$link"
done

printf '| bytes |'
for link in "${links[@]}"; do printf ' %s | MPI | ratio |' "$link"; done
printf '\n| --- |'
for link in "${links[@]}"; do printf ' --- | --- | --- |'; done
printf '\n'
while read -r bytes _; do
  printf '| %s |' "$bytes"
  for link in "${links[@]}"; do
    awk -v bytes="$bytes" '$1 == bytes { printf " %s | %s | %s |", $2, $3, $4 }' "$node_folder/$link"
  done
  printf '\n'
done <"$node_folder/${links[0]}"
