"""Which GPU a training step uses: leased for as long as its process lives.

Among the devices that the process may see (CUDA_VISIBLE_DEVICES, as SLURM sets it too, else all of
the machine) each has a number of places; a place is a file that its holder locks, so the system
gives it back however the holder ends. The warm trainer leases nothing and initialises no device:
its children do, each its own.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

VISIBLE = "CUDA_VISIBLE_DEVICES"
SLOTS = "NETSURGERY_JOBS_PER_GPU"  # training steps at once on one device
DRIVER = Path("/proc/driver/nvidia/gpus")  # a folder for each device
JOB_IDS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")
PAUSE = 0.05  # seconds between two looks for a free place


@dataclass(frozen=True)
class Lease:
    """A place on a device; it is held until this is closed or its process ends."""

    device: str
    file: TextIO

    def close(self) -> None:
        """Give the place back."""
        self.file.close()


def visible(environment: Mapping[str, str], driver: Path = DRIVER) -> list[str]:
    """The devices that a process may use, by index or UUID; none without a GPU.

    As CUDA has it, nothing counts behind the first entry that names no device.
    """
    if VISIBLE not in environment:
        return [str(i) for i, _ in enumerate(driver.glob("*"))]
    found: list[str] = []
    for entry in environment[VISIBLE].split(","):
        if not entry.strip() or entry.strip().startswith("-"):
            break
        found.append(entry.strip())
    return found


def lease(devices: Sequence[str], slots: int, folder: Path) -> Lease:
    """Take a place on the device that has most of them free; wait until there is one.

    Args:
        devices: to choose from.
        slots: places on each.
        folder: of the files that stand for them, shared by all who lease.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        # the first place of every device before the second of any
        for slot in range(slots):
            for device in devices:
                file = (folder / f"{device.replace('/', '-')}.{slot}").open("w")
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file.close()
                    continue
                return Lease(device, file)
        time.sleep(PAUSE)


def lease_folder() -> Path:
    """The folder of this user's places on this machine.

    Each job of a cluster has its own: the same index may be another device there.
    """
    job = next((os.environ[name] for name in JOB_IDS if name in os.environ), "")
    name = f"netsurgery-gpus-{os.getuid()}"
    return Path(tempfile.gettempdir()) / (f"{name}-{job}" if job else name)


def claim() -> Lease | None:
    """Have this process use one device alone, and no more of its memory than it needs.

    Must be called before TensorFlow looks for devices.

    Returns:
        The lease, which must be kept; None where there is no GPU.
    """
    devices = visible(os.environ)
    if not devices:
        return None
    found = lease(devices, max(1, int(os.environ.get(SLOTS, "1"))), lease_folder())
    os.environ[VISIBLE] = found.device
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    return found
