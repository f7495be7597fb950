#!/usr/bin/env bash
# Runs the instructions of ./Dockerfile without a container engine: each stage is a chroot made from an empty Debian
# (debootstrap, the release and the mirror that this machine's apt uses) with Debian's Python 3.11 in place of the
# python:3.11-slim image. Then it starts CMD as the image's user and asks HEALTHCHECK until it agrees.
#
#   apt-get install debootstrap; deploy/replay-dockerfile.sh        (as root; about 2 minutes, 3 GB in $TMPDIR)
#   BASE=/srv/base deploy/replay-dockerfile.sh                      keeps the empty Debian there for the next time
#
# Not covered, as there is no engine: layers, image metadata, cgroups, a network of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ "${1:-}" != --inside ]]; then
  [[ $EUID -eq 0 ]] || { echo "root is needed (debootstrap, chroot)" >&2; exit 2; }
  work=$(mktemp -d)
  trap 'rm -rf --one-file-system "$work"' EXIT
  # Mounts and processes of the replay live in namespaces of their own and end with it.
  unshare --mount --pid --fork --mount-proc --kill-child "$0" --inside "$work"
  exit
fi

work=$2
base=${BASE:-$work/base}
context=$work/context
say() { printf '%s  %s\n' "$(date +%T)" "$*"; }

make_base() {
  [[ -x $base/usr/bin/python3.11 ]] && { say "base: $base is there already"; return; }
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk '$2 == "bookworm" { print $1; exit }')
  [[ -n $mirror ]] || { echo "apt knows no mirror for bookworm" >&2; exit 2; }
  say "base: debootstrap --variant=minbase bookworm"
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$base" "$mirror" >"$work/debootstrap.log" 2>&1 ||
    { tail -20 "$work/debootstrap.log" >&2; exit 1; }
}

# What .dockerignore lets through; a COPY of anything else fails here as it would there.
make_context() {
  mkdir -p "$context"
  local path
  while read -r path; do cp -a --parents "$path" "$context/"; done < <(sed -n 's/^!//p' .dockerignore)
  find "$context" -name __pycache__ -prune -exec rm -rf {} +
}

# in_stage COMMAND [USER]: runs it by the stage's shell, in its environment and working directory. Only what tells pip
# where its index and certificates are comes from outside.
in_stage() {
  local pass=() name
  for name in "${!PIP_@}" SSL_CERT_FILE REQUESTS_CA_BUNDLE http_proxy https_proxy no_proxy; do
    [[ -n ${!name:-} ]] && pass+=("$name=${!name}")
  done
  ${replace_shell:-} env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 "${pass[@]}" \
    "${environment[@]}" "$(command -v chroot)" --userspec="${2:-root}" "$stage" /bin/sh -c "cd '$workdir' && $1"
}

from() { # IMAGE [AS NAME]
  stage=$work/stage-${3:-final}
  stages[${3:-final}]=$stage
  environment=() workdir=/ user=root
  cp -a "$base" "$stage"
  mkdir -p "$stage/proc" "$stage/dev" "$stage/tmp"
  mount -t proc proc "$stage/proc"
  mount --rbind /dev "$stage/dev"
  cp -L /etc/resolv.conf /etc/hosts "$stage/etc/"
  # The certificates that this machine trusts, where its index needs one of its own.
  if [[ -n ${SSL_CERT_FILE:-} ]]; then mkdir -p "$stage$(dirname "$SSL_CERT_FILE")"; cp -L "$SSL_CERT_FILE" "$stage$SSL_CERT_FILE"; fi
}

copy() { # [--from=STAGE] SOURCE... TARGET
  local root=$context source target
  if [[ $1 == --from=* ]]; then root=${stages[${1#--from=}]}; shift; fi
  target=${*: -1}
  [[ $target == /* ]] || target=$workdir/$target
  for source in "${@:1:$#-1}"; do
    if [[ -d $root/$source ]]; then
      mkdir -p "$stage$target" && cp -a "$root/$source/." "$stage$target/"
    elif [[ $target == */ || $target == */. || $# -gt 2 ]]; then
      mkdir -p "$stage$target" && cp -a "$root/$source" "$stage$target/"
    else
      cp -a "$root/$source" "$stage$target"
    fi
  done
  # COPY gives files to root, whoever owns them here.
  chown -R root:root "$stage$target"
}

declare -A stages=()
environment=() workdir=/ user=root health='' command='' stage=''
mount --make-rprivate /
make_base
make_context
while read -r instruction rest; do
  say "$instruction ${rest:0:110}"
  case $instruction in
    FROM) read -r -a words <<<"$rest"; from "${words[@]}" ;;
    RUN) in_stage "$rest" "$user" ;;
    COPY) read -r -a words <<<"$rest"; copy "${words[@]}" ;;
    ENV) environment+=("$rest") ;;
    WORKDIR) workdir=$rest; mkdir -p "$stage$rest" ;;
    USER) user=$rest ;;
    HEALTHCHECK) health=${rest#*CMD } ;;
    CMD) command=$rest ;;
    EXPOSE | VOLUME) ;;
    *) echo "this replay does not know $instruction" >&2; exit 2 ;;
  esac
done < <(grep -v '^#' Dockerfile | sed -e ':join' -e '/\\$/{N;s/\\\n//;b join' -e '}' | grep .)

say "the image: $(du -shx --exclude=proc --exclude=dev "$stage" | cut -f1), runs as $(in_stage 'id -un' "$user")"
[[ $(in_stage 'id -u' "$user") != 0 ]] || { echo "the image runs as root" >&2; exit 1; }
if in_stage 'command -v hatchling gcc' "$user"; then echo "build tools are left in the image" >&2; exit 1; fi
in_stage 'callcenter --help >/dev/null && callcenter models check' "$user"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
environment+=("CALLCENTER_SERVER__PORT=$port")
say "CMD $command"
replace_shell=exec in_stage "exec /bin/sh -c '$command'" "$user" >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 60); do
  if in_stage "$health" "$user" 2>"$work/health.log"; then
    say "HEALTHCHECK agrees; the server runs as uid $(stat -c %u "/proc/$server")"
    healthy=yes
    break
  fi
  kill -0 $server 2>/dev/null || break
  sleep 0.5
done
[[ ${healthy:-} == yes ]] || { tail -3 "$work/health.log" >&2; tail -30 "$work/server.log" >&2; echo "the server did not become healthy" >&2; exit 1; }
kill -TERM $server
status=0; wait $server || status=$?
[[ $status -eq 0 ]] || { tail -30 "$work/server.log" >&2; echo "stopped by SIGTERM, the server ended with $status" >&2; exit 1; }
say "stopped by SIGTERM, exit code 0: the Dockerfile's steps all ran"
