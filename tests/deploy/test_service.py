"""The service under a real systemd, which is booted for it: sandboxed, ready, watched, writing hardly a byte."""

import shutil
from pathlib import Path

import pytest

from deploy import bundle
from tests.builds import copy_tracked
from tests.deploy import small
from tests.deploy.booted import boot, release
from tests.edge_runtime.inference.model_variants import variant
from tests.edge_runtime.store.maker import Maker

PROBE = """
set -eux
systemctl is-active edge-digits
pid=$(systemctl show -P MainPID edge-digits)
grep -q '^CapEff:.0*$' /proc/$pid/status
grep -q '^Seccomp:.2$' /proc/$pid/status
[ "$(stat -c %U /proc/$pid)" = edge-digits ]
[ "$(systemctl show -P NRestarts edge-digits)" = 0 ]
[ "$(stat -c %U:%a /var/lib/edge-digits)" = edge-digits:750 ]

# The root is read-only for it, and its state is not.
sees=/proc/$pid/root
for folder in etc home opt root usr var; do
  if touch $sees/$folder/x; then exit 1; fi
done
touch $sees/var/lib/edge-digits/x

# It writes nothing while it reads: see docs/deploy.md.
before=$(sed -n 's/^wchar: //p' /proc/$pid/io) ticks=$(cut -d" " -f14 /proc/$pid/stat)
while [ $(($(cut -d" " -f14 /proc/$pid/stat) - ticks)) -lt 100 ]; do sleep 1; done
[ "$(sed -n 's/^wchar: //p' /proc/$pid/io)" -le $((before + 1000)) ]

# Commands over MQTT: within the sandbox, one installs a signed model, and one has the service begun anew.
printf 'listener 18839 127.0.0.1\nallow_anonymous true\n' >/tmp/mosquitto.conf
"$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c /tmp/mosquitto.conf -d
cp -r OFFERED /srv/offered
chmod -R a+rX /srv/offered
cat >>/etc/edge-digits/config.toml <<END
mqtt = "mqtt://127.0.0.1:18839"
mqtt-device = "pi"
mqtt-commands = true
mqtt-model = "/srv/offered"
trusted-key = ["/srv/offered/maker.pem"]
END
systemctl restart edge-digits
publish="from paho.mqtt import publish; publish.single('edge-digits/pi/command', '%s', 1, port=18839)"
until [ -L /var/lib/edge-digits/models/current ]; do
  /opt/edge-digits/venv/bin/python -c "$(printf "$publish" install)"
  sleep 1
done
sed -i 's/^RestartSec=.*/RestartSec=1/' /etc/systemd/system/edge-digits.service
systemctl daemon-reload
until [ "$(systemctl show -P NRestarts edge-digits)" = 1 ]; do
  /opt/edge-digits/venv/bin/python -c "$(printf "$publish" restart)"
  sleep 1
done
systemctl reset-failed edge-digits
until systemctl is-active edge-digits; do sleep 1; done
sed -i '/^mqtt/d; /^trusted/d' /etc/edge-digits/config.toml

# What hangs is begun anew.
sed -i 's/^WatchdogSec=.*/WatchdogSec=4/; s/^RestartSec=.*/RestartSec=1/' /etc/systemd/system/edge-digits.service
systemctl daemon-reload
systemctl restart edge-digits
kill -STOP "$(systemctl show -P MainPID edge-digits)"
until [ "$(systemctl show -P NRestarts edge-digits)" = 1 ]; do sleep 1; done
until systemctl is-active edge-digits; do sleep 1; done

# It is told to end, and ends well.
systemctl stop edge-digits
[ "$(systemctl show -P Result edge-digits)" = success ]
sh /opt/edge-digits/install.sh --selftest
sh /opt/edge-digits/install.sh --uninstall --purge
for one in /opt/edge-digits /etc/systemd/system/edge-digits.service /etc/edge-digits /var/lib/edge-digits; do
  if [ -e $one ]; then exit 1; fi
done
if id edge-digits; then exit 1; fi

# One person's own, without root, under that person's own manager.
useradd --create-home guest
guest=$(id -u guest)
install -d -m 700 -o guest "/run/user/$guest"
# As user@.service has it, which would ask logind, and that is not here.
systemd-run --quiet --uid=guest --setenv=XDG_RUNTIME_DIR="/run/user/$guest" --setenv=HOME=/home/guest \\
  --property=Type=notify --property=Delegate=yes /usr/lib/systemd/systemd --user
theirs() { (cd /; runuser -u guest -- env HOME=/home/guest XDG_RUNTIME_DIR="/run/user/$guest" "$@"); }
cp -r /mnt /tmp/bundle
rm /tmp/bundle/told
theirs /tmp/bundle/install.sh --user
printf '[serve]\\nsource = "synthetic"\\nport = 0\\n' >/home/guest/.config/edge-digits/config.toml
theirs systemctl --user start edge-digits
theirs systemctl --user is-active edge-digits
[ "$(stat -c %U /proc/"$(theirs systemctl --user show -P MainPID edge-digits)")" = guest ]
theirs systemctl --user stop edge-digits
[ "$(theirs systemctl --user show -P Result edge-digits)" = success ]
theirs /home/guest/.local/share/edge-digits/install.sh --user --selftest
theirs /home/guest/.local/share/edge-digits/install.sh --user --uninstall --purge
for one in .local/share/edge-digits .config/systemd/user/edge-digits.service .config/edge-digits; do
  if [ -e /home/guest/$one ]; then exit 1; fi
done
"""


@pytest.mark.slow
def test_a_real_systemd_runs_and_restarts_it(tmp_path: Path) -> None:
    python = release()
    source = copy_tracked(tmp_path / "source")
    path = bundle.build(source, tmp_path / "out", 0, machine=small.MACHINE, pythons=(python,))
    offered = tmp_path / "offered"
    offered.mkdir()
    maker = Maker(tmp_path / "maker")
    variant(offered / "new.tflite", "new")
    maker.sign(offered / "new.tflite")
    shutil.copy(maker.public, offered)
    code, log = boot(tmp_path, path, PROBE.replace("OFFERED", str(offered)), offered)
    assert code == "0", log
