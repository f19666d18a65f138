#!/usr/bin/env bash
# scripts/demo says what CONTRACT.md promises: a code, its verdict, and that all went well, last.
set -euo pipefail
demo=$(dirname "$0")/../../scripts/demo

out=$("$demo" "$@")
printf '%s\n' "$out"
grep -qxE 'code: [0-9]{6}' <<<"$out"
grep -qx 'verdict: ok' <<<"$out"
grep -qE '^[0-9T:.-]+Z .* sent' <<<"$out"
[ "$(tail -n 1 <<<"$out")" = 'demo: ok' ]
