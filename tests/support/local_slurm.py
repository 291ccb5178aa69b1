"""A real SLURM on one machine: munged, slurmctld and slurmd in a folder of their own.

    python -m tests.support.local_slurm start FOLDER [--processors N] [--gpus N]
    export SLURM_CONF=FOLDER/slurm.conf PATH=FOLDER/bin:$PATH
    snakemake --workflow-profile workflow/profiles/slurm ...; sinfo; squeue; scontrol show jobs
    python -m tests.support.local_slurm stop FOLDER

Any user may run it, and several beside each other: they listen on loopback, on free ports. Nothing
outside of the folder is touched. It needs Debian's `slurm-wlm` and `munge`. FOLDER/completed.log
lists the jobs that have ended.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
SEARCHED = os.pathsep.join([os.getenv("PATH", ""), "/usr/sbin", "/sbin"])
PATIENCE = 60  # seconds for anything to start or stop
DEVICES = (
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
)  # in the place of GPUs; SLURM wants different files

CONFIGURATION = """\
ClusterName=netsurgery
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmctldPort={control_port}
SlurmdPort={node_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,bf_interval=2
PriorityType=priority/basic
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/completed.log
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=300
KillWait=2
InactiveLimit=0
{gpu_types}NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} RealMemory={memory}{gpus}
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """List the programs of SLURM that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which SLURM's commands find this installation."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SBATCH_"))}
    path = os.pathsep.join([str(folder.resolve() / "bin"), SEARCHED])
    return others | {"SLURM_CONF": str(folder.resolve() / "slurm.conf"), "PATH": path}


def ask(folder: Path, *command: str) -> str:
    """Run a command of SLURM and return what it prints."""
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def completed(folder: Path) -> list[dict[str, str]]:
    """Read the jobs that have ended from SLURM's log of completed jobs."""
    path = folder / "completed.log"
    lines = path.read_text().splitlines() if path.exists() else []
    return [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in lines]


def start(folder: Path, processors: int = 2, gpus: int = 0, memory: int = 16_000) -> None:
    """Start the three daemons and wait until the node accepts jobs.

    Args:
        folder: for their files; made if need be.
        processors: that the node claims to have.
        gpus: that it claims to have, at most four: no device stands behind them.
        memory: MB that it claims to have.

    Raises:
        RuntimeError: a program is missing, or does not start; its log is named.
    """
    if absent := missing():
        raise RuntimeError(f"no {', '.join(absent)} here: apt-get install slurm-wlm munge")
    folder = folder.resolve()
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    # Snakemake's job steps call srun without SLURM_CONF, as if SLURM were in its usual place
    srun = folder / "bin" / "srun"
    found = shutil.which("srun", path=SEARCHED)
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {found} "$@"\n')
    srun.chmod(0o755)
    host = socket.gethostname().partition(".")[0]
    control_port, node_port = _free_ports(2)
    devices = "".join(f"Name=gpu File={device}\n" for device in DEVICES[:gpus])
    (folder / "gres.conf").write_text(devices)
    (folder / "cgroup.conf").write_text("")
    configuration = CONFIGURATION.format(
        folder=folder,
        host=host,
        user=getpass.getuser(),
        control_port=control_port,
        node_port=node_port,
        processors=processors,
        memory=memory,
        gpu_types="GresTypes=gpu\n" if gpus else "",
        gpus=f" Gres=gpu:{gpus}" if gpus else "",
    )
    (folder / "slurm.conf").write_text(configuration)
    key = folder / "munge.key"
    if not key.exists():
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
    _daemon(
        folder,
        "munged",
        "--force",
        f"--key-file={key}",
        f"--socket={folder}/munge.socket",
        f"--pid-file={folder}/munged.pid",
        f"--log-file={folder}/munged.log",
        f"--seed-file={folder}/munged.seed",
    )
    start_controller(folder)
    _daemon(folder, "slurmd", "-N", host)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(RuntimeError):
            if "idle" in ask(folder, "sinfo", "--noheader", "--format=%T"):
                return
        time.sleep(0.2)
    stop(folder)
    raise RuntimeError(f"the node does not come up: see {folder}/slurmctld.log and slurmd.log")


def start_controller(folder: Path) -> None:
    """Start slurmctld, which takes over the jobs of an earlier one."""
    _daemon(folder, "slurmctld")


def stop(folder: Path) -> None:
    """End all jobs, then the daemons in reverse order of their start."""
    folder = folder.resolve()
    with contextlib.suppress(RuntimeError):
        ask(folder, "scancel", "--state=PENDING")
        ask(folder, "scancel", "--state=RUNNING")
        deadline = time.monotonic() + PATIENCE / 4
        while ask(folder, "squeue", "--noheader") and time.monotonic() < deadline:
            time.sleep(0.2)
    for name in ("slurmd", "slurmctld", "munged"):
        end_daemon(folder, name)


def end_daemon(folder: Path, name: str, with_signal: signal.Signals = signal.SIGTERM) -> None:
    """End one daemon and wait for its exit."""
    try:
        process = int((folder / f"{name}.pid").read_text())
        os.kill(process, with_signal)
    except (OSError, ValueError):
        return
    deadline = time.monotonic() + PATIENCE / 4
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


@contextlib.contextmanager
def running(folder: Path, **options: int) -> Iterator[Mapping[str, str]]:
    """Run a SLURM during a block; yield the environment that finds it."""
    start(folder, **options)
    try:
        yield environment(folder)
    finally:
        stop(folder)


def _free_ports(count: int) -> list[int]:
    """Find free ports on loopback."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _daemon(folder: Path, name: str, *options: str) -> None:
    """Start a daemon that moves to the background by itself."""
    program = shutil.which(name, path=SEARCHED) or name
    done = subprocess.run(
        [program, *options],
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if done.returncode:
        said = done.stderr.strip() or f"see {folder}/{name}.log"
        stop(folder)
        raise RuntimeError(f"{name} does not start: {said}")


def main() -> None:
    """Start or stop a SLURM from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=("start", "stop"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processors", type=int, default=os.cpu_count())
    parser.add_argument("--gpus", type=int, default=0, choices=range(len(DEVICES) + 1))
    given = parser.parse_args()
    if given.command == "stop":
        stop(given.folder)
        return
    try:
        start(given.folder, given.processors, given.gpus)
    except RuntimeError as error:
        sys.exit(str(error))
    folder = given.folder.resolve()
    print(f"export SLURM_CONF={folder}/slurm.conf PATH={folder}/bin:$PATH")


if __name__ == "__main__":
    main()
