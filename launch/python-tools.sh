#!/usr/bin/env bash
# launch/python-tools.sh [--torch]
#
# Makes .build/interchange, a Python environment with the programs that the tests exchange weights with, NumPy,
# safetensors, ONNX and ONNX Runtime, and with TensorBoard, whose reader reads our events; of the versions in Tests/Interchange/requirements.txt. Where it is there already
# nothing is done, and no network is asked for. launch/test.sh calls it; without it those tests are skipped.
#
#   --torch   also the CPU's PyTorch (190 MB), of the version in launch/peers/requirements.txt
#
# Exit codes: 0 it is there, 64 wrong usage, 69 it cannot be made.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
torch=false
for argument in "$@"; do
  case $argument in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/python-tools.sh
      exit 0
      ;;
    --torch) torch=true ;;
    *)
      echo "launch/python-tools.sh: unknown argument '$argument'; launch/python-tools.sh --help lists what there is" >&2
      exit 64
      ;;
  esac
done

environment=.build/interchange
install=("$environment/bin/pip" install -q --retries 1 --timeout 30)

fail() {
  echo "launch/python-tools.sh: $1 could not be installed into $environment; the lines above say why" >&2
  exit 69
}

if ! cmp -s Tests/Interchange/requirements.txt "$environment/installed.txt"; then
  echo "launch/python-tools.sh: installing into $environment" >&2
  python3 -m venv "$environment" || fail 'a virtual environment'
  "${install[@]}" -r Tests/Interchange/requirements.txt || fail 'NumPy, safetensors, ONNX, ONNX Runtime and TensorBoard'
  cp Tests/Interchange/requirements.txt "$environment/installed.txt"
fi

if $torch && ! "$environment/bin/python" -c 'import torch' 2>/dev/null; then
  version=$(sed -n 's/^torch==//p' launch/peers/requirements.txt)
  # PyPI's build for Linux on x86-64 brings gigabytes of CUDA's libraries along, the CPU's does not.
  "${install[@]}" "torch==$version+cpu" 2>/dev/null \
    || "${install[@]}" --index-url https://download.pytorch.org/whl/cpu "torch==$version+cpu" 2>/dev/null \
    || "${install[@]}" "torch==$version" || fail PyTorch
fi
