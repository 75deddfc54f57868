#!/bin/sh
# Fetches the current peers of bench/tunnel from Debian's unstable suite and
# unpacks them, with the libraries that they need, into a folder of their own:
#
#   bench/fetch_peers.sh <folder>
#   deno task bench:tunnel --peers <folder>
#
# Needs apt and dpkg-deb, no root, and leaves the system's own apt alone.
set -eu

programs="wireguard-go wireguard-tools openvpn nebula"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
  echo "Cannot fetch peers: $*" >&2
  exit 1
}

[ $# -eq 1 ] && [ -n "$1" ] || fail "usage: $0 <folder>"
for tool in apt-get apt-cache apt-config dpkg dpkg-deb; do
  command -v "$tool" >/dev/null || fail "$tool is not installed"
done
[ -r "$keyring" ] || fail "$keyring is missing (package debian-archive-keyring)"
[ ! -e "$1" ] || [ -z "$(ls -A "$1")" ] || fail "$1 is not empty"

mkdir -p "$1"
folder=$(cd "$1" && pwd)
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
# Of a signal alone, dash would not clean up.
trap 'exit 1' HUP INT TERM
mkdir -p "$apt/etc/apt.conf.d" "$apt/etc/preferences.d" "$apt/debs" \
  "$apt/state/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"
echo "deb [signed-by=$keyring] http://deb.debian.org/debian unstable main" \
  >"$apt/etc/sources.list"
# How this system reaches its mirrors counts, but not where it keeps its state.
apt-config dump Acquire >"$apt/apt.conf"
cat >>"$apt/apt.conf" <<END
Dir::Etc "$apt/etc";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Architecture "$(dpkg --print-architecture)";
APT::Sandbox::User "";
END
export APT_CONFIG="$apt/apt.conf"

apt-get -q update

# Everything whose name begins like a library's, directly needed or not:
# the C library of unstable is newer than that of most systems.
libraries=$(
  # shellcheck disable=SC2086
  apt-cache depends --recurse --important $programs |
    sed -n 's/^\(lib[^ ]*\|zlib[^ ]*\)$/\1/p' | sort -u
)
# shellcheck disable=SC2086
(cd "$apt/debs" && apt-get -q download $programs $libraries)
for package in "$apt"/debs/*.deb; do
  dpkg-deb -x "$package" "$folder"
done
# What the programs call themselves may lag behind what they are.
for program in $programs; do
  version=$(apt-cache policy "$program" | sed -n 's/^ *Candidate: //p')
  echo "$program $version" >>"$folder/versions"
done
echo "unpacked into $folder:"
cat "$folder/versions"
