"""Pages in a bucket: s3fs, and a real server of S3's interface on this machine."""

import io
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import edge_runtime

pytestmark = [pytest.mark.bucket, pytest.mark.filterwarnings("ignore")]  # those of the server and of its client
boto3 = pytest.importorskip("boto3")
server = pytest.importorskip("moto.server")
pytest.importorskip("s3fs")
pa = pytest.importorskip("pyarrow")

import pyarrow.parquet as pq  # noqa: E402

from edge_runtime.records import Uint8  # noqa: E402
from tests.edge_runtime.batch.images import encoded, picture, tar, zipped  # noqa: E402
from tests.edge_runtime.batch.runs import texts  # noqa: E402

ROOT = Path(edge_runtime.__file__).parents[1]
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint(digits: tuple[Uint8, Uint8]) -> Iterator[str]:
    """Return the address of a server with a bucket `scans`."""
    running = server.ThreadedMotoServer("127.0.0.1", 0)
    running.start()
    host, port = running.get_host_and_port()
    address = f"http://{host}:{port}"
    images, labels = digits
    png = {label: encoded(picture(images, labels.tolist().index(label))) for label in (0, 2)}
    table = io.BytesIO()
    pq.write_table(pa.table({"image": [png[2], png[0]]}), table)
    bucket = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    bucket.create_bucket(Bucket="scans")
    for name, data in {
        "in/a.png": png[2], "in/b/c.png": png[0], "in/d.tar": tar({"1.png": png[0]}),
        "in/e.zip": zipped({"1.png": png[2]}), "in/f.parquet": table.getvalue(), "in/notes.txt": b"seven",
        "cut.tar": tar({"1.png": png[0], "2.png": png[0]})[:1500],
    }.items():  # fmt: skip
        bucket.put_object(Bucket="scans", Key=name, Body=data)
    yield address
    running.stop()


def batch(endpoint: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_runtime", "batch", *map(str, arguments)]
    environment = {**os.environ, **KEYS, "AWS_ENDPOINT_URL": endpoint}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )  # fmt: skip


def test_a_bucket_is_read_by_processes(endpoint: str, tmp_path: Path) -> None:
    done = batch(endpoint, "s3://scans/in", "--out", tmp_path, "--workers", 1)
    assert (done.returncode, done.stderr) == (0, "")
    assert texts(tmp_path) == {
        f"s3://scans/in/{name}": [text]
        for name, text in [
            ("a.png", "2"), ("b/c.png", "0"), ("d.tar#1.png", "0"), ("e.zip#1.png", "2"), ("f.parquet#0", "2"),
            ("f.parquet#1", "0"),
        ]
    }  # fmt: skip


def test_patterns_match_in_a_bucket(endpoint: str, tmp_path: Path) -> None:
    assert batch(endpoint, "s3://scans/in/**/*.png", "--out", tmp_path, "--workers", 0).returncode == 0
    assert [*texts(tmp_path)] == ["s3://scans/in/a.png", "s3://scans/in/b/c.png"]


def test_a_cut_tar_in_a_bucket(endpoint: str, tmp_path: Path) -> None:
    done = batch(endpoint, "s3://scans/cut.tar", "--out", tmp_path, "--workers", 0)
    assert done.returncode == 1
    assert done.stderr.startswith("edge-digits: error: s3://scans/cut.tar: damaged or cut short after 1 of its pages")
    assert done.stderr.count("\n") == 1
    assert texts(tmp_path)["s3://scans/cut.tar#1.png"] == ["0"]


def test_a_missing_bucket_is_one_line(endpoint: str, tmp_path: Path) -> None:
    done = batch(endpoint, "s3://none/in", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (2, "edge-digits: error: s3://none/in: no such file or folder\n")


def test_an_unreachable_bucket_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        done = batch(f"http://127.0.0.1:{nobody.getsockname()[1]}", "s3://scans/in", "--out", tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith("edge-digits: error: s3://scans/in: cannot be reached: ")
    assert done.stderr.count("\n") == 1
