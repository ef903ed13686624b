"""Who has made a model: signatures, the keys that are trusted, and what is refused for want of them."""

import base64
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.errors import OptionError
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import catalog, install
from edge_runtime.store.install import Trust
from tests.edge_runtime.inference.model_variants import variant
from tests.edge_runtime.store.maker import Maker
from tests.log import Log


def test_what_a_trusted_key_has_signed_is_taken(maker: Maker, folder: Path, tmp_path: Path, messages: Log) -> None:
    other = Maker(tmp_path / "other")
    path = tmp_path / "new.tflite"
    variant(path)
    signature = maker.sign(path)
    trust = Trust(keys=(other.public, maker.public), required=True)
    install.install(str(path), folder, trust)
    assert messages == [f"{path}: signed by a trusted key, complete; testing it"]
    assert catalog.models(folder)[0].entry.signed
    signature.write_text(base64.encodebytes(signature.read_bytes()).decode())
    install.install(str(path), folder, trust)
    assert catalog.models(folder)[0].entry.signed


def test_wrong_and_missing_signatures_are_refused(maker: Maker, refused: Callable[..., str], tmp_path: Path) -> None:
    path, other = tmp_path / "new.tflite", Maker(tmp_path / "other")
    variant(path)
    required, optional = Trust(keys=(maker.public,), required=True), Trust(keys=(maker.public,))
    assert refused(path, trust=required) == f"{path} is not signed: there is no {path}.sig"
    by_another = f"{path}: its signature was not made with a trusted key, or "
    other.sign(path)
    assert all(refused(path, trust=trust).startswith(by_another) for trust in (required, optional))
    signature = maker.sign(path)
    variant(path, "another")  # whole by its card, but not what was signed
    assert refused(path, trust=required).startswith(by_another)
    for data in (b"", bytes(63), bytes(65), b"%" * 88):
        signature.write_bytes(data)
        assert refused(path, trust=optional).startswith(f"{path}: invalid signature: expected 64 bytes")
    signature.write_bytes(bytes(5000))
    assert "has more than 4,096 bytes" in refused(path, trust=optional)


def test_keys_that_cannot_be_used_are_named(maker: Maker, refused: Callable[..., str], tmp_path: Path) -> None:
    path, key = tmp_path / "new.tflite", tmp_path / "key.pem"
    variant(path)
    trust = Trust(keys=(key,))
    assert refused(path, OptionError, trust) == f"cannot read the trusted key {key}: No such file or directory"
    key.write_text("no key")
    assert refused(path, OptionError, trust).startswith(f"{key} contains no public key: make one with openssl ")
    key.write_bytes(Maker(tmp_path / "curve", "EC").public.read_bytes())
    assert refused(path, OptionError, trust).startswith(f"{key} has a key of another type: Ed25519 is required")
    with pytest.raises(OptionError, match="--require-signed requires a trusted key"):
        Trust(required=True)


def test_without_the_package_the_error_names_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None; from pathlib import Path; from edge_runtime.errors import *\n"
        "from edge_runtime.store.install import Trust, install\n"
        "try: install(sys.argv[1], Path(sys.argv[2]), Trust(keys=(Path('key'),)), print)\n"
        "except DependencyMissing as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, SHIPPED, tmp_path / "models"], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("signatures need pip install 'edge-digits[signed]'\n")
    assert not (tmp_path / "models").exists()
