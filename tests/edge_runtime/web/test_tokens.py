import os
import stat
import threading
from pathlib import Path

import pytest

from edge_runtime.errors import OptionError, OutputError
from edge_runtime.web import tokens
from tests.edge_runtime.system.disks import file_size_limited

TOKEN = "0123456789abcdef"


def kept(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("text", [TOKEN, f" {TOKEN}\n", "A-b_c.d~" * 8, "x" * 512])
def test_a_token_is_read_without_surrounding_space(tmp_path: Path, text: str) -> None:
    assert tokens.load(kept(tmp_path / "token", text)) == text.strip()
    assert tokens.load(kept(tmp_path / "token", text, 0o400)) == text.strip()


@pytest.mark.parametrize("text", ["", "\n", TOKEN[1:], f"{TOKEN} {TOKEN}", f"{TOKEN}\n{TOKEN}", f"{TOKEN}/", "é" * 16,
                                  f"{TOKEN}\0", "x" * 513, "x" * 10_000])  # fmt: skip
def test_a_bad_token_is_refused_unseen(tmp_path: Path, text: str) -> None:
    with pytest.raises(OptionError, match="contains no token: 16 to 512 ") as caught:
        tokens.load(kept(tmp_path / "token", text))
    assert TOKEN not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o777, 0o620])
def test_a_token_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = kept(tmp_path / "token", TOKEN, mode)
    with pytest.raises(OptionError, match=f"other users can read {path}, which contains a token: chmod 600 {path}"):
        tokens.load(path)
    path.chmod(0o600)
    assert tokens.load(path) == TOKEN


def test_only_a_file_holds_a_token(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(OptionError, match="is not a file"):
            tokens.load(path)
    with pytest.raises(OptionError, match=r"cannot read the token in .*: No such file"):
        tokens.load(tmp_path / "none")
    with pytest.raises(OptionError, match="cannot read the token"):
        tokens.load(Path("a\0b"))


def test_a_token_is_made_once_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "state" / "edge-digits" / "token"
    before = os.umask(0)
    try:
        token, fresh = tokens.made(path)
    finally:
        os.umask(before)
    assert fresh
    assert len(token) == 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert tokens.made(path) == (token, False)
    assert os.listdir(path.parent) == ["token"]
    assert tokens.made(path.with_name("other"))[0] != token


def test_it_is_never_open_to_others(tmp_path: Path) -> None:
    modes: set[int] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for each in list(tmp_path.iterdir()):
                try:
                    modes.add(stat.S_IMODE(each.stat().st_mode))
                except FileNotFoundError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(20):
        tokens.made(tmp_path / f"token-{number}")
    over.set()
    watcher.join()
    assert modes <= {0o600}


def test_what_is_there_is_never_replaced(tmp_path: Path) -> None:
    path = kept(tmp_path / "token", "too short")
    with pytest.raises(OptionError, match="contains no token"):
        tokens.made(path)
    assert path.read_text() == "too short"
    dangling = tmp_path / "link"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OptionError, match="No such file"):
        tokens.made(dangling)


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*token: ") as caught:
        tokens.made(tmp_path / "file" / "token")
    assert caught.value.exit_code == 6


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    with file_size_limited(10), pytest.raises(OutputError, match=r"cannot write .*token: File too large"):
        tokens.made(tmp_path / "token")
    assert os.listdir(tmp_path) == []
