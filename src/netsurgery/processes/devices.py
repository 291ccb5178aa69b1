"""GPU leases: which GPU a training step uses, for as long as its process lives.

Each device that the process may see (CUDA_VISIBLE_DEVICES, which SLURM sets too, else every device
of the machine) has a number of slots. A slot is a file that its holder locks, so that the operating
system releases it however the holder ends. The warm training server leases nothing and initialises
no device; each of its children leases its own.
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
JOBS_PER_GPU = "NETSURGERY_JOBS_PER_GPU"  # slots of a device: training steps that share it
DRIVER = Path("/proc/driver/nvidia/gpus")  # has a folder per device
JOB_IDS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")
POLL_SECONDS = 0.05  # between two attempts to lease a slot


@dataclass(frozen=True)
class Lease:
    """A slot of a device, held until `close` or the end of the process."""

    device: str
    file: TextIO

    def close(self) -> None:
        """Release the slot."""
        self.file.close()


def visible_devices(environment: Mapping[str, str], driver: Path = DRIVER) -> list[str]:
    """List the devices that a process may use, by index or UUID; none without a GPU.

    Like CUDA, this ignores everything after the first entry that names no device.
    """
    if VISIBLE not in environment:
        return [str(i) for i, _ in enumerate(driver.glob("*"))]
    found: list[str] = []
    for entry in environment[VISIBLE].split(","):
        if not entry.strip() or entry.strip().startswith("-"):
            break
        found.append(entry.strip())
    return found


def lease(devices: Sequence[str], jobs_per_gpu: int, folder: Path) -> Lease:
    """Lease a slot of the device with the most free slots, and wait until there is one.

    Args:
        devices: The devices to choose from.
        jobs_per_gpu: The slots of each device.
        folder: The folder of the lock files, shared by all processes that lease.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        # the first slot of every device before the second slot of any
        for slot in range(jobs_per_gpu):
            for device in devices:
                file = (folder / f"{device.replace('/', '-')}.{slot}").open("w")
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file.close()
                    continue
                return Lease(device, file)
        time.sleep(POLL_SECONDS)


def lease_folder() -> Path:
    """Return the folder of this user's lock files on this machine.

    Each job of a cluster has its own: the same index may name another device there.
    """
    job = next((os.environ[name] for name in JOB_IDS if name in os.environ), "")
    name = f"netsurgery-gpus-{os.getuid()}"
    return Path(tempfile.gettempdir()) / (f"{name}-{job}" if job else name)


def claim() -> Lease | None:
    """Restrict this process to one device, and to the memory that it needs there.

    Call this before TensorFlow looks for devices.

    Returns:
        The lease, which the caller has to keep; None without a GPU.
    """
    devices = visible_devices(os.environ)
    if not devices:
        return None
    found = lease(devices, max(1, int(os.environ.get(JOBS_PER_GPU, "1"))), lease_folder())
    os.environ[VISIBLE] = found.device
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    return found
