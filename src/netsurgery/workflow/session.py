"""A run from its start to its end: the lock, damaged and outdated files, warm servers."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from netsurgery.analysis import runs
from netsurgery.config.model import Config
from netsurgery.processes.client import JOBS, TRAINING
from netsurgery.processes.launch import detach, in_reach, launch
from netsurgery.processes.process_exit import exit_with_workflow
from netsurgery.search.layout import SearchFolder
from netsurgery.storage import integrity, mlflow_sqlite
from netsurgery.storage.files import write_text
from netsurgery.storage.locking import ResultsLock, ResultsNotWritableError
from netsurgery.workflow.interruption import STOPPED, Interruption
from netsurgery.workflow.messages import (
    print_failures,
    print_pending_tracking,
    print_useless_networks,
    say,
)
from netsurgery.workflow.outdated import OutdatedFiles
from netsurgery.workflow.snakemake_internals import SnakemakeRun
from netsurgery.workflow.targets import SEARCH_MARKER

OWN_PROCESS_RULE = "run_search"


class Session:
    """One run of the workflow. `join_session` makes it.

    Args:
        config: The configuration.
        given: The same as it was given, for runs of single searches.
        snakemake: The running Snakemake.
        cores_per_search: See `netsurgery.workflow.targets.Targets`.
    """

    def __init__(
        self,
        config: Config,
        given: Mapping[str, Any],
        snakemake: SnakemakeRun,
        cores_per_search: int,
    ) -> None:
        self.config = config
        self.given = given
        self.snakemake = snakemake
        self.cores_per_search = cores_per_search
        self.results = Path(config.results)
        # what ends with this process and has to be kept until then
        self.locks: list[ResultsLock] = []
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.interruption = Interruption(
            snakemake.silence, lambda: [server.pid for server in self.servers.values()]
        )
        self.checkpoints: list[Any] = []  # Snakemake's, of each time that it parses the workflow
        self._is_prepared = self._has_started = self._has_ended = False

    def prepare(self) -> None:
        """Do what has to be done before Snakemake looks at any file of a search.

        Input functions ask for it. Damaged and outdated files are removed, so that Snakemake makes
        them again; a run without jobs only names them.
        """
        if self._is_prepared:
            return
        self._is_prepared = True
        _ = self._lock_after_repair
        if self.snakemake.is_main and self.snakemake.is_imported:
            self.snakemake.call(self.start, self.succeed, self.fail)

    @cached_property
    def _lock_after_repair(self) -> ResultsLock | None:
        """The lock that the repair takes; None if it takes none, or another run has it.

        `start` reports a lock that could not be taken.
        """
        if not (self.snakemake.is_main and self.results.is_dir()):
            return None
        lock = None
        if not self.snakemake.is_dry:
            try:
                lock = ResultsLock(self.results)
            except ResultsNotWritableError:
                return None
        damaged = integrity.find_damaged(self.results)
        results = OutdatedFiles(self.config)
        outdated = results.find(self.config.runs)
        for each in (*damaged, *outdated):
            say(str(each))
        old = [file.path for folder in outdated for file in folder.files]
        markers = self._unfinished([*old, *(each.path for each in damaged)])
        if not lock:
            self.snakemake.force(
                [*old, *markers, *(each.listed_in or each.path for each in damaged)]
            )
        else:
            results.save_known_files()
            integrity.remove_damaged(damaged)
            mlflow_sqlite.relocate_artifacts(self.results / integrity.STORE)
            for path in (*old, *markers):
                with contextlib.suppress(FileNotFoundError):
                    integrity.remove(path)
            if late := integrity.clamp_future_mtimes(self.results, time.time()):
                say(f"{self.results}: {late} files from the future are given today's date")
        return lock

    def _unfinished(self, removed: Iterable[Path]) -> list[Path]:
        """List the markers of searches that are marked as finished, but are not.

        Args:
            removed: Files that cannot be used.
        """
        gone = {path.relative_to(self.results).parts[:2] for path in removed}
        found = []
        for name, seed in self.config.runs:
            marker = self.results / SEARCH_MARKER.format(search=name, seed=seed)
            folder = SearchFolder(self.results / name / f"seed{seed}")
            if marker.exists() and ((name, f"seed{seed}") in gone or not folder.complete):
                found.append(marker)
        return found

    def start(self) -> None:
        """Lock the results folder and start the warm servers, unless some are in reach.

        Both end with this process. Runs of single searches share the folder, and the servers of the
        run that started them.

        Raises:
            SystemExit: Another run uses the results folder, or it is not writable.
        """
        if self._has_started:
            return
        self._has_started = True
        single = self.config.only_run is not None
        shared = bool(self.cores_per_search) or single
        try:
            lock = self._lock_after_repair or ResultsLock(self.results, shared=shared)
            self.locks.append(lock)
            if self.cores_per_search:
                self.locks.append(ResultsLock(self.results / "_runs"))
        except ResultsNotWritableError as error:
            say(str(error))
            sys.exit(1)
        if shared:
            lock.share()
        if not single:
            runs.write_listing(self.config)
            for note in self.config.notes:
                say(note)
        if self.cores_per_search:
            self._write_config()
        self._say_how_searches_run()
        if not in_reach():
            expected = {JOBS, TRAINING} if self.snakemake.runs_locally else {JOBS}
            self.servers = launch(self.results / "_logs", expected)
        self.snakemake.speed_up()
        if self.snakemake.is_imported:
            self.interruption.notice()
        else:
            self.interruption.watch(has_jobs=True)

    def succeed(self) -> None:
        """Say what is left to do after a run without errors."""
        if not self._has_ended:
            self._has_ended = True
            if not self.config.only_run:
                print_useless_networks(self.results, self.config.runs)
            print_pending_tracking(self.results)

    def fail(self, logs: Iterable[str]) -> None:
        """Say why a run failed or that it was stopped, and how to go on.

        Args:
            logs: Snakemake's own logs.
        """
        if self._has_ended:
            return
        self._has_ended = True
        if not self.interruption.has_begun:
            print_failures(logs, self.results)
            print_useless_networks(self.results, self.config.runs)
            print_pending_tracking(self.results)
        elif self.snakemake.is_imported:
            say(STOPPED)

    def join_parent(self) -> None:
        """Begin as the parent of this process needs it, which may be Snakemake or the user.

        A cluster's job stays in its allocation; a group of jobs gets a warm server there. The run
        of a single search ends with the run that started it.
        """
        if self.snakemake.is_cluster_job:
            detach()
            if self.snakemake.is_group_job:
                self.servers = launch(None, {TRAINING})
        if self.config.only_run:
            exit_with_workflow()
        if self.snakemake.is_main and not self.snakemake.is_imported:
            self.interruption.watch(has_jobs=False)

    def _write_config(self) -> None:
        """Write the configuration for the runs of single searches."""
        content = {**self.given, "results": self.config.results, "cores_per_search": 0}
        write_text(self.results / "_runs" / "config.yaml", yaml.safe_dump(content, sort_keys=False))

    def _say_how_searches_run(self) -> None:
        """Name the other way to run the searches, unless the user chose this one."""
        chosen = self.config.cores_per_search is not None
        if not chosen and self.snakemake.plans_rule(OWN_PROCESS_RULE):
            say(
                f"{len(self.config.runs)} searches: each runs as its own Snakemake process; "
                "with --config cores_per_search=0 all run in one DAG"
            )
        elif not (self.cores_per_search or self.snakemake.runs_locally):
            say("each training step is a job; with --config cores_per_search=4 each search is one")


_sessions: dict[str, Session] = {}  # of this process, by what is run where


def join_session(
    config: Config, given: Mapping[str, Any], snakemake: SnakemakeRun, cores_per_search: int
) -> Session:
    """Return the session of a configuration; the first call makes it and joins the parent.

    Snakemake parses a module again for each `use rule`, and one process takes each lock once.
    """
    what = json.dumps([str(Path(config.results).absolute()), given], sort_keys=True, default=str)
    if what not in _sessions:
        _sessions[what] = Session(config, given, snakemake, cores_per_search)
        _sessions[what].join_parent()
    return _sessions[what]
