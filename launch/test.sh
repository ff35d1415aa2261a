#!/usr/bin/env bash
# launch/test.sh [swift test arguments …]
#
# Checks everything in one command: installs what is missing, gets MNIST if it can be had, lints the Swift sources and
# the scripts, builds with warnings as errors, runs every test, makes the documentation, builds a program of its own on
# the library, lets a short campaign of faults loose on a run, and tries Slurm and ssh on this host. Arguments go to
# `swift test`; then all that follows the tests is left out:
#
#   launch/test.sh --filter DatasetsTests
#
# Where hosts cannot be made of network namespaces the faults that need them are skipped, unless DTRAIN_REQUIRE_TRIALS is
# set. The trials are skipped where what they need is missing. On a machine that runs systemd Slurm and sshd are not
# installed unasked: launch/setup.sh --clusters does.
#
# It builds in a folder of its own, .build/tests, since the flags differ from those of `swift run`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/environment.sh
. launch/environment.sh

case ${1:-} in
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/test.sh
    exit 0
    ;;
esac

step() { printf '== %s\n' "$*"; }

step 'set-up'
launch/setup.sh --tests
launch/fetch-mnist.sh || step 'without MNIST: the tests that need it are skipped'
launch/python-tools.sh || step 'without NumPy and ONNX Runtime: the tests that need them are skipped'

step 'lint'
swift format lint --strict -r Package.swift Sources Tests
shellcheck -x launch/*.sh launch/slurm.sbatch .ci/run
python3 -c 'import ast, sys
for name in sys.argv[1:]: ast.parse(open(name).read(), name)' launch/peers/*.py launch/fault-campaign/*.py \
  Tests/Interchange/*.py Tests/Fuzzing/*.py

step 'build, warnings as errors'
build=(--scratch-path .build/tests -Xswiftc -warnings-as-errors -Xcc -Werror)
swift build --build-tests "${build[@]}"

# Two jobs of two ranks at once would be bound to the same two cores.
export OMPI_MCA_hwloc_base_binding_policy="${OMPI_MCA_hwloc_base_binding_policy:-none}"
# The program that the tests start as a whole.
DTRAIN_EXECUTABLE=$(swift build --show-bin-path "${build[@]}")/dtrain
export DTRAIN_EXECUTABLE

step 'test'
swift test --skip-build "${build[@]}" "$@"
[ $# -eq 0 ] || exit 0

step 'documentation'
launch/docs.sh "${build[@]}"

step 'library'
launch/library-trial.sh

step 'faults'
require=()
if [ -n "${DTRAIN_REQUIRE_TRIALS:-}" ]; then require=(--require-namespaces); fi
launch/fault-campaign.sh --epochs 2 "${require[@]}"

# Codes 69 and 77: something is missing, or the right to it. What fails otherwise is tried once more and said: daemons
# that take too long to start on a busy machine are no defect of dtrain's, and one that is fails again.
try() {
  local code=0
  step "$1"
  "$1" || code=$?
  if [ $code -ne 0 ] && [ $code -ne 69 ] && [ $code -ne 77 ]; then
    step "$1 once more, after code $code"
    code=0
    "$1" || code=$?
  fi
  if [ $code -eq 0 ]; then return; fi
  if [ $code -ne 69 ] && [ $code -ne 77 ]; then exit $code; fi
  step "$1 was skipped"
}
if [ ! -d /run/systemd/system ]; then launch/setup.sh --clusters || step 'Slurm or sshd cannot be installed'; fi
try launch/slurm-trial.sh
try launch/cluster-trial.sh
