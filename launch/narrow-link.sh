#!/usr/bin/env bash
# launch/narrow-link.sh [--rounds N] [--rate RATE] [key=value …]
#
# What communication.compression is worth on a narrow link: trains on two ranks, once on one node and once over a link of
# 200 Mbit/s (--rate) between two network namespaces of this host, with each form of compression, and prints one table:
# images/s of the median step on one node and over the link (the best of N rounds, 1), the share of the first that is left,
# the bytes that a node sends in a step, as the link counts them, and the test accuracy. Settings as arguments go to each
# training, behind two epochs of the default settings in two groups: `training.epochs=5`, `communication.top_k_share=0.02`.
#
# It needs the right to make namespaces (root), ip and tc (Debian: iproute2), MNIST, and the program, DTRAIN_EXECUTABLE or
# .build/debug/dtrain. It takes minutes, and its speeds mean something on a quiet machine alone. It leaves nothing behind.
#
# Exit codes: 0 top-k keeps 90 % of the speed, 1 it does not, 69 ip or tc is not there, 77 no namespaces can be made;
# else those of dtrain.
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
PATH=$PATH:/usr/sbin:/sbin

say() { printf 'launch/narrow-link.sh: %s\n' "$1" >&2; }
for command in ip tc; do
  if ! command -v $command >/dev/null; then
    say "there is no $command; install iproute2"
    exit 69
  fi
done
program=$(realpath "${DTRAIN_EXECUTABLE:-.build/debug/dtrain}")

readonly one=dtn$$-one two=dtn$$-two network=10.98.$((RANDOM % 200))
trial=$(mktemp -d /tmp/dtrain-link.XXXXXX)
readonly trial

clean_up() {
  local code=$?
  ip netns delete $one 2>/dev/null || true
  ip netns delete $two 2>/dev/null || true
  if [ $code -gt 1 ] && [ -e "$trial/output" ]; then cat "$trial/output" >&2; fi
  rm -rf "$trial"
}
trap clean_up EXIT

if ! { ip netns add $one && ip netns add $two && ip netns exec $one unshare --uts true; } 2>/dev/null; then
  say 'namespaces cannot be made here; it needs root, in a container --privileged or --cap-add SYS_ADMIN,NET_ADMIN'
  exit 77
fi
ip link add eth0 netns $one type veth peer name eth0 netns $two
address=0
for host in $one $two; do
  address=$((address + 1))
  ip -n "$host" address add $network.$address/24 dev eth0
  ip -n "$host" link set eth0 up
  ip -n "$host" link set lo up
  tc -n "$host" qdisc add dev eth0 root tbf rate "$rate" burst 64kbit latency 400ms
done
# Stands for ssh.
cat >"$trial/agent" <<'END'
#!/bin/sh
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c 'echo "$0" >/proc/sys/kernel/hostname; exec sh -c "$*"' "$host" "$@"
END
chmod 755 "$trial/agent"

# sent: the bytes that either node has sent so far.
sent() {
  local host bytes=0
  for host in $one $two; do
    bytes=$((bytes + $(ip netns exec "$host" cat /sys/class/net/eth0/statistics/tx_bytes)))
  done
  echo $((bytes / 2))
}

# train HOSTS FORM SETTING …: leaves speed in images/s, steps, and the test accuracy in result.
train() {
  local hosts=$1 form=$2
  shift 2
  rm -rf "$trial/run"
  "$trial/agent" $one mpirun --host "$hosts" --bind-to none --mca plm_rsh_agent "$trial/agent" \
    --mca plm_rsh_no_tree_spawn 1 --mca btl_tcp_if_include $network.0/24 --mca oob_tcp_if_include $network.0/24 \
    "$program" train --run-dir "$trial/run" --progress none reporting.tensorboard=false checkpoint.every_epochs=0 \
    training.epochs=2 communication.compression_groups=2 "communication.compression=$form" "$@" >"$trial/output" 2>&1
  grep '^step,' "$trial/run/metrics.csv" | cut -d , -f 8 | sort -n >"$trial/speeds"
  steps=$(wc -l <"$trial/speeds")
  speed=$(sed -n "$(((steps + 1) / 2))s/\\..*//p" "$trial/speeds")
  result=$(sed -n 's/^test accuracy //p' "$trial/output")
}

larger() { if [ "$1" -gt "$2" ]; then echo "$1"; else echo "$2"; fi; }

readonly forms=(none float16 bfloat16 int8 top-k)
declare -A alone linked bytes accuracy
for ((round = 1; round <= rounds; round++)); do
  for form in "${forms[@]}"; do
    train $one:2 "$form" "$@"
    alone[$form]=$(larger "$speed" "${alone[$form]:-0}")
    before=$(sent)
    train $one:1,$two:1 "$form" "$@"
    bytes[$form]=$((($(sent) - before) / steps))
    linked[$form]=$(larger "$speed" "${linked[$form]:-0}")
    accuracy[$form]=$result
    say "round $round of $rounds, $form: ${alone[$form]} images/s on one node, ${linked[$form]} over the link"
  done
done

printf '| compression | one node, images/s | link of %s, images/s | share | bytes sent a step | test accuracy |\n' "$rate"
printf '| --- | --- | --- | --- | --- | --- |\n'
for form in "${forms[@]}"; do
  printf '| %s | %d | %d | %d %% | %d | %s |\n' "$form" "${alone[$form]}" "${linked[$form]}" \
    $((100 * ${linked[$form]} / ${alone[$form]})) "${bytes[$form]}" "${accuracy[$form]}"
done
if [ $((100 * ${linked[top-k]})) -lt $((90 * ${alone[top-k]})) ]; then
  say "over the link top-k keeps less than 90 % of one node's images/s"
  exit 1
fi
