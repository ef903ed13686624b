"""The role under a real systemd: the service, its user and its models are what they are on a Raspberry Pi."""

import re
import sys
from pathlib import Path

import pytest

from deploy import bundle, playbook
from edge_runtime import __version__
from edge_runtime.inference import model_file
from tests.builds import ROOT, copy_tracked
from tests.deploy import small
from tests.deploy.booted import boot, release
from tests.edge_runtime.inference.model_variants import variant

NOT_OURS = "203.0.113.1"  # of documentation, RFC 5737: no interface has it, so nothing can listen there
INVENTORY = """
all:
  hosts: {{here: {{}}}}
  vars:
    ansible_connection: local
    edge_digits_config: |
      [serve]
      source = "synthetic"
      port = 0
      host = "{host}"
"""
PROBE = """
set -eux
export HOME=/root LC_ALL=C.UTF-8
cd {root}
fleet() {{ {python} -m deploy fleet "$@" --watch 5; }}
runs() {{
  systemctl is-active edge-digits
  edge-digits --version | grep -F "$1"
  runuser -u edge-digits -- env STATE_DIRECTORY=/var/lib/edge-digits edge-digits model list | grep -F "*  $2"
}}
refused() {{ code=0; fleet "$@" || code=$?; [ $code = 5 ]; }}
until systemctl is-active edge-digits; do sleep 1; done
runs {version} {shipped}

fleet install -i {folder}/good.yml --bundle {second}
runs 2.0 {shipped}
fleet install -i {folder}/good.yml --bundle {second} | tee /tmp/again
grep -q 'here .*changed=0 .*failed=0' /tmp/again

fleet model -i {folder}/good.yml --model {folder}/new.tflite
runs 2.0 {new}
refused model -i {folder}/good.yml --model {folder}/wrong.tflite
runs 2.0 {new}

# A configuration that is valid, and with which the service does not run.
refused install -i {folder}/bad.yml --bundle {second}
grep -q 127.0.0.1 /etc/edge-digits/config.toml
runs 2.0 {new}

# A version whose selftest passes, and whose service ends.
refused install -i {folder}/good.yml --bundle {third}
runs 2.0 {new}

fleet rollback -i {folder}/good.yml --from {new}
runs 2.0 {shipped}
fleet status -i {folder}/good.yml
[ "$(systemctl show -P NRestarts edge-digits)" = 0 ]
[ -z "$(find /var/tmp -name 'edge-digits.*')" ]
"""


def build(folder: Path, python: str, version: str, broken: bool = False) -> Path:
    """Build the bundle of this checkout as another version, whose service fails where it is `broken`."""
    source = copy_tracked(folder / f"source-{version}")
    package = source / "edge_runtime"
    names = package / "__init__.py"
    names.write_text(re.sub('__version__ = ".*"', f'__version__ = "{version}"', names.read_text()))
    if broken:
        (package / "cli" / "serve.py").write_text("raise OSError('this version cannot serve')\n")
    return bundle.build(source, folder, 0, machine=small.MACHINE, pythons=(python,))


@pytest.mark.fleet
def test_the_role_changes_a_real_service(tmp_path: Path) -> None:
    python = release()
    if not playbook.ANSIBLE.exists():
        pytest.skip("Ansible is not installed: make .venv-fleet/installed")
    folder = tmp_path / "more"
    folder.mkdir()
    variant(folder / "wrong.tflite", wrong=True)
    for name, host in (("good", "127.0.0.1"), ("bad", NOT_OURS)):
        (folder / f"{name}.yml").write_text(INVENTORY.format(host=host))
    probe = PROBE.format(
        root=ROOT, python=sys.executable, folder=folder, version=__version__,
        second=build(folder, python, "2.0"), third=build(folder, python, "3.0", broken=True),
        new=variant(folder / "new.tflite", "new").id,
        shipped=model_file.read(model_file.SHIPPED).id,
    )  # fmt: skip
    source = copy_tracked(tmp_path / "source")
    first = bundle.build(source, tmp_path / "out", 0, machine=small.MACHINE, pythons=(python,))
    environments = (playbook.ANSIBLE.resolve().parent.parent, Path(sys.prefix).resolve())
    code, log = boot(tmp_path, first, probe, ROOT, folder, *environments, seconds=540)
    assert code == "0", log
    assert "error: here: the model is refused: " in log
    assert "error: here: the service " in log
