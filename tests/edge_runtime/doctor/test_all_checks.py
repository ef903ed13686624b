"""`edge-digits doctor` as a whole: on this machine, where nothing is installed, and where checks fail or hang."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

import edge_runtime
from edge_runtime.cli.main import main
from edge_runtime.doctor import all_checks, table
from edge_runtime.doctor.findings import Finding, failed, ok, warning
from tests.commands import Call
from tests.edge_runtime.system import boards

PACKAGE = Path(edge_runtime.__file__).parent
SCHEMA = json.loads((PACKAGE / "schemas" / "doctor.schema.json").read_text())
NAMES = SCHEMA["properties"]["checks"]["items"]["properties"]["name"]["enum"]
# edge-digits where nothing is installed but click, which is in the folder that is the first argument.
BARE = """
import sys
sys.path[:0] = sys.argv[1:3]
sys.argv[1:3] = []
from edge_runtime.cli.main import main
main()
"""


def bare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "click").symlink_to(Path(click.__file__).parent)
    command = [sys.executable, "-I", "-S", "-c", BARE, str(folder), str(PACKAGE.parent), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_this_machine() -> None:
    command = [sys.executable, "-m", "edge_runtime", "doctor", "--json"]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    record = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(record)
    assert done.stderr == ""
    assert done.returncode == (0 if record["passed"] else 5)
    named = [check["name"] for check in record["checks"]]
    assert list(dict.fromkeys(named)) == [name for name in NAMES if name in named]
    assert set(NAMES) - set(named) <= {"camera", "device files"}
    of_packages = {"numpy", "numpy ABI", "interpreter", "pillow"}
    assert {check["status"] for check in record["checks"] if check["name"] in of_packages} == {"ok"}
    assert all(check["remedy"] is None for check in record["checks"] if check["status"] == "ok")


def test_where_nothing_is_installed_it_says_so(tmp_path: Path) -> None:
    done = bare(tmp_path, "doctor", "--json")
    assert (done.returncode, done.stderr) == (5, "")
    record = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(record)
    assert record["passed"] is False
    checks = {check["name"]: check for check in record["checks"]}
    for name in ("numpy", "opencv", "interpreter", "pillow"):
        assert checks[name]["status"] == "failed", name
        assert checks[name]["remedy"].startswith(f"{sys.executable} -m pip install "), name
    assert checks["models"]["status"] == "warning"
    assert {"camera", "clock", "disk", "memory", "picamera2", "service", "temperature"} <= checks.keys() | {"camera"}


def test_where_nothing_is_installed_people_are_told(tmp_path: Path) -> None:
    done = bare(tmp_path, "doctor")
    assert done.returncode == 5
    assert "failed   numpy         not installed\n" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_it_imports_nothing_that_may_be_missing() -> None:
    code = (
        "import sys, edge_runtime.cli.main, edge_runtime.doctor.all_checks, edge_runtime.doctor.table;"
        "sys.exit(bool({'numpy', 'cv2', 'PIL', 'ai_edge_litert'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, check=False).returncode == 0


@pytest.mark.parametrize("board", [boards.pi3, boards.pi4, boards.pi5])
def test_a_whole_board(tmp_path: Path, board: object) -> None:
    assert callable(board)
    findings = {finding.name: finding for finding in all_checks.run(board(tmp_path))}
    assert "Raspberry Pi" in findings["system"].message
    assert findings["temperature"].message.endswith("degrees Celsius") == (board is not boards.pi5)
    assert findings["numpy"].status == "ok"
    needs = board is not boards.pi3
    assert findings["ribbon cable"].message.startswith("imx" if needs else "no camera detected")
    assert findings["picamera2"].status == ("failed" if needs else "ok")
    assert all_checks.passed(list(findings.values())) == (not needs)


def test_a_failing_or_hanging_check_is_a_finding() -> None:
    ever = threading.Event()

    def falls() -> Finding:
        raise ZeroDivisionError("division\nby zero")

    def hangs() -> Finding:
        ever.wait()
        return ok("disk", "at last")

    findings = all_checks.together(
        [("clock", falls), ("disk", hangs), ("power", lambda: [ok("power", "a"), warning("throttling", "b")])], 0.2
    )
    ever.set()
    assert findings == [
        failed("clock", "not checked: ZeroDivisionError: division by zero"),
        failed("disk", "not checked: no answer within 0.2 s"),
        ok("power", "a"),
        warning("throttling", "b"),
    ]
    assert not all_checks.passed(findings)
    assert all_checks.passed(findings[2:])


def test_a_hanging_check_does_not_keep_the_command() -> None:
    code = (
        "import sys, time\n"
        "from edge_runtime.doctor import all_checks, checks_system\n"
        "checks_system.clock = lambda root: time.sleep(600)\n"
        "all_checks.together.__defaults__ = (5.0,)\n"
        "sys.argv[1:] = ['doctor']\n"
        "from edge_runtime.cli.main import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 5
    assert "failed   clock         not checked: no answer within 5 s\n" in done.stdout
    assert done.stderr == ""


FOUND = [
    ok("numpy", "2.4.6"),
    warning("picamera2", "a word " * 20 + "at the end", "sudo apt-get install -y python3-picamera2 " + "x" * 90),
    failed("clock", "it shows 1970-01-01"),
]


def test_the_table_is_plain_where_nobody_sees_it() -> None:
    assert list(table.lines(FOUND)) == [
        "ok       numpy      2.4.6",
        "warning  picamera2  " + "a word " * 20 + "at the end",
        " " * 20 + "sudo apt-get install -y python3-picamera2 " + "x" * 90,
        "failed   clock      it shows 1970-01-01",
        "1 failed, 1 warning, 1 ok",
    ]
    assert list(table.lines([])) == ["0 failed, 0 warnings, 0 ok"]


def test_the_table_is_wrapped_but_for_remedies() -> None:
    lines = list(table.lines(FOUND, 80))
    remedy = next(line for line in lines if "apt-get" in line)
    assert remedy.strip() == FOUND[1].remedy
    assert max(len(line) for line in lines if line != remedy) < 80
    words = [line[20:] for line in lines[1 : lines.index(remedy)]]
    assert len(words) == 3
    assert " ".join(words) == FOUND[1].message
    assert list(table.lines(FOUND, 40)) == list(table.lines(FOUND))  # too few columns


def test_the_table_has_colors() -> None:
    lines = list(table.lines(FOUND, color=True))
    assert [click.unstyle(line) for line in lines] == list(table.lines(FOUND))
    assert lines[0].startswith("\x1b[32mok")
    assert lines[3].startswith("\x1b[31m\x1b[1mfailed")


@pytest.mark.parametrize("colors", [True, False])
def test_on_a_terminal(colors: bool) -> None:
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("4H", 24, 90, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "TERM")}
    if not colors:
        environment["NO_COLOR"] = "1"
    command = [sys.executable, "-m", "edge_runtime", "doctor"]
    process = subprocess.Popen(command, cwd=PACKAGE.parent, stdout=its, stdin=its, stderr=its, env=environment)
    os.close(its)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # Linux' way to say that the other end is closed
        pass
    finally:
        os.close(ours)
    assert process.wait() in (0, 5)
    text = shown.decode()
    assert ("\x1b[32mok" in text) == colors
    lines = [click.unstyle(line) for line in text.splitlines()]
    remedies = [i for i, line in enumerate(lines) if line.strip().startswith(("sudo ", sys.executable))]
    assert max(len(line) for i, line in enumerate(lines) if i not in remedies) <= 90


@pytest.mark.parametrize(("arguments", "message"), [(["--model", "x"], "--model"), (["page.jpg"], "unexpected extra")])
def test_nonsense_is_one_line(arguments: list[str], message: str, call: Call) -> None:
    assert message in call(main, "doctor", *arguments).one_line(2)
