# shellcheck shell=bash
# What the scripts of this directory share: the cache directory, and Debian packages unpacked there
# as a plain user. Nothing is installed on the system, so no root is needed and nothing is replaced.

# Where downloaded and built parts are kept, outside the repository.
cache_root() { printf '%s/regrole' "${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}"; }

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# Runs an apt tool on lists of its own, so that the system's sources, lists and cache stay as they are.
# APT_STATE must be a directory; APT_SUITE's sources are written there on the first call.
private_apt() {
  local tool=$1; shift
  "$tool" -q \
    -o Dir::Etc::sourcelist="$APT_STATE/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$APT_STATE/lists" -o Dir::Cache="$APT_STATE/cache" \
    -o APT::Sandbox::User= -o APT::Get::List-Cleanup=0 "$@"
}

# Prepares private apt lists of Debian bookworm in directory $1. The mirror is the system's own one where
# it is Debian's; DEBIAN_MIRROR overrides it.
prepare_apt() {
  APT_STATE=$1
  local mirror key=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
  [ -r "$key" ] || die "missing $key (install debian-archive-keyring)"
  mkdir -p "$APT_STATE/lists/partial" "$APT_STATE/cache/archives/partial"
  {
    echo "deb [signed-by=$key] $mirror bookworm main"
    echo "deb-src [signed-by=$key] $mirror bookworm main"
    echo "deb [signed-by=$key] $mirror-security bookworm-security main"
    echo "deb-src [signed-by=$key] $mirror-security bookworm-security main"
  } > "$APT_STATE/sources.list"
  [ -e "$APT_STATE/updated" ] || { private_apt apt-get update >&2 && touch "$APT_STATE/updated"; }
}

# Unpacks the named binary packages (without their dependencies) under directory $1.
unpack_debs() {
  local root=$1 work; shift
  work=$(mktemp -d "$APT_STATE/debs.XXXXXX")
  mkdir -p "$root"
  (cd "$work" && private_apt apt-get download "$@" >&2) || die "cannot download $*"
  local deb
  for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$root" || die "cannot unpack $deb"; done
  rm -rf "$work"
}

# Runs the rest of the command line while holding the lock file $1, so that two callers don't build twice.
with_lock() {
  local lock=$1; shift
  mkdir -p "$(dirname "$lock")"
  ( flock 9; "$@" ) 9> "$lock"
}
