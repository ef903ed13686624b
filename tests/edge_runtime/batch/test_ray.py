"""Reading in a Ray cluster: real ones on this machine, whose nodes are killed."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import edge_runtime

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]  # Ray's own
pytest.importorskip("ray")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from edge_runtime import DigitReader  # noqa: E402
from edge_runtime.batch import ray_cluster  # noqa: E402
from edge_runtime.errors import EdgeError, OptionError, SourceError  # noqa: E402
from edge_runtime.records import Uint8  # noqa: E402
from tests.edge_runtime.batch.images import encoded, picture, zipped  # noqa: E402
from tests.edge_runtime.batch.runs import read, rows  # noqa: E402
from tests.edge_runtime.batch.test_local import KILLER  # noqa: E402

ROOT = Path(edge_runtime.__file__).parents[1]
PAGES = 200
PART = 16
TIMEOUT = 180  # seconds: several times what anything here takes
HEAD, SECOND = "127.0.0.2", "127.0.0.3"  # Ray takes 127.0.0.1 for the machine's address in its network
KEYS = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
ENVIRONMENT = {**os.environ, **KEYS, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)}
# Seconds after which a process gives its cluster up, in place of a minute.
ENVIRONMENT["RAY_gcs_rpc_server_reconnect_timeout_s"] = "10"
RAY = str(Path(sys.executable).with_name("ray"))


class Node:
    """A node of a cluster on this machine: a session of processes, since Ray's workers leave its process group."""

    def __init__(self, *options: str) -> None:
        start = [RAY, "start", "--block", "--disable-usage-stats", "--object-store-memory=100000000", *options]
        self._process = subprocess.Popen(
            [*start, "--dashboard-agent-listen-port=0"], env=ENVIRONMENT, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if "This command will now block" in line:
                return
        self.kill()
        raise AssertionError(said)

    def kill(self) -> None:
        """Kill all of its processes, such as a power cut does."""
        end_session(self._process.pid)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def end_session(session: int) -> None:
    """Kill the processes of a session until none is left."""
    while living := [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if session_of(pid) == session]:
        for pid in living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def session_of(pid: int) -> int | None:
    """Return the session of a process that has not ended."""
    with suppress(OSError):
        state, _, _, session, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if state != "Z":
            return int(session)
    return None


@contextmanager
def cluster(*cpus: int) -> Iterator[tuple[str, list[Node]]]:
    """Yield the address of a cluster with so many CPUs on each of its nodes, and the nodes."""
    with socket.socket() as free:
        free.bind((HEAD, 0))
        address = f"{HEAD}:{free.getsockname()[1]}"
    nodes: list[Node] = []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True))
        first = ("--head", "--include-dashboard=false", f"--temp-dir={folder}", f"--port={address.rpartition(':')[2]}")
        for host, number in zip((HEAD, SECOND), cpus, strict=False):
            where = first if host == HEAD else (f"--address={address}",)
            nodes.append(Node(*where, f"--node-ip-address={host}", f"--num-cpus={number}"))
            stack.callback(nodes[-1].kill)
        yield address, nodes


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[str]:
    """Return the address of a cluster of two nodes with one CPU each."""
    with cluster(1, 1) as (address, _):
        yield address


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, digits: tuple[Uint8, Uint8]) -> Path:
    """Return a zip file of small pages, one of which is damaged."""
    path = tmp_path_factory.mktemp("pages") / "pages.zip"
    members = {f"{number:03}.png": encoded(picture(digits[0], number % 100)) for number in range(PAGES)}
    path.write_bytes(zipped({**members, "013.png": b"thirteen"}))
    return path


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Path:
    """Return the folder of a run in this process; only to be read."""
    out = tmp_path_factory.mktemp("local") / "out"
    read(out, archive, part=PART)
    return out


def batch(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the command, and then end what it may have left: a session of its own, for its cluster on this machine."""
    command = [sys.executable, "-m", "edge_runtime", "batch", *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**ENVIRONMENT, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        finally:
            end_session(process.pid)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


# Prints the number of pages read after each set of them.
DRIVER = """
import sys
from pathlib import Path
from edge_runtime.batch.run import Request, run
from tests.edge_runtime.batch.runs import Follower

class Telling(Follower):
    def advances(self, pages):
        super().advances(pages)
        print(self.read, flush=True)

archive, out, address, part = sys.argv[1:]
run(Request(inputs=(archive,), out=Path(out), options={}, workers=None, ray=address, part=int(part)), Telling())
"""


@contextmanager
def driver(archive: Path, out: Path, address: str) -> Iterator[subprocess.Popen[str]]:
    """Run a batch in a process of its own, which prints how many pages are read."""
    command = [sys.executable, "-c", DRIVER, str(archive), str(out), address, str(PART)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            end_session(process.pid)


def wait_for(process: subprocess.Popen[str], pages: int) -> None:
    """Wait until so many pages are read."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().isdecimal() and int(line) >= pages:
            return
    raise AssertionError("it ended before")


def test_a_local_cluster_gives_the_same_files(archive: Path, tmp_path: Path) -> None:
    for out, more in (("a", ["--ray", "local"]), ("b", [])):
        done = batch(archive, "--out", tmp_path / out, "--workers", 2, *more)
        assert (done.returncode, done.stderr) == (
            1, f"edge-digits: error: {archive}#013.png: not a picture that Pillow can read\n"
        )  # fmt: skip
        assert done.stdout.split()[:2] == ["pages", "200"]
    names = [path.name for path in sorted((tmp_path / "a").iterdir())]
    assert names == ["manifest.jsonl", "part-00000.parquet", "summary.json"]
    for name in names[:2]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_cluster_goes_on_from_local(two_nodes: str, archive: Path, expected: Path, tmp_path: Path) -> None:
    assert read(tmp_path, archive, sample=3 * PART, part=PART).read == 3 * PART
    with driver(archive, tmp_path, two_nodes) as process:
        assert process.wait(TIMEOUT) == 0
    assert rows(tmp_path) == rows(expected)


def test_a_killed_node_loses_no_row(archive: Path, expected: Path, tmp_path: Path) -> None:
    with cluster(2, 2) as (address, nodes), driver(archive, tmp_path, address) as process:
        wait_for(process, 2 * PART)
        nodes[1].kill()
        process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0
    assert rows(tmp_path) == rows(expected)


def test_a_killed_driver_goes_on(two_nodes: str, archive: Path, expected: Path, tmp_path: Path) -> None:
    with driver(archive, tmp_path, two_nodes) as process:
        wait_for(process, 2 * PART)
        process.kill()
    before = len(rows(tmp_path))
    assert 2 * PART <= before < PAGES
    with driver(archive, tmp_path, two_nodes) as process:
        again, _ = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0
    # Killed between a part and its line in the manifest, the driver reads that part again.
    assert int(again.split()[-1]) - (PAGES - before) in (0, PART)
    assert rows(tmp_path) == rows(expected)


# Prints the rows of 30 pages, one of which kills what reads it, and what comes of another model on the nodes.
KILLING = """
import json, sys
import pyarrow as pa
from edge_runtime.batch import ray_cluster
from edge_runtime.batch.contents import Encoded, Page
from edge_runtime.batch.worker import Recipe
from edge_runtime.errors import EdgeError
from tests.edge_runtime.batch.test_local import KILLER, Killer

address, model = sys.argv[1:]
contents = [Encoded(b"no picture") for _ in range(30)]
contents[KILLER] = Killer()
pages = [Page(str(number), "", content) for number, content in enumerate(contents)]
with ray_cluster.connected(address, None) as workers:
    several = list(ray_cluster.read(iter(pages), Recipe(None, {}), workers, model))
    try:
        list(ray_cluster.read(iter(pages[:1]), Recipe(None, {}), 1, "another"))
    except EdgeError as error:
        said = str(error)
rows = pa.Table.from_batches(several).to_pylist()
print("answer:" + json.dumps([workers, [[row["page"], row["error"]] for row in rows], said]))
"""


def test_a_page_that_kills_actors_is_a_row(two_nodes: str, reader: DigitReader) -> None:
    model = reader.classifier.model.id
    done = subprocess.run(
        [sys.executable, "-c", KILLING, two_nodes, model], cwd=ROOT, env=ENVIRONMENT, check=False,
        capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    workers, lines, said = json.loads(done.stdout.partition("answer:")[2].splitlines()[0])
    expected = [[str(number), "not a picture that Pillow can read"] for number in range(30)]
    expected[KILLER][1] = "ended the process that read it (an actor of Ray), which may have had too little memory"
    assert (workers, lines) == (2, expected)
    assert re.match(rf"\S+ has edge-digits \S+ with the model {model}, not \S+ with another: install the same", said)


# As in docs/batch.md; prints the texts.
DATA = """
import json, logging, sys, ray
from edge_runtime.batch import ReadPages

ray.init(address=sys.argv[1], log_to_driver=False, logging_level=logging.ERROR)
ray.data.DataContext.get_current().enable_progress_bars = False
rows = ray.data.read_parquet(sys.argv[2]).map_batches(ReadPages, batch_size=4, concurrency=1)
print("answer:" + json.dumps({row["page"]: list(row["text"]) for row in rows.take_all()}))
"""


def test_ray_data_calls_read_pages(two_nodes: str, digits: tuple[Uint8, Uint8], tmp_path: Path) -> None:
    images, labels = digits
    numbers = [labels.tolist().index(label) for label in (0, 2)] * 5
    table = {"page": [*map(str, range(10))], "image": [encoded(picture(images, number)) for number in numbers]}
    pq.write_table(pa.table(table), tmp_path / "pages.parquet")
    done = subprocess.run(
        [sys.executable, "-c", DATA, two_nodes, str(tmp_path / "pages.parquet")], cwd=ROOT, env=ENVIRONMENT,
        check=False, capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.partition("answer:")[2].splitlines()[0])
    assert answer == {str(number): [str(number % 2 * 2)] for number in range(10)}


def test_a_lost_cluster_ends_the_run(archive: Path, tmp_path: Path) -> None:
    with cluster(1) as (address, nodes), driver(archive, tmp_path, address) as process:
        wait_for(process, PART)
        nodes[0].kill()
        process.communicate(timeout=TIMEOUT)
        assert process.returncode != 0
    assert PART <= len(rows(tmp_path)) < PAGES


def test_too_many_workers_is_one_line(two_nodes: str, archive: Path, tmp_path: Path) -> None:
    done = batch(archive, "--out", tmp_path / "out", "--ray", two_nodes, "--workers", 3)
    assert (done.returncode, done.stderr) == (
        2, f"edge-digits: error: --ray {two_nodes}: the cluster has 2 CPUs, and each of --workers takes one\n"
    )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_a_wrong_token_is_one_line(two_nodes: str, archive: Path, tmp_path: Path) -> None:
    done = batch(archive, "--out", tmp_path / "out", "--ray", two_nodes, RAY_AUTH_TOKEN="7" * 32)
    assert done.returncode == 3
    assert done.stderr.startswith(f"edge-digits: error: --ray {two_nodes}: cannot be used: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("address", "error", "line"),
    [
        ("ray://127.0.0.1:10001", OptionError, "neither HOST:PORT, as `ray start --head` prints it, nor local"),
        ("127.0.0.1:99999", SourceError, "cannot be reached: "),
        ("127.0.0.1:DEAF", SourceError, "cannot be reached: Connection refused"),
        ("127.0.0.1:OTHER", SourceError, "no Ray cluster answers there within 3 s"),
    ],
)
def test_a_bad_address_is_one_line(
    address: str, error: type[EdgeError], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "CONNECT", 3.0)
    with socket.socket() as deaf, socket.create_server(("127.0.0.1", 0)) as other:
        deaf.bind(("127.0.0.1", 0))  # and does not listen
        for name, each in (("DEAF", deaf), ("OTHER", other)):
            address = address.replace(name, str(each.getsockname()[1]))
        with pytest.raises(error) as caught, ray_cluster.connected(address, None):
            pass
    assert str(caught.value).startswith(f"--ray {address}: {line}")
    assert "\n" not in str(caught.value)


def test_an_unreachable_cluster_has_an_exit_code(archive: Path, tmp_path: Path) -> None:
    done = batch(archive, "--out", tmp_path / "out", "--ray", f"{HEAD}:1")
    assert (done.returncode, done.stderr) == (
        3, f"edge-digits: error: --ray {HEAD}:1: cannot be reached: Connection refused\n"
    )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_no_processes_contradict_a_cluster(archive: Path, tmp_path: Path) -> None:
    done = batch(archive, "--out", tmp_path / "out", "--ray", "local", "--workers", 0)
    assert (done.returncode, done.stderr) == (
        2, "edge-digits: error: --workers 0 reads in this process: leave --ray out\n"
    )  # fmt: skip
