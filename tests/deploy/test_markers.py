"""What pip installs beside the package, by the computer that it is on."""

import tomllib

import pytest
from packaging.requirements import Requirement

from tests.deploy import small

PROJECT = tomllib.loads((small.DEPLOY.parent / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(
    ("machine", "python", "interpreter", "numpy", "opencv"),
    [
        ("aarch64", "3.11", "ai-edge-litert", ">=1.26", True),
        ("aarch64", "3.13", "ai-edge-litert", ">=2.1", True),
        ("aarch64", "3.14", "ai-edge-litert", ">=2.3.2", True),
        ("x86_64", "3.12", "ai-edge-litert", ">=1.26", True),
        ("armv7l", "3.11", "tflite-runtime", "<2,>=1.24", False),
    ],
)
def test_each_system_gets_what_there_is_for_it(
    machine: str, python: str, interpreter: str, numpy: str, opencv: bool
) -> None:
    there = {"platform_machine": machine, "python_version": python, "python_full_version": f"{python}.2"}
    specifiers = {
        requirement.name: str(requirement.specifier)
        for requirement in map(Requirement, PROJECT["dependencies"])
        if requirement.marker is None or requirement.marker.evaluate(there)
    }
    assert specifiers.keys() & {"ai-edge-litert", "tflite-runtime"} == {interpreter}
    assert specifiers["numpy"] == numpy
    assert ("opencv-python" in specifiers) is opencv
    assert {"click", "pillow"} <= specifiers.keys()
