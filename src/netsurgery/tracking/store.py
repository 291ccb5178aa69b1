"""Synchronisation of the runs in an MLflow store with those of a search."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from mlflow import MlflowClient, entities

from netsurgery.storage.mlflow_artifacts import bring, relocated
from netsurgery.storage.mlflow_sqlite import ATTACHED, DIGEST, MEASURED, PREFIX, Point, StoredRun
from netsurgery.tracking.mlflow_internals import create_runs, latest_points, rewrite_places
from netsurgery.tracking.runs import CANDIDATE, NAME, PARENT_RUN, RESULTS, RUNNING, SEED, Run

# metric points in one call; params and tags fill it up to MLflow's limit of 1,000
POINTS_PER_CALL = 800


class Store:
    """The runs of an experiment in an MLflow store. The caller makes sure of one writer at a time.

    Args:
        client: of the store.
        experiment: the id of the experiment.
        artifacts: the folder for artifacts on this machine; None: the server's affair.
        parallel_calls: how many candidates to log at the same time, because the answers of a
            server take a while.
    """

    def __init__(
        self,
        client: MlflowClient,
        experiment: str,
        artifacts: Path | None = None,
        parallel_calls: int = 1,
    ) -> None:
        self.client, self.experiment = client, experiment
        self.artifacts, self.parallel_calls = artifacts, parallel_calls

    def sync(self, search: Run, candidates: Mapping[str, Run]) -> str:
        """Make the store hold exactly these runs of a search; returns the id of the search's run.

        It may be interrupted at any point. A run's digest is written last and removed before the
        run changes, so a run with a digest is complete. For a run without one, the next call looks
        for itself, and completes or replaces the run.
        """
        stored = self._find(search)
        parent = self._sync_run(search, stored.pop("", []), None)
        todo = [(run, stored.pop(name, [])) for name, run in candidates.items()]
        new = [self._complete_run(run, parent) for run, found in todo if not found]
        if new and create_runs(self.client, self.experiment, self.artifacts, new):
            todo = [(run, found) for run, found in todo if found]
        with ThreadPoolExecutor(self.parallel_calls) as pool:
            calls = [pool.submit(self._sync_run, run, found, parent) for run, found in todo]
            for call in calls:
                call.result()
        for stale in itertools.chain(*stored.values()):
            self.client.delete_run(stale.info.run_id)
        return parent

    def relocate(self, place: str) -> None:
        """Move the artifacts of a run or model here, if they lie in another results folder.

        An experiment has one location for artifacts, that of the first results folder.
        """
        if self.artifacts and (new := relocated(place, self.artifacts)):
            bring(place, new)
            rewrite_places(self.client, place, new)

    def _find(self, search: Run) -> dict[str, list[entities.Run]]:
        """The stored runs of a search by candidate; its own under the empty name."""
        names = (name for name in (RESULTS, NAME, SEED) if name in search.tags)
        condition = " and ".join(f"tags.`{name}` = '{search.tags[name]}'" for name in names)
        found: dict[str, list[entities.Run]] = {}
        for run in self.search_runs(condition):
            found.setdefault(run.data.tags.get(CANDIDATE, ""), []).append(run)
        return found

    def search_runs(self, condition: str) -> Iterator[entities.Run]:
        """All runs of the experiment that meet a condition, in MLflow's language."""
        token = None
        while True:
            page = self.client.search_runs([self.experiment], condition, page_token=token)
            yield from page
            if not (token := page.token):
                return

    def _sync_run(self, wanted: Run, found: Sequence[entities.Run], parent: str | None) -> str:
        """Complete a stored run in place if possible, or else replace it; returns its id."""
        tags = dict(wanted.tags) | ({PARENT_RUN: parent} if parent else {})
        pairs = [(run, self._stored(run, wanted)) for run in found]
        kept = next(((run, stored) for run, stored in pairs if can_become(stored, wanted)), None)
        for run in found:
            if kept is None or run is not kept[0]:
                self.client.delete_run(run.info.run_id)
        if kept is None:
            run = self.client.create_run(self.experiment, wanted.started, tags, wanted.name)
            kept = run, self._stored(run, wanted)
        self.relocate(kept[0].info.artifact_uri)
        self._complete(*kept, wanted, tags | {DIGEST: wanted.digest()})
        return kept[0].info.run_id

    def _complete_run(
        self, run: Run, parent: str
    ) -> tuple[Run, dict[str, str], list[entities.Metric]]:
        """The run of a candidate with all its tags and metric points."""
        tags = {**run.tags, PARENT_RUN: parent, DIGEST: run.digest()}
        measured = ((name, value, step) for (name, step), value in run.measured.items())
        return run, tags, metrics_of(run, [*run.points, *measured])

    def _stored(self, run: entities.Run, wanted: Run) -> StoredRun:
        """A run as the store has it.

        The history of each metric takes a request. It is not needed if the digest is the wanted one
        or that of the wanted points up to the last stored step; nor if the last point of a metric
        rules the run out.
        """
        data = run.data
        stored = StoredRun(
            name=run.info.run_name,
            status=run.info.status,
            tags={name: value for name, value in data.tags.items() if name.startswith(PREFIX)},
            params=data.params,
            points=set(wanted.points),
            measured=set(wanted.measured),
            latest={name: value for name, value in data.metrics.items() if name not in MEASURED},
        )
        if stored.logged_digest == wanted.digest():
            return stored
        last = latest_points(self.client, run)
        step = max((point.step for point in last), default=-1)
        stored.points = {point for point in stored.points if point[2] <= step}
        stored.measured = {each for each in stored.measured if each[1] <= step}
        if stored.matches_digest:
            return stored
        if not can_become(with_points(stored, last), wanted):
            return with_points(stored, last)
        history = self.client.get_metric_history
        points = [point for name in data.metrics for point in history(run.info.run_id, name)]
        return with_points(stored, points)

    def _complete(
        self, run: entities.Run, stored: StoredRun, wanted: Run, tags: Mapping[str, str]
    ) -> None:
        """Log what a run lacks, its digest last, and remove our tags that are obsolete."""
        run_id, present = run.info.run_id, run.data.tags
        points = sorted(wanted.points - stored.points)
        points += [
            (name, value, step)
            for (name, step), value in wanted.measured.items()
            if (name, step) not in stored.measured
        ]
        params = sorted(wanted.params.items() - stored.params.items())
        obsolete = sorted(stored.tags.keys() - tags.keys() - {ATTACHED})
        end = None if wanted.status == RUNNING else wanted.ended
        is_ended = (run.info.status, end and run.info.end_time) == (wanted.status, end)
        if stored.logged_digest and (points or params or obsolete or not is_ended):
            self.client.set_tag(run_id, DIGEST, "")  # changed tags alone are set in one call
            present = present | {DIGEST: ""}
        for name in obsolete:
            self.client.delete_tag(run_id, name)
        if not is_ended:
            self._set_status(run_id, wanted.status, end)
        new = sorted(tags.items() - present.items())  # if empty, the run is complete
        for at in range(0, (len(points) or 1) if new else 0, POINTS_PER_CALL):
            is_last = at + POINTS_PER_CALL >= len(points)
            self.client.log_batch(
                run_id,
                metrics=metrics_of(wanted, points[at : at + POINTS_PER_CALL]),
                params=[entities.Param(*param) for param in params] if at == 0 else [],
                tags=[entities.RunTag(*tag) for tag in new] if is_last else [],
                synchronous=True,
            )

    def _set_status(self, run_id: str, status: str, end: int | None) -> None:
        if end is None:
            self.client.update_run(run_id, status)
        else:
            self.client.set_terminated(run_id, status, end)


def can_become(stored: StoredRun, wanted: Run) -> bool:
    """Whether a run is the wanted one or lacks only additions: params and points cannot change."""
    return stored.logged_digest == wanted.digest() or (
        stored.params.items() <= wanted.params.items()
        and stored.points <= wanted.points
        and stored.measured <= wanted.measured.keys()
    )


def with_points(stored: StoredRun, points: Iterable[entities.Metric]) -> StoredRun:
    """A stored run with these metric points."""
    return replace(
        stored,
        points={(p.key, p.value, p.step) for p in points if p.key not in MEASURED},
        measured={(p.key, p.step) for p in points if p.key in MEASURED},
    )


def metrics_of(run: Run, points: Iterable[Point]) -> list[entities.Metric]:
    """Points of a run with their times, as MLflow takes them."""
    return [entities.Metric(k, value, run.times.get(s, run.ended), s) for k, value, s in points]
