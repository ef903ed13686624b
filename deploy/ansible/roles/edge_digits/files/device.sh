#!/bin/sh
# What the role asks of a computer:
#   device.sh show yes|no PREFIX                      the state as JSON; yes: of a user's installation
#   device.sh watch yes|no PREFIX SECONDS [MODEL]     does the service run so long, with the same model, and not MODEL?
#   device.sh back yes|no PREFIX VERSION MODEL yes|no yes|no   restore the version, "" for none, and the model; did
#                                                     the service run, and does it have to start anew?
# MODEL is the link of the model store, "" for the shipped model.
# Exit codes: 0 done or yes, 1 not done, 5 the service or its model failed.
set -eu
mode=$1 user=$2 prefix=$3
shift 3
if [ "$user" = yes ]; then
  : "${prefix:=${XDG_DATA_HOME:-$HOME/.local/share}/edge-digits}"
  config=${XDG_CONFIG_HOME:-$HOME/.config}/edge-digits state=${XDG_STATE_HOME:-$HOME/.local/state}/edge-digits
  # A session by ssh without PAM has none.
  : "${XDG_RUNTIME_DIR:=/run/user/$(id -u)}"
  export XDG_RUNTIME_DIR
else
  : "${prefix:=/opt/edge-digits}"
  config=/etc/edge-digits state=/var/lib/edge-digits
fi

control() { if [ "$user" = yes ]; then systemctl --user "$@"; else systemctl "$@"; fi; }
current() { readlink "$state/models/current" || true; }

digits() {
  if [ "$user" = yes ] || ! id edge-digits >/dev/null 2>&1; then
    "$prefix/venv/bin/edge-digits" "$@"
  else
    runuser -u edge-digits -- env "STATE_DIRECTORY=$state" "$prefix/venv/bin/edge-digits" "$@"
  fi
}

show() {
  version=$(readlink "$prefix/venv" || true) active=false camera=false works=false models='[]'
  if [ $systemd = true ] && control --quiet is-active edge-digits 2>/dev/null; then active=true; fi
  if /usr/bin/python3 -c 'import sys, importlib.util as i; sys.exit(not i.find_spec("picamera2"))' 2>/dev/null; then
    camera=true
  fi
  # After an upgrade of the system its Python is another one, and the installation does not run.
  if [ -n "$version" ] && listed=$(digits model list --json 2>/dev/null); then works=true models=$listed; fi
  printf '{"machine": "%s", "prefix": "%s", "config": "%s", "state": "%s", "version": "%s", ' \
    "$(uname -m)" "$prefix" "$config" "$state" "${version#venvs/}"
  printf '"systemd": %s, "active": %s, "camera": %s, "works": %s, "model": "%s", "models": %s}\n' \
    $systemd $active $camera $works "$(current)" "$models"
}

# Each start of the service has an id of its own.
run() { control show --property=InvocationID edge-digits; }

watch() {
  end=$(($(date +%s) + $1)) first=$(run) model=$(current)
  while :; do
    control --quiet is-active edge-digits || { echo "the service ended within its first $1 seconds"; exit 5; }
    [ "$(run)" = "$first" ] || { echo "the service failed within its first $1 seconds, and was restarted"; exit 5; }
    [ "$(current)" = "$model" ] && [ "$(current)" != "${2-none}" ] || { echo "the service gave up the model within its first $1 seconds"; exit 5; }
    left=$((end - $(date +%s)))
    [ "$left" -gt 0 ] || return 0
    sleep "$((left < 5 ? left : 5))"
  done
}

script() {
  if [ "$user" = yes ]; then set -- "$@" --user; fi
  sh "$prefix/install.sh" "$@" "--prefix=$prefix"
}

back() {
  version=$1 model=$2 was_active=$3 restart=$4
  now=$(readlink "$prefix/venv" || true)
  if [ "${now#venvs/}" != "$version" ]; then
    if [ -n "$version" ]; then script --rollback; else script --uninstall; fi
  fi
  [ -n "$version" ] || return 0
  [ "$(current)" = "$model" ] || digits model rollback "$(basename "${model:-shipped}" .tflite)"
  [ "$systemd" = true ] || return 0
  if [ "$was_active" = no ]; then
    control stop edge-digits
  elif [ "$restart" = yes ] || ! control --quiet is-active edge-digits; then
    control restart edge-digits
  fi
}

systemd=false
if command -v systemctl >/dev/null; then systemd=true; fi
case $mode in
  show | watch | back) "$mode" "$@" ;;
esac
