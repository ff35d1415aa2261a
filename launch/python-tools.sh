#!/usr/bin/env bash
# launch/python-tools.sh [--torch [--torch-from-pypi]]
#
# Makes .build/interchange, a Python environment with the programs that the tests exchange weights with, NumPy,
# safetensors, ONNX and ONNX Runtime, and with TensorBoard, whose reader reads our events; of the versions in Tests/Interchange/requirements.txt. Where it is there already
# nothing is done, and no network is asked for. launch/test.sh calls it; without it those tests are skipped.
#
#   --torch             also the CPU's PyTorch (190 MB), of the version in launch/peers/requirements.txt, from pip's own
#                       index where that has it, else from download.pytorch.org
#   --torch-from-pypi   where the CPU's cannot be had, PyPI's: on Linux and x86-64 it brings CUDA's libraries along, 4.9 GB
#
# Exit codes: 0 it is there, 64 wrong usage, 69 it cannot be made.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
torch=false
from_pypi=false
for argument in "$@"; do
  case $argument in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/python-tools.sh
      exit 0
      ;;
    --torch) torch=true ;;
    --torch-from-pypi)
      torch=true
      from_pypi=true
      ;;
    *)
      echo "launch/python-tools.sh: unknown argument '$argument'; launch/python-tools.sh --help lists what there is" >&2
      exit 64
      ;;
  esac
done

environment=.build/interchange
install=("$environment/bin/pip" install -q --retries 1 --timeout 30)
# shellcheck source=launch/torch.sh
. launch/torch.sh

say() { printf 'launch/python-tools.sh: %s\n' "$1" >&2; }

fail() {
  say "$1 could not be installed into $environment; the lines above say why"
  exit 69
}

if ! cmp -s Tests/Interchange/requirements.txt "$environment/installed.txt"; then
  say "installing into $environment"
  python3 -m venv "$environment" || fail 'a virtual environment'
  "${install[@]}" -r Tests/Interchange/requirements.txt || fail 'NumPy, safetensors, ONNX, ONNX Runtime and TensorBoard'
  cp Tests/Interchange/requirements.txt "$environment/installed.txt"
fi

if $torch && ! "$environment/bin/python" -c 'import torch' 2>/dev/null; then
  say "installing PyTorch $torch_version for the CPU, some 190 MB"
  if ! install_cpu_torch "${install[@]}"; then
    if ! $from_pypi; then
      say "PyTorch for the CPU can be had neither from pip's own index nor from https://download.pytorch.org/whl/cpu. \
PyPI's build brings CUDA's libraries along, 4.9 GB: to take it, launch/python-tools.sh --torch-from-pypi"
      exit 69
    fi
    say "PyTorch for the CPU cannot be had; installing PyPI's build with CUDA's libraries, 4.9 GB"
    install_cuda_torch "${install[@]}" || fail PyTorch
  fi
fi
