#!/usr/bin/env bash
# launch/compare-peers.sh [--environment DIR] [--rounds N] [--seconds S] [--only PATTERN]
#
# Measures dtrain against what users would pick instead, PyTorch and JAX, on the same network, batch, optimizer and
# cores, in turn, and prints the medians, bests and ratios as a Markdown table. Everything that was measured, with
# versions and commands, goes to results.json in the environment's folder.
#
#   --environment DIR   where the virtual environment with the peers is, or is made (.build/peers)
#   --rounds N          how often each is measured (5)
#   --seconds S         how long a peer is measured in a round, after it is warm (5)
#   --only PATTERN      measure those whose name or setting this regular expression finds
#
# Exit codes: 0 all were measured, 1 some failed (the table says which), 64 wrong usage, 69 something is missing that
# cannot be installed.
set -euo pipefail

caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/environment.sh
. launch/environment.sh

environment=$PWD/.build/peers
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/compare-peers.sh
      exit 0
      ;;
    --environment | --rounds | --seconds | --only)
      if [ $# -lt 2 ]; then
        echo "launch/compare-peers.sh: $1 takes a value" >&2
        exit 64
      fi
      case $1 in
        --environment) if [[ $2 = /* ]]; then environment=$2; else environment=$caller/$2; fi ;;
        *) options+=("$1" "$2") ;;
      esac
      shift
      ;;
    *)
      echo "launch/compare-peers.sh: unknown argument '$1'; launch/compare-peers.sh --help lists what there is" >&2
      exit 64
      ;;
  esac
  shift
done

launch/setup.sh --peers
launch/fetch-mnist.sh || echo 'launch/compare-peers.sh: without MNIST the peers are given random images' >&2

# shellcheck source=launch/torch.sh
. launch/torch.sh

install_torch() {
  echo "launch/compare-peers.sh: installing PyTorch $torch_version for the CPU, some 190 MB" >&2
  install_cpu_torch "$1" install -q && return
  echo "launch/compare-peers.sh: it cannot be had; installing PyPI's build with CUDA's libraries, 4.9 GB" >&2
  install_cuda_torch "$1" install -q
}

if ! cmp -s launch/peers/requirements.txt "$environment/installed.txt"; then
  echo "launch/compare-peers.sh: installing the peers into $environment" >&2
  python3 -m venv "$environment"
  if ! install_torch "$environment/bin/pip" \
    || ! "$environment/bin/pip" install -q -r launch/peers/requirements.txt; then
    echo 'launch/compare-peers.sh: the peers could not be installed; the lines above say why' >&2
    exit 69
  fi
  cp launch/peers/requirements.txt "$environment/installed.txt"
fi

# The user's own build, the one that `swift run` starts.
swift build --product dtrain >&2
exec "$environment/bin/python" -B launch/peers/compare.py --dtrain "$(swift build --show-bin-path)/dtrain" \
  --results "$environment/results.json" "${options[@]}"
