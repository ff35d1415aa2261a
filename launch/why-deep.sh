#!/usr/bin/env bash
# launch/why-deep.sh [key=value …]
#
# Why several small convolutions instead of a large one: behind a common first layer, trains one 5x5 beside two 3x3, and
# one 7x7 beside three 3x3, which see as much of the image, under one budget, and prints one table: parameters, operations for an image,
# receptive field, test accuracy. Settings as arguments go to each training, `training.epochs=5` or `seed=1`.
# The runs stay in runs/why-deep.
#
# Exit codes: those of dtrain.
set -euo pipefail

case ${1:-} in
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$0"
    exit 0
    ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/environment.sh
. launch/environment.sh

swift build --product dtrain >&2
dtrain=$(swift build --show-bin-path)/dtrain
printf '| %-19s | %10s | %10s | %5s | %-28s |\n' 'stages of' parameters operations sees 'test accuracy'
printf '| %s | %s | %s | %s | %s |\n' --- --- --- --- ---
for name in 5x5 two-3x3 7x7 three-3x3; do
  config=configs/why-deep-$name.yaml
  # The last line of the network's table: network, parameters, operations, receptive field.
  read -r _ parameters operations sees < <("$dtrain" inspect "$config" "$@" | tail -n 1)
  accuracy=$("$dtrain" train --quiet --config "$config" --run-dir "runs/why-deep/$name" "$@" \
    | sed -n 's/^test accuracy //p' | tail -n 1)
  printf '| %-19s | %10s | %10s | %5s | %-28s |\n' "$name" "$parameters" "$operations" "$sees" "$accuracy"
done
