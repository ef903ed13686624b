#!/bin/sh
# Install edge-digits from the bundle that this file is in, without internet. Nothing changes unless all of it works.
set -eu
umask 022
LC_ALL=C
export LC_ALL PIP_NO_INPUT=1 PIP_CONFIG_FILE=/dev/null

usage() {
  cat <<'END'
Usage: install.sh [--user] [--prefix DIR] [--no-service] [--with-camera]
       install.sh --selftest | --rollback | --uninstall [--purge]

Installs edge-digits beside the current version, tests it, and only then switches over. Running it again changes
nothing.

  --user         for you only, without root: into ~/.local/share/edge-digits, with a user service
  --prefix DIR   into DIR instead of /opt/edge-digits
  --no-service   only the command: nothing outside DIR
  --with-camera  cameras on the ribbon cable, too: picamera2, by apt where it is missing
  --selftest     test the installation as the service would run it
  --rollback     go back to what was installed before
  --uninstall    remove it; configuration and state stay
  --purge        with --uninstall: remove these and the service's user, too

Exit codes: 0 done, 1 not done and nothing changed, 2 an invalid option, 5 it does not work on this computer.
END
}

say() { printf '%s\n' "$*"; }
die() {
  code=$1
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$code"
}

mode=install user='' prefix='' service=yes camera='' purge=''
while [ $# -gt 0 ]; do
  case $1 in
    --user) user=yes ;;
    --prefix) [ $# -ge 2 ] || die 2 "--prefix needs a folder"; prefix=$2; shift ;;
    --prefix=*) prefix=${1#*=} ;;
    --no-service) service='' ;;
    --with-camera) camera=yes ;;
    --selftest | --rollback | --uninstall) mode=${1#--} ;;
    --purge) purge=yes ;;
    -h | --help) usage; exit 0 ;;
    *) die 2 "unknown option $1 (see --help)" ;;
  esac
  shift
done
[ -z "$purge" ] || [ "$mode" = uninstall ] || die 2 "--purge goes with --uninstall"

own=$(dirname "$(realpath "$0")")
[ "$mode" = install ] || [ ! -d "$own/venvs" ] || : "${prefix:=$own}"  # the one that an installation has left there
if [ "$user" ]; then
  : "${HOME:?}"
  : "${prefix:=${XDG_DATA_HOME:-$HOME/.local/share}/edge-digits}"
  config=${XDG_CONFIG_HOME:-$HOME/.config}/edge-digits state=${XDG_STATE_HOME:-$HOME/.local/state}/edge-digits
  units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user commands=$HOME/.local/bin
  unit=edge-digits-user.service
else
  : "${prefix:=/opt/edge-digits}"
  config=/etc/edge-digits state=/var/lib/edge-digits units=/etc/systemd/system commands=/usr/local/bin
  unit=edge-digits.service
  [ -z "$service" ] || [ "$(id -u)" = 0 ] || die 1 "this needs root: run it with sudo, or with --user"
fi
case $prefix$config in
  *[!A-Za-z0-9/._+-]*) die 2 "$prefix: a folder's name may hold letters, digits and ._+- only" ;;
esac
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
[ "$prefix" != / ] || die 2 "--prefix must not be /"

control() { if [ "$user" ]; then systemctl --user "$@"; else systemctl "$@"; fi; }
runs_systemd() {
  if [ "$user" ]; then control show-environment >/dev/null 2>&1; else [ -d /run/systemd/system ]; fi
}

# Let $prefix/$2 lead to $1, in one step: it is the old one or the new one, also when the power fails.
lead() {
  ln -sfn "$1" "$prefix/.$2.new"
  mv -fT "$prefix/.$2.new" "$prefix/$2"
}
target() { readlink "$prefix/$1" || true; }

# Switch to the installation in $1, which brings its own unit.
switch() {
  former=$(target venv) ours=$prefix/$1/share/edge-digits changed=''
  if [ "$former" != "$1" ]; then
    [ ! "$former" ] || lead "$former" previous
    lead "$1" venv
    install -m 755 "$ours/install.sh" "$prefix/install.sh"
    changed=yes
  fi
  sync -f "$prefix"
  [ "$service" ] || return 0
  mkdir -p "$units"
  draft=$units/.edge-digits.service.new
  sed "s|@PREFIX@|$prefix|g; s|@CONFIG@|$config|g" "$ours/$unit" >"$draft"
  if cmp -s "$draft" "$units/edge-digits.service"; then rm "$draft"; else
    mv -fT "$draft" "$units/edge-digits.service"
    sync -f "$units"
    changed=yes
  fi
  [ "$changed" ] || return 0
  if runs_systemd; then
    control daemon-reload
    control enable --quiet edge-digits.service
    control try-restart edge-digits.service || say "The service does not start: systemctl status edge-digits says why."
  elif [ ! "$user" ] && command -v systemctl >/dev/null; then
    systemctl --quiet enable edge-digits.service  # no systemd runs here: it starts with the next boot
  fi
}

# Try the installation in $1, by the command after it where that is to be run as somebody else.
works() {
  command=$1/bin/edge-digits
  shift
  "$@" "$command" selftest
}

alone() {
  mkdir -p "$prefix" 2>/dev/null || die 1 "cannot make $prefix: run it with sudo, or with --user"
  [ -w "$prefix" ] || die 1 "cannot write in $prefix: run it with sudo, or with --user"
  exec 9>>"$prefix/.lock"
  flock -n 9 || die 1 "another installation is going on in $prefix"
}

uninstall() {
  [ -d "$prefix/venvs" ] || die 1 "nothing is installed in $prefix"
  alone
  if [ -e "$units/edge-digits.service" ] && grep -qF "$prefix/venv/" "$units/edge-digits.service"; then
    if runs_systemd; then control disable --now --quiet edge-digits.service || true; fi
    rm -f "$units/edge-digits.service" "$units"/*.wants/edge-digits.service
    if runs_systemd; then control daemon-reload; fi
    if [ "$purge" ]; then
      rm -rf "$config" "$state"
      if [ ! "$user" ] && id edge-digits >/dev/null 2>&1; then userdel edge-digits; fi
    fi
  fi
  [ "$(readlink "$commands/edge-digits")" != "$prefix/venv/bin/edge-digits" ] || rm -f "$commands/edge-digits"
  rm -rf "$prefix/venvs" "$prefix/venv" "$prefix/previous" "$prefix/install.sh" "$prefix/.lock"
  rmdir "$prefix" 2>/dev/null || true
  say "edge-digits is removed from $prefix"
}

case $mode in
  uninstall) uninstall && exit ;;
  selftest)
    [ -e "$prefix/venv" ] || die 1 "nothing is installed in $prefix"
    set --
    [ ! "$service" ] || [ "$user" ] || ! id edge-digits >/dev/null 2>&1 || set -- runuser -u edge-digits \
      -- env "STATE_DIRECTORY=$state"
    works "$prefix/venv" "$@" || exit 5
    exit
    ;;
  rollback)
    former=$(target previous)
    [ -n "$former" ] || die 1 "there is nothing in $prefix to go back to"
    alone
    switch "$former"
    say "${former#venvs/} is what runs now"
    exit
    ;;
esac

cd "$(dirname "$0")"
[ -f SHA256SUMS ] || die 1 "there is no bundle around $0: SHA256SUMS is missing"
# Before anything of it is used: all of it is there, as it was made, and there is nothing else.
damaged=$(sha256sum --check --strict --quiet SHA256SUMS 2>&1) || die 1 "the bundle is damaged: $(say "$damaged" | head -n 1)"
strangers=$(find . ! -type d ! -name SHA256SUMS | sed 's|^\./||' | while IFS= read -r name; do
  cut -c 67- SHA256SUMS | grep -qxF -- "$name" || printf '%s ' "$name"
done)
[ -z "$strangers" ] || die 1 "the bundle is damaged: what is not in SHA256SUMS: $strangers"
read -r version machine pythons <about

[ "$(uname -m)" = "$machine" ] || die 1 "this bundle is for $machine, and this computer is $(uname -m)"
python=''
for candidate in /usr/bin/python3 python3 $(for one in $pythons; do echo "python$one"; done); do
  found=$("$candidate" -c 'import struct, sys; print("%d.%d" % sys.version_info[:2], struct.calcsize("P") * 8)' \
    2>/dev/null) || continue
  case $found in *32) die 1 "this system has 32-bit programs, for which there is no LiteRT: install a 64-bit system" ;; esac
  case " $pythons " in *" ${found% *} "*) python=$candidate release=${found% *}; break ;; esac
done
[ "$python" ] || die 1 "this bundle requires Python $pythons, which this computer lacks"
# Tied to this Python: after an upgrade of the system the same bundle installs anew.
id=venvs/$version-$(sha256sum SHA256SUMS | cut -c -12)-$release

sees() { "$python" -c "import $1" >/dev/null 2>&1; }
if [ "$camera" ] && ! sees picamera2; then
  [ "$(id -u)" = 0 ] || die 1 "picamera2 is missing: sudo apt install python3-picamera2"
  say "Installing picamera2, by apt."
  apt-get install -y -qq --no-install-recommends python3-picamera2 >/dev/null ||
    die 1 "picamera2 cannot be installed: apt install python3-picamera2 says why"
  sees picamera2 || die 1 "$python does not find picamera2, which apt has installed"
fi

alone
new=$prefix/$id
tidy() {
  [ -e "$new/whole" ] || rm -rf "$new"
  if rmdir "$prefix/venvs" 2>/dev/null; then rm -f "$prefix/.lock" && rmdir "$prefix"; fi
}
trap tidy EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$new/whole" ]; then
  say "Installing edge-digits $version for Python $release in $prefix."
  rm -rf "$new"
  # The system's packages are seen, for picamera2. pip comes with the bundle: python3-venv need not be installed.
  "$python" -m venv --system-site-packages --without-pip "$new" || die 1 "$python cannot make a virtual environment"
  pip=$(echo wheels/pip-*.whl)
  take() {
    "$new/bin/python" "$pip/pip" install --quiet --disable-pip-version-check --no-index \
      --no-cache-dir --root-user-action=ignore --find-links wheels --no-deps --require-hashes --requirement "$1" ||
      die 1 "pip cannot install what is in $PWD/wheels"
  }
  grep -v '^pip==' "requirements-$release.txt" >"$new/all.txt"
  if sees cv2; then
    grep -v '^opencv-' "$new/all.txt" >"$new/most.txt"
    take "$new/most.txt"
  fi
  # A desktop's OpenCV has windows and serves, unless it is older, or made for another numpy, as that of Debian 12.
  if ! "$new/bin/python" -c 'import cv2, sys; sys.exit([*map(int, cv2.__version__.split(".")[:2])] < [4, 8])' \
    2>/dev/null; then take "$new/all.txt"; fi
  mkdir -p "$new/share/edge-digits"
  cp install.sh edge-digits.service edge-digits-user.service "$new/share/edge-digits"

  # It has to work here before anything leads to it.
  works "$new" || die 5 "it does not work on this computer; what was installed before stays"
  sync -f "$new"
  touch "$new/whole"
fi

if [ "$service" ]; then
  if [ ! "$user" ]; then
    id edge-digits >/dev/null 2>&1 ||
      useradd --system --user-group --no-create-home --home-dir "$state" --shell /usr/sbin/nologin \
        --comment 'edge-digits' edge-digits
    install -d -m 750 -o edge-digits -g edge-digits "$state"
  fi
  mkdir -p "$config"
  [ -e "$config/config.toml" ] || cp config.toml "$config/config.toml"
  mkdir -p "$commands"
  if [ ! -e "$commands/edge-digits" ] && [ ! -L "$commands/edge-digits" ]; then
    ln -s "$prefix/venv/bin/edge-digits" "$commands/edge-digits"
  fi
fi
switch "$id"
for old in "$prefix"/venvs/*; do
  case venvs/${old##*/} in "$(target venv)" | "$(target previous)") ;; *) rm -rf "$old" ;; esac
done
say "edge-digits $version is installed: $prefix/venv/bin/edge-digits"
