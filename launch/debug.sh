#!/usr/bin/env bash
# launch/debug.sh [--command LLDB-COMMAND]… single|replicas N|rank R N [dtrain arguments …]
#
# Starts dtrain under lldb, the debugger of the Swift toolchain:
#
#   single        one process; also for other subcommands: launch/debug.sh single replay --checkpoint FILE --microbatch 3
#   replicas N    N ranks as threads of one process: a breakpoint stops them all
#   rank R N      rank R of N under mpirun: the rank waits until lldb is attached, the others wait for it without end
#
# With --command, which may come several times, lldb does these and ends instead of asking for commands:
#
#   launch/debug.sh --command 'breakpoint set --name adamUpdate' --command continue --command bt rank 1 2 --max-steps 3
#
# A process that is started waits for `run`, one that is attached for `continue`. The program is DTRAIN_EXECUTABLE, or
# the debug build, which is made where it is not up to date. Breakpoints by name need the names of Swift: adamUpdate,
# TrainingStep.run. Exit codes: 0, 64 wrong usage, 69 lldb cannot be started or may not trace, 1 the job failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=launch/environment.sh
. "$root/launch/environment.sh"

fail() {
  printf 'launch/debug.sh: %s\n' "$2" >&2
  exit "$1"
}

commands=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$root/launch/debug.sh"
      exit 0
      ;;
    --command)
      [ $# -gt 1 ] || fail 64 "--command has no value"
      commands+=(-o "$2")
      shift 2
      ;;
    *) break ;;
  esac
done

number() { [[ ${1:-} =~ ^[0-9]+$ ]] || fail 64 "$2; launch/debug.sh --help tells how"; }

mode=${1:-}
[ $# -eq 0 ] || shift
case $mode in
  single) ;;
  replicas)
    number "${1:-}" "replicas needs their number"
    set -- "${@:2}" --replicas "$1"
    ;;
  rank)
    number "${1:-}" "rank needs the number of a rank"
    number "${2:-}" "rank needs the number of ranks"
    rank=$1 ranks=$2
    [ "$rank" -lt "$ranks" ] || fail 64 "there is no rank $rank among $ranks, which count from 0"
    shift 2
    ;;
  *) fail 64 "say single, replicas or rank; launch/debug.sh --help tells more" ;;
esac

# The toolchain's lldb needs the Python that it was built with, which may lie where the loader does not look.
lldb=(lldb)
check_lldb() {
  command -v lldb >/dev/null || fail 69 'there is no lldb on PATH; it comes with the Swift toolchain'
  local said library folder
  if said=$(lldb --version 2>&1); then return; fi
  library=$(sed -n 's/.*: \(libpython[^:]*\): cannot open.*/\1/p' <<<"$said")
  [ -n "$library" ] || fail 69 "lldb cannot be started: $said"
  folder=$(find / -xdev -name "$library" -printf '%h\n' -quit 2>/dev/null || true)
  [ -n "$folder" ] || fail 69 "lldb cannot be started without $library: install the Python that it belongs to"
  lldb=(env "LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" lldb -o 'settings set target.unset-env-vars LD_LIBRARY_PATH')
  "${lldb[@]}" --version >/dev/null 2>&1 || fail 69 "lldb cannot be started, though $folder has $library"
}

check_lldb
if [ ${#commands[@]} -gt 0 ]; then lldb+=(--batch); fi
if [ -z "${DTRAIN_EXECUTABLE:-}" ]; then
  (cd "$root" && swift build --product dtrain)
  DTRAIN_EXECUTABLE=$root/.build/debug/dtrain
fi

if [ "$mode" != rank ]; then exec "${lldb[@]}" "${commands[@]}" -- "$DTRAIN_EXECUTABLE" "$@"; fi

said=$(mktemp)
mpirun -n "$ranks" "$DTRAIN_EXECUTABLE" "$@" --wait-for-debugger "$rank" 2> >(tee "$said" >&2) </dev/null &
job=$!
trap 'rm -f "$said"' EXIT
process=
while [ -z "$process" ]; do
  kill -0 "$job" 2>/dev/null || { wait "$job" || exit; fail 1 'the job ended before a debugger was attached'; }
  sleep 0.2
  process=$(sed -n "s/.*rank $rank waits for a debugger: process \([0-9]*\) on .*/\1/p" "$said")
done
if ! "${lldb[@]}" -p "$process" "${commands[@]}"; then
  # The rank would wait for ever.
  kill "$job"
  fail 69 'lldb could not be attached: in a container tracing may be forbidden (ptrace needs CAP_SYS_PTRACE)'
fi
wait "$job"
