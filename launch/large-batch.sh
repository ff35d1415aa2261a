#!/usr/bin/env bash
# launch/large-batch.sh [--batches "N …"] [--rules "NAME …"] [--output DIR] [key=value …]
#
# What a large batch does to accuracy: trains the same network for the same epochs with batches of 100 to 12,800, by four
# rules, and prints the test accuracies as one table.
#
#   none         Adam's learning rate stays that of a batch of 100
#   square_root  it grows with the batch's square root, warmed up over two epochs
#   linear       it grows with the batch, warmed up over two epochs
#   lamb         LAMB instead of Adam, its rate as square_root's
#
# Settings as arguments go to all trainings: training.epochs=10, seed=1. The runs stay in DIR (runs/large-batch); one that is
# there to its end with the same settings is not made again, one that was cut off goes on.
#
# Exit codes: 0 all were made (a training whose loss was no number any more is in the table as that), 64 wrong usage, 73
# DIR has a run with other settings; else those of dtrain.
set -euo pipefail

caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
batches='100 200 400 800 1600 3200 6400 12800' rules='none square_root linear lamb' output=runs/large-batch
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/large-batch.sh
      exit 0
      ;;
    --batches | --rules | --output)
      if [ $# -lt 2 ]; then
        echo "launch/large-batch.sh: $1 takes a value" >&2
        exit 64
      fi
      case $1 in
        --batches) batches=$2 ;;
        --rules) rules=$2 ;;
        --output) if [[ $2 = /* ]]; then output=$2; else output=$caller/$2; fi ;;
      esac
      shift 2
      ;;
    *=*) break ;;
    *)
      echo "launch/large-batch.sh: unknown argument '$1'; launch/large-batch.sh --help lists what there is" >&2
      exit 64
      ;;
  esac
done
# shellcheck source=launch/environment.sh
. launch/environment.sh

readonly warm_up=optimizer.warmup_epochs=2
declare -A settings=(
  [none]='optimizer.batch_scaling=none'
  [square_root]="optimizer.batch_scaling=square_root $warm_up"
  [linear]="optimizer.batch_scaling=linear $warm_up"
  [lamb]="optimizer.name=lamb optimizer.learning_rate=0.002 optimizer.batch_scaling=square_root $warm_up"
)
for rule in $rules; do
  if [ -z "${settings[$rule]:-}" ]; then
    echo "launch/large-batch.sh: there is no rule '$rule'; there are ${!settings[*]}" >&2
    exit 64
  fi
done

dtrain=${DTRAIN_EXECUTABLE:-}
if [ -z "$dtrain" ]; then
  swift build --product dtrain >&2
  dtrain=$(swift build --show-bin-path)/dtrain
fi

# result BATCH RULE [key=value …]: the end's test accuracy into the variable of that name, or that there is none.
result() {
  local batch=$1 rule=$2 run=$output/$2-$1 code=0
  local arguments="training.batch=$batch ${settings[$rule]} ${*:3}"
  mkdir -p "$run"
  if [ -e "$run/arguments" ] && [ "$(cat "$run/arguments")" != "$arguments" ]; then
    echo "launch/large-batch.sh: $run was made with $(cat "$run/arguments"): choose another --output, or remove it" >&2
    exit 73
  fi
  echo "$arguments" >"$run/arguments"
  if ! [ -e "$run/result" ]; then
    # shellcheck disable=SC2086
    "$dtrain" train --quiet --run-dir "$run" --resume auto $arguments >"$run/output" 2>"$run/errors" || code=$?
    if [ $code -eq 0 ]; then
      sed -n 's/^test accuracy \([0-9.]*\).*/\1/p' "$run/output" | awk '{ printf "%.2f %%\n", 100 * $1 }' >"$run/result"
    elif grep -q 'not finite\|the loss is' "$run/errors"; then
      echo 'loss not finite' >"$run/result"
    else
      cat "$run/errors" >&2
      exit $code
    fi
  fi
  result=$(cat "$run/result")
}

printf '| batch |'
for rule in $rules; do printf ' %s |' "$rule"; done
printf '\n| --- |'
for rule in $rules; do printf ' --- |'; done
for batch in $batches; do
  printf '\n| %s |' "$batch"
  for rule in $rules; do
    result "$batch" "$rule" "$@"
    printf ' %s |' "$result"
  done
done
printf '\n'
