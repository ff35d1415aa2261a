# shellcheck shell=bash
# Functions that install PyTorch, for launch/python-tools.sh and launch/compare-peers.sh, which read this in the
# repository's folder. What they are given is pip's command: install_cpu_torch .build/peers/bin/pip install -q

torch_version=$(sed -n 's/^torch==//p' launch/peers/requirements.txt)

# The CPU's build, some 190 MB, from pip's own index where that has it.
install_cpu_torch() {
  "$@" --retries 1 --timeout 30 "torch==$torch_version+cpu" 2>/dev/null \
    || "$@" --retries 1 --timeout 30 --index-url https://download.pytorch.org/whl/cpu "torch==$torch_version+cpu" \
      2>/dev/null
}

# PyPI's, which for Linux on x86-64 brings CUDA's libraries along, 4.9 GB.
install_cuda_torch() {
  "$@" "torch==$torch_version"
}
