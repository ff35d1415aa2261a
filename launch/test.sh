#!/usr/bin/env bash
# launch/test.sh [swift test arguments …]
#
# Checks everything in one command: installs what is missing, gets MNIST if it can be had, lints the Swift sources and
# the scripts, builds with warnings as errors, and runs every test. Arguments go to `swift test`:
#
#   launch/test.sh --filter DatasetsTests
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
shellcheck -x launch/*.sh .ci/run
python3 -c 'import ast, sys
for name in sys.argv[1:]: ast.parse(open(name).read(), name)' launch/peers/*.py Tests/Interchange/*.py

step 'build, warnings as errors'
build=(--scratch-path .build/tests -Xswiftc -warnings-as-errors -Xcc -Werror)
swift build --build-tests "${build[@]}"

# Two jobs of two ranks at once would be bound to the same two cores.
export OMPI_MCA_hwloc_base_binding_policy="${OMPI_MCA_hwloc_base_binding_policy:-none}"
# The program that the tests start as a whole.
DTRAIN_EXECUTABLE=$(swift build --show-bin-path "${build[@]}")/dtrain
export DTRAIN_EXECUTABLE

step 'test'
exec swift test --skip-build "${build[@]}" "$@"
