#!/usr/bin/env bash
# launch/docs.sh [swift build arguments …]
#
# Makes the library's documentation, from its sources and the walks in DistributedTraining.docc: static pages in
# .build/documentation, for any web server. A warning is an error. To look at them:
#
#   python3 -m http.server --directory .build/documentation
#
# and open http://localhost:8000/documentation/distributedtraining. Arguments go to `swift build`, so that what is built
# already need not be built again.
#
# The modules become one: `swift package dump-symbol-graph` makes a graph of each, between whose pages links would need the
# module's name, so the toolchain's extractor is asked for what DistributedTraining re-exports.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly module=DistributedTraining

case ${1:-} in
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/docs.sh
    exit 0
    ;;
esac

swift build --target "$module" "$@"
built=$(swift build --show-bin-path "$@")
modules=$built/Modules
triple=$(swiftc -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)",/\1/p')
exported=$(sed -n 's/^@_exported import //p' "Sources/$module/$module.swift" | paste -sd,)
includes=()
for folder in Sources/C*/; do includes+=(-I "$folder"); done
for map in "$built"/C*.build/module.modulemap; do includes+=(-Xcc "-fmodule-map-file=$map"); done
# Headers that are not in the usual folders: those of Open MPI.
for flag in $(pkg-config --cflags-only-I ompi-c zlib yaml-0.1 libcrypto libpng); do includes+=(-Xcc "$flag"); done

graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT
swift-symbolgraph-extract -module-name "$module" -target "$triple" -I "$modules" "${includes[@]}" \
  -minimum-access-level public -skip-inherited-docs "-experimental-allowed-reexported-modules=$exported" \
  -output-dir "$graphs"
docc convert "Sources/$module/$module.docc" --additional-symbol-graph-dir "$graphs" --warnings-as-errors \
  --fallback-display-name "$module" --fallback-bundle-identifier "dtrain.$module" --output-path .build/documentation

# Walks without the library would pass as well.
for page in network trainer layer communicator yourownnetwork; do
  if [ ! -e ".build/documentation/documentation/distributedtraining/$page/index.html" ]; then
    echo "launch/docs.sh: the page of $page is missing" >&2
    exit 1
  fi
done
