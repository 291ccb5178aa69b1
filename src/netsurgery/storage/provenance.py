"""What a training step ran with: the code, the environment and the device."""

from __future__ import annotations

import functools
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

import netsurgery

PACKAGES = ("tensorflow", "keras", "numpy")  # those that a training step has imported
HERE = Path(__file__).parent.parent


def _git(*arguments: str) -> str | None:
    """What git prints; None where there is no git or it refuses."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=HERE, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@functools.cache
def code() -> dict[str, str]:
    """The version of this package and, in a checkout, the commit and whether it was changed.

    A package that is installed beneath somebody else's checkout is no part of that one.
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
    """The versions that results depend on, and the system."""
    versions = [
        f"{name} {sys.modules[name].__version__}" for name in PACKAGES if name in sys.modules
    ]
    return ", ".join([f"python {platform.python_version()}", *versions, platform.platform()])


def processor() -> str:
    """The processor by its name, as far as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def describe(device: str) -> dict[str, str]:
    """All of it, for a record.

    Args:
        device: what trained.
    """
    place = {"environment": environment(), "device": device, "host": socket.gethostname()}
    job = {"slurm_job": os.environ["SLURM_JOB_ID"]} if "SLURM_JOB_ID" in os.environ else {}
    return code() | place | job
