"""make deploy: to a real sshd, with a small bundle, for one person; and what cannot be."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Done
from tests.deploy import remotes, small
from tests.deploy.remotes import Remote

FAILS_ONCE_INSTALLED = "5 * ('/venvs/' not in sys.argv[0])"  # it works where install.sh tries it, and not by its link


@pytest.fixture
def pi(tmp_path: Path) -> Iterator[Remote]:
    with remotes.running(tmp_path) as remote:
        yield remote


def run(*arguments: object) -> Done:
    command = [sys.executable, "-m", "deploy", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=small.DEPLOY.parent, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "ANSIBLE_SSH_ARGS": remotes.SSH_ARGS},
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def deploy(pi: Remote, path: Path, *options: str) -> Done:
    return run("to", "pi", "--user", f"--ssh-config={pi.config}", f"--bundle={path}", "--watch=0", *options)


def left_over() -> set[str]:
    return {name for name in os.listdir("/var/tmp") if name.startswith("edge-digits.")}


def test_it_is_installed_tried_and_started(pi: Remote, tmp_path: Path) -> None:
    before = left_over()
    done = deploy(pi, small.packed(tmp_path, "1.0"))
    assert (done.code, done.err) == (0, "")
    assert pi.active.read_text() == pi.says() == "1.0\n"
    log = pi.log.read_text()
    assert "--user enable --quiet edge-digits.service" in log
    assert log.endswith("--user restart edge-digits\n")
    assert "1.0 works" in done.out
    assert left_over() == before

    done = deploy(pi, small.packed(tmp_path, "2.0"))
    assert (done.code, done.err) == (0, "")
    assert pi.active.read_text() == "2.0\n"


def test_it_goes_back_where_the_selftest_fails(pi: Remote, tmp_path: Path) -> None:
    assert deploy(pi, small.packed(tmp_path, "1.0")).code == 0
    for version, fails in (("2.0", "5"), ("3.0", FAILS_ONCE_INSTALLED)):
        done = deploy(pi, small.packed(tmp_path, version, fails=fails))
        assert done.code == 5
        assert "a digit is wrong" in done.out
        assert done.err.splitlines()[-1].startswith("error: ")
        assert "1.0-" in done.err.splitlines()[-1]
        assert pi.active.read_text() == pi.says() == "1.0\n"


def test_where_nothing_was_installed_nothing_is(pi: Remote, tmp_path: Path) -> None:
    done = deploy(pi, small.packed(tmp_path, "1.0", fails=FAILS_ONCE_INSTALLED))
    assert done.code == 5
    assert done.err == "error: the selftest fails on pi; nothing is installed there\n"
    assert not pi.command.parent.parent.exists()
    assert not pi.active.exists()


def test_it_rolls_back_where_the_service_fails(pi: Remote, tmp_path: Path) -> None:
    pi.broken.write_text("2.0\n")
    assert deploy(pi, small.packed(tmp_path, "1.0")).code == 0
    done = deploy(pi, small.packed(tmp_path, "2.0"))
    assert (done.code, "no longer starts" in done.err) == (5, True)
    assert pi.active.read_text() == pi.says() == "1.0\n"


def test_a_dry_run_connects_to_nothing(pi: Remote, tmp_path: Path) -> None:
    done = deploy(pi, small.packed(tmp_path, "1.0"), "--dry-run")
    assert (done.code, done.err) == (0, "")
    steps = done.out.splitlines()
    assert all(step.startswith("ssh pi: ") for step in steps)
    assert ["install.sh --user" in step for step in steps].count(True) == 1
    assert steps[-2].endswith("systemctl --user restart edge-digits")
    assert "--rollback" in steps[-1]
    assert not pi.log.exists()
    assert not list(pi.home.iterdir())


def test_what_cannot_be_is_one_line(pi: Remote, tmp_path: Path) -> None:
    path = small.packed(tmp_path, "1.0")
    other = path.rename(path.with_name("edge-digits-1.0-sparc64.tar.gz"))
    done = deploy(pi, other)
    assert (done.code, done.err) == (1, f"error: {other.name} is for sparc64, and pi is {small.MACHINE}\n")
    assert not list(pi.home.iterdir())
    broken = other.rename(path)
    broken.write_bytes(broken.read_bytes()[:1000])
    done = deploy(pi, broken)
    assert (done.code, "cannot be unpacked" in done.err) == (1, True)
    pi.config.write_text(pi.config.read_text().replace("IdentityFile", "#"))
    done = deploy(pi, broken)
    assert (done.code, done.err.splitlines()[-1]) == (
        1, "error: pi: ssh or a command there failed; what it said is above",
    )  # fmt: skip


def test_a_host_that_is_an_option_is_refused() -> None:
    command = [sys.executable, "-m", "deploy", "to", "--dry-run", "--", "-oProxyCommand=x"]
    done = subprocess.run(command, cwd=small.DEPLOY.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "error: '-oProxyCommand=x' is not a host such as user@pi\n")
