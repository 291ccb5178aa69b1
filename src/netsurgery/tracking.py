"""MLflow: what the records of a search say, for people to look at and compare.

The records are the truth and MLflow only shows them. Whatever the store held of a search before,
afterwards it holds what its present records say: `gather` reads these, `Store` brings the runs in
line. Nothing is ever read back from MLflow to decide anything.

All runs are in one experiment, `netsurgery`: a search whose dataset is changed keeps its place, a
search is found without knowing its dataset, and the table is narrowed down by tags.

    <search>/seed<seed>     one run per search and seed: settings as params; by generation the best
                            parent's val_score, parameters and epochs_trained, and the epochs_spent;
                            the numbers of the summary one step behind the last generation
        <candidate>         nested, one per candidate: its surgery, size and layers as params; loss,
                            accuracy, val_loss, val_accuracy and epoch by batches trained

Steps of candidates are batches on the axis of their lineage, for MLflow's are integers; `epoch` is
logged beside the metrics. A point's timestamp is its step in milliseconds: it must not depend on
the clock, as MLflow takes the same point with another timestamp for a further one. Runs start
and end when their files say.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from netsurgery.files import read_json, write_json
from netsurgery.jobs.decisions import read_winners
from netsurgery.layout import WARM_UP, SearchFolder
from netsurgery.network import Topology
from netsurgery.search import outcome, scores
from netsurgery.search.generation import SEARCH
from netsurgery.search.records import OK, Record

# read by MLflow as it is imported
os.environ |= {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}

from mlflow import MlflowClient, entities
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils import mlflow_tags, validation

EXPERIMENT = "netsurgery"
FINAL = "final"
RUNNING, FINISHED, FAILED = "RUNNING", "FINISHED", "FAILED"
PREFIX = "netsurgery."
KIND, NAME, SEED, CANDIDATE, DIGEST = (
    PREFIX + name for name in ("kind", "search", "seed", "candidate", "digest")
)
BATCH = 800  # metric points in one call; params and tags fill it up to MLflow's limit of 1,000
SETTINGS_IN_SUMMARY = ("seed", "budget", "greediness")  # these are params

Point = tuple[str, float, int]  # metric, value, step


@dataclass(frozen=True)
class Run:
    """What MLflow is to show as a run. Times are in milliseconds since 1970."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    points: frozenset[Point]
    status: str
    started: int
    ended: int

    def digest(self) -> str:
        """Hash of all but the times, which differ when the same is computed again."""
        content = asdict(self) | {"points": sorted(self.points)}
        del content["started"], content["ended"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def track(
    folder: SearchFolder, until: str, settings: Mapping[str, Any], seed: int, output: Path
) -> None:
    """Have MLflow show a search as it stood after a generation, or finished; then write a marker.

    Args:
        folder: `<results>/<search>/seed<seed>`; the store is `<results>/mlflow.db`.
        until: number of the last generation to show, such as "03", or "final".
        settings: of the search.
        seed: of the search.
        output: JSON that counts the runs and metric points of this search in the store.
    """
    results = folder.root.resolve().parents[1]
    with _alone(results):
        store = Store(_open(results))
        search, candidates = gather(folder, None if until == FINAL else int(until), settings, seed)
        store.bring_in_line(search, candidates)
    runs = [search, *candidates.values()]
    write_json(output, {"runs": len(runs), "points": sum(len(run.points) for run in runs)})


def create(results: Path) -> None:
    """Create the store of a results folder if there is none."""
    with _alone(results):
        _open(results)


@contextlib.contextmanager
def _alone(results: Path) -> Iterator[None]:
    """One writer at a time: MLflow breaks a new store that two processes set up at once."""
    results.mkdir(parents=True, exist_ok=True)
    with (results / ".mlflow.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _open(results: Path) -> MlflowClient:
    """A client of the store, which is created if it is missing.

    A new one is made under another name, to be there whole or not at all. Markers that were
    written for a lost one go first, so that the workflow tells it everything again.
    """
    database = results.resolve() / "mlflow.db"
    if not database.exists():
        fresh = database.with_name(".mlflow.db.new")
        for void in (*results.glob(f"{fresh.name}*"), *results.glob("*/seed*/*/tracked.json")):
            void.unlink()
        # without a folder of its own for artifacts MLflow would name ./mlruns
        SqlAlchemyStore(f"sqlite:///{fresh}", str(_artifacts(database))).engine.dispose()
        os.replace(fresh, database)
    client = MlflowClient(tracking_uri=f"sqlite:///{database}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        client.create_experiment(EXPERIMENT, artifact_location=str(_artifacts(database)))
    elif experiment.lifecycle_stage != entities.LifecycleStage.ACTIVE:
        client.restore_experiment(experiment.experiment_id)
    return client


def _artifacts(database: Path) -> Path:
    return database.with_name("mlflow-artifacts")


def gather(
    folder: SearchFolder, until: int | None, settings: Mapping[str, Any], seed: int
) -> tuple[Run, dict[str, Run]]:
    """The runs of a search and of its candidates, from the records.

    Args:
        folder: of the search.
        until: the last generation to be seen; later files may be half redone and are not looked
            at. None for a finished search.
        settings: of the search.
        seed: of the search.
    """
    finished = until is None
    plans = (
        [plan for plan in folder.plans() if plan["action"] == SEARCH]
        if until is None
        else [read_json(folder.plan(generation)) for generation in range(1, until + 1)]
    )
    paths = [folder.record(0, WARM_UP)]
    paths += [
        folder.record(plan["generation"], step) for plan in plans for step in folder.steps(plan)
    ]
    paths += [folder.final / "network.json"] if finished else []
    records = [Record.from_json(read_json(path)) for path in paths]
    winners = [read_winners(folder.winners(generation)) for generation in range(len(plans) + 1)]
    summary = read_json(folder.final / "summary.json") if finished else {}

    spans = _spans(paths, records)
    survivors = {parent.candidate for parents, _, _ in winners for parent in parents}
    lineage = outcome.lineage(records, survivors, summary.get("candidate", ""))
    eliminated = {row["candidate"]: row["eliminated_in"] for row in lineage}
    if not finished:
        # the lineage takes winners without offspring for eliminated in the end, which is to come
        eliminated |= dict.fromkeys(survivors, "")
    tags = {
        NAME: folder.root.parent.name,
        SEED: str(seed),
        PREFIX + "algorithm": settings["algorithm"],
        PREFIX + "dataset": settings["dataset"],
    }
    search = _search(tags, winners, summary, settings, spans)
    candidates = {
        name: _candidate(
            tags, record, eliminated[name], name == summary.get("candidate"), spans[name]
        )
        for name, record in outcome.last_records(records).items()
    }
    return search, candidates


def _spans(paths: Sequence[Path], records: Sequence[Record]) -> dict[str, tuple[int, int]]:
    """When each candidate's training began and ended, from the times of its records' files."""
    spans: dict[str, tuple[int, int]] = {}
    for path, record in zip(paths, records, strict=True):
        ended = path.stat().st_mtime
        span = int(1000 * (ended - record.wall_seconds)), int(1000 * ended)
        first, last = spans.get(record.candidate, span)
        spans[record.candidate] = min(first, span[0]), max(last, span[1])
    return spans


def _search(
    tags: Mapping[str, str],
    winners: Sequence[tuple[list[Record], list[str], int]],
    summary: Mapping[str, Any],
    settings: Mapping[str, Any],
    spans: Mapping[str, tuple[int, int]],
) -> Run:
    """The run of a search; its summary is empty until it is finished."""
    points: dict[tuple[str, int], float | None] = {}
    for generation, (parents, _, spent) in enumerate(winners):
        best = parents[scores.rank(parents, settings["metric"], 1.0, settings["score_window"])[0]]
        points["val_score", generation] = best.score
        points["parameters", generation] = best.parameters
        points["epochs_trained", generation] = best.epochs_trained
        points["epochs_spent", generation] = spent / best.batches_per_epoch
    for name, value in summary.items():
        if isinstance(value, (int, float)) and name not in SETTINGS_IN_SUMMARY:
            points[name, len(winners)] = value
    tags = {**tags, KIND: "search"}
    if summary:
        tags[PREFIX + "status"] = summary["status"]
        tags[PREFIX + "winner"] = summary["candidate"]
        tags[PREFIX + "layers"] = _cut(" | ".join(summary["layers"]), validation.MAX_TAG_VAL_LENGTH)
    status = _status(summary["status"]) if summary else RUNNING
    used = {name: value for name, value in settings.items() if name != "seeds"}
    return Run(
        name=f"{tags[NAME]}/seed{tags[SEED]}",
        tags=tags,
        params=_flat(used | {"seed": int(tags[SEED])}),
        points=_finite(points),
        status=status,
        started=min(started for started, _ in spans.values()),
        ended=max(ended for _, ended in spans.values()),
    )


def _candidate(
    tags: Mapping[str, str],
    record: Record,
    eliminated_in: str,
    selected: bool,
    span: tuple[int, int],
) -> Run:
    """The run of a candidate, from its last record."""
    points: dict[tuple[str, int], float | None] = {}
    for entry in record.history:
        for metric, value in entry.items():
            points[metric, round((entry["epoch"] or 0) * record.batches_per_epoch)] = value
    points["val_score", record.batches_trained] = record.score
    # as a metric as well, for MLflow sorts params as text
    points["parameters", record.batches_trained] = record.parameters
    tags = {
        **tags,
        KIND: "candidate",
        CANDIDATE: record.candidate,
        PREFIX + "status": record.status,
        PREFIX + "outcome": "eliminated" if eliminated_in else "winner",
    }
    if eliminated_in:
        tags[PREFIX + "eliminated_in"] = eliminated_in
    if selected:
        tags[PREFIX + "selected"] = "true"
    layers = " | ".join(map(str, Topology.from_json(record.topology).layers))
    params = {
        "generation": record.generation,
        "parent": record.parent,
        "operation": record.operation,
        "position": record.position,
        "parameters": record.parameters,
        "layers": _cut(layers, validation.MAX_PARAM_VAL_LENGTH),
    }
    return Run(
        name=record.candidate,
        tags=tags,
        params=_flat({name: value for name, value in params.items() if value is not None}),
        points=_finite(points),
        status=_status(record.status),
        started=span[0],
        ended=span[1],
    )


def _status(status: str) -> str:
    return FINISHED if status == OK else FAILED


def _finite(points: Mapping[tuple[str, int], float | None]) -> frozenset[Point]:
    """Without what is None: records have that where a value was not finite."""
    return frozenset((m, float(v), step) for (m, step), v in points.items() if v is not None)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Params: texts as they are, other values as JSON, those of mappings by dotted names."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value if isinstance(value, str) else json.dumps(value)
    return flat


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


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
