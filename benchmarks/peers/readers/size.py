"""The bytes that a reader takes on disk, from what is installed here: its packages with all that these require."""

import re
import subprocess
import tomllib
from collections.abc import Container, Iterable, Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import edge_runtime
from benchmarks.common.turns import ROOT
from benchmarks.peers.readers.catalog import EDGE, READERS
from edge_runtime.bench.environment import PACKAGES

BLOCK = 512  # bytes, the unit of st_blocks
KIBIBYTE = 1024  # the unit of Debian's Installed-Size
FORMAT = "${Package}\t${Installed-Size}\t${Essential}\t${Pre-Depends}, ${Depends}\n"


class Size(NamedTuple):
    """Bytes on disk.

    `whole` counts every package that the reader needs, `beyond` only those that the edge runtime does not require.
    """

    beyond: int
    whole: int


def of_reader(name: str) -> Size | None:
    """Return the size of a reader; None where the system does not say.

    Python packages count with what they require, by the metadata of what is installed; edge-digits as the folder of
    its package; a Debian package with what it depends on, except what every Debian has and what Python depends on.
    """
    reader = READERS[name]
    if reader.debian is not None:
        size = debian(reader.debian)
        return None if size is None else Size(size, size)
    own = _blocks(Path(edge_runtime.__file__).parent.rglob("*")) if name == EDGE else 0
    needed = _shared() if name == EDGE else required(reader.packages)
    sizes = {package: _bytes(installed) for package, installed in needed.items()}
    beyond = own + sum(size for package, size in sizes.items() if package not in _shared())
    return Size(beyond, own + sum(sizes.values()))


def required(packages: Iterable[str]) -> Mapping[str, Distribution]:
    """Return the installed distributions of these requirements and of all that they require, by name.

    Whichever OpenCV is installed takes the place of the one that is required.
    """
    known: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()  # a distribution and the extra of it
    waiting = [(package, "") for package in packages]
    while waiting:
        text, extra = waiting.pop()
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        package = _installed(requirement.name)
        if package is None:
            continue
        name = canonicalize_name(package.metadata["Name"])
        known[name] = package
        for wanted in {(name, each) for each in requirement.extras or {""}} - seen:
            seen.add(wanted)
            waiting += [(each, wanted[1]) for each in package.requires or ()]
    return known


def debian(package: str) -> int | None:
    """Return the bytes of a Debian package; None if it is not installed as one."""
    try:
        listed = subprocess.run(
            ["dpkg-query", "--show", f"--showformat={FORMAT}"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    rows = [line.split("\t") for line in listed.splitlines()]
    sizes = {name: KIBIBYTE * int(size) for name, size, _, _ in rows if size}
    needs = {name: _names(depends, sizes) for name, _, _, depends in rows}
    if package not in sizes:
        return None
    everywhere = _closure(["python3", *(name for name, _, essential, _ in rows if essential == "yes")], needs)
    return sum(sizes.get(name, 0) for name in _closure([package], needs) - everywhere)


def _names(depends: str, installed: Container[str]) -> list[str]:
    """Return the names in a list of dependencies: of alternatives, the first that is installed."""
    clauses = (re.findall(r"(?:^|\|)\s*([a-z0-9][a-z0-9+.-]*)", clause) for clause in depends.split(","))
    return [name for names in clauses if (name := next((each for each in names if each in installed), None))]


def _closure(names: Iterable[str], needs: Mapping[str, list[str]]) -> set[str]:
    known: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in known and name in needs:
            known.add(name)
            waiting += needs[name]
    return known


@cache
def _shared() -> Mapping[str, Distribution]:
    """Return the distributions that the edge runtime requires, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return required(project["dependencies"])


def _installed(name: str) -> Distribution | None:
    for each in PACKAGES["opencv"] if name.startswith("opencv-") else (name,):
        try:
            return distribution(each)
        except PackageNotFoundError:
            continue
    return None


def _bytes(package: Distribution) -> int:
    return _blocks(Path(str(package.locate_file(file))) for file in package.files or ())


def _blocks(files: Iterable[Path]) -> int:
    return sum(BLOCK * file.lstat().st_blocks for file in files if file.is_file())
