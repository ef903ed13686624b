"""What goes into the bundle, and that the same files give the same bytes."""

import hashlib
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from deploy import bundle, wheels
from tests.builds import copy_tracked
from tests.deploy import small

ROOT = small.DEPLOY.parent
LOCK = (ROOT / "requirements" / "bundle.txt").read_text()
HASH = "a" * 64


def test_lock_conditions_are_those_of_the_target() -> None:
    lock = (
        f"numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:{HASH}\n"
        f"numpy==2.5.5 ; python_full_version >= '3.12' \\\n"
        f"    --hash=sha256:{'b' * 64} \\\n    --hash=sha256:{'c' * 64}\n"
        f"colorama==0.4 ; sys_platform == 'win32' \\\n    --hash=sha256:{HASH}\n"
        f"only-there==1 ; platform_machine == 'aarch64' \\\n    --hash=sha256:{HASH}\n"
        "# a remark\n"
    )
    assert wheels.pins(lock, "3.11", "x86_64") == [wheels.Pin("numpy", "2.4.6", frozenset({HASH}))]
    assert wheels.pins(lock, "3.13", "aarch64") == [
        wheels.Pin("numpy", "2.5.5", frozenset({"b" * 64, "c" * 64})),
        wheels.Pin("only-there", "1", frozenset({HASH})),
    ]


@pytest.mark.parametrize("python", bundle.PYTHONS)
def test_the_lock_has_all_the_service_needs(python: str) -> None:
    names = {pin.name for pin in wheels.pins(LOCK, python, "aarch64")}
    assert {"ai-edge-litert", "opencv-python-headless", "paho-mqtt", "uvicorn", "cryptography", "pip"} <= names
    assert "opencv-python" not in names
    assert ("simplejpeg" in names) == (python == "3.11")


@pytest.mark.parametrize("lock", ["serve.txt", "newest.txt"])
def test_the_bundle_holds_the_versions_that_are_tested(lock: str) -> None:
    tested = wheels.pins((ROOT / "requirements" / lock).read_text(), "3.13", "aarch64")
    held = {pin.name: pin.version for pin in wheels.pins(LOCK, "3.13", "aarch64")}
    assert {pin.name: pin.version for pin in tested if pin.name in held}.items() <= held.items()


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = small.make(tmp_path / "first"), small.make(tmp_path / "second")
    for path in second.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1, 1))
            path.chmod(0o700 if path.is_dir() else 0o600)
    bundle.pack(first, tmp_path / "first.tar.gz", 1_700_000_000)
    bundle.pack(second, tmp_path / "second.tar.gz", 1_700_000_000)
    assert (tmp_path / "first.tar.gz").read_bytes() == (tmp_path / "second.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "first.tar.gz") as tar:
        entries = tar.getmembers()
    assert [entry.name for entry in entries] == sorted(entry.name for entry in entries)
    assert {(entry.uid, entry.gid, entry.uname, entry.mtime) for entry in entries} == {(0, 0, "root", 1_700_000_000)}
    assert {entry.name.split("/")[-1]: entry.mode for entry in entries if entry.name.endswith((".sh", "about"))} == {
        "install.sh": 0o755, "about": 0o644,
    }  # fmt: skip
    assert not list(tmp_path.glob(".*.part"))


def test_sums_are_what_sha256sum_checks(tmp_path: Path) -> None:
    top = small.make(tmp_path)
    done = subprocess.run(["sha256sum", "--check", "--strict", bundle.SUMS], cwd=top, capture_output=True, check=False)
    assert done.returncode == 0
    listed = [line[66:] for line in (top / bundle.SUMS).read_text().splitlines()]
    assert listed == sorted(listed)
    assert "install.sh" in listed


def test_only_what_is_committed_goes_in(tmp_path: Path) -> None:
    checkout, out = tmp_path / "checkout", tmp_path / "out"
    checkout.mkdir()
    out.mkdir()
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "-m", "x", "--date", "@5 +0000"],
    ):
        (checkout / "kept").write_text("as committed")
        environment = {**os.environ, "GIT_COMMITTER_DATE": "@1700000000 +0000"}
        subprocess.run(["git", *command], cwd=checkout, env=environment, check=True)
    assert not bundle.is_changed(checkout)
    (checkout / "kept").write_text("changed")
    (checkout / "new").touch()
    assert bundle.is_changed(checkout)
    assert bundle.export(checkout, out) == 1_700_000_000
    assert {path.name: path.read_text() for path in out.iterdir()} == {"kept": "as committed"}
    with pytest.raises(OSError, match="git archive"):
        bundle.export(tmp_path, out)


@pytest.mark.slow
def test_the_real_bundle_is_reproducible_and_works_offline(tmp_path: Path) -> None:
    source = copy_tracked(tmp_path / "source")
    paths = [
        bundle.build(source, tmp_path / out, 1_700_000_000, machine=small.MACHINE, pythons=(small.PYTHON,))
        for out in ("one", "two")
    ]
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in paths}) == 1
    with tarfile.open(paths[0]) as tar:
        tar.extractall(tmp_path, filter="data")
    (top,) = tmp_path.glob("edge-digits-*")
    (ours,) = (top / "wheels").glob("edge_digits-*.whl")
    assert "edge_runtime/models/digits-int8.tflite" in zipfile.ZipFile(ours).namelist()
    done = small.install(top / "install.sh", "--no-service", "--prefix", tmp_path / "it", http_proxy="http://127.0.0.1:9",
                         https_proxy="http://127.0.0.1:9")  # fmt: skip
    assert (done.code, done.err) == (0, "")
    command = tmp_path / "it" / "venv" / "bin" / "edge-digits"
    page = ROOT / "edge_runtime" / "samples" / "digit.png"
    assert subprocess.run([command, "read", page], capture_output=True, text=True, check=True).stdout == "2\n"


@pytest.mark.slow
def test_the_wheels_of_a_pi_match_the_lock(tmp_path: Path) -> None:
    for python in bundle.PYTHONS:
        folder = tmp_path / python
        folder.mkdir()
        wanted = [pin for pin in wheels.pins(LOCK, python, "aarch64") if pin.name in ("ai-edge-litert", "click")]
        wheel_paths = wheels.fetch(wanted, python, "aarch64", folder)
        assert f"cp{python.replace('.', '')}" in wheel_paths[0].name
        assert "aarch64" in wheel_paths[0].name
    missing = [wheels.Pin("click", "8.1.7", frozenset({HASH}))]
    with pytest.raises(OSError, match=r"Python 3\.13 on aarch64"):
        wheels.fetch(missing, "3.13", "aarch64", tmp_path)
