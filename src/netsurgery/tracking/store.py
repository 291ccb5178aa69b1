"""Runs in an MLflow store, made to be what they should."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from mlflow import MlflowClient, entities
from mlflow.utils import mlflow_tags

from netsurgery.shown import DIGEST, PREFIX, Point
from netsurgery.tracking.runs import CANDIDATE, NAME, RUNNING, SEED, Run

EXPERIMENT = "netsurgery"
BATCH = 800  # metric points in one call; params and tags fill it up to MLflow's limit of 1,000


class Store:
    """The runs of `netsurgery` in an MLflow store; one writer at a time is up to the caller."""

    def __init__(self, client: MlflowClient) -> None:
        self.client = client
        self.experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id

    def bring_in_line(self, search: Run, candidates: Mapping[str, Run]) -> None:
        """Have the store show these runs of a search and no others.

        May be interrupted at any point: a run counts as complete by its digest, which is written
        last, and the next call completes or replaces what has none.
        """
        found = self._find(search)
        parent = self._put(search, found.pop("", []), None)
        for name, candidate in candidates.items():
            self._put(candidate, found.pop(name, []), parent)
        for stray in itertools.chain(*found.values()):
            self.client.delete_run(stray.info.run_id)

    def _find(self, search: Run) -> dict[str, list[entities.Run]]:
        """A search's runs by candidate; the search's own under the empty name."""
        condition = " and ".join(f"tags.`{tag}` = '{search.tags[tag]}'" for tag in (NAME, SEED))
        found: dict[str, list[entities.Run]] = {}
        token = None
        while True:
            page = self.client.search_runs([self.experiment], condition, page_token=token)
            for run in page:
                found.setdefault(run.data.tags.get(CANDIDATE, ""), []).append(run)
            if not (token := page.token):
                return found

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

    def _is_part(self, run: entities.Run, wanted: Run) -> bool:
        """Whether nothing that a run holds would have to go: params and points cannot change."""
        fits = run.data.params.items() <= wanted.params.items()
        return fits and self._points(run) <= wanted.points

    def _add(self, run: entities.Run, wanted: Run, digest: str) -> None:
        """Log what a run lacks, and last its digest."""
        identity = run.info.run_id
        if wanted.status != RUNNING:
            self.client.set_terminated(identity, wanted.status, wanted.ended)
        elif run.info.status != RUNNING:
            self.client.update_run(identity, status=RUNNING)
        new = sorted(wanted.params.items() - run.data.params.items())
        points = sorted(wanted.points - self._points(run))
        batches = [points[at : at + BATCH] for at in range(0, len(points), BATCH)] or [[]]
        for number, batch in enumerate(batches):
            self.client.log_batch(
                identity,
                metrics=[entities.Metric(key, value, step, step) for key, value, step in batch],
                params=[entities.Param(*param) for param in new] if number == 0 else [],
                tags=[entities.RunTag(DIGEST, digest)] if batch is batches[-1] else [],
                synchronous=True,
            )

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
