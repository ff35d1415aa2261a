#!/usr/bin/env bash
# launch/fetch-mnist.sh [DEST]
#
# Puts the four files of MNIST into DEST (default: data/mnist in the repository), each checked by its md5, from the
# first place that has it. Files that are there and right stay. The places, each of which may hold the files itself or
# in a folder mnist, compressed or not:
#
#   $DTRAIN_DATA, data/ and ../shared/data beside the repository's files, /usr/share/datasets,
#   then public mirrors (or those in $DTRAIN_MNIST_MIRRORS, separated by spaces).
#
# Exit codes: 0 all four are there, 64 wrong usage, 66 one can be had nowhere, 73 DEST cannot be created,
# 74 a copy failed midway.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'launch/fetch-mnist.sh: %s\n' "$1" >&2; }

case ${1:-} in
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$0"
    exit 0
    ;;
  -*)
    say "unknown argument '$1'; launch/fetch-mnist.sh --help lists what there is"
    exit 64
    ;;
esac
if [ $# -gt 1 ]; then
  say 'one folder at most'
  exit 64
fi

readonly destination=${1:-$root/data/mnist}
readonly names=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)

# The md5 of each file, as it is offered (.gz) and uncompressed.
declare -rA checksums=(
  [train-images-idx3-ubyte.gz]=f68b3c2dcbeaaa9fbdd348bbdeb94873
  [train-labels-idx1-ubyte.gz]=d53e105ee54ea40749a09fcbcd1e9432
  [t10k-images-idx3-ubyte.gz]=9fb629c4189551a2d022fa330f9573f3
  [t10k-labels-idx1-ubyte.gz]=ec29112dd5afa0611ce80d1b7f02629c
  [train-images-idx3-ubyte]=6bbc9ace898e44ae57da46a324031adb
  [train-labels-idx1-ubyte]=a25bea736e30d166cdddb491f175f624
  [t10k-images-idx3-ubyte]=2646ac647ad5339dbf082846283269ea
  [t10k-labels-idx1-ubyte]=27ae3e4e09519cfbb04c329615203637
)

places=()
for place in ${DTRAIN_DATA:+"$DTRAIN_DATA"} "$root/data" "${root%/*}/shared/data" /usr/share/datasets; do
  places+=("$place" "$place/mnist")
done
read -ra mirrors <<<"${DTRAIN_MNIST_MIRRORS:-\
https://storage.googleapis.com/cvdf-datasets/mnist https://ossci-datasets.s3.amazonaws.com/mnist}"
readonly all_mirrors=("${mirrors[@]}")

# A mirror that does not answer is given up after seconds, one that trickles after ten.
download() {
  if command -v curl >/dev/null; then
    curl --fail --location --silent --show-error --connect-timeout 5 --speed-limit 1000 --speed-time 10 -o "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --no-verbose --tries=1 --dns-timeout=5 --connect-timeout=5 --read-timeout=10 -O "$2" "$1"
  else
    echo 'there is neither curl nor wget' >&2
    return 1
  fi
}

is_right() {
  local sum
  [ -f "$1" ] && [ -r "$1" ] && sum=$(md5sum <"$1") && [ "${sum%% *}" = "${checksums[$2]}" ]
}

partial=
trap '[ -z "$partial" ] || rm -f "$partial"' EXIT

# Puts a complete file under its name at once, so that nobody ever reads half of one.
put_in_place() {
  chmod 644 "$partial" && mv -f "$partial" "$destination/$1" || exit 73
  partial=
  say "$1 from $2"
}

fetch() {
  local name=$1 variant place index mirror
  for variant in "$name.gz" "$name"; do
    if is_right "$destination/$variant" "$variant"; then return 0; fi
  done
  partial=$(mktemp "$destination/.$name.XXXXXX") || exit 73
  for place in "${places[@]}"; do
    for variant in "$name.gz" "$name"; do
      if [ ! -r "$place/$variant" ]; then continue; fi
      cp "$place/$variant" "$partial" || exit 74
      if is_right "$partial" "$variant"; then
        put_in_place "$variant" "$place"
        return 0
      fi
      say "$place/$variant is not MNIST's file (its md5 is not ${checksums[$variant]}); looking further"
    done
  done
  for index in "${!mirrors[@]}"; do
    mirror=${mirrors[index]}
    if download "$mirror/$name.gz" "$partial"; then
      if is_right "$partial" "$name.gz"; then
        put_in_place "$name.gz" "$mirror"
        return 0
      fi
      say "$mirror/$name.gz arrived with a wrong md5; looking further"
    fi
    # The other files need not wait for this mirror again.
    unset "mirrors[index]"
  done
  return 1
}

if ! mkdir -p "$destination"; then exit 73; fi
for name in "${names[@]}"; do
  if ! fetch "$name"; then
    rm -f "$partial"
    rmdir "$destination" 2>/dev/null || true
    say "$name.gz can be had nowhere: not in ${places[*]}, nor from ${all_mirrors[*]}. Put MNIST's four files into \
$destination, or into a folder named by DTRAIN_DATA or dataset.path, or train with dataset.name=synthetic-digits, \
which needs none"
    exit 66
  fi
done
