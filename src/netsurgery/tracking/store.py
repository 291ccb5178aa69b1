"""Runs in an MLflow store, made to be what they should."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from mlflow import MlflowClient, entities
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils import mlflow_tags

from netsurgery.shown import DIGEST, PREFIX, SECONDS, Point
from netsurgery.tracking import bulk
from netsurgery.tracking.runs import CANDIDATE, NAME, RESULTS, RUNNING, SEED, Run

BATCH = 800  # metric points in one call; params and tags fill it up to MLflow's limit of 1,000


class Store:
    """The runs of an experiment in an MLflow store; one writer at a time is up to the caller.

    Args:
        client: of the store.
        experiment: its id.
        calls: how many candidates are told at the same time: a server's answers take a while.
    """

    def __init__(self, client: MlflowClient, experiment: str, calls: int = 1) -> None:
        self.client, self.experiment, self.calls = client, experiment, calls

    def bring_in_line(self, search: Run, candidates: Mapping[str, Run]) -> str:
        """Have the store show these runs of a search and no others; gives the search's run id.

        May be interrupted at any point: a run counts as complete by its digest, which is written
        last, and the next call completes or replaces what has none.
        """
        found = self._find(search)
        parent = self._put(search, found.pop("", []), None)
        todo = [(run, found.pop(name, [])) for name, run in candidates.items()]
        backend = self.client._tracking_client.store
        if isinstance(backend, SqlAlchemyStore):
            new = [self._whole(run, parent) for run, runs in todo if not runs]
            bulk.create(backend, self.experiment, new)
            todo = [(run, runs) for run, runs in todo if runs]
        with ThreadPoolExecutor(self.calls) as pool:
            put = [pool.submit(self._put, run, runs, parent) for run, runs in todo]
            for done in put:
                done.result()
        for stray in itertools.chain(*found.values()):
            self.client.delete_run(stray.info.run_id)
        return parent

    def _find(self, search: Run) -> dict[str, list[entities.Run]]:
        """A search's runs by candidate; the search's own under the empty name."""
        own = (name for name in (RESULTS, NAME, SEED) if name in search.tags)
        condition = " and ".join(f"tags.`{name}` = '{search.tags[name]}'" for name in own)
        found: dict[str, list[entities.Run]] = {}
        for run in self._pages(condition):
            found.setdefault(run.data.tags.get(CANDIDATE, ""), []).append(run)
        return found

    def _pages(self, condition: str) -> Iterator[entities.Run]:
        token = None
        while True:
            page = self.client.search_runs([self.experiment], condition, page_token=token)
            yield from page
            if not (token := page.token):
                return

    def _put(self, wanted: Run, found: Sequence[entities.Run], parent: str | None) -> str:
        """Make a run what it should be, in place if that only adds to it; gives its id."""
        digest = wanted.digest()
        tags = dict(wanted.tags) | ({mlflow_tags.MLFLOW_PARENT_RUN_ID: parent} if parent else {})
        complete = [run for run in found if run.data.tags.get(DIGEST) == digest]
        reusable = complete or [run for run in found if self._is_part(run, wanted)]
        for run in found:
            if run not in reusable[:1]:
                self.client.delete_run(run.info.run_id)
        if not reusable:
            run = self.client.create_run(self.experiment, wanted.started, tags, wanted.name)
            self._add(run, wanted, digest)
            return run.info.run_id
        run = reusable[0]
        if complete:
            self._tag(run, tags)
        else:
            self._tag(run, tags | {DIGEST: ""})
            self._add(run, wanted, digest)
        return run.info.run_id

    def _whole(self, run: Run, parent: str) -> tuple[Run, dict[str, str], list[entities.Metric]]:
        """A candidate's run with all its tags and metric points."""
        tags = {**run.tags, mlflow_tags.MLFLOW_PARENT_RUN_ID: parent, DIGEST: run.digest()}
        points = [*run.points, *((SECONDS, seconds, s) for s, seconds in run.seconds.items())]
        return run, tags, metrics_of(run, points)

    def _is_part(self, run: entities.Run, wanted: Run) -> bool:
        """Whether nothing that a run holds would have to go: params and points cannot change."""
        if not run.data.params.items() <= wanted.params.items():
            return False
        points = self._points(run)
        timed = {step for metric, _, step in points if metric == SECONDS}
        return untimed(points) <= wanted.points and timed <= wanted.seconds.keys()

    def _add(self, run: entities.Run, wanted: Run, digest: str) -> None:
        """Log what a run lacks, and last its digest."""
        identity = run.info.run_id
        self._end(run, wanted)
        params = sorted(wanted.params.items() - run.data.params.items())
        present = self._points(run)
        timed = {step for metric, _, step in present if metric == SECONDS}
        points = sorted(wanted.points - present)
        points += [(SECONDS, s, step) for step, s in wanted.seconds.items() if step not in timed]
        batches = [points[at : at + BATCH] for at in range(0, len(points), BATCH)] or [[]]
        for number, batch in enumerate(batches):
            self.client.log_batch(
                identity,
                metrics=metrics_of(wanted, batch),
                params=[entities.Param(*param) for param in params] if number == 0 else [],
                tags=[entities.RunTag(DIGEST, digest)] if batch is batches[-1] else [],
                synchronous=True,
            )

    def _end(self, run: entities.Run, wanted: Run) -> None:
        """Set a run's status; the client's own way would ask for the run and print its address."""
        if (run.info.status, run.info.end_time) == (wanted.status, wanted.ended):
            return
        status, end = entities.RunStatus.from_string(wanted.status), wanted.ended
        if wanted.status != RUNNING:
            self.client._tracking_client.store.update_run_info(run.info.run_id, status, end, None)
        elif run.info.status != RUNNING:
            self.client.update_run(run.info.run_id, status=RUNNING)

    def _points(self, run: entities.Run) -> set[Point]:
        """All metric points of a run."""
        return {
            (point.key, point.value, point.step)
            for key in run.data.metrics
            for point in self.client.get_metric_history(run.info.run_id, key)
        }

    def _tag(self, run: entities.Run, wanted: Mapping[str, str]) -> None:
        """Set tags that differ, and remove our own that are no more; a user's own ones stay."""
        identity, present = run.info.run_id, run.data.tags
        differing = wanted.items() - present.items()
        if differing:
            tags = [entities.RunTag(name, value) for name, value in sorted(differing)]
            self.client.log_batch(identity, tags=tags, synchronous=True)
        for name in present:
            if name.startswith(PREFIX) and name not in wanted and name != DIGEST:
                self.client.delete_tag(identity, name)


def metrics_of(run: Run, points: Iterable[Point]) -> list[entities.Metric]:
    """Points of a run with their times, as MLflow takes them."""
    return [entities.Metric(k, value, run.times.get(s, run.ended), s) for k, value, s in points]


def untimed(points: set[Point]) -> set[Point]:
    """Without wall times, which differ when the same is computed again."""
    return {point for point in points if point[0] != SECONDS}
