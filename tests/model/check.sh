#!/usr/bin/env bash
# check.sh DIR: checks the model of the protocol exhaustively, then that each rule left out is
# missed. check.sh DIR whole: everything that may go wrong at once for two jobs, which takes 5 GB and
# some ten minutes. Works in DIR, prints a line a search, and exits 1 if one did not end as it must.
set -euo pipefail

model=$(cd "$(dirname "$0")" && pwd)/protocol.pml
mkdir -p "$1"
cd "$1"
bad=0
memory=1800 # MB

# search WANTED_ERRORS NAME PAN_FLAGS PAN_OPTIONS MACRO…
search() {
    local wanted=$1 name=$2 flags=$3 options=$4 errors states said=ok
    shift 4
    spin "$@" -a "$model"
    # shellcheck disable=SC2086 # several flags
    gcc -w $flags -DVECTORSZ=512 -DMEMLIM="$memory" -o pan pan.c
    # Invalid end states are the watcher's to judge.
    # shellcheck disable=SC2086
    ./pan -E -m200000 $options >pan.log 2>&1 || true
    errors=$(grep -oP 'errors: \K\d+' pan.log || echo none)
    states=$(grep -oP '\d+(?= states, stored)' pan.log || echo 0)
    # A search that found what it was to find is not completed, and need not be.
    if [ "$errors" != "$wanted" ] || {
        [ "$wanted" = 0 ] && grep -qE 'out of memory|not completed|too small' pan.log
    }; then
        said=BAD
        bad=1
    fi
    printf '%-3s %-52s %10d states, errors: %s\n' "$said" "$name" "$states" "$errors"
    [ "$said" = ok ] || grep -E '^pan|rror' pan.log || true
}

# may CRASHES REBALANCES PAUSES LOST_ANSWERS REFUSALS JOBS: the macros that say what may go wrong.
may() {
    printf -- "-DCRASHES=%d -DREBALANCES=%d -DPAUSES=%d " "$1" "$2" "$3"
    printf -- "-DLOST_ANSWERS=%d -DREFUSALS=%d -DJOBS=%d" "$4" "$5" "$6"
}

# shellcheck disable=SC2046 # several macros
whole() {
    memory=8000
    search 0 'two jobs, a crash, a rebalance and a pause' '-O2 -DSAFETY -DCOLLAPSE' -w26 \
        $(may 1 1 1 0 0 2)
}

# shellcheck disable=SC2046
parts() {
    search 0 'one job, a crash and a pause' '-O2 -DSAFETY' -w23 $(may 1 0 1 0 0 1)
    search 0 'two jobs, a crash and a rebalance' '-O2 -DSAFETY' -w23 $(may 1 1 0 0 0 2)
    search 0 'two jobs, a rebalance and a pause' '-O2 -DSAFETY' -w23 $(may 0 1 1 0 0 2)
    search 0 'two jobs, one due later, and a pause' -DSAFETY -w23 $(may 0 0 1 0 0 2) -DSTAGGERED
    search 0 'two jobs, a lost answer and a refusal' -DSAFETY -w23 $(may 0 0 0 1 1 2)
    search 0 'one job and a crash, no cycle' -DNP '-l -w23' $(may 1 0 0 0 0 1)
    search 0 'two jobs, no cycle' -DNP '-l -w23' $(may 0 0 0 0 0 2)
    for rule in NO_LEASE NO_EPOCH NO_WAIT SHORT_GRACE ASK_EARLY ANY_LEASE; do
        search 1 "$rule" -DSAFETY -w23 $(may 1 1 1 1 1 1) -D$rule
    done
    search 1 NO_RIVALS -DSAFETY -w23 $(may 0 0 0 0 0 2) -DSTAGGERED -DNO_RIVALS
}

if [ "${2:-}" = whole ]; then
    whole
else
    parts
fi
exit $bad
