"""The bundle on an emulated 64-bit Raspberry Pi: it installs, proves itself, and reads what is read here."""

import functools
import json
import re
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from deploy import bundle, wheels
from edge_runtime.inference.golden import UNITS
from tests.builds import ROOT, copy_tracked
from tests.emulated import same
from tests.emulated.roots import DEBIAN_12, DEBIAN_13, Root, System, refusal

COMMAND = "edge-digits"
PYTHON = "/opt/edge-digits/venv/bin/python"
CORES = ("cortex-a53", "cortex-a72", "cortex-a76")  # of the Pi 3 and Zero 2 W, the Pi 4, and the Pi 5
# In its emulated /proc/self/stat a process has no memory.
NOT_THERE = "tests/edge_runtime/web/test_metrics.py::test_the_model_and_the_process_tell_of_themselves"
AT_LEAST = 2000  # tests of the runtime that pass there

pytestmark = pytest.mark.emulated


@functools.cache
def installed(system: System) -> Root:
    """Return a root in which this checkout's bundle was installed, by its own script and without internet."""
    root = Root(system, ROOT / "build" / "roots")
    shutil.rmtree(root.path / "opt" / "edge-digits", ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        source = copy_tracked(Path(scratch, "source"))
        packed = bundle.build(source, Path(scratch), 1_700_000_000, pythons=(system.python,))
        with tarfile.open(packed) as tar:
            tar.extractall(root.fresh("bundle"), filter="data")
    done = root.run("sh", "-c", "/srv/bundle/*/install.sh", network=False)
    assert (done.code, done.err) == (0, "")
    assert re.search(r"^edge-digits \S+ is installed: /opt/edge-digits/venv/bin/edge-digits$", done.out, re.M)
    return root


@pytest.fixture(params=[DEBIAN_13, DEBIAN_12], ids=lambda system: system.name)
def root(request: pytest.FixtureRequest) -> Root:
    system: System = request.param
    if why := refusal(system):
        pytest.skip(why)
    return installed(system)


def test_installing_twice_changes_nothing(root: Root) -> None:
    top = root.path / "opt" / "edge-digits"
    unit = root.path / "etc" / "systemd" / "system" / "edge-digits.service"
    assert f"ExecStart={PYTHON.removesuffix('python')}edge-digits" in unit.read_text()
    assert root.run("stat", "-c", "%U %a", "/var/lib/edge-digits").out == "edge-digits 750\n"
    before = {path: path.lstat().st_mtime_ns for path in [unit, *top.rglob("*")]}
    done = root.run("sh", "-c", "/srv/bundle/*/install.sh", network=False)
    assert (done.code, done.err) == (0, "")
    assert {path: path.lstat().st_mtime_ns for path in [unit, *top.rglob("*")]} == before


@pytest.mark.parametrize("core", CORES)
def test_it_works_on_each_raspberry_pi_core(root: Root, core: str) -> None:
    done = root.run(COMMAND, "selftest", "--json", core=core, network=False)
    assert (done.code, done.err) == (0, "")
    report = json.loads(done.out)
    assert report["passed"]
    assert report["golden_vectors"]["same"] == report["golden_vectors"]["vectors"] >= 20
    assert [page["passed"] for page in report["pages"]] == [True] * 3


def test_the_doctor_finds_nothing_wrong(root: Root) -> None:
    done = root.run(COMMAND, "doctor", "--json")
    assert (done.code, done.err) == (0, "")
    checks = {check["name"]: (check["status"], check["message"]) for check in json.loads(done.out)["checks"]}
    status, system = checks["system"]
    assert status == "ok"
    assert re.fullmatch(rf"Debian GNU/Linux {root.system.name[7:9]} \(\w+\), aarch64, 64-bit", system)
    assert checks["python"][1].startswith(f"{root.system.python}.")
    assert checks["interpreter"][1].startswith("LiteRT: ai-edge-litert ")
    assert checks["numpy ABI"][0] == checks["opencv"][0] == checks["pillow"][0] == checks["models"][0] == "ok"
    assert {name for name, (status, _) in checks.items() if status != "ok"} == {"camera"}  # there is none


def test_the_test_digits_read_the_same(root: Root) -> None:
    compared = same.digits(root, PYTHON)
    assert (compared.digits, compared.other_labels) == (1000, 0)
    assert compared.furthest <= UNITS


def test_the_sample_pages_read_the_same(root: Root) -> None:
    packages = f"/opt/edge-digits/venv/lib/python{root.system.python}/site-packages"
    there, here = same.pages(root, COMMAND, f"{packages}/edge_runtime/samples")
    assert len(there) == len(here) == 3
    assert all(same.agree(*pair) for pair in zip(there, here, strict=True))


def test_the_tests_of_the_runtime_pass_there(root: Root, capsys: pytest.CaptureFixture[str]) -> None:
    checkout, tools = root.fresh("checkout"), root.fresh("tools")
    copy_tracked(checkout)
    for wheel in _test_wheels(root.system.python, root.fresh("wheels")):
        zipfile.ZipFile(wheel).extractall(tools)

    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"{root.system.name}: {line}", end="", flush=True)

    run = "cd /srv/checkout && PYTHONPATH=/srv/tools exec"
    options = (
        f"-q -p no:cacheprovider --hypothesis-profile emulated --durations 30 --deselect {NOT_THERE} tests/edge_runtime"
    )
    done = root.run("sh", "-c", f"{run} {PYTHON} -m pytest {options}", tell=tell)
    assert done.code == 0
    (passed,) = re.findall(r"(\d+) passed", done.out)
    assert int(passed) >= AT_LEAST


def _test_wheels(python: str, folder: Path) -> list[Path]:
    """Fetch what the runtime's tests need beside what the bundle installs."""
    locked, bundled = (
        wheels.pins((ROOT / "requirements" / f"{name}.txt").read_text(), python, bundle.MACHINE)
        for name in ("newest", "bundle")
    )
    names = {pin.name for pin in bundled} | {"flit-core"}
    return wheels.fetch([pin for pin in locked if pin.name not in names], python, bundle.MACHINE, folder)
