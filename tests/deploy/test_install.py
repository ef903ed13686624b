"""install.sh itself, with a bundle that is whole in all but what it installs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy import bundle
from tests.commands import Done
from tests.deploy import small

WHEEL = "edge_digits-1.0-py3-none-any.whl"


class Home:
    """A home folder in which the installation for one person can go wherever it goes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = folder / ".local" / "share" / "edge-digits"
        self.unit = folder / ".config" / "systemd" / "user" / "edge-digits.service"
        self.config = folder / ".config" / "edge-digits" / "config.toml"
        self.command = folder / ".local" / "bin" / "edge-digits"
        folder.mkdir()

    def run(self, script: Path, *options: object) -> Done:
        plain = dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "DBUS_SESSION_BUS_ADDRESS"), "")
        return small.install(script, "--user", *options, HOME=str(self.folder), **plain)

    def says(self, *arguments: str) -> str:
        return subprocess.run([self.command, *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_it_installs_and_once_more_changes_nothing(tmp_path: Path, home: Home) -> None:
    top = small.make(tmp_path)
    done = home.run(top / "install.sh")
    assert (done.code, done.err) == (0, "")
    assert home.says("read", "page.jpg") == "1.0 read page.jpg\n"
    (version,) = (home.prefix / "venvs").iterdir()
    assert re.fullmatch(rf"1\.0-[0-9a-f]{{12}}-{re.escape(small.PYTHON)}", version.name)
    assert f"ExecStart={home.prefix}/venv/bin/edge-digits " in home.unit.read_text()
    assert "@" not in home.unit.read_text().replace("modprobe@videodev", "").replace("=@system-service", "")
    assert 'source = "camera"' in home.config.read_text()
    assert home.run(home.prefix / "install.sh", "--selftest") == (0, "1.0 works\n", "")

    home.config.write_text("[serve]\n")
    before = small.installed(home.folder)
    done = home.run(top / "install.sh")
    assert (done.code, done.err) == (0, "")
    assert small.installed(home.folder) == before


def test_a_new_version_takes_over_and_rolls_back(tmp_path: Path, home: Home) -> None:
    for version in ("1.0", "2.0", "3.0"):
        assert home.run(small.make(tmp_path, version) / "install.sh").code == 0
    assert home.says() == "3.0\n"
    assert len(list((home.prefix / "venvs").iterdir())) == 2
    done = home.run(home.prefix / "install.sh", "--rollback")
    assert (done.code, done.err) == (0, "")
    assert home.says() == "2.0\n"
    assert home.run(home.prefix / "install.sh", "--rollback").code == 0
    assert home.says() == "3.0\n"


def test_what_does_not_work_here_changes_nothing(tmp_path: Path, home: Home) -> None:
    broken = small.make(tmp_path, "2.0", fails="5")
    done = home.run(broken / "install.sh")
    assert (done.code, done.err.count("\n")) == (5, 1)
    assert "a digit is wrong" in done.out
    assert not home.prefix.exists()

    assert home.run(small.make(tmp_path) / "install.sh").code == 0
    before = small.installed(home.folder)
    assert home.run(broken / "install.sh").code == 5
    assert small.installed(home.folder) == before
    assert home.run(home.prefix / "install.sh", "--rollback") == (
        1, "", f"error: there is nothing in {home.prefix} to go back to\n"
    )  # fmt: skip


@pytest.mark.parametrize("name", ["digits-int8.tflite", "edge-digits.service", f"wheels/{WHEEL}"])
def test_a_bundle_that_was_tampered_with_is_refused(tmp_path: Path, home: Home, name: str) -> None:
    top = small.make(tmp_path)
    (top / name).write_bytes((top / name).read_bytes() + b"\0")
    done = home.run(top / "install.sh")
    assert (done.code, done.out, done.err) == (1, "", f"error: the bundle is damaged: {name}: FAILED\n")
    assert not list(home.folder.iterdir())


def test_a_bundle_that_is_incomplete_is_refused(tmp_path: Path, home: Home) -> None:
    top = small.make(tmp_path)
    stranger = top / "wheels" / "edge_digits-1.0-1-py3-none-any.whl"
    shutil.copy(top / "wheels" / WHEEL, stranger)
    done = home.run(top / "install.sh")
    assert (done.code, "not in SHA256SUMS: wheels/edge_digits-1.0-1-py3" in done.err) == (1, True)
    stranger.unlink()
    (top / "wheels" / "link").symlink_to("/etc/passwd")
    assert home.run(top / "install.sh").code == 1
    (top / "wheels" / "link").unlink()
    (top / "digits-int8.tflite").unlink()
    assert home.run(top / "install.sh").code == 1
    (top / bundle.SUMS).unlink()
    assert "SHA256SUMS is missing" in home.run(top / "install.sh").err
    assert not list(home.folder.iterdir())


def test_a_wheel_other_than_required_is_refused(tmp_path: Path, home: Home) -> None:
    top = small.make(tmp_path)
    wheel = top / "wheels" / WHEEL
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    small.seal(top)
    done = home.run(top / "install.sh")
    assert done.code == 1
    assert "HASHES" in done.err
    assert not home.prefix.exists()


@pytest.mark.parametrize(
    ("about", "message"),
    [("1.0 sparc64 3.13", "this bundle is for sparc64"), (f"1.0 {small.MACHINE} 3.0", "which this computer lacks")],
)
def test_a_bundle_for_something_else_says_so(tmp_path: Path, home: Home, about: str, message: str) -> None:
    top = small.make(tmp_path)
    (top / "about").write_text(f"{about}\n")
    small.seal(top)
    done = home.run(top / "install.sh")
    assert (done.code, done.err.count("\n"), message in done.err) == (1, 1, True)
    assert not home.prefix.exists()


@pytest.mark.parametrize(("there", "taken"), [("4.10.0", False), ("4.6.0", True)])
def test_a_desktops_recent_opencv_is_used(tmp_path: Path, there: str, taken: bool) -> None:
    (tmp_path / "system").mkdir()
    (tmp_path / "system" / "cv2.py").write_text(f"__version__ = {there!r}\n")
    options = ("--no-service", "--prefix", tmp_path / "it")
    done = small.install(small.make(tmp_path) / "install.sh", *options, PYTHONPATH=str(tmp_path / "system"))
    assert (done.code, done.err) == (0, "")
    own_opencv = list((tmp_path / "it" / "venv" / "lib").glob("python*/site-packages/opencv_python_headless-*"))
    assert bool(own_opencv) is taken


def test_removal_keeps_what_is_not_its_own(tmp_path: Path, home: Home) -> None:
    assert home.run(small.make(tmp_path) / "install.sh").code == 0
    (home.prefix / "mine.txt").touch()
    done = home.run(home.prefix / "install.sh", "--uninstall")
    assert (done.code, done.err) == (0, "")
    assert [path.name for path in home.prefix.iterdir()] == ["mine.txt"]
    assert home.config.exists()
    assert not home.unit.exists()
    assert not home.command.is_symlink()


def test_purge_takes_the_configuration_too(tmp_path: Path, home: Home) -> None:
    script = small.make(tmp_path) / "install.sh"
    assert home.run(script).code == 0
    assert home.run(script, "--uninstall", "--purge").code == 0
    assert not home.prefix.exists()
    assert not home.config.parent.exists()
    assert home.run(script, "--uninstall") == (1, "", f"error: nothing is installed in {home.prefix}\n")


def test_without_a_service_only_its_folder_changes(tmp_path: Path, home: Home) -> None:
    script = small.make(tmp_path) / "install.sh"
    prefix = tmp_path / "there" / "it"
    assert home.run(script, "--no-service", "--prefix", prefix).code == 0
    assert (prefix / "venv" / "bin" / "edge-digits").exists()
    assert not home.prefix.exists()
    assert not home.unit.exists()
    assert not home.config.exists()
    assert not home.command.is_symlink()
    assert home.run(prefix / "install.sh", "--uninstall", "--no-service").code == 0
    assert not prefix.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--nonsense"], "unknown option --nonsense"),
        (["--prefix"], "--prefix needs a folder"),
        (["--prefix", "/"], "--prefix must not be /"),
        (["--prefix", "/tmp/a b"], "may hold letters"),
        (["--prefix", "/tmp/%h"], "may hold letters"),
        (["--purge"], "--purge goes with --uninstall"),
    ],
)
def test_wrong_options_are_one_line(options: list[str], message: str, home: Home) -> None:
    done = home.run(small.DEPLOY / "install.sh", *options)
    assert (done.code, done.err.count("\n"), message in done.err) == (2, 1, True)
    assert not list(home.folder.iterdir())


def test_help_names_every_option(home: Home) -> None:
    done = home.run(small.DEPLOY / "install.sh", "--help")
    assert done.code == 0
    script = (small.DEPLOY / "install.sh").read_text()
    installing = ("--user", "--prefix", "--no-service", "--with-camera")
    for option in (*installing, "--selftest", "--rollback", "--uninstall", "--purge"):
        assert option in done.out
        assert option in script.partition("while [ $# -gt 0 ]")[2]


def test_two_at_once_do_not_mix(tmp_path: Path, home: Home) -> None:
    top = small.make(tmp_path)
    home.prefix.mkdir(parents=True)
    lock = home.prefix / ".lock"
    with subprocess.Popen(["flock", lock, "cat"], stdin=subprocess.PIPE) as other:
        while subprocess.run(["flock", "--nonblock", lock, "true"], check=False).returncode == 0:
            assert other.poll() is None
        done = home.run(top / "install.sh")
        assert other.stdin is not None
        other.stdin.close()
    assert (done.code, "another installation is going on" in done.err) == (1, True)


def test_shellcheck_finds_nothing() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", small.DEPLOY / "install.sh"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_script_can_be_run() -> None:
    assert os.access(small.DEPLOY / "install.sh", os.X_OK)
