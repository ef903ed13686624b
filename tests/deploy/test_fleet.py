"""Roll-outs to six computers: an sshd each on this one, the real role, program and models; systemctl is a stand-in."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_runtime.inference import model_file
from tests.builds import ROOT, copy_tracked
from tests.commands import Done
from tests.deploy import remotes, small
from tests.deploy.remotes import Remote
from tests.edge_runtime.inference.model_variants import variant

pytestmark = pytest.mark.fleet
NAMES = tuple(f"pi{number}" for number in range(1, 7))
INVENTORY = """
all:
  hosts: {{{hosts}}}
  vars:
    ansible_ssh_common_args: -F {config}
    edge_digits_user: true
    edge_digits_watch_seconds: 1
    edge_digits_bundle: first/edge-digits-1.0-{machine}.tar.gz
    edge_digits_config: |
      [serve]
      source = "synthetic"
"""
SHIPPED = model_file.read(model_file.SHIPPED).id


class Fleet(NamedTuple):
    inventory: Path
    remotes: dict[str, Remote]
    second: Path  # the bundle of the next version

    def run(self, playbook: str, *options: object) -> Done:
        command = [sys.executable, "-m", "deploy", "fleet", playbook, f"--inventory={self.inventory}"]
        done = subprocess.run(
            [*command, *map(str, options)], cwd=ROOT, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, "ANSIBLE_SSH_ARGS": remotes.SSH_ARGS},
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def models(self) -> dict[str, str]:
        links = {name: remote.models / "current" for name, remote in self.remotes.items()}
        return {name: os.readlink(link).split(".")[0] if link.is_symlink() else SHIPPED for name, link in links.items()}

    def versions(self) -> dict[str, str]:
        venvs = {name: remote.command.parent.parent for name, remote in self.remotes.items()}
        return {name: os.readlink(venv).split("/")[1].split("-")[0] for name, venv in venvs.items()}

    def files(self) -> dict[str, dict[str, str]]:
        return {name: small.installed(remote.home) for name, remote in self.remotes.items()}


def changed(done: Done) -> dict[str, int]:
    """Return how much the playbook changed on each computer, as its last lines say."""
    return {name: int(count) for name, count in re.findall(r"^(pi\d) +: ok=\d+ +changed=(\d+)", done.out, re.M)}


def wheel(folder: Path, version: str) -> Path:
    """Build the wheel of this checkout, with another version."""
    source = copy_tracked(folder / "source")
    names = source / "edge_runtime" / "__init__.py"
    names.write_text(re.sub('__version__ = ".*"', f'__version__ = "{version}"', names.read_text()))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, f"--wheel-dir={folder}", source], check=True)
    shutil.rmtree(source)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Done]]:
    """Six computers with the first version, and what its installation printed."""
    top = tmp_path_factory.mktemp("fleet")
    bundles = []
    for name, version in (("first", "1.0"), ("second", "2.0")):
        (top / name).mkdir()
        bundles.append(small.packed(top / name, version, program=wheel(top / name, version)))
    with ExitStack() as stack:
        found = {}
        for name in NAMES:
            (top / name).mkdir()
            found[name] = stack.enter_context(remotes.running(top / name, name, "--version"))
        config, inventory = top / "ssh_config", top / "inventory.yml"
        config.write_text("".join(remote.config.read_text() for remote in found.values()))
        hosts = ", ".join(f"{name}: {{}}" for name in NAMES)
        inventory.write_text(INVENTORY.format(hosts=hosts, config=config, machine=small.MACHINE))
        fleet = Fleet(inventory, found, bundles[1])
        done = fleet.run("install")
        for name, remote in found.items():
            shutil.copytree(remote.home, top / name / "snapshot", symlinks=True)
            remote.active.rename(remote.active.with_suffix(".first"))
        yield fleet, done


@pytest.fixture
def fleet(installed: tuple[Fleet, Done]) -> Fleet:
    """Return the six computers as they were after the first installation."""
    fleet, _ = installed
    for remote in fleet.remotes.values():
        shutil.rmtree(remote.home)
        shutil.copytree(remote.home.with_name("snapshot"), remote.home, symlinks=True)
        shutil.copy(remote.active.with_suffix(".first"), remote.active)
        for path in (remote.bad, remote.broken, remote.log):
            path.unlink(missing_ok=True)
    return fleet


def test_six_are_installed_then_nothing_changes(installed: tuple[Fleet, Done], fleet: Fleet) -> None:
    _, done = installed
    assert (done.code, done.err) == (0, "")
    assert all(count > 0 for count in changed(done).values())
    assert tuple(changed(done)) == NAMES
    assert re.findall(r"^PLAY \[", done.out, re.M) == ["PLAY ["] * 3
    assert set(fleet.versions().values()) == {"1.0"}
    for remote in fleet.remotes.values():
        assert (remote.home / ".config/edge-digits/config.toml").read_text() == '[serve]\nsource = "synthetic"\n'
        assert "1.0" in remote.active.read_text()
    before = fleet.files()
    done = fleet.run("install")
    assert (done.code, done.err, changed(done)) == (0, "", dict.fromkeys(NAMES, 0))
    assert fleet.files() == before
    assert all("start " not in remote.log.read_text() for remote in fleet.remotes.values())


def test_a_model_reaches_all_and_goes_back(fleet: Fleet, tmp_path: Path) -> None:
    made = variant(tmp_path / "new.tflite", "new").id
    done = fleet.run("model", f"--model={tmp_path}/new.tflite")
    assert (done.code, done.err) == (0, "")
    assert fleet.models() == dict.fromkeys(NAMES, made)
    done = fleet.run("model", f"--model={tmp_path}/new.tflite")
    assert (done.code, changed(done)) == (0, dict.fromkeys(NAMES, 0))

    done = fleet.run("status")
    assert (done.code, done.err) == (0, "")
    assert len(re.findall(rf"1\.0-\S+\s+model\s+{made}\s+\(on\s+trial\),\s+service\s+runs", done.out)) == 6

    done = fleet.run("rollback", f"--from={made}")
    assert (done.code, done.err) == (0, "")
    assert fleet.models() == dict.fromkeys(NAMES, SHIPPED)
    done = fleet.run("rollback", f"--from={made}")
    assert (done.code, changed(done)) == (0, dict.fromkeys(NAMES, 0))


def test_a_bad_model_stops_after_the_first(fleet: Fleet, tmp_path: Path) -> None:
    before = fleet.files()
    variant(tmp_path / "wrong.tflite", wrong=True)
    done = fleet.run("model", f"--model={tmp_path}/wrong.tflite")
    assert done.code == 5
    assert re.fullmatch(r"error: pi1: the model is refused: .* gives wrong results .*; 1\.0-\S+ stays\n", done.err)
    assert fleet.models() == dict.fromkeys(NAMES, SHIPPED)
    assert list(changed(done)) == ["pi1"]
    after = fleet.files()
    assert all(after[name] == before[name] for name in NAMES[1:])
    assert not any(fleet.remotes[name].log.exists() for name in NAMES[1:])


def test_a_failure_stops_a_later_batch(fleet: Fleet, tmp_path: Path) -> None:
    made = variant(tmp_path / "new.tflite", "new").id
    fleet.remotes["pi3"].bad.write_text(f"{made}.tflite\n")
    done = fleet.run("model", f"--model={tmp_path}/new.tflite", "--stages=1,2,100%")
    assert done.code == 5
    assert done.err.startswith("error: pi3: the service ended within its first 1 seconds; 1.0-")
    assert fleet.models() == {**dict.fromkeys(NAMES, SHIPPED), "pi1": made, "pi2": made}
    assert fleet.remotes["pi3"].active.exists()
    assert not any(fleet.remotes[name].log.exists() for name in NAMES[3:])


def test_a_version_that_does_not_start_goes_back(fleet: Fleet) -> None:
    fleet.remotes["pi2"].broken.write_text(fleet.remotes["pi2"].active.read_text().replace("1.0", "2.0"))
    done = fleet.run("install", f"--bundle={fleet.second}", "--stages=1,2,100%")
    assert done.code == 5
    assert done.err.startswith("error: pi2: the service does not start")
    assert fleet.versions() == {**dict.fromkeys(NAMES, "1.0"), "pi1": "2.0", "pi3": "2.0"}
    assert "1.0" in fleet.remotes["pi2"].active.read_text()

    done = fleet.run("rollback", "--from=2.0")
    assert (done.code, done.err) == (0, "")
    assert fleet.versions() == dict.fromkeys(NAMES, "1.0")
    assert "1.0" in fleet.remotes["pi1"].active.read_text()
