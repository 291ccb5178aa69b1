"""The provenance of a training step: code, environment and device."""

from __future__ import annotations

import functools
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import netsurgery

CORES = "cores"
PACKAGES = ("tensorflow", "keras", "numpy")  # imported by every training step
PACKAGE_FOLDER = Path(__file__).parent.parent


def _git(*arguments: str) -> str | None:
    """The output of a git command; None if git is missing or fails."""
    try:
        finished = subprocess.run(
            ["git", *arguments],
            cwd=PACKAGE_FOLDER,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout.strip()


@functools.cache
def code() -> dict[str, str]:
    """The version of this package and, in a checkout, the commit and whether files differ from it.

    A package installed inside the checkout of another project does not belong to that checkout.
    """
    found = {"version": netsurgery.__version__}
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return found
    changes = _git("status", "--porcelain", "--untracked-files=no")
    commit = _git("rev-parse", "HEAD")
    if commit is None or changes is None:
        return found
    return found | {"commit": commit, "changed": str(bool(changes)).lower()}


@functools.cache
def environment() -> str:
    """The system, and the versions of the packages that results depend on."""
    versions = [
        f"{name} {sys.modules[name].__version__}" for name in PACKAGES if name in sys.modules
    ]
    return ", ".join([f"python {platform.python_version()}", *versions, platform.platform()])


def processor() -> str:
    """The name of the CPU, or else its architecture."""
    return _of_processor("model name") or platform.processor() or platform.machine()


@functools.cache
def processor_flags() -> frozenset[str]:
    """What the CPU can do, by Linux's names; empty where they are unknown."""
    return frozenset(_of_processor("flags").split())


def _of_processor(name: str) -> str:
    """What Linux says of the first CPU under this name; empty if nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")


def describe(device: str, cores: int = 1) -> dict[str, str]:
    """The provenance of a training step, for its record.

    Args:
        device: the name of the device that trained.
        cores: that computed at the same time; noted if it is not one.
    """
    machine = {"environment": environment(), "device": device, "host": socket.gethostname()}
    job = {"slurm_job": os.environ["SLURM_JOB_ID"]} if "SLURM_JOB_ID" in os.environ else {}
    several = {CORES: str(cores)} if cores > 1 else {}
    return code() | machine | job | several


def cores_of(described: Mapping[str, str]) -> int:
    """How many cores trained, from a description."""
    return int(described.get(CORES, 1))
