"""Options from a file and from the environment."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from edge_runtime.cli import config_file
from edge_runtime.cli.config_option import tables
from edge_runtime.cli.main import cli, main
from edge_runtime.cli.read import read
from edge_runtime.errors import OptionError
from tests.commands import Call


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "edge-digits.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


Write = Callable[[str], Path]


def test_the_command_line_overrides_a_file(call: Call, write: Write, samples: Path) -> None:
    path = write(f'[read]\nsources = ["{samples}/digit.png"]\njson = true\nmin_confidence = 0.25\nlog-keep = 3\n')
    assert call(main, "read", "--config", path).out.startswith('{"type": "reading", "source": ')
    done = call(main, "read", f"{samples}/none.png", "--config", path)
    assert (done.code, done.out) == (1, "")
    assert "none.png: no such file" in done.err


def test_the_environment_overrides_files_not_the_command_line(
    call: Call, write: Write, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("[read]\njson = true\nmin-confidence = 1\n")
    monkeypatch.setenv("EDGE_DIGITS_CONFIG", str(path))
    monkeypatch.setenv("EDGE_DIGITS_READ_SOURCES", str(samples / "digit.png"))
    assert '"text": []' in call(main, "read").out
    monkeypatch.setenv("EDGE_DIGITS_READ_JSON", "0")
    assert call(main, "read").out == "(no digit)\n"
    monkeypatch.setenv("EDGE_DIGITS_READ_MIN_CONFIDENCE", "0.5")
    assert call(main, "read").out == "2\n"
    assert call(main, "read", "--min-confidence", "1").out == "(no digit)\n"


def test_every_option_works_by_file_and_environment(call: Call) -> None:
    context = click.Context(read, info_name="read", parent=click.Context(read, auto_envvar_prefix="EDGE_DIGITS"))
    options = [option for option in read.params if isinstance(option, click.Option) and not option.is_eager]
    assert {f"--{key}" for key in config_file.settable(read)} == {"--sources"} | {option.opts[0] for option in options}
    assert context.auto_envvar_prefix == "EDGE_DIGITS_READ"
    assert len(options) > 30


def test_what_holds_is_shown_as_a_usable_file(call: Call, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('[read]\nsize = "800x600"\nraw = true\n')
    monkeypatch.setenv("EDGE_DIGITS_READ_KEEP", "7")
    monkeypatch.setenv("EDGE_DIGITS_READ_SOURCES", "http://me:s3cret@cam/x?token=s3cret")
    monkeypatch.setenv("EDGE_DIGITS_READ_LOG", "a\x7fb")
    done = call(main, "config", "show", "--config", path)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "[read]"
    assert 'size = "800x600"  # file' in lines
    assert "raw = true  # file" in lines
    assert 'keep = "7"  # environment' in lines
    assert 'steady = "3/5"' in lines
    assert "# fps =" in lines
    assert "s3cret" not in done.out
    assert tomllib.loads(done.out)["read"]["stall"] == 5.0
    assert call(main, "config", "check", write(done.out)).code == 0


def test_every_error_is_named_with_the_nearest_name(call: Call, write: Write) -> None:
    path = write('[read]\njsn = true\nsize = 3\nkeep = "x"\nraw = 1\nsources = "a"\nfps = true\nhelp = true\n[reed]\n')
    done = call(main, "config", "check", path)
    assert (done.code, done.out) == (2, "")
    errors = [line.removeprefix(f"edge-digits: error: {path}: ") for line in done.err.splitlines()]
    assert errors[:7] == [
        "[read] has no option jsn; did you mean json?",
        "[read] size: '3' is not a size such as 640x480",
        "[read] keep: 'x' is not a valid integer range.",
        "[read] raw: expected true or false",
        "[read] sources: expected a list of strings",
        "[read] fps: expected a string or a number",
        errors[6],
    ]
    assert errors[6].startswith("[read] has no option help; ")
    assert errors[7:] == ["unknown table [reed]; did you mean [read]?"]
    # To read with such a file is refused, too, by the first of these.
    done = call(main, "read", "page.png", "--config", path)
    assert (done.code, done.err) == (2, f"edge-digits: error: {path}: [read] has no option jsn; did you mean json?\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[read\n", "invalid TOML: "),
        (b"\xff\xfe", "invalid TOML: "),
        (b"read = 3\n", "read must be a table: [read]"),
        (b"[[read]]\n", "read must be a table: [read]"),
        (b"zzzzzz = 3\n", "unknown table [zzzzzz]; known: [read]"),
        (b'[read]\nsteady = "1/5"\n', "[read] steady: '1/5' is not a fraction"),
        (b"[read]\nkeep = 1979-05-27\n", "[read] keep: expected a string or a number"),
        (b'[read]\nlog = "a\\u0000b"\n', "[read] log: a string must not be empty or contain NUL"),
        (b'[read]\nannotate = ""\n', "[read] annotate: a string must not be empty or contain NUL"),
        (b'[read]\nsources = ["a", ""]\n', "[read] sources: a string must not be empty or contain NUL"),
        (b"[read]\nsources = " + b"[" * 5000, "invalid TOML: "),
        (b'[read]\nmqtt = "mqtt://me:secret@h"\n', "[read] mqtt: no password in the address of an MQTT broker"),
        (b"[read]\nmin-confidence = nan\n", "[read] min-confidence: 'nan' is not a finite number"),
    ],
)
def test_nonsense_is_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(OptionError) as caught:
        config_file.load(path, tables(click.Context(cli)))
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(call: Call, tmp_path: Path) -> None:
    done = call(main, "read", "page.png", "--config", tmp_path / "none.toml")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"edge-digits: error: {tmp_path}/none.toml: cannot be read: No such file or directory\n"


def test_an_environment_that_makes_no_sense_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DIGITS_READ_SIZE", "large")
    for arguments in (["read", "page.png"], ["config", "show"]):
        done = call(main, *arguments)
        assert (done.code, done.out.replace("[read]\n", "")) == (2, "")
        assert "'large' is not a size such as 640x480" in done.err


def test_a_password_in_the_environment_is_refused_unseen(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DIGITS_READ_MQTT", "mqtt://me:s3cret@broker")
    for arguments in (["read", "page.png"], ["config", "show"]):
        done = call(main, *arguments)
        assert done.code == 2
        assert "no password in the address of an MQTT broker" in done.err
        assert "s3cret" not in done.out + done.err


def test_debug_may_be_set_anywhere(call: Call, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("[read]\ndebug = true\n")
    monkeypatch.setattr("sys.argv", ["edge-digits", "read", "camera", "page.png", "--config", str(path)])
    with pytest.raises(OptionError, match="never ends"):
        main()
