"""What a service writes to the card that it runs from, by the system calls that it makes."""

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.edge_runtime.web import process
from tests.edge_runtime.web.process import served

CALLS = "trace=write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,ftruncate,fallocate"
WRITING = re.compile(r"\w+\((\d+)<(/[^>]*)>.* = (\d+)$", re.MULTILINE)
ELSEWHERE = ("/dev/", "/proc/", "/sys/")
FRAMES = 40


def written(folder: Path) -> dict[str, int]:
    """Return how many bytes went into which file, by the traces of all threads."""
    counts: dict[str, int] = {}
    for trace in folder.glob("trace.*"):
        for _, path, count in WRITING.findall(trace.read_text()):
            if not path.startswith(ELSEWHERE):
                counts[path] = counts.get(path, 0) + int(count)
    return counts


def test_no_frame_costs_a_byte_of_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    # -D: the server is our child, and gets the signal.
    strace = ["strace", "-D", "-ff", "--seccomp-bpf", "-y", "-s", "0", "-e", CALLS, "-o", str(tmp_path / "trace")]
    if subprocess.run([*strace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    monkeypatch.setattr(process, "COMMAND", [*strace, *process.COMMAND])
    token = tmp_path / "edge-digits" / "serve.token"
    with served("synthetic:1", "--host", "0.0.0.0", home=tmp_path) as running:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        opener.open(running.address, timeout=30).close()  # the cookie

        def frames(number: int) -> None:
            live = f"{running.address.partition('?')[0]}api/live?after={number}&wait=30"
            with opener.open(live, timeout=60) as answer:
                assert json.load(answer)["number"] > number

        frames(10)
        begun = written(tmp_path)
        frames(10 + FRAMES)
        assert written(tmp_path) == begun
        assert [Path(path).name.startswith(".serve.token") for path in begun] == [True]
        assert sum(begun.values()) == token.stat().st_size < 100
        code, rest = running.end()
    assert (code, rest) == (0, "")
    assert len("".join(running.lines)) < 1000  # for the journal
