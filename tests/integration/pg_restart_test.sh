#!/usr/bin/env bash
# pg_restart_test.sh PROGRAM: runs it against a server of its own, with the commands that crash and
# start that server in SENDCODE_TEST_STOP and SENDCODE_TEST_START.
set -euo pipefail
postgres=$(dirname "$0")/../../scripts/postgres
dir=$(mktemp -d /tmp/sendcode-restart.XXXXXX)
trap '"$postgres" stop "$dir"; rm -rf "$dir"' EXIT

"$postgres" start "$dir"
SENDCODE_TEST_DSN=$(cat "$dir/dsn")
pid_file=$(cat "$dir/home")/data/postmaster.pid
SENDCODE_TEST_STOP="kill -QUIT \$(head -n 1 $pid_file); while [ -f $pid_file ]; do sleep 0.05; done"
SENDCODE_TEST_START="$postgres start $dir"
export SENDCODE_TEST_DSN SENDCODE_TEST_STOP SENDCODE_TEST_START
"$1"
