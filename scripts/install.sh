#!/usr/bin/env bash
# Brings a Debian or Ubuntu machine to where `ichain demo` works. Idempotent: run it again at any time.
# Needs root, or sudo; asks nothing.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
exec </dev/null
umask 022

readonly PREFIX=/usr/local
readonly NODE_HOME=$PREFIX/lib/ichain/node
readonly LEAST_NODE=24
readonly LEAST_NPM=10
readonly NPM=11
readonly DOCKER_WAIT_SECONDS=60
log=$(mktemp -t ichain-install.XXXXXX)
as_root=()

say() { printf '%s\n' "$*"; }

# give_up STEP HINT: the one way to fail.
give_up() {
  {
    printf 'error  %s failed.\n' "$1"
    tail -n 15 "$log" | sed 's/^/       /'
    printf 'hint   %s\n       The whole output is in %s; run scripts/install.sh again afterwards.\n' "$2" "$log"
  } >&2
  exit 1
}

# step NAME HINT COMMAND...: quiet unless the command fails. Inside COMMAND `set -e` does not hold.
step() {
  local name=$1 hint=$2
  shift 2
  say "- $name"
  printf '\n## %s\n' "$name" >>"$log"
  "$@" >>"$log" 2>&1 || give_up "$name" "$hint"
}

have() { command -v "$1" >/dev/null 2>&1; }
under_systemd() { [[ -d /run/systemd/system ]]; }

become_root() {
  [[ $(id -u) == 0 ]] && return
  have sudo || give_up "Becoming root" "Run this script as root, or install sudo."
  as_root=(sudo -n)
  sudo -n true 2>>"$log" || give_up "Becoming root by sudo" "Run it as: sudo scripts/install.sh"
}

# --- Debian packages

wanted_packages() {
  have tor || echo tor
  have mmdebstrap || echo mmdebstrap
  docker_answers && have docker || { have dockerd && have docker || echo docker.io; }
  have npm || echo npm
  have mkfs.ext4 || echo e2fsprogs
  # For the tests: captures of what crosses the wire and of what a process reads, a stranger's way to open a parcel, a
  # registry of images.
  have tcpdump || echo tcpdump
  have strace || echo strace
  have gpg || echo gpg
  have zstd || echo zstd
  have docker-registry || echo docker-registry
  [[ -d /usr/share/keyrings ]] && compgen -G '/usr/share/keyrings/debian-archive*' >/dev/null ||
    echo debian-archive-keyring
}

install_packages() {
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  local policy=/usr/sbin/policy-rc.d made=
  # ichain runs its own tor, and dockerd is started below: the packages start nothing.
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
    made=yes
  fi
  local status=0
  { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"; } || status=$?
  [[ -z $made ]] || "${as_root[@]}" rm -f "$policy"
  return "$status"
}

tor_is_new_enough() {
  local version
  version=$(tor --version | sed -n 's/^Tor version \([0-9.]*[0-9]\).*/\1/p' | head -n 1)
  echo "tor $version"
  [[ $(printf '0.4.8\n%s\n' "$version" | sort -V | head -n 1) == 0.4.8 ]]
}

# --- Node

node_major() { have node && node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

npm_major() { have npm && npm --version 2>/dev/null | cut -d . -f 1 || echo 0; }

# link_program TARGET NAME: what was there under that name and is no link of ours is kept beside it.
link_program() {
  local link=$PREFIX/bin/$2
  if [[ -e $link && ! -L $link ]]; then "${as_root[@]}" mv "$link" "$link.before-ichain" || return; fi
  "${as_root[@]}" ln -sfn "$1" "$link"
}

install_node() {
  "${as_root[@]}" mkdir -p "$NODE_HOME" &&
    "${as_root[@]}" npm install --prefix "$NODE_HOME" --no-save --no-audit --no-fund "node@$LEAST_NODE" &&
    link_program "$NODE_HOME/node_modules/node/bin/node" node || return
  hash -r
  [[ $(node_major) -ge $LEAST_NODE ]]
}

# Debian's npm does not understand the overrides in package.json.
install_npm() {
  local home=${NODE_HOME%/node}/npm
  "${as_root[@]}" mkdir -p "$home" &&
    "${as_root[@]}" npm install --prefix "$home" --no-save --no-audit --no-fund "npm@$NPM" &&
    link_program "$home/node_modules/npm/bin/npm-cli.js" npm &&
    link_program "$home/node_modules/npm/bin/npx-cli.js" npx || return
  hash -r
  [[ $(npm_major) -ge $LEAST_NPM ]]
}

# --- Docker

# The engine itself, not the client: the client alone prints a version too.
docker_answers() { have docker && "${as_root[@]}" timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

dockerd_runs() {
  local pid
  pid=$("${as_root[@]}" cat /var/run/docker.pid 2>/dev/null) && [[ $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]]
}

start_docker() {
  if under_systemd; then
    "${as_root[@]}" systemctl enable --now docker || return
  elif ! dockerd_runs; then
    # Nobody manages services here. A killed engine leaves its pid file behind, which stops the next one.
    "${as_root[@]}" rm -f /var/run/docker.pid
    "${as_root[@]}" sh -c 'setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &'
  fi
  local waited
  for ((waited = 0; waited < DOCKER_WAIT_SECONDS * 2; waited++)); do
    docker_answers && return
    sleep 0.5
    # After ten seconds an engine without a pid file has given up.
    under_systemd || ((waited < 20)) || dockerd_runs || break
  done
  tail -n 15 /var/log/dockerd.log 2>/dev/null
  return 1
}

# --- gVisor, the stronger wall around tasks

readonly DAEMON_JSON=/etc/docker/daemon.json
# runsc without a network of its own, and with the container's seccomp profile enforced inside as well.
readonly RUNSC_ARGS='["--network=none","--oci-seccomp"]'

# Prints the engine's configuration with runsc among its runtimes; what else is in it stays as it is.
with_runsc() {
  node -e '
    const [path, args, program] = process.argv.slice(1);
    const { existsSync, readFileSync } = require("node:fs");
    const text = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
    const held = text === "" ? {} : JSON.parse(text);
    if (typeof held !== "object" || held === null || Array.isArray(held)) throw new Error(`${path} holds no object`);
    const runsc = held.runtimes?.runsc ?? { path: program, runtimeArgs: JSON.parse(args) };
    console.log(JSON.stringify({ ...held, runtimes: { ...held.runtimes, runsc } }, null, 2));
  ' "$DAEMON_JSON" "$RUNSC_ARGS" "$(command -v runsc)"
}

# A running engine takes new runtimes up at SIGHUP; one that is not running reads them as it starts.
register_runsc() {
  local merged
  merged=$(with_runsc) || return
  if [[ ! -e $DAEMON_JSON ]] || [[ $merged != "$(<"$DAEMON_JSON")" ]]; then
    "${as_root[@]}" mkdir -p "${DAEMON_JSON%/*}" &&
      printf '%s\n' "$merged" | "${as_root[@]}" install -m 644 /dev/stdin "$DAEMON_JSON.new" &&
      "${as_root[@]}" mv "$DAEMON_JSON.new" "$DAEMON_JSON" || return
  fi
  docker_answers || return 0
  if under_systemd; then "${as_root[@]}" systemctl reload docker; else "${as_root[@]}" kill -HUP "$("${as_root[@]}" cat /var/run/docker.pid)"; fi || return
  local waited
  for ((waited = 0; waited < 20; waited++)); do
    engine_has_runsc && return
    sleep 0.5
  done
  return 1
}

engine_has_runsc() {
  "${as_root[@]}" timeout 10 docker info --format '{{range $name, $_ := .Runtimes}}{{$name}}{{"\n"}}{{end}}' 2>/dev/null | grep -qx runsc
}

# --- ichain itself

dependencies_stamp() { sha256sum package-lock.json package.json | sha256sum | cut -d ' ' -f 1; }

# `npm ci` refuses the lock file where the registry lacks other systems' optional binaries; `npm install`
# takes the same versions from it then, and leaves it as it is.
install_dependencies() {
  { npm ci --no-audit --no-fund || npm install --no-save --no-audit --no-fund; } &&
    dependencies_stamp >node_modules/.ichain-stamp
}

dependencies_are_current() {
  [[ -f node_modules/.ichain-stamp && $(<node_modules/.ichain-stamp) == "$(dependencies_stamp)" ]]
}

build_is_current() {
  [[ -f dist/help.txt && dist/help.txt -nt node_modules/.ichain-stamp ]] &&
    [[ -z $(find src contracts scripts package.json tsconfig*.json hardhat.config.ts -newer dist/help.txt -print -quit) ]]
}

build() {
  rm -rf dist && HARDHAT_DISABLE_TELEMETRY_PROMPT=true npm run build
}

# --- The steps

have apt-get || give_up "Looking for apt-get" "This script knows Debian and Ubuntu; elsewhere install Node 24, tor, Docker and mmdebstrap by hand."
become_root

mapfile -t packages < <(wanted_packages)
if ((${#packages[@]} > 0)); then
  step "Installing Debian packages: ${packages[*]}" "Check the machine's network and its apt sources." install_packages "${packages[@]}"
fi
step "Checking tor" "ichain needs tor 0.4.8 or newer: enable your release's security or backports repository." tor_is_new_enough
if (($(node_major) < LEAST_NODE)); then
  step "Installing Node $LEAST_NODE in $NODE_HOME" "Check that npm can reach its registry, and that $PREFIX/bin comes first in PATH." install_node
fi
if (($(npm_major) < LEAST_NPM)); then
  step "Installing npm $NPM beside it" "Check that npm can reach its registry, and that $PREFIX/bin comes first in PATH." install_npm
fi
# Without it tasks run under runc, and "ichain doctor" says so.
if ! have runsc; then
  say "- Installing runsc (gVisor)"
  install_packages runsc >>"$log" 2>&1 || say "  not in this machine's apt sources: tasks will share its kernel"
fi
if have runsc && ! { docker_answers && engine_has_runsc; }; then
  step "Registering runsc with Docker" "Mend $DAEMON_JSON; Docker must be able to read it." register_runsc
fi
# Of the tests alone, and not in every distribution's sources.
if ! have chromium-headless-shell; then
  say "- Installing chromium-headless-shell, for the tests of the page"
  install_packages chromium-headless-shell >>"$log" 2>&1 || say "  not in this machine's apt sources: those tests are skipped"
fi
if ! docker_answers; then
  step "Starting Docker" "See /var/log/dockerd.log; the engine needs root and a kernel with namespaces and control groups." start_docker
fi
if ! dependencies_are_current; then
  step "Installing ichain's dependencies" "Check that npm can reach its registry." install_dependencies
fi
if ! build_is_current; then
  step "Building ichain" "This is a defect of ichain unless sources were changed here." build
fi
step "Linking $PREFIX/bin/ichain" "Check that $PREFIX/bin may be written to." \
  "${as_root[@]}" ln -sfn "$PWD/bin/ichain.js" "$PREFIX/bin/ichain"
step "Making sure of the runtime image python-ml (a minute when it is new)" \
  "Building needs root, mmdebstrap and a Debian mirror in the machine's apt sources." \
  "${as_root[@]}" "$PREFIX/bin/ichain" runtime build python-ml

rm -f "$log"
say "ichain is ready: try \"ichain demo\"."
