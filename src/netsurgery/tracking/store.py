"""Runs in an MLflow store, made to be what they should."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from mlflow import MlflowClient, entities
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils import mlflow_tags

from netsurgery.storage.mlflow_sqlite import ATTACHED, DIGEST, PREFIX, SECONDS, Point, StoredRun
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

        May be interrupted at any point: what a run's digest vouches for is there, for it is written
        last and taken away before the run changes; without one the next call looks for itself, and
        completes or replaces the run.
        """
        found = self._find(search)
        parent = self._put(search, found.pop("", []), None)
        todo = [(run, found.pop(name, [])) for name, run in candidates.items()]
        backend = self.client._tracking_client.store
        if isinstance(backend, SqlAlchemyStore):
            if new := [self._whole(run, parent) for run, runs in todo if not runs]:
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
        tags = dict(wanted.tags) | ({mlflow_tags.MLFLOW_PARENT_RUN_ID: parent} if parent else {})
        held = [(run, self._shown(run, wanted)) for run in found]
        kept = next(((run, shown) for run, shown in held if fits(shown, wanted)), None)
        for run in found:
            if kept is None or run is not kept[0]:
                self.client.delete_run(run.info.run_id)
        if kept is None:
            run = self.client.create_run(self.experiment, wanted.started, tags, wanted.name)
            kept = run, self._shown(run, wanted)
        self._complete(*kept, wanted, tags | {DIGEST: wanted.digest()})
        return kept[0].info.run_id

    def _whole(self, run: Run, parent: str) -> tuple[Run, dict[str, str], list[entities.Metric]]:
        """A candidate's run with all its tags and metric points."""
        tags = {**run.tags, mlflow_tags.MLFLOW_PARENT_RUN_ID: parent, DIGEST: run.digest()}
        points = [*run.points, *((SECONDS, seconds, s) for s, seconds in run.seconds.items())]
        return run, tags, metrics_of(run, points)

    def _shown(self, run: entities.Run, wanted: Run) -> StoredRun:
        """A run as the store has it.

        The history of each metric takes a call. None is made where the digest is the wanted one, or
        that of the wanted points up to the last step that is seen; nor where the last point of a
        metric would have to go.
        """
        data, last = run.data, run.data._metric_objs
        shown = StoredRun(
            name=run.info.run_name,
            status=run.info.status,
            tags={name: value for name, value in data.tags.items() if name.startswith(PREFIX)},
            params=data.params,
            points=set(wanted.points),
            timed_steps=set(wanted.seconds),
            latest={name: value for name, value in data.metrics.items() if name != SECONDS},
        )
        if shown.logged_digest == wanted.digest():
            return shown
        step = max((point.step for point in last), default=-1)
        shown.points = {point for point in shown.points if point[2] <= step}
        shown.timed_steps = {timed for timed in shown.timed_steps if timed <= step}
        if shown.matches_digest:
            return shown
        if not fits(holding(shown, last), wanted):
            return holding(shown, last)
        history = self.client.get_metric_history
        return holding(shown, [p for name in data.metrics for p in history(run.info.run_id, name)])

    def _complete(
        self, run: entities.Run, shown: StoredRun, wanted: Run, tags: Mapping[str, str]
    ) -> None:
        """Log what a run lacks and last its digest; tags of ours that are no more are removed."""
        identity, present = run.info.run_id, run.data.tags
        points = sorted(wanted.points - shown.points)
        seconds = wanted.seconds.items()
        points += [
            (SECONDS, value, step) for step, value in seconds if step not in shown.timed_steps
        ]
        params = sorted(wanted.params.items() - shown.params.items())
        stale = sorted(shown.tags.keys() - tags.keys() - {ATTACHED})
        end = None if wanted.status == RUNNING else wanted.ended
        ended = (run.info.status, end and run.info.end_time) == (wanted.status, end)
        if shown.logged_digest and (points or params or stale or not ended):
            self.client.set_tag(identity, DIGEST, "")  # tags alone are set at one stroke
            present = present | {DIGEST: ""}
        for name in stale:
            self.client.delete_tag(identity, name)
        if not ended:  # the client's own way would ask for the run and print its address
            status = entities.RunStatus.from_string(wanted.status)
            self.client._tracking_client.store.update_run_info(identity, status, end, None)
        new = sorted(tags.items() - present.items())  # without any nothing is lacking
        for at in range(0, (len(points) or 1) if new else 0, BATCH):
            self.client.log_batch(
                identity,
                metrics=metrics_of(wanted, points[at : at + BATCH]),
                params=[entities.Param(*param) for param in params] if at == 0 else [],
                tags=[entities.RunTag(*tag) for tag in new] if at + BATCH >= len(points) else [],
                synchronous=True,
            )


def fits(shown: StoredRun, wanted: Run) -> bool:
    """Whether a run is what is wanted or only lacks something: params and points cannot change."""
    return shown.logged_digest == wanted.digest() or (
        shown.params.items() <= wanted.params.items()
        and shown.points <= wanted.points
        and shown.timed_steps <= wanted.seconds.keys()
    )


def holding(shown: StoredRun, points: Iterable[entities.Metric]) -> StoredRun:
    """A run with these points."""
    return replace(
        shown,
        points={(p.key, p.value, p.step) for p in points if p.key != SECONDS},
        timed_steps={p.step for p in points if p.key == SECONDS},
    )


def metrics_of(run: Run, points: Iterable[Point]) -> list[entities.Metric]:
    """Points of a run with their times, as MLflow takes them."""
    return [entities.Metric(k, value, run.times.get(s, run.ended), s) for k, value, s in points]
