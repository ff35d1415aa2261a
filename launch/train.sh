#!/usr/bin/env bash
# launch/train.sh [-n N] [--] [dtrain arguments …]
#
# Trains on this machine in one command: installs what is missing, gets MNIST, builds, and runs
#
#   mpirun -n 4 .build/debug/dtrain [dtrain arguments …]
#
# in the repository's folder, where paths in the arguments count from.
#
#   -n N   the number of ranks (4); has to come first
#
# For example: launch/train.sh -n 2 --max-steps 60 seed=1 training.epochs=2
#
# Where MNIST can be had nowhere and the arguments choose no data (no --config, dataset.name or dataset.path), it trains
# on digits drawn by code and says so. A run that goes on (--resume) keeps the data that it began with.
#
# Exit codes: dtrain's (README, "Exit codes"), as mpirun hands them on. Ctrl-C while it trains: 1, which is mpirun's own;
# the ranks write their state within the second that mpirun leaves them, and say how to go on. Ctrl-C before: 130. And
# 64 wrong usage, 69 something is missing that cannot be installed, 73 or 74 MNIST cannot be stored, 1 the build failed.
set -euo pipefail

# Relative to where the user is, as typed, so that what dtrain advises can be pasted.
printf -v DTRAIN_STARTED_BY '%q' "$0"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/environment.sh
. launch/environment.sh

ranks=4
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/train.sh
      exit 0
      ;;
    -n)
      ranks=${2:-}
      shift $(($# > 1 ? 2 : 1))
      if ! [[ $ranks =~ ^[1-9][0-9]*$ ]]; then
        echo "launch/train.sh: -n takes a number of ranks of at least 1, not '$ranks'" >&2
        exit 64
      fi
      ;;
    --)
      shift
      break
      ;;
    *) break ;;
  esac
done
export DTRAIN_STARTED_BY="$DTRAIN_STARTED_BY -n $ranks"

needs_mnist=true
may_choose_data=true
resume=
folder=
previous=
for argument in "$@"; do
  case $previous in
    --resume) resume=$argument ;;
    --run-dir) folder=$argument ;;
  esac
  case $argument in
    dataset.name=* | dataset.path=*) needs_mnist=false ;;
    --config | --config=*) may_choose_data=false ;;
    --resume=*) resume=${argument#*=} ;;
    --run-dir=*) folder=${argument#*=} ;;
  esac
  previous=$argument
done
# Settings and options may follow `train`; another subcommand has rules of its own.
if [[ ${1:-train} =~ ^[a-z]+$ && ${1:-train} != train ]]; then may_choose_data=false; fi

# The settings that a run which goes on begins with, as dtrain finds them.
settings=
case $resume in
  '') ;;
  auto) settings=$folder/configuration.yaml ;;
  *)
    checkpoints=$(dirname "$resume")
    if [ "$(basename "$checkpoints")" = checkpoints ]; then settings=$(dirname "$checkpoints")/configuration.yaml; fi
    ;;
esac
synthetic=false
if [ -n "$resume" ] && $may_choose_data; then
  if [ -r "$settings" ]; then
    may_choose_data=false
    data=$(sed -n '/^dataset:/,/^[^ ]/s/^  name: *//p' "$settings")
    if [ "$data" != mnist ]; then needs_mnist=false; fi
    if [ "$data" = synthetic-digits ]; then synthetic=true; fi
  elif [ "$resume" != auto ]; then
    may_choose_data=false
  fi
fi

launch/setup.sh

if $needs_mnist; then
  code=0
  launch/fetch-mnist.sh || code=$?
  if [ $code -eq 66 ] && $may_choose_data; then
    synthetic=true
    set -- "$@" dataset.name=synthetic-digits
    cat >&2 <<'END'
*******************************************************************************
*  MNIST CAN BE HAD NOWHERE: TRAINING ON SYNTHETIC DIGITS, DRAWN BY CODE.     *
*  Accuracies of this run are not those of MNIST. To train on MNIST, put its  *
*  four files into data/mnist, or into a folder named by DTRAIN_DATA or       *
*  dataset.path.                                                              *
*******************************************************************************
END
  elif [ $code -ne 0 ] && [ $code -ne 66 ]; then
    exit $code
  fi
fi

# The ranks start the program itself: under `swift run` every rank's package manager would wait for the first one's
# build, which would run on the one core that its rank is bound to.
swift build --product dtrain >&2
program=$(swift build --show-bin-path)/dtrain

echo "launch/train.sh: starting $ranks ranks" >&2
if $synthetic; then echo 'launch/train.sh: NOT MNIST: training on synthetic digits' >&2; fi
exec mpirun -n "$ranks" "$program" "$@"
