"""make deploy: to a real sshd, with a small bundle, for one person; and what cannot be."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy import playbook
from tests.commands import Done
from tests.deploy import remotes, small
from tests.deploy.remotes import Remote

FAILS_ONCE_INSTALLED = "5 * ('/venvs/' not in sys.argv[0])"  # it works where install.sh tries it, and not by its link


@pytest.fixture
def pi(tmp_path: Path) -> Iterator[Remote]:
    installed_or_skip()
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


def installed_or_skip() -> None:
    if not playbook.ANSIBLE.exists():
        pytest.skip("Ansible is not installed: make .venv-fleet/installed")


def left_over() -> set[str]:
    return {name for name in os.listdir("/var/tmp") if name.startswith("edge-digits.")}


@pytest.mark.slow
def test_it_is_installed_tried_and_started(pi: Remote, tmp_path: Path) -> None:
    before = left_over()
    done = deploy(pi, small.packed(tmp_path, "1.0"))
    assert (done.code, done.err) == (0, "")
    assert pi.active.read_text() == pi.says() == "1.0\n"
    log = pi.log.read_text()
    assert "--user enable --quiet edge-digits.service" in log
    assert log.count("--user start edge-digits.service\n") == 1
    assert "1.0 works" in done.out
    assert left_over() == before

    done = deploy(pi, small.packed(tmp_path, "2.0"))
    assert (done.code, done.err) == (0, "")
    assert pi.active.read_text() == "2.0\n"


@pytest.mark.fleet
def test_it_goes_back_where_the_selftest_fails(pi: Remote, tmp_path: Path) -> None:
    assert deploy(pi, small.packed(tmp_path, "1.0")).code == 0
    refusals = {
        "2.0": "it does not work on this computer; what was installed before stays; 1.0-",
        "3.0": "the selftest fails: a digit is wrong; 1.0-",
    }
    for (version, why), fails in zip(refusals.items(), ("5", FAILS_ONCE_INSTALLED), strict=True):
        done = deploy(pi, small.packed(tmp_path, version, fails=fails))
        assert done.code == 5
        assert "a digit is wrong" in done.out
        assert why in done.err
        assert done.err.count("\n") == 1
        assert pi.active.read_text() == pi.says() == "1.0\n"


@pytest.mark.fleet
def test_where_nothing_was_installed_nothing_is(pi: Remote, tmp_path: Path) -> None:
    done = deploy(pi, small.packed(tmp_path, "1.0", fails=FAILS_ONCE_INSTALLED))
    assert done.code == 5
    assert done.err == "error: pi: the selftest fails: a digit is wrong; nothing is installed there\n"
    assert not pi.command.parent.parent.exists()
    assert not pi.active.exists()


@pytest.mark.fleet
def test_it_rolls_back_where_the_service_fails(pi: Remote, tmp_path: Path) -> None:
    pi.broken.write_text("2.0\n")
    assert deploy(pi, small.packed(tmp_path, "1.0")).code == 0
    done = deploy(pi, small.packed(tmp_path, "2.0"))
    assert (done.code, "error: pi: the service does not start" in done.err) == (5, True)
    assert pi.active.read_text() == pi.says() == "1.0\n"


@pytest.mark.fleet
def test_a_service_that_never_ran_stays_installed(pi: Remote, tmp_path: Path) -> None:
    pi.broken.write_text("1.0\n")
    done = deploy(pi, small.packed(tmp_path, "1.0"))
    assert done.code == 1
    assert done.err.endswith("; it stays installed: systemctl --user status edge-digits shows why\n")
    assert pi.says() == "1.0\n"


@pytest.mark.fleet
def test_a_lost_connection_stops_the_roll_out(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    path = small.packed(tmp_path, "1.0")
    with ExitStack() as stack:
        pis = {}
        for name in names:
            (tmp_path / name).mkdir()
            pis[name] = stack.enter_context(remotes.running(tmp_path / name, name))
        config, inventory = tmp_path / "ssh_config", tmp_path / "inventory.yml"
        config.write_text("".join(pi.config.read_text() for pi in pis.values()))
        inventory.write_text("all: {hosts: {a: {}, b: {}, c: {}}, vars: {edge_digits_user: true}}\n")
        pis["b"].cut.touch()
        options = (f"--inventory={inventory}", f"--ssh-config={config}", "--stages=2,100%", "--watch=1")
        done = run("fleet", "install", *options, f"--bundle={path}")
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith("error: b: cannot be reached: ")
    assert pis["a"].active.read_text() == "1.0\n"
    assert not list(pis["c"].home.iterdir())


def test_ansible_accepts_every_playbook(tmp_path: Path) -> None:
    installed_or_skip()
    paths = sorted((playbook.FOLDER / "playbooks").iterdir())
    inventory = playbook.one_host("pi", tmp_path)
    done = subprocess.run(
        [playbook.ANSIBLE, *paths, f"--inventory={inventory}", "--syntax-check"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_CONFIG": str(playbook.FOLDER / "ansible.cfg")},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert playbook.PLAYBOOKS == ("install", "model", "rollback", "status")


@pytest.mark.slow
def test_ansible_lint_finds_nothing() -> None:
    installed_or_skip()
    folder = playbook.ANSIBLE.parent
    done = subprocess.run(
        [folder / "ansible-lint", "--offline", "--profile=production", "--nocolor", "."], cwd=playbook.FOLDER,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "Passed: 0 failure(s), 0 warning(s)" in done.stderr


def test_a_dry_run_connects_to_nothing() -> None:
    installed_or_skip()
    done = run("to", "pi@nowhere.invalid", "--user", "--dry-run")
    assert (done.code, done.err) == (0, "")
    steps = done.out.splitlines()
    assert all(step.startswith("pi@nowhere.invalid: ") for step in steps)
    assert "pi@nowhere.invalid: Test by the selftest" in steps
    assert steps[-1] == "pi@nowhere.invalid: Where one of these fails, go back to what was there"


def test_what_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    installed_or_skip()
    config = tmp_path / "ssh_config"
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        config.write_text(f"Host pi\n  HostName 127.0.0.1\n  Port {taken.getsockname()[1]}\n")
        done = run("to", "pi", "--user", f"--ssh-config={config}", f"--bundle={small.packed(tmp_path, '1.0')}")
    assert done.code == 1
    assert re.fullmatch(r"error: pi: cannot be reached: .*Connection refused.*\n", done.err)


def test_a_key_that_is_refused_is_one_line(pi: Remote, tmp_path: Path) -> None:
    options = ("to", "pi", "--user", f"--ssh-config={pi.config}", f"--bundle={small.packed(tmp_path, '1.0')}")
    (tmp_path / "known_hosts").rename(tmp_path / "known")
    assert run(*options).err == (
        "error: pi: its host key is unknown, or is not that of before: connect once by ssh pi\n"
    )  # fmt: skip
    (tmp_path / "known").rename(tmp_path / "known_hosts")
    pi.config.write_text(pi.config.read_text().replace("IdentityFile", "#"))
    done = run(*options)
    assert done.code == 1
    assert re.fullmatch(r"error: pi: cannot be reached: .*Permission denied \(publickey\).*\n", done.err)
    assert not list(pi.home.iterdir())


@pytest.mark.parametrize(
    ("message", "unreachable", "option"),
    [
        ("Missing sudo password", False, "--ask-become-pass"),
        ("Permission denied (publickey,password).", True, "--ask-pass"),
    ],
)  # fmt: skip
def test_the_password_that_is_needed_is_named(message: str, unreachable: bool, option: str) -> None:
    failures = [playbook.Failure("pi", "Log in", f"Warning\n{message}" if unreachable else message, unreachable)]
    assert playbook.lines(failures) == [f"pi: {message}: the password is missing or wrong; {option} asks for it"]


def test_many_failures_are_counted() -> None:
    failures = [playbook.Failure(f"pi{number}", "Copy", "no", False) for number in range(5)]
    assert playbook.lines(failures) == ["pi0: no", "pi1: no", "pi2: no", "2 more failed"]


def test_an_inventory_without_computers_is_one_line(tmp_path: Path) -> None:
    installed_or_skip()
    inventory = tmp_path / "empty.yml"
    inventory.write_text("all: {hosts: {}}\n")
    done = run("fleet", "status", f"--inventory={inventory}")
    assert (done.code, done.err.splitlines()[-1]) == (1, "error: the inventory, or --limit, names no computer")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("to", "--dry-run", "--", "-oProxyCommand=x"), "'-oProxyCommand=x' is not a host such as user@pi"),
        (("to", "pi", "--bundle=none.tar.gz"), "Invalid value for '--bundle': File 'none.tar.gz' does not exist."),
        (("fleet", "status"), "Missing option '-i' / '--inventory'."),
        (("fleet", "status", "--inventory=none"), "'-i' / '--inventory': Path 'none' does not exist."),
        (("fleet", "erase", "--inventory=/"), "'erase' is not one of 'install', 'model', 'rollback', 'status'"),
        (("fleet", "status", "-i/", "--stages=1,many"), "Invalid value for --stages: '1,many' is not like 1,10%,100%"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    assert message in run(*arguments).one_line(2)


def test_what_is_no_bundle_is_one_line(tmp_path: Path) -> None:
    path = small.packed(tmp_path, "1.0")
    script = playbook.FOLDER / "roles" / "edge_digits" / "files" / "read_bundle.py"

    def read(*arguments: object) -> Done:
        command = [sys.executable, str(script), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    done = read(path, small.MACHINE)
    assert (done.code, bool(re.fullmatch(r"1\.0-[0-9a-f]{12}-\n", done.out)), done.err) == (0, True, "")
    assert read(path, "sparc64") == (1, "", f"{path} is for {small.MACHINE}, and this computer is sparc64\n")
    assert read(tmp_path / "none", "x") == (1, "", f"there is no {tmp_path}/none: make bundle writes one to dist/\n")
    assert "no bundle is named" in read("", "x").err
    path.write_bytes(path.read_bytes()[:500])
    assert read(path, "x") == (1, "", f"{path} is no bundle, or is damaged: make bundle writes one to dist/\n")
