"""The wheel on an emulated 32-bit Raspberry Pi: tflite-runtime in place of LiteRT, all else as Debian 12 has it."""

import functools
import json
import shutil

import pytest

from deploy import wheels
from edge_runtime.inference.golden import UNITS
from tests.builds import ROOT, python
from tests.emulated import same
from tests.emulated.roots import DEBIAN_12_32, Root, refusal

VENV = "/opt/edge-digits/bin"
# The last one that was made for 32-bit ARM. The lock files know 64-bit systems alone.
TFLITE = wheels.Pin(
    "tflite-runtime", "2.14.0", frozenset({"c4e66a74165b18089c86788400af19fa551768ac782d231a9beae2f6434f7949"})
)  # fmt: skip

pytestmark = pytest.mark.emulated


@functools.cache
def installed() -> Root:
    """Return a root in which pip has installed the wheel, and chosen what goes with it."""
    root = Root(DEBIAN_12_32, ROOT / "build" / "roots")
    shutil.rmtree(root.path / "opt" / "edge-digits", ignore_errors=True)
    folder = root.fresh("wheels")
    wheels.fetch([TFLITE], "3.11", "armv7l", folder)
    done = python("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ".")
    assert done.code == 0, done.err
    install = f"{VENV}/pip install --no-index --find-links /srv/wheels --disable-pip-version-check edge-digits"
    done = root.run("sh", "-c", f"python3 -m venv --system-site-packages /opt/edge-digits && {install}", network=False)
    assert (done.code, done.err) == (0, "")
    assert "Successfully installed edge-digits-" in done.out
    assert "tflite-runtime-2.14.0" in done.out
    return root


@pytest.fixture(params=[DEBIAN_12_32], ids=lambda system: system.name)
def root(request: pytest.FixtureRequest) -> Root:
    if why := refusal(request.param):
        pytest.skip(why)
    return installed()


def test_it_proves_itself(root: Root) -> None:
    done = root.run(f"{VENV}/edge-digits", "selftest", "--json", network=False)
    assert (done.code, done.err) == (0, "")
    report = json.loads(done.out)
    assert report["golden_vectors"]["same"] == report["golden_vectors"]["vectors"] >= 20
    assert [page["passed"] for page in report["pages"]] == [True] * 3


def test_the_doctor_says_that_it_is_a_fallback(root: Root) -> None:
    done = root.run(f"{VENV}/edge-digits", "doctor", "--json")
    assert (done.code, done.err) == (0, "")
    checks = {check["name"]: check for check in json.loads(done.out)["checks"]}
    assert {name for name, check in checks.items() if check["status"] != "ok"} == {"system", "camera"}
    assert "armv7l, 32-bit" in checks["system"]["message"]
    assert "tflite-runtime 2.14.0" in checks["interpreter"]["message"]
    assert checks["numpy"]["message"].startswith("1.24.")
    assert checks["opencv"]["message"].startswith("4.6.0 (the system's)")
    assert checks["pillow"]["message"].startswith("9.4.")


def test_the_test_digits_read_the_same(root: Root) -> None:
    compared = same.digits(root, f"{VENV}/python")
    assert (compared.digits, compared.other_labels) == (1000, 0)
    assert compared.furthest <= UNITS


def test_the_sample_pages_read_the_same(root: Root) -> None:
    there, here = same.pages(
        root, f"{VENV}/edge-digits", "/opt/edge-digits/lib/python3.11/site-packages/edge_runtime/samples"
    )
    assert len(there) == len(here) == 3
    assert all(same.agree(*pair) for pair in zip(there, here, strict=True))
