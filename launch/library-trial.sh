#!/usr/bin/env bash
# launch/library-trial.sh
#
# Tries the library as somebody has it who writes a program of his own: the sources as they lie here become a
# repository with a tag, and the package Tests/LibraryUser, moved away from here, depends on that version by its URL. It
# is built for release, has to have the fast kernels in it, and trains its network with its layer on two replicas and on
# one, to the same bits.
#
# SwiftPM has refused versions of a package whose targets carry unsafe flags. The one that the package asks for does not,
# and this fails if a later one refuses or drops them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf 'launch/library-trial.sh: %s\n' "$1" >&2
  exit 1
}

case ${1:-} in
  '') ;;
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/library-trial.sh
    exit 0
    ;;
  *) fail "unknown argument '$1'; it takes none" ;;
esac

lines=$(cat Tests/LibraryUser/Sources/LibraryUser/*.swift | grep -vcE '^ *(//.*)?$')
[ "$lines" -lt 60 ] || fail "Tests/LibraryUser has $lines lines of code; a layer, a network and its training take fewer than 60"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The sources that git knows or would take, in a repository whose only commit is the version.
mkdir "$work/dtrain"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | xargs -0 cp --parents -t "$work/dtrain"
git -C "$work/dtrain" init -q
git -C "$work/dtrain" add --all
git -C "$work/dtrain" -c user.name=trial -c user.email=trial@localhost commit -q -m 'version 0.1.0'
git -C "$work/dtrain" tag 0.1.0

cp -r Tests/LibraryUser "$work/user"
export DTRAIN_PACKAGE=file://$work/dtrain
# Folders of its own: SwiftPM keeps for good which commit a version of a package was.
options=(--package-path "$work/user" --cache-path "$work/cache" --security-path "$work/security"
  --config-path "$work/configuration" -c release)
swift build "${options[@]}"
program=$(swift build "${options[@]}" --show-bin-path)/LibraryUser

if [ "$(uname -m)" = x86_64 ] && [ "${DTRAIN_PROCESSOR:-}" != x86-64 ]; then
  count=$(objdump -d --no-show-raw-insn "$program" | grep -c 'vfmadd.*%ymm' || true)
  echo "$count multiply-adds of eight floats are in the program"
  [ "$count" -ge 500 ] || fail 'the kernels were built without the flags that Package.swift gives them'
fi

"$program" | tee "$work/output"
# Rank 0 of the two replicas prints first.
awk '/^epoch/ { if (!first) first = $5; last = $5 } END { exit !(last < first / 2) }' "$work/output" ||
  fail 'the loss of the test samples has not fallen to half'
