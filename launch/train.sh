#!/usr/bin/env bash
# launch/train.sh [-n N] [--] [dtrain arguments …]
#
# Trains on this machine in one command: installs what is missing, gets MNIST, builds, and runs
#
#   mpirun -n 4 swift run dtrain [dtrain arguments …]
#
# in the repository's folder, where paths in the arguments count from. Its exit code is dtrain's.
#
#   -n N   the number of ranks (4); has to come first
#
# For example: launch/train.sh -n 2 --max-steps 60 seed=1 training.epochs=2
#
# Where MNIST can be had nowhere and the arguments choose no data (no --config, dataset.name or dataset.path), it trains
# on digits drawn by code and says so.
set -euo pipefail

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

needs_mnist=true
may_choose_data=true
for argument in "$@"; do
  case $argument in
    dataset.name=* | dataset.path=*) needs_mnist=false ;;
    --config | --config=* | --resume | --resume=*) may_choose_data=false ;;
  esac
done
# Settings and options may follow `train`; another subcommand has rules of its own.
if [[ ${1:-train} =~ ^[a-z]+$ && ${1:-train} != train ]]; then may_choose_data=false; fi

launch/setup.sh

synthetic=false
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
*  four files into data/mnist, or into a folder named by DTRAIN_DATA.         *
*******************************************************************************
END
  elif [ $code -ne 0 ] && [ $code -ne 66 ]; then
    exit $code
  fi
fi

# Built once before the ranks start: under mpirun every rank's package manager would wait for the first one's build, and
# that would run on the one core its rank is bound to.
swift build --product dtrain >&2

echo "launch/train.sh: starting $ranks ranks; their package managers take turns, and those that wait say so" >&2
if $synthetic; then echo 'launch/train.sh: NOT MNIST: training on synthetic digits' >&2; fi
exec mpirun -n "$ranks" swift run --skip-build dtrain "$@"
