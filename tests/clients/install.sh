#!/usr/bin/env bash
# install.sh DIR: copies this folder's tests to DIR and installs what package-lock.json names there,
# once for each lock file. Downloads are kept in the user's cache.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=$1
cache=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/sendcode/npm
mkdir -p "$dir"
cp "$here"/*.mjs "$here"/package.json "$dir"/
if ! [ -d "$dir/node_modules" ] || ! cmp -s "$here/package-lock.json" "$dir/installed.json"; then
    cp "$here/package-lock.json" "$dir/"
    (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --cache "$cache")
    cp "$here/package-lock.json" "$dir/installed.json"
fi
