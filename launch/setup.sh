#!/usr/bin/env bash
# launch/setup.sh [--tests] [--clusters] [--browser] [--peers] [--openmpi-defaults]
#
# Makes the machine ready to build and run dtrain: checks that the Swift toolchain is there, and installs what is
# missing of Open MPI, zlib, libyaml, libcrypto, libpng and pkg-config. Where nothing is missing it changes nothing and
# asks for no network. It installs on Debian and its relatives, as root or with sudo; elsewhere it names what is missing.
# launch/train.sh and launch/test.sh call it.
#
#   --tests              also what launch/test.sh checks the scripts with
#   --clusters           also Slurm and sshd, for launch/slurm-trial.sh and launch/cluster-trial.sh; their services are
#                        not started now, but Debian has them start with the system
#   --browser            also Chromium (some 100 MB to download), in which the tests open the page of a report
#   --peers              also what launch/compare-peers.sh builds its environment with
#   --openmpi-defaults   also writes into Open MPI's parameter file of this user what lets the plain
#                        `mpirun -n 4 swift run dtrain` run on few cores; other lines in that file stay
#
# Exit codes: 0 ready, 64 wrong usage, 69 something is missing that it cannot install.
set -euo pipefail

readonly swift_needed=6.3
readonly lock_patience_seconds=600

fail() {
  printf 'launch/setup.sh: %s\n' "$2" >&2
  exit "$1"
}

# What is needed: a name that pkg-config, the shell or Python knows it by, and the Debian package that has it.
needs=(
  'command pkg-config pkg-config'
  'command mpirun openmpi-bin'
  'library ompi-c libopenmpi-dev'
  'library zlib zlib1g-dev'
  'library yaml-0.1 libyaml-dev'
  'library libcrypto libssl-dev'
  'library libpng libpng-dev'
  'downloader curl-or-wget curl'
)
write_openmpi_defaults=false
starts_services=true
# Where Debian has daemons.
PATH=$PATH:/usr/sbin:/sbin

while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$0"
      exit 0
      ;;
    --tests)
      needs+=('command shellcheck shellcheck' 'command objdump binutils' 'command python3 python3' 'module ensurepip python3-venv'
        'command ip iproute2' 'command tmux tmux')
      ;;
    --clusters)
      needs+=('command slurmctld slurm-wlm' 'command munged munge' 'command sshd openssh-server'
        'command ssh openssh-client' 'command ip iproute2' 'command hostname hostname')
      starts_services=false
      ;;
    --browser) needs+=('command chromium chromium') ;;
    --peers)
      needs+=('command python3 python3' 'module ensurepip python3-venv' 'headers Python.h python3-dev'
        'command g++ g++')
      ;;
    --openmpi-defaults) write_openmpi_defaults=true ;;
    *) fail 64 "unknown argument '$1'; launch/setup.sh --help lists what there is" ;;
  esac
  shift
done

is_present() {
  case $1 in
    command) command -v "$2" >/dev/null ;;
    downloader) command -v curl >/dev/null || command -v wget >/dev/null ;;
    library) pkg-config --exists "$2" 2>/dev/null ;;
    module) python3 -c "import $2" 2>/dev/null ;;
    headers) python3 -c "import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path('include'), '$2')))" 2>/dev/null ;;
  esac
}

# Sets `missing_packages` and, for a person, `missing_names`.
find_missing() {
  missing_packages=()
  missing_names=()
  local kind name package
  for need in "${needs[@]}"; do
    read -r kind name package <<<"$need"
    if ! is_present "$kind" "$name"; then
      missing_packages+=("$package")
      missing_names+=("$package ($kind $name)")
    fi
  done
}

check_swift() {
  local remedy='install it as https://www.swift.org/install/linux says, and put its usr/bin on PATH'
  command -v swift >/dev/null || fail 69 "there is no swift on PATH and dtrain needs Swift $swift_needed or newer; $remedy"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p') || true
  [ -n "$version" ] || fail 69 "swift --version does not say its version: $(command -v swift) does not work; $remedy"
  printf '%s\n' "$swift_needed" "$version" | sort -V -C \
    || fail 69 "$(command -v swift) is Swift $version and dtrain needs $swift_needed or newer; $remedy"
}

# Another apt-get may hold the lock of the package lists, for which apt itself does not wait.
update_package_lists() {
  local deadline=$((SECONDS + lock_patience_seconds)) output
  until output=$("${as_root[@]}" apt-get update -q </dev/null 2>&1); do
    if [[ $output != *'Could not get lock'* ]] || [ $SECONDS -ge $deadline ]; then
      printf '%s\nlaunch/setup.sh: the package lists are not up to date; trying with those that are here\n' "$output" >&2
      return
    fi
    sleep 3
  done
}

# Debian's packages start their services unless this file says no (invoke-rc.d(8)).
hold_services() {
  local policy=/usr/sbin/policy-rc.d
  if [ -e $policy ]; then return; fi
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
  "${as_root[@]}" chmod 755 $policy
  # shellcheck disable=SC2064 # as it is now
  trap "${as_root[*]} rm -f $policy" EXIT
}

install_missing() {
  if ! command -v apt-get >/dev/null; then
    fail 69 "missing, by the names of Debian's packages:$(printf ' %s,' "${missing_names[@]}") to be installed with this system's \
own package manager"
  fi
  as_root=(env DEBIAN_FRONTEND=noninteractive)
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null \
      || fail 69 "missing: ${missing_packages[*]}; as root: apt-get install ${missing_packages[*]}"
    # Without a terminal sudo must not wait for a password.
    if [ -t 0 ]; then as_root=(sudo "${as_root[@]}"); else as_root=(sudo -n "${as_root[@]}"); fi
  fi
  printf 'launch/setup.sh: installing %s\n' "${missing_packages[*]}" >&2
  update_package_lists
  if ! $starts_services; then hold_services; fi
  local output
  output=$("${as_root[@]}" apt-get install -q -y --no-install-recommends \
    -o "DPkg::Lock::Timeout=$lock_patience_seconds" "${missing_packages[@]}" </dev/null 2>&1) \
    || fail 69 "$output"$'\n'"could not install ${missing_packages[*]}; the lines above say why"
  find_missing
  [ ${#missing_packages[@]} -eq 0 ] || fail 69 "still missing after the installation: ${missing_names[*]}"
}

# Adds `key = value` to a parameter file, unless the key is set there: what a person wrote is theirs.
set_default() {
  local file=$1 key=$2 value=$3 present=
  if [ -e "$file" ]; then
    present=$(sed -n "s/^[[:space:]]*${key}[[:space:]]*=[[:space:]]*\(.*[^[:space:]]\)[[:space:]]*$/\1/p" "$file" | tail -n 1)
  fi
  if [ "$present" = "$value" ]; then
    printf '%s has %s = %s already\n' "$file" "$key" "$value"
  elif [ -n "$present" ]; then
    printf '%s keeps its %s = %s, where dtrain would have %s\n' "$file" "$key" "$present" "$value"
  else
    mkdir -p "$(dirname "$file")"
    # A last line without an end would swallow the new one.
    if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then echo >>"$file"; fi
    printf '%s = %s\n' "$key" "$value" >>"$file"
    printf '%s: wrote %s = %s\n' "$file" "$key" "$value"
  fi
}

write_defaults() {
  local version
  version=$(mpirun --version | sed -n 's/.*(Open MPI) \([0-9]*\).*/\1/p')
  if [ "${version:-4}" -ge 5 ]; then
    set_default "${HOME:?}/.prte/mca-params.conf" rmaps_default_mapping_policy core:oversubscribe
  else
    set_default "${HOME:?}/.openmpi/mca-params.conf" rmaps_base_oversubscribe 1
    set_default "$HOME/.openmpi/mca-params.conf" rmaps_base_mapping_policy core
  fi
  if [ "$(id -u)" -eq 0 ]; then
    echo 'Root needs two variables besides, which no parameter file can hold:'
    echo '  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1'
  fi
}

check_swift
find_missing
[ ${#missing_packages[@]} -eq 0 ] || install_missing
if $write_openmpi_defaults; then write_defaults; fi
