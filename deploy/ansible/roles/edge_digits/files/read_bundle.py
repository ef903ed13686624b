"""Print the start of the name that a bundle's installation gets.

Arguments: the bundle, and what `uname -m` prints on the computer that is to get it.
"""

import hashlib
import sys
import tarfile

FILES = ("SHA256SUMS", "about")  # the first files in a bundle, so that no more of it is decompressed


def main(path: str, there: str) -> None:
    """Print the name, or exit with a line where the bundle at `path` is none, or is for another machine."""
    if not path:
        sys.exit("no bundle is named: set edge_digits_bundle, or use --bundle FILE")
    texts = {}
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                _top, _, name = member.name.partition("/")
                if name in FILES and (file := tar.extractfile(member)):
                    texts[name] = file.read()
                if len(texts) == len(FILES):
                    break
        version, machine, *_ = texts["about"].decode().split()
    except FileNotFoundError:
        sys.exit(f"there is no {path}: make bundle writes one to dist/")
    except (OSError, tarfile.TarError, EOFError, KeyError, ValueError):
        sys.exit(f"{path} is no bundle, or is damaged: make bundle writes one to dist/")
    if machine != there:
        sys.exit(f"{path} is for {machine}, and this computer is {there}")
    print(f"{version}-{hashlib.sha256(texts['SHA256SUMS']).hexdigest()[:12]}-")


main(*sys.argv[1:])
