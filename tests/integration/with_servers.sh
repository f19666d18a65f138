#!/usr/bin/env bash
# with_servers.sh BUILD_DIR CMD…: runs CMD with the addresses of the servers that ctest started:
# SENDCODE_TEST_DSN (a superuser's), SENDCODE_TEST_BOOTSTRAP, SENDCODE_TEST_SECURE (the folder with
# Kafka's secure.* files) and SENDCODE_BUILD_DIR. Also by hand, after `ctest -R servers.*start`.
set -euo pipefail

export SENDCODE_BUILD_DIR=$1
shift
export PATH=/usr/bin:$PATH # Debian's python3 has python3-psycopg2, another first in PATH has not
servers=$SENDCODE_BUILD_DIR/servers
if [ -f "$servers/postgres/dsn" ]; then
    SENDCODE_TEST_DSN=$(cat "$servers/postgres/dsn")
    export SENDCODE_TEST_DSN
fi
if [ -f "$servers/kafka/bootstrap" ]; then
    SENDCODE_TEST_BOOTSTRAP=$(cat "$servers/kafka/bootstrap")
    export SENDCODE_TEST_BOOTSTRAP
    export SENDCODE_TEST_SECURE=$servers/kafka
fi
exec "$@"
