import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")

from edge_runtime.batch import inputs  # noqa: E402
from edge_runtime.batch.pages import is_readable  # noqa: E402
from edge_runtime.errors import DependencyMissing, OptionError, SourceError  # noqa: E402


def names(*texts: object) -> list[str]:
    resolved = [inputs.resolved(str(text)) for text in texts]
    return [file.name for file in inputs.files(resolved, is_readable)]


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is reached as `scans`, too."""
    for name in ("b.png", "a/2.JPG", "a/10.jpg", "c.pdf", "d.tar.gz", "notes.txt", ".hidden.png", ".git/x.png"):
        path = tmp_path / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "scans"


def test_folder_is_read_with_all_below(scans: Path) -> None:
    expected = ["a/10.jpg", "a/2.JPG", "b.png", "c.pdf", "d.tar.gz"]
    assert names("scans") == names("scans/") == [f"scans/{name}" for name in expected]
    assert names(scans) == [f"{scans}/{name}" for name in expected]


def test_links_to_folders_are_left_out(scans: Path) -> None:
    (scans / "loop").symlink_to(scans)
    (scans / "z.png").symlink_to(scans / "b.png")
    assert names("scans")[-2:] == ["scans/d.tar.gz", "scans/z.png"]


def test_patterns_match_files_alone(scans: Path) -> None:
    assert names("scans/*") == [f"scans/{name}" for name in (".hidden.png", "b.png", "c.pdf", "d.tar.gz", "notes.txt")]
    assert names("scans/**/*.jpg") == ["scans/a/10.jpg"]
    with pytest.raises(OptionError, match=r"^scans/\*\.webp: no file matches$"):
        names("scans/*.webp")


def test_a_name_with_brackets_is_a_file_first(scans: Path) -> None:
    (scans / "a[1].png").touch()
    assert names("scans/a[1].png") == ["scans/a[1].png"]


def test_a_missing_input_is_one_line(scans: Path) -> None:
    with pytest.raises(OptionError, match=r"^scans/e\.png: no such file or folder$"):
        names("scans/e.png")


def test_a_folder_that_is_gone_is_a_failure(scans: Path) -> None:
    files = inputs.files([inputs.resolved("scans")], is_readable)
    shutil.rmtree(scans)
    assert list(files) == [inputs.Failed("scans", "no such file or folder")]


def test_names_without_characters_can_be_written(scans: Path) -> None:
    Path(os.fsdecode(os.fsencode(scans) + b"/\xff.png")).touch()
    assert names("scans")[-1] == "scans/\\udcff.png"


def test_memory_is_a_file_system() -> None:
    system = fsspec.filesystem("memory")
    system.pipe({"/inputs/a/1.png": b"", "/inputs/b.png": b"", "/inputs/c.txt": b""})
    assert names("memory://inputs") == ["memory:///inputs/a/1.png", "memory:///inputs/b.png"]
    file = next(inputs.files([inputs.resolved("memory://inputs/b.png")], is_readable))
    assert isinstance(file, inputs.File)
    assert file.address is None  # another process has another memory


def test_an_address_on_this_machine(scans: Path) -> None:
    assert names(f"file://{scans}/a") == [f"file://{scans}/a/10.jpg", f"file://{scans}/a/2.JPG"]


def test_inside_an_archive_by_chain(scans: Path) -> None:
    with zipfile.ZipFile(scans / "e.zip", "w") as archive:
        archive.writestr("x/1.png", b"")
    assert names(f"zip://x/1.png::file://{scans}/e.zip") == [f"zip://x/1.png::file://{scans}/e.zip"]


def test_a_bucket_names_the_package_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(DependencyMissing, match=r"^s3://scans/a: to read s3://, pip install s3fs$"):
        inputs.resolved("s3://scans/a")


def test_an_unknown_scheme_is_one_line() -> None:
    with pytest.raises(OptionError, match=r"^spool://a: Protocol not known: spool$"):
        inputs.resolved("spool://a")


def test_an_unreachable_file_system_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("Could not connect to the endpoint\nURL")

    monkeypatch.setattr(MemoryFileSystem, "info", unreachable)
    with pytest.raises(SourceError, match=r"^memory://a: cannot be reached: Could not connect to the endpoint URL$"):
        inputs.resolved("memory://a")
