"""What a runtime takes alone: measured in a real environment, of a package that is made here, and kept."""

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.peers import footprint
from benchmarks.peers.footprint import Footprints, Runtime
from benchmarks.peers.networks import Networks
from edge_runtime.bench import result

# A package that says that it is numpy, as far as what is measured goes.
SOURCE = "def load(path):\n    return open(path, 'rb').read()\n"
SIZE = 300_000
RUNTIME = Runtime(("tiny-runtime",), "import tiny_runtime as numpy", "assert open(model).read() == 'layers' and digit")
Package = Callable[[str], None]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    (folder / "networks").mkdir(parents=True)
    Networks(folder / "networks").layers.write_text("layers")
    return folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Return what makes a version of the package the one that is installed here, and that pip finds, offline."""
    shelf, here = tmp_path / "shelf", tmp_path / "here"
    shelf.mkdir()
    here.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setattr(sys, "path", [*sys.path, str(here)])
    monkeypatch.setattr(footprint, "RUNTIMES", {"numpy": RUNTIME})
    monkeypatch.setattr(footprint, "STARTS", 3)

    def make(number: str) -> None:
        for old in here.glob("*.dist-info/METADATA"):
            old.unlink()
            old.parent.rmdir()
        metadata = f"Metadata-Version: 2.1\nName: tiny-runtime\nVersion: {number}\n"
        info = f"tiny_runtime-{number}.dist-info"
        (here / info).mkdir()
        (here / info / "METADATA").write_text(metadata)
        with zipfile.ZipFile(shelf / f"tiny_runtime-{number}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("tiny_runtime/__init__.py", SOURCE)
            wheel.writestr("tiny_runtime/library.so", bytes(SIZE))
            wheel.writestr(f"{info}/METADATA", metadata)
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")

    return make


def measure(out: Path, *, make: bool) -> Footprints:
    return footprint.measure(out, Networks(out / "networks"), out, make=make)


def test_only_another_version_is_measured_again(package: Package, out: Path) -> None:
    package("1.0")
    missing = ["no footprint of numpy: --footprint creates environments and measures them"]
    assert measure(out, make=False) == ({}, missing)
    footprints = measure(out, make=True)
    first = footprints.figures["numpy"]
    assert first["packages"] == ["tiny-runtime==1.0"]
    assert isinstance(first["bytes"], int)
    assert SIZE < first["bytes"] < SIZE + 100_000
    assert isinstance(first["import_ns"], list)
    assert len(first["import_ns"]) == 2  # the first start does not count
    if sys.platform == "linux":
        assert isinstance(first["memory_bytes"], int)
        assert 1e6 < first["memory_bytes"] < 100e6
    assert sorted(path.name for path in out.iterdir()) == ["footprint.json", "networks"]  # no environment stays

    written = (out / "footprint.json").read_bytes()
    assert measure(out, make=True) == measure(out, make=False) == footprints  # as kept
    assert (out / "footprint.json").read_bytes() == written

    package("1.1")
    assert measure(out, make=False) == ({}, missing)
    assert measure(out, make=True).figures["numpy"]["packages"] == ["tiny-runtime==1.1"]


def test_runtimes_that_pip_refuses_are_left_out(package: Package, out: Path, tmp_path: Path) -> None:
    package("1.0")
    (tmp_path / "shelf" / "tiny_runtime-1.0-py3-none-any.whl").unlink()
    figures, (said,) = measure(out, make=True)
    assert figures == {}
    assert said.startswith("no footprint of numpy: pip failed: ")
    assert "tiny-runtime==1.0" in said
    assert [path.name for path in out.iterdir()] == ["networks"]


def test_failing_or_missing_runtimes_are_left_out(package: Package, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package("1.0")
    monkeypatch.setattr(footprint, "RUNTIMES", {"numpy": RUNTIME._replace(run="raise ValueError('no such model')")})
    assert measure(out, make=True) == ({}, ["no footprint of numpy: its inference failed: ValueError: no such model"])
    monkeypatch.setattr(footprint, "RUNTIMES", {"numpy": RUNTIME._replace(packages=("not-installed",))})
    assert measure(out, make=True) == (
        {}, ["no footprint of numpy: not-installed is not installed here, so the version to measure is unknown"]
    )  # fmt: skip


DAMAGES = ("", "[]", "{", '{"numpy": {}}', '{"numpy": null}', '{"numpy": {"of": {"python": "2"}}}')


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_or_foreign_figures_are_ignored(damage: str, package: Package, out: Path) -> None:
    package("1.0")
    (out / "footprint.json").write_text(damage)
    assert measure(out, make=False).figures == {}


def test_figures_become_measures_and_lines() -> None:
    footprints = {
        "LiteRT": {"bytes": 144_400_000, "import_ns": [90e6, 100e6, 120e6], "memory_bytes": 42_000_000},
        "Keras": {"bytes": 2_220_000_000, "import_ns": [3e9], "memory_bytes": None},
    }
    measures = {each.name: (each.value, each.unit, each.better) for each in footprint.measures(footprints)}
    assert measures == {
        "footprint/LiteRT size": (144_400_000, "B", "lower"),
        "footprint/LiteRT import": (100_000_000, "ns", "lower"),
        "footprint/LiteRT memory": (42_000_000, "B", "lower"),
        "footprint/Keras size": (2_220_000_000, "B", "lower"),
        "footprint/Keras import": (3_000_000_000, "ns", "lower"),
    }
    assert footprint.table({}) == []
    assert [line.split("  ")[0] + "|" + " ".join(line.split()) for line in footprint.table(footprints)[1:]] == [
        "|LiteRT 144 MB 100 ms 42 MB",
        "|Keras 2,220 MB 3,000 ms",
    ]
    json.dumps([result.statistics(each) for each in footprint.measures(footprints)])


def test_every_runtime_is_one_that_is_installed_here() -> None:
    for runtime in footprint.RUNTIMES.values():
        assert None not in footprint._versions(runtime).values()
        compile(footprint.FRAME.format(imports=runtime.imports, run=runtime.run), "frame", "exec")
