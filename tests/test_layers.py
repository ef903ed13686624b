"""The arrows of docs/architecture.md."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent


# In a process of its own: it sets up logging anew, and what other tests log would be lost.
LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports())"]


def test_import_contracts_hold() -> None:
    done = subprocess.run(LINT, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "6 kept, 0 broken" in done.stdout


def test_an_arrow_the_wrong_way_is_found(tmp_path: Path) -> None:
    for package in ("edge_runtime", "train", "convert", "benchmarks", "deploy"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.tflite", "static"))
    (tmp_path / "edge_runtime" / "reader.py").write_text("import train\n")
    (tmp_path / "edge_runtime" / "vision" / "planes.py").write_text("import edge_runtime.web.app\n")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    done = subprocess.run(
        LINT, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 1
    assert "edge_runtime.reader -> train" in done.stdout
    assert "edge_runtime.vision is not allowed to import edge_runtime.web" in done.stdout


def test_dataset_is_imported_without_tensorflow() -> None:
    code = "import train.dataset, sys; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("edge_runtime", "train", "convert", "benchmarks", "deploy", cache_dir=None)
    left = {module: graph.find_modules_directly_imported_by(module) - {"edge_runtime"} for module in graph.modules}
    while ends := {module for module, imported in left.items() if not imported & left.keys()}:
        left = {module: imported for module, imported in left.items() if module not in ends}
    assert not left


def test_the_document_shows_the_layers_as_they_are() -> None:
    """Held against the contract: each line of the tree is a layer, highest first, and names what is there."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["name"] == "The layers of the runtime")
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = text.split("```\nedge_runtime/\n")[1].split("```")[0]
    shown = [
        re.findall(r"[a-z_]+(?:/|\.py)", line.split("   ")[0])
        for line in tree.replace("\n  ", "\n").strip().splitlines()
    ]
    assert [{name.rstrip("/").removesuffix(".py") for name in line} for line in shown] == [
        set(layer.split(" | ")) for layer in layers
    ]
    assert all((ROOT / "edge_runtime" / name).exists() for line in shown for name in line)


def test_every_module_that_the_document_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([a-z_]+(?:/[a-z_*]+)*\.py)`", text) if "NAME" not in name}
    missing = [name for name in named if not [*ROOT.glob(name), *(ROOT / "edge_runtime").glob(name)]]
    assert sorted(missing) == []
