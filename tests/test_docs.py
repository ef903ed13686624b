"""What the documents tell people to type exists, what they quote is said, and the tutorial runs from top to bottom."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TUTORIAL = ROOT / "docs" / "tutorial.md"
# A command of ours with its arguments, also one that is run as somebody else or with variables.
OURS = re.compile(
    r"(?:\$ |sudo (?:-u \S+ )?|runuser (?:-\w \S+ )+-- |env |[A-Z_]+=\S+ )*(?:\S*/)?edge-digits(?: (\S.*))?"
)


def commands(document: Path) -> list[str]:
    """Return the lines of a document's code blocks, indented ones included."""
    text = document.read_text(encoding="utf-8")
    fenced = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^    (.*)$", text, re.MULTILINE)
    return [line.strip() for block in fenced for line in block.splitlines()] + indented


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z0-9-]+)", text))
    named |= {word for line in commands(document) if line.startswith("make ")
              for word in line.partition("#")[0].split()[1:] if "=" not in word}  # fmt: skip
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_options_exist(document: Path) -> None:
    from edge_runtime.cli.main import cli

    commands_and_theirs = [*cli.commands.values()]
    for group in commands_and_theirs:
        commands_and_theirs += getattr(group, "commands", {}).values()
    known = {option for command in commands_and_theirs for parameter in command.params for option in parameter.opts}
    lines = [match[1] for line in commands(document) if (match := OURS.fullmatch(line)) and match[1]]
    named = {option for line in lines for option in re.findall(r"(?<!\S)(--[a-z-]+)", line)}
    assert named <= known | {"--version", "--help"}
    assert {line.split()[0] for line in lines} <= {*cli.commands, "--version", "--help"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_options_of_the_installation_exist(document: Path) -> None:
    usage, _, _ = (ROOT / "deploy" / "install.sh").read_text(encoding="utf-8").partition("\nEND\n")
    text = document.read_text(encoding="utf-8")
    named = {option for line in re.findall(r"/install\.sh(.*)", text) for option in re.findall(r"^ (--[a-z-]+)", line)}
    assert all(f" {option} " in usage for option in named)
    for command, variable in (("to", "DEPLOY_OPTIONS"), ("fleet", "FLEET_OPTIONS")):
        shown = subprocess.run(
            [sys.executable, "-m", "deploy", command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        quoted = re.findall(rf"{variable}=(?:'(.*?)'|(\S+))", text)
        passed_on = re.findall(r"--[a-z-]+", str(quoted))
        assert all(f" {option} " in shown for option in passed_on)


def test_variables_of_the_role_exist() -> None:
    role = ROOT / "deploy" / "ansible" / "roles" / "edge_digits"
    known = re.findall(r"^ +(edge_digits_\w+):$", (role / "meta" / "argument_specs.yml").read_text(), re.MULTILINE)
    for document in (ROOT / "docs" / "fleet.md", ROOT / "docs" / "deploy.md"):
        named = re.findall(r"edge_digits_\w+", document.read_text(encoding="utf-8"))
        assert {*named} <= {*known, "edge_digits_stages"}, document.name


def said_by_doctor() -> dict[tuple[str, str], str]:
    """Return by a finding's status and name all that its module may say; "..." stands for what varies."""
    said: dict[tuple[str, str], str] = {}
    for path in (ROOT / "edge_runtime" / "doctor").glob("checks_*.py"):
        texts, findings = [], []
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name("ok" | "warning" | "failed" as status), args=[ast.Constant(str(name)), *_]):
                    findings.append((status, name))
                case ast.Constant(str(text)):
                    texts.append(text)
                case ast.JoinedStr(parts):
                    texts.append(
                        "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in parts)
                    )
        said |= {finding: "\n".join([said.get(finding, ""), *texts]) for finding in findings}
    return said


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_quotes_of_doctor_are_what_it_says(document: Path) -> None:
    said = said_by_doctor()
    text = re.sub(r"(?ms)^```.*?^```$", "", document.read_text(encoding="utf-8"))
    for quote in (one or other for one, other in re.findall(r"``(.+?)``|`([^`\n]+)`", text)):
        if not re.match(r"(ok|warning|failed) \S", quote):
            continue
        status, _, rest = quote.partition(" ")
        names = [name for of, name in said if of == status and rest.startswith(f"{name} ")]
        assert names, f"no check says {quote!r}"
        name = max(names, key=len)
        for part in rest.removeprefix(f"{name} ").split("..."):
            assert part.strip(" :;,") in said[status, name], f"{part!r} of {quote!r}"


@pytest.mark.parametrize("module", ["train", "convert", "benchmarks"])
def test_usage_in_the_docstring_is_accepted(module: str) -> None:
    source = (ROOT / module / "__main__.py").read_text(encoding="utf-8")
    options = set(re.findall(r"(?<!\S)(--[a-z-]+)", source.split('"""')[1]))
    shown = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert options <= set(re.findall(r"--[a-z-]+", shown))


def shell_blocks(document: Path) -> list[str]:
    """Return the document's blocks of shell commands."""
    return re.findall(r"^```sh\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_translated_tutorial_has_the_same_shell_blocks() -> None:
    assert shell_blocks(TUTORIAL) == shell_blocks(TUTORIAL.with_suffix(".ja.md"))


def run_all(blocks: list[str]) -> list[str]:
    """Run each block of commands from the checkout, and return what it prints."""
    shown = []
    for block in blocks:
        done = subprocess.run(["bash", "-euc", block], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        shown.append(done.stdout)
    return shown


@pytest.mark.slow
def test_every_command_of_the_second_tutorial_runs() -> None:
    *blocks, real = shell_blocks(TUTORIAL.with_name("tutorial-2.md"))
    assert len(blocks) == 3
    assert real == "make tflite RECIPE=cnn\n"  # takes too long; tests of train and convert have such networks
    shutil.rmtree(ROOT / "build" / "tutorial-2", ignore_errors=True)
    shown = run_all(blocks)
    accuracy = re.search(r"evaluate: loss [\d.]+, accuracy ([\d.]+)", shown[0])
    assert accuracy is not None
    assert float(accuracy[1]) >= 0.986
    assert len(re.findall(r"^\S+tflite: [\d,]+ bytes$", shown[1], re.MULTILINE)) == 4
    assert len(shown[2].splitlines()) == 3
    assert (ROOT / "build" / "tutorial-2" / "paper.png").is_file()


@pytest.mark.slow
def test_every_command_of_the_tutorial_runs() -> None:
    blocks = shell_blocks(TUTORIAL)
    assert len(blocks) == 7
    shown = run_all(blocks)
    assert "(10000, 28, 28) uint8 the first one is a 7" in shown[1]
    accuracy = re.search(r"evaluate: loss [\d.]+, accuracy ([\d.]+)", shown[2])
    assert accuracy is not None
    assert float(accuracy[1]) >= 0.975
    assert "argmax: 7, label: 7" in shown[2]
    assert len(re.findall(r"^\S+tflite: [\d,]+ bytes$", shown[3], re.MULTILINE)) == 4
    assert "every limit is met" in shown[4]
    assert shown[6].splitlines()[-3:] == ["48793968101", "0430355509", "043"]
