# shellcheck shell=bash
# Two nodes on this host, for scripts in launch/ to source: network namespaces with a link between them.
#
#   make_nodes RATE            makes them; else says why and returns 64 for no rate, 69 without ip or tc, 77 where none can
#                              be made
#   limit_link RATE            changes what the link carries: 200mbit, 1gbit
#   in_node HOST COMMAND …     runs a command on $one or $two
#   on_nodes HOSTS COMMAND …   the same under mpirun on both, with node_options: on_nodes $one:1,$two:1 dtrain train
#   sent_bytes                 what a node has sent so far: the mean of both
#   remove_nodes               to be called at the end
#
# It sets one and two to their names, node_folder to a folder that goes with them, and node_options to what mpirun needs in
# them. It needs the function say.
PATH=$PATH:/usr/sbin:/sbin
one=dtn$$-one two=dtn$$-two network=10.98.$((RANDOM % 200))
node_folder=
node_options=()

make_nodes() {
  local command host address=0
  for command in ip tc; do
    if ! command -v $command >/dev/null; then
      say "there is no $command; install iproute2"
      return 69
    fi
  done
  node_folder=$(mktemp -d /tmp/dtrain-nodes.XXXXXX)
  if ! { ip netns add "$one" && ip netns add "$two" && ip netns exec "$one" unshare --uts true; } 2>/dev/null; then
    say 'namespaces cannot be made here; it needs root, in a container --privileged or --cap-add SYS_ADMIN,NET_ADMIN'
    return 77
  fi
  ip link add eth0 netns "$one" type veth peer name eth0 netns "$two" || return
  for host in "$one" "$two"; do
    address=$((address + 1))
    ip -n "$host" address add "$network.$address/24" dev eth0 || return
    ip -n "$host" link set eth0 up || return
    ip -n "$host" link set lo up || return
    # Linux's default, whatever this host has.
    ip netns exec "$host" sh -c 'echo cubic >/proc/sys/net/ipv4/tcp_congestion_control' 2>/dev/null || true
  done
  limit_link "$1" || return
  # Stands for ssh, which gets a line for a shell.
  cat >"$node_folder/agent" <<'AGENT'
#!/bin/sh
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c 'echo "$0" >/proc/sys/kernel/hostname; exec sh -c "$*"' "$host" "$@"
AGENT
  chmod 755 "$node_folder/agent"
  node_options=(--bind-to none --mca plm_rsh_agent "$node_folder/agent" --mca plm_rsh_no_tree_spawn 1
    --mca btl_tcp_if_include "$network.0/24" --mca oob_tcp_if_include "$network.0/24")
}

limit_link() {
  local host burst
  if ! [[ $1 =~ ^([1-9][0-9]*)(mbit|gbit)$ ]]; then
    say "a link's rate is a whole number of mbit or gbit, as in 200mbit; not $1"
    return 64
  fi
  # A bucket holds what goes in 0.32 ms: it is full when the kernel comes later, so that the same share of any rate is lost.
  # A packet that is larger than it never goes.
  burst=$((BASH_REMATCH[1] * 40))
  if [ "${BASH_REMATCH[2]}" = gbit ]; then burst=$((burst * 1000)); fi
  if [ $burst -lt 4000 ]; then burst=4000; fi
  for host in "$one" "$two"; do
    tc -n "$host" qdisc replace dev eth0 root tbf rate "$1" burst "${burst}b" latency 400ms || return
  done
}

in_node() {
  local host=$1
  shift
  # shellcheck disable=SC2016
  ip netns exec "$host" unshare --uts sh -c 'echo "$0" >/proc/sys/kernel/hostname; exec "$@"' "$host" "$@"
}

on_nodes() {
  local hosts=$1
  shift
  in_node "$one" mpirun --host "$hosts" "${node_options[@]}" "$@"
}

sent_bytes() {
  local host bytes=0
  for host in "$one" "$two"; do
    bytes=$((bytes + $(ip netns exec "$host" cat /sys/class/net/eth0/statistics/tx_bytes)))
  done
  echo $((bytes / 2))
}

remove_nodes() {
  ip netns delete "$one" 2>/dev/null || true
  ip netns delete "$two" 2>/dev/null || true
  if [ -n "$node_folder" ]; then rm -rf "$node_folder"; fi
}
