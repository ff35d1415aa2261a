#!/usr/bin/env bash
# launch/check-processors.sh [PROCESSOR …]
#
# Shows that the bits do not depend on the processor that the kernels are built for: builds dtrain once for each, trains a
# few steps with each build, and compares the weights digests. Without arguments it takes the baseline (x86-64-v3), whose
# build alone computes in vectors of 512 bits where this processor has them, two of its relatives whose code differs
# (haswell, znver3) and any x86-64 at all, without AVX2 and fused multiply-add, which is much slower. These four are the
# processors that Package.swift knows.
#
# Each build takes a few minutes and stays in .build/processors/NAME. STEPS=N trains N steps (10).
set -euo pipefail

case ${1:-} in
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$0"
    exit 0
    ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# -eq 0 ]; then set -- x86-64-v3 haswell znver3 x86-64; fi

runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
first=
for processor in "$@"; do
  DTRAIN_PROCESSOR=$processor swift build --product dtrain --scratch-path ".build/processors/$processor" >"$runs/build" 2>&1 \
    || { cat "$runs/build" >&2; exit 1; }
  digest=$(".build/processors/$processor/debug/dtrain" train --quiet --max-steps "${STEPS:-10}" \
    --run-dir "$runs/$processor" dataset.name=synthetic-digits dataset.training_samples=2000 dataset.test_samples=200 \
    | sed -n 's/^weights digest //p')
  printf '%-12s %s\n' "$processor" "$digest"
  first=${first:-$digest}
  if [ -z "$digest" ] || [ "$digest" != "$first" ]; then
    echo "launch/check-processors.sh: $processor computes other bits than $1" >&2
    exit 1
  fi
done
