# Shell functions that the scripts share. Sourced, after `set -euo pipefail`, from a script in scripts/.
# shellcheck shell=bash disable=SC2034 # the lists of packages are read by those scripts

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
    say "$*"
    exit 1
}
usage() {
    say "usage: $*"
    exit 64
}

# Where downloads are kept between runs and work trees.
cache_dir() {
    printf '%s/sendcode\n' "${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}"
}

# What `build` needs, and what the programs need to run against servers of our own.
build_packages=(build-essential cmake ninja-build pkg-config librdkafka-dev libcurl4-openssl-dev
    libssl-dev libjson-c-dev libpq-dev libevent-dev uthash-dev)
postgres_packages=(postgresql)
kafka_packages=(openjdk-17-jre-headless maven openssl)
test_packages=(libcmocka-dev clang-14 clang-format-14 clang-tidy-14 cppcheck libclang-rt-14-dev
    shellcheck spin kcat chromium nodejs npm python3 python3-psycopg2 python3-confluent-kafka
    python3-hypothesis python3-psycopg golang-go openjdk-17-jdk-headless libpostgresql-jdbc-java
    nginx-light groff-base file curl faketime)

# True when the package, or a program that stands for it from elsewhere, is there.
package_present() {
    case $1 in
    nodejs) command -v node >/dev/null ;;
    npm | kcat | curl | openssl | shellcheck | python3) command -v "$1" >/dev/null ;;
    maven) command -v mvn >/dev/null ;;
    golang-go) command -v go /usr/local/go/bin/go >/dev/null ;;
    openjdk-17-jdk-headless) command -v javac >/dev/null ;;
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
    *) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
    esac
}

# Installs the Debian packages named that are missing, saying so; as root, else through sudo.
need_packages() {
    local missing=() package as_root=()
    for package; do
        package_present "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "please install these yourself, there is no apt-get here: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "please run as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get -q update >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends "${missing[@]}" >&2
}

# build PRESET [TARGET…]: configures and builds into build/PRESET; quiet unless somebody watches.
# Without the tests where their library is not installed.
build() {
    local preset=$1 quiet=() options=()
    shift
    package_present libcmocka-dev || options=(-DBUILD_TESTING=OFF)
    [ -t 2 ] || quiet=(-- --quiet)
    say "building $preset"
    mkdir -p "$root/build"
    (cd "$root" && cmake --preset "$preset" "${options[@]}" >"$root/build/$preset.configure.log" 2>&1) || {
        cat "$root/build/$preset.configure.log" >&2
        return 1
    }
    (cd "$root" && cmake --build "build/$preset" ${1:+--target "$@"} "${quiet[@]}" >&2)
}

# A port on loopback that nobody listens on, below those that the kernel gives out by itself.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        if ! grep -qi ": [0-9A-F]*:$(printf %04X "$port") [0-9A-F]*:0000 " /proc/net/tcp /proc/net/tcp6 2>/dev/null; then
            printf '%s\n' "$port"
            return
        fi
    done
}

# wait_until SECONDS WHAT COMMAND…: asks ten times a second until COMMAND succeeds; dies naming WHAT.
wait_until() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || {
            say "waited in vain for $what"
            return 1
        }
        sleep 0.1
    done
}

# ours PID WORD: the process lives and WORD stands in its command line.
ours() {
    [ -n "$1" ] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$2"
}

gone() { ! ours "$@"; }

# end_process PID WORD SECONDS: asks it to end, insists after SECONDS.
end_process() {
    ours "$1" "$2" || return 0
    kill -TERM "$1" 2>/dev/null || return 0
    wait_until "$3" "process $1 to end" gone "$1" "$2" && return 0
    kill -KILL "$1" 2>/dev/null || true
    wait_until 10 "process $1 to be gone" gone "$1" "$2"
}
