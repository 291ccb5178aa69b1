"""How a run begins and ends: the lock, damaged files, the warm servers, what is said."""

import time
from contextlib import suppress
from functools import cache

from netsurgery.storage import integrity
from netsurgery.analysis import runs
from netsurgery.storage.files import write_text
from netsurgery.storage.locking import ResultsNotWritableError, ResultsLock
from netsurgery.processes.snakemake_dag import ReplacedJobPruner
from netsurgery.processes.client import JOBS, TRAINING
from netsurgery.processes.launch import in_reach, launch, leave
from netsurgery.processes.process_exit import exit_with_workflow


@cache
def remove_damaged_files():
    """Take away what is damaged, so that it is made again; a dry run only names it.

    Gives the lock that was needed for it, if it was to be had; `start_run` says if it was not.
    """
    held, results = None, Path(RESULTS)
    if not (workflow.is_main_process and results.is_dir()):
        return None
    if not workflow.dryrun:
        try:
            held = ResultsLock(results)
        except ResultsNotWritableError:
            return None
    found = integrity.find_damaged(results)
    for each in found:
        print(each, file=sys.stderr)
    if held:
        integrity.remove_damaged(found)
        if late := integrity.clamp_future_mtimes(results, time.time()):
            print(
                f"{results}: {late} files from the future are given today's date", file=sys.stderr
            )
    return held


def write_config():
    """The configuration for the runs of the searches."""
    write_text(
        Path(RESULTS) / "_runs" / "config.yaml",
        yaml.safe_dump(config | {"cores_per_search": 0}, sort_keys=False),
    )


def start_run():
    """Take the results folder for this run, and start the warm servers.

    Both are held by this process and end with it. Runs of single searches share the folder, and the
    servers of the run that started them.
    """
    global lock, driving, servers
    shared = CORES_PER_SEARCH or CONFIG.only_run is not None
    try:
        lock = remove_damaged_files() or ResultsLock(Path(RESULTS), shared=shared)
        driving = ResultsLock(Path(RESULTS) / "_runs") if CORES_PER_SEARCH else None
    except ResultsNotWritableError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    if shared:
        lock.share()
    if CONFIG.only_run is None:
        runs.write_listing(CONFIG)
    if CORES_PER_SEARCH:
        write_config()
    if CONFIG.cores_per_search is None and any(
        job.rule.name == "run_search" for job in workflow.dag.jobs
    ):
        said = "each is a run of its own; with --config cores_per_search=0 all are in one graph"
        print(f"{len(RUNS)} searches: {said}", file=sys.stderr)
    elif not (CORES_PER_SEARCH or workflow.local_exec):
        print(
            "each training step is a job; with --config cores_per_search=4 each search is",
            file=sys.stderr,
        )
    if not (CONFIG.only_run and in_reach()):
        expected = {JOBS, TRAINING} if workflow.local_exec else {JOBS}
        servers = launch(Path(RESULTS) / "_logs", expected)
    if workflow.local_exec:
        # Snakemake's limit of jobs per second adds a timer for every job that ends while others are
        # ready, and each rings every second from then on: after 600 jobs half a second a job
        workflow.scheduler.job_rate_limiter = None
    # memory only: where Snakemake's books are others, they are left as they are
    with suppress(AttributeError):
        workflow.dag.dag_processors.append(ReplacedJobPruner(workflow.dag))


def print_failures(log):
    """Say in a line each what ended the run: the last line of every failed job's log."""
    texts = [Path(path).read_text(errors="replace") for path in log]
    failed = re.findall(r"^Logfile (.+):$", "".join(texts), re.MULTILINE)
    lasts = [Path(path).read_text(errors="replace").split("\n") for path in failed]
    said = dict.fromkeys(line for lines in lasts for line in list(filter(None, lines))[-1:])
    for line in said:
        print(line, file=sys.stderr)
    print("when that is mended, the same command goes on where this run was", file=sys.stderr)


# a job of a cluster, on its node: it is to stay in its allocation, and a group of jobs has a warm
# server there. In a SLURM job, each step has a Snakemake of its own, which finds that server.
if workflow.remote_exec and ("slurm-jobstep" in sys.argv or "SLURM_STEP_ID" not in os.environ):
    leave()
    if "--local-groupid" in sys.argv:
        servers = launch(None, {TRAINING})

# a run of one search under another run ends with that, however it ends
if CONFIG.only_run:
    exit_with_workflow()
