#!/usr/bin/env bash
# launch/slurm-trial.sh
#
# Tries launch/slurm.sbatch on a real Slurm: a controller and two node daemons on this host, in a folder that goes with
# them. It shows that a job of two nodes ends on the weights of one process, by srun and by mpirun; and that a job that is
# stopped by a signal, and one that another job preempts, come again by themselves and end on the same weights.
#
# It needs slurmctld and munged (Debian: slurm-wlm, munge), which launch/setup.sh --clusters installs, and the program,
# DTRAIN_EXECUTABLE or .build/debug/dtrain. It takes under a minute and leaves nothing running.
#
# Exit codes: 0 all went well, 1 something else came out, 69 Slurm is not there.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/slurm-trial.sh
    exit 0
    ;;
esac
# shellcheck source=launch/environment.sh
. launch/environment.sh
PATH=$PATH:/usr/sbin:/sbin

say() { printf "launch/slurm-trial.sh: %s s: %s\n" "$SECONDS" "$1" >&2; }
for command in slurmctld slurmd munged sbatch; do
  if ! command -v "$command" >/dev/null; then
    say "there is no $command; launch/setup.sh --clusters installs it"
    exit 69
  fi
done
export DTRAIN_EXECUTABLE=${DTRAIN_EXECUTABLE:-$PWD/.build/debug/dtrain}

trial=$(mktemp -d /tmp/dtrain-slurm.XXXXXX)
readonly trial
chmod 755 "$trial"
export SLURM_CONF=$trial/slurm.conf

clean_up() {
  local code=$? file
  if [ $code -ne 0 ]; then tail -n 20 "$trial"/*.out "$trial"/*.log >&2 || true; fi
  scancel --user "$(id -un)" 2>/dev/null || true
  for file in "$trial"/slurmd-*.pid "$trial/slurmctld.pid" "$trial/munged.pid"; do
    # A daemon writes its number when it is ready, which may be after it was found wanting.
    [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
  done
  for _ in $(seq 50); do
    compgen -G "$trial/*.pid" >/dev/null || break
    sleep 0.1
  done
  rm -rf "$trial"
}
trap clean_up EXIT

# Waits until a command succeeds: wait_until SECONDS COMMAND …
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $deadline ] || { say "waited in vain for: $*"; return 1; }
    sleep 0.1
  done
}

start_slurm() {
  local port=$((20000 + RANDOM % 10000)) user
  user=$(id -un)
  mkdir "$trial"/{state,n1,n2,tmp-n1,tmp-n2}
  head -c 1024 /dev/urandom >"$trial/munge.key"
  chmod 400 "$trial/munge.key"
  # Two daemons on one host need a folder for temporary files each, in which PMIx keeps its own. Credentials that last
  # two minutes, as by default, keep a job that comes again waiting as long.
  cat >"$SLURM_CONF" <<END
ClusterName=trial
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$trial/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$trial/state
SlurmdSpoolDir=$trial/%n
TmpFS=$trial/tmp-%n
SlurmctldPidFile=$trial/slurmctld.pid
SlurmdPidFile=$trial/slurmd-%n.pid
SlurmctldLogFile=$trial/slurmctld.log
SlurmdLogFile=$trial/slurmd-%n.log
MailProg=$(command -v true)
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=1,sched_interval=1,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
ReturnToService=2
NodeName=n1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2 RealMemory=500
NodeName=n2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2 RealMemory=500
PartitionName=patient Nodes=ALL Default=YES PriorityTier=1 GraceTime=30 State=UP
PartitionName=urgent Nodes=ALL PriorityTier=2 PreemptMode=OFF State=UP
END
  # Debian lets munged run as its own user alone unless it is forced.
  munged --force --socket="$trial/munge.socket" --key-file="$trial/munge.key" --pid-file="$trial/munged.pid" \
    --log-file="$trial/munged.log" --seed-file="$trial/munged.seed" 2>/dev/null
  slurmctld -f "$SLURM_CONF"
  slurmd -f "$SLURM_CONF" -N n1
  slurmd -f "$SLURM_CONF" -N n2
  wait_until 30 nodes_are_idle
}

nodes_are_idle() { [ "$(sinfo -h -N -o %t 2>/dev/null | grep -c idle)" -ge 2 ]; }

# Both nodes are one host, where the ranks of both would take the same names in shared memory; and they reach each other
# on any machine through the loopback alone.
export OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo

readonly settings=(
  dataset.name=synthetic-digits dataset.training_samples=400 dataset.test_samples=100 training.batch=4
  training.microbatch=1 training.epochs=100000 'model.filters=[8, 8]' 'model.filter_sizes=[3, 3]' 'model.paddings=[1, 1]'
  'model.strides=[1, 1]' checkpoint.every_epochs=100 evaluation.every_epochs=100000
)
digest() { sed -n 's/^weights digest \(sha256:[0-9a-f]*\).*/\1/p' "$1" | tail -n 1; }

# Submits a job and says its number: submit NAME STEPS SBATCH-OPTION …
submit() {
  local name=$1 steps=$2
  shift 2
  sbatch --parsable --nodes=2 --ntasks-per-node=2 --time=10 --output="$trial/$name.out" "$@" launch/slurm.sbatch \
    --quiet --run-dir "$trial/run-$name" --max-steps "$steps" "${settings[@]}"
}
is_over() { [ -z "$(squeue -h -j "$1" 2>/dev/null)" ]; }
has_begun() { [ -e "$trial/run-$1/configuration.yaml" ]; }

# expect NAME DIGEST STARTS
expect() {
  local starts
  starts=$(grep -c 'ranks by' "$trial/$1.out")
  if [ "$(digest "$trial/$1.out")" != "$2" ] || [ "$starts" -ne "$3" ]; then
    say "$1: digest $(digest "$trial/$1.out") after $starts starts, where $2 after $3 was expected"
    exit 1
  fi
  say "$1: $2 after $3 start(s)"
}

readonly short=60 long=2500
for steps in $short $long; do
  "$DTRAIN_EXECUTABLE" train --quiet --run-dir "$trial/alone-$steps" --max-steps "$steps" "${settings[@]}" \
    >"$trial/alone-$steps.out"
done
start_slurm

if srun --mpi=list 2>&1 | grep -qw pmix; then
  job=$(DTRAIN_LAUNCHER=srun submit by-srun $short)
  wait_until 60 is_over "$job"
  expect by-srun "$(digest "$trial/alone-$short.out")" 1
fi
job=$(DTRAIN_LAUNCHER=mpirun submit by-mpirun $short)
wait_until 60 is_over "$job"
expect by-mpirun "$(digest "$trial/alone-$short.out")" 1

job=$(submit signalled "$long")
wait_until 60 has_begun signalled
# As Slurm itself does a minute before the job's time is up.
scancel --batch --signal=USR1 "$job"
wait_until 120 is_over "$job"
expect signalled "$(digest "$trial/alone-$long.out")" 2

job=$(submit preempted "$long")
wait_until 60 has_begun preempted
urgent=$(sbatch --parsable --partition=urgent --nodes=2 --exclusive --output="$trial/urgent.out" --wrap='true')
wait_until 120 is_over "$urgent"
wait_until 120 is_over "$job"
expect preempted "$(digest "$trial/alone-$long.out")" 2
say 'all went well'
