#!/usr/bin/env bash
# launch/fuzz.sh [--seconds N] [--runs N] [READER …]
#
# Feeds dtrain's readers with files that libFuzzer makes up, under the address sanitizer: none may crash, take more
# memory than a file's size explains, or accept a file in part. Without a READER all have their turn, one after another;
# --list names them. Each begins with what earlier runs found (.build/fuzzing/corpus) and with seeds made from real files.
# An input that a reader fails on is kept in .build/fuzzing/findings, and the script ends with 1.
#
#   --seconds N   so long for each reader (default: 60)
#   --runs N      so many inputs for each reader instead; with --seconds whichever comes first
#   --list        names the readers
#
# Seeds that NumPy writes are there where python3 has NumPy. A new reader is a file in Tests/Fuzzing/Readers, and its
# seeds in Tests/Fuzzing/seeds.py.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/environment.sh
. launch/environment.sh

# In the order of their dependencies. Modules that no reader needs are left out.
readonly modules=(Failures Arithmetic Digests Arguments Configuration Datasets Checkpoints Reporting Kernels NeuralNetwork
  ProtocolBuffers WeightExchange Images Launching)
readonly build=.build/fuzzing
limit=()
readers=()

fail() {
  printf 'launch/fuzz.sh: %s\n' "$2" >&2
  exit "$1"
}

all_readers() {
  local path
  for path in Tests/Fuzzing/Readers/*.swift; do basename "$path" .swift; done
}

number() { [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail 64 "$1 needs a whole number of at least 1"; }

while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/fuzz.sh
      exit 0
      ;;
    --list)
      all_readers | tr '[:upper:]' '[:lower:]'
      exit 0
      ;;
    --seconds) number "$@" && limit+=(-max_total_time="$2") && shift ;;
    --runs) number "$@" && limit+=(-runs="$2") && shift ;;
    -*) fail 64 "unknown option $1; launch/fuzz.sh --help lists what there is" ;;
    *)
      found=$(all_readers | grep -ix -- "$1") || fail 64 "there is no reader '$1'; launch/fuzz.sh --list names them"
      readers+=("$found")
      ;;
  esac
  shift
done
[ ${#limit[@]} -gt 0 ] || limit=(-max_total_time=60)
if [ ${#readers[@]} -eq 0 ]; then mapfile -t readers < <(all_readers); fi

flags=(-swift-version 6 -O -g "-sanitize=fuzzer,address" -parse-as-library -package-name dtrain -I "$build/modules"
  -Xcc "-fmodule-map-file=$build/CChildProcess.modulemap")
for border in Sources/C*/module.modulemap; do flags+=(-I "$(dirname "$border")"); done
# The overflow checks stay: a trap is a finding.
compile_modules() {
  mkdir -p "$build/modules"
  # What the package manager makes of a target in C.
  printf 'module CChildProcess { umbrella "%s" export * }\n' "$PWD/Sources/CChildProcess/include" \
    >"$build/CChildProcess.modulemap"
  clang -c -g -fsanitize=fuzzer-no-link,address -I Sources/CChildProcess/include -o "$build/modules/CChildProcess.o" \
    Sources/CChildProcess/child_process.c
  local module
  for module in "${modules[@]}"; do
    local object=$build/modules/$module.o
    if [ -e "$object" ] && [ -z "$(find Sources "$object" -newer "$object" -name '*.swift' -print -quit)" ]; then continue; fi
    printf '== compiling %s\n' "$module"
    swiftc "${flags[@]}" -enable-testing -wmo -module-name "$module" -emit-module \
      -emit-module-path "$build/modules/$module.swiftmodule" -emit-object -o "$object" "Sources/$module"/*.swift
  done
}

compile_reader() {
  local reader=$1 libraries objects=("${modules[@]/%/.o}" CChildProcess.o)
  read -ra libraries <<<"$(pkg-config --libs zlib yaml-0.1 libcrypto libpng)"
  # The linker tells at length of symbols of the sanitizer that it does not export.
  swiftc "${flags[@]}" -module-name "Fuzz$reader" Tests/Fuzzing/*.swift "Tests/Fuzzing/Readers/$reader.swift" \
    "${objects[@]/#/$build/modules/}" "${libraries[@]}" -o "$build/$reader" 2>"$build/$reader.log" \
    || { grep -v 'Cannot export local symbol' "$build/$reader.log" >&2 && exit 1; }
}

make_seeds() {
  swift build --product dtrain
  rm -rf "$build/seeds" "$build/run"
  # As small as a network can be, so that its files are.
  .build/debug/dtrain train --quiet --run-dir "$build/run" --max-steps 2 dataset.name=synthetic-digits \
    dataset.training_samples=8 dataset.test_samples=4 training.batch=4 training.microbatch=2 model.filters='[1, 1]' \
    model.filter_sizes='[3, 3]' model.paddings='[0, 0]' model.strides='[5, 2]' model.hidden_size=1 >/dev/null
  local ending
  for ending in pkl npz; do .build/debug/dtrain convert "$build/run/weights.safetensors" "$build/run/weights.$ending"; done
  python3 Tests/Fuzzing/seeds.py "$build/seeds" "$build/run"
}

compile_modules
make_seeds
export SWIFT_BACKTRACE=enable=no
failed=()
for reader in "${readers[@]}"; do
  name=$(tr '[:upper:]' '[:lower:]' <<<"$reader")
  compile_reader "$reader"
  mkdir -p "$build/corpus/$name" "$build/seeds/$name" "$build/findings"
  printf '== %s, %s\n' "$name" "${limit[*]#-}"
  "$build/$reader" "${limit[@]}" -max_len=65536 -malloc_limit_mb=64 -rss_limit_mb=1024 -timeout=20 -print_final_stats=1 \
    -artifact_prefix="$build/findings/$name-" "$build/corpus/$name" "$build/seeds/$name" >"$build/$name.output" 2>&1 \
    || failed+=("$name")
  grep -E '^(Done|stat::number_of_executed|stat::peak)|ERROR|breaks its promise|Fatal error|SUMMARY|Test unit written' \
    "$build/$name.output" || true
  rm -f /dev/shm/dtrain-fuzzing-* /tmp/dtrain-fuzzing-*
done
[ ${#failed[@]} -eq 0 ] || fail 1 "failed: ${failed[*]}; the inputs are in $build/findings, what was said in $build/*.output"
