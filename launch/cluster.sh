#!/usr/bin/env bash
# launch/cluster.sh --hostfile FILE [-n N] [--program FILE] [--copy-to DIR] [--network NET] [--check] [--] [dtrain …]
#
# Trains over several hosts with ssh. It looks at every host first (ssh answers without a password, Open MPI is of the
# version that is here, the program is there, starts, and is the same build), and says of each what is wrong. Then it runs
#
#   mpirun --hostfile FILE -n N PROGRAM [dtrain arguments …]
#
# with the arguments that follow: launch/cluster.sh --hostfile hosts -- train --run-dir /shared/runs/first seed=1
# Its exit code is then dtrain's. launch/hostfile.example shows what a file of hosts looks like.
#
#   --hostfile FILE  the hosts, a line each
#   -n N             the number of ranks (the slots of all hosts)
#   --program FILE   the program, under the same path on all hosts (.build/debug/dtrain); Swift's runtime has to be there too
#   --copy-to DIR    copies the program into this folder of each host, unless it is there already, and runs it from there
#   --network NET    the network between the hosts, where they have several: an interface (eth0) or 10.0.0.0/24
#   --check          starts `dtrain doctor` on the hosts instead of a training
#
# The data have to be on every host: in a place that dtrain searches, or in the folder that dataset.path=DIR or DTRAIN_DATA
# names. The files of the run are written by rank 0, on the first host. DTRAIN_SSH is the command that reaches a host
# (ssh), with options if need be: DTRAIN_SSH='ssh -F my-config'.
#
# Exit codes besides dtrain's: 64 wrong usage, 66 a file is not there, 69 a host is not ready.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=launch/environment.sh
. "$repository/launch/environment.sh"

fail() {
  printf 'launch/cluster.sh: %s\n' "$2" >&2
  exit "$1"
}

hostfile='' ranks='' program=$repository/.build/debug/dtrain copy_to='' network='' check=false
value() { if [ -z "${2:-}" ]; then fail 64 "$1 has no value; launch/cluster.sh --help tells"; fi; }
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$0"
      exit 0
      ;;
    --hostfile) value "$@"; hostfile=$2; shift ;;
    -n) value "$@"; ranks=$2; shift ;;
    --program) value "$@"; program=$2; shift ;;
    --copy-to) value "$@"; copy_to=$2; shift ;;
    --network) value "$@"; network=$2; shift ;;
    --check) check=true ;;
    --) shift; break ;;
    -*) fail 64 "unknown argument '$1'; launch/cluster.sh --help tells what there is, and dtrain's come after --" ;;
    *) break ;;
  esac
  shift
done
[ -n "$hostfile" ] || fail 64 'no hosts are named; add --hostfile FILE (launch/hostfile.example is one)'
[ -r "$hostfile" ] || fail 66 "$hostfile cannot be read; check the path of --hostfile"
[ -z "$ranks" ] || [[ $ranks =~ ^[1-9][0-9]*$ ]] || fail 64 "-n takes a number of ranks of at least 1, not '$ranks'"
[ -x "$program" ] || fail 66 "there is no program $program; build it with 'swift build', or name it by --program"
program=$(realpath "$program")
case ${copy_to:-/} in /*) ;; *) fail 64 "--copy-to takes an absolute path, not '$copy_to'" ;; esac

read -ra reach <<<"${DTRAIN_SSH:-ssh}"
mapfile -t hosts < <(sed 's/#.*//' "$hostfile" | awk 'NF { print $1 }' | awk '!seen[$0]++')
[ ${#hosts[@]} -gt 0 ] || fail 65 "$hostfile names no host; write a line such as 'node1 slots=4' for each"

# on HOST WORD …: runs words on a host, whose shell gets them quoted.
on() {
  local host=$1
  shift
  "${reach[@]}" -o BatchMode=yes -o ConnectTimeout=10 "$host" "$(printf '%q ' "$@")"
}

target=$program
if [ -n "$copy_to" ]; then target=$copy_to/$(basename "$program"); fi
build=$(sha256sum <"$program")
build=${build%% *}
version=$(mpirun --version | head -n 1)

# Says what is wrong with a host; nothing where it is ready.
# shellcheck disable=SC2016 # what is quoted is for the host's shell
examine() {
  local host=$1 said code=0
  said=$(on "$host" true 2>&1 </dev/null) || code=$?
  if [ $code -ne 0 ]; then
    echo "ssh does not reach it (${said##*$'\n'}); try: ${reach[*]} $host true, and give it your key with ssh-copy-id"
    return
  fi
  said=$(on "$host" sh -c 'mpirun --version 2>/dev/null | head -n 1' </dev/null)
  if [ "$said" != "$version" ]; then
    echo "it has ${said:-no mpirun on the PATH of a command by ssh}, and here is $version; install the same Open MPI on all"
    return
  fi
  said=$(on "$host" sh -c 'sha256sum 2>/dev/null <"$0"' "$target" </dev/null) || true
  if [ "${said%% *}" != "$build" ] && [ -n "$copy_to" ]; then
    # Whole under another name first: a job that runs there keeps the file that it has.
    if ! said=$(on "$host" sh -c 'mkdir -p "$(dirname "$0")" && cat >"$0.new" && chmod 755 "$0.new" && mv -f "$0.new" "$0"' \
      "$target" 2>&1 <"$program"); then
      echo "the program cannot be copied to $target (${said##*$'\n'}); choose another folder with --copy-to"
      return
    fi
  elif [ -z "$said" ]; then
    echo "there is no program $target; put it there, or let it be copied: --copy-to DIR"
    return
  elif [ "${said%% *}" != "$build" ]; then
    echo "its $target is another build than the one here; let it be copied: --copy-to DIR"
    return
  fi
  said=$(on "$host" "$target" --version 2>&1 </dev/null) \
    || echo "$target does not start there (${said##*$'\n'}); install Swift's runtime and Open MPI as they are here"
}

answers=$(mktemp -d)
trap 'rm -rf "$answers"' EXIT
for index in "${!hosts[@]}"; do examine "${hosts[index]}" >"$answers/$index" 2>/dev/null & done
wait
ready=true
for index in "${!hosts[@]}"; do
  if [ -s "$answers/$index" ]; then
    ready=false
    printf 'launch/cluster.sh: %s: %s\n' "${hosts[index]}" "$(tail -n 1 "$answers/$index")" >&2
  fi
done
$ready || exit 69

# This host alone starts the others' daemons: they need not reach each other by ssh.
start=(mpirun --hostfile "$hostfile" --mca plm_rsh_agent "${reach[*]}" --mca plm_rsh_no_tree_spawn 1)
if [ -n "$ranks" ]; then start+=(-n "$ranks"); fi
if [ -n "$network" ]; then start+=(--mca btl_tcp_if_include "$network" --mca oob_tcp_if_include "$network"); fi
for variable in DTRAIN_DATA DTRAIN_CACHE; do
  if [ -n "${!variable:-}" ]; then start+=(-x "$variable"); fi
done
if $check; then set -- doctor "$@"; fi
rm -rf "$answers"
exec "${start[@]}" "$target" "$@"
