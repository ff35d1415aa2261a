#!/usr/bin/env bash
# launch/sanitize.sh [--tests]
#
# Runs dtrain under the thread sanitizer, in a build of its own (.build/thread): ranks that are threads of one process,
# the workers of each, agreement, verification, checkpoints, traces and logs. Every run has to end without a word of the
# sanitizer, on the weights of one thread alone.
#
#   --tests   also the tests of the modules that have threads
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/environment.sh
. launch/environment.sh

case ${1:-} in
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/sanitize.sh
    exit 0
    ;;
  --tests | '') ;;
  *)
    printf "launch/sanitize.sh: unknown argument '%s'; --help lists what there is\n" "$1" >&2
    exit 64
    ;;
esac

build=(--sanitize=thread --scratch-path .build/thread)
swift build "${build[@]}" --product dtrain
program=$(swift build "${build[@]}" --show-bin-path)/dtrain
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export SWIFT_BACKTRACE=enable=no TSAN_OPTIONS="halt_on_error=1 exitcode=66 ${TSAN_OPTIONS:-}"

# Small, with a last batch that is short.
settings=(dataset.name=synthetic-digits dataset.training_samples=80 dataset.test_samples=40 training.batch=33
  training.microbatch=4 evaluation.microbatch=7 model.filters='[8, 8]' model.filter_sizes='[3, 3]' model.paddings='[1, 1]'
  model.strides='[1, 1]' reliability.agree_every=2 reliability.verify_every=2 checkpoint.every_steps=2)

train() {
  local name=$1
  shift
  printf '== %s\n' "$*"
  "$program" train --quiet --run-dir "$folder/$name" --max-steps 9 --log-dir "$folder/$name/logs" \
    --trace "$folder/$name/trace.json" --record-gradients 5 "${settings[@]}" "$@" | tee "$folder/output-$name"
  cmp "$folder/output-alone" "$folder/output-$name"
}

train alone training.threads=1
train threads training.threads=3
train replicas --replicas 3
train both --replicas 2 training.threads=2
if [ "${1:-}" = --tests ]; then
  exec swift test "${build[@]}" --filter 'CommunicationTests|DataParallelTests|TrainingTests|TimelineTests'
fi
