"""`netsurgery pick`: export the best network within limits from the front of a search."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from netsurgery.analysis.finished import FinishedSearch, finished_searches
from netsurgery.analysis.front_table import read_front
from netsurgery.cli.arguments import Subparsers, add_results_folder, positive_int, require_folder
from netsurgery.cli.final_models import description_of
from netsurgery.cli.quiet import no_stderr
from netsurgery.objectives.metrics import is_maximized
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import read_json, write_json


class Limit(NamedTuple):
    """A limit that the user may set: the option, what it limits, and its unit."""

    option: str
    quantity: str
    unit: str


LATENCY = "latency"  # in records alone: it differs from run to run
LIMITS = (
    Limit("max_parameters", "parameters", "parameters"),
    Limit("max_multiplications", "multiplications", "multiplications per sample"),
    Limit("max_model_bytes", "model_bytes", "bytes of weights"),
    Limit("max_latency", LATENCY, "seconds per sample"),
)


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "pick",
        help="export the best network within limits",
        allow_abbrev=False,
        description="Export the network with the best validation score that keeps all limits, as a"
        " Keras model that takes raw data. front.csv of each search lists all networks.",
    )
    command.set_defaults(run=run)
    add_results_folder(command)
    command.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.keras")
    command.add_argument("--search", help="its name (default: all searches of one dataset)")
    command.add_argument("--seed", type=int, help="the seed (default: all)")
    command.add_argument("--max-parameters", type=positive_int, metavar="N")
    command.add_argument(
        "--max-multiplications", type=positive_int, metavar="N", help="for one sample"
    )
    command.add_argument(
        "--max-model-bytes", type=positive_int, metavar="N", help="of the weights in the file"
    )
    command.add_argument(
        "--max-latency",
        type=float,
        metavar="SECONDS",
        help="to predict one sample, on the machine that trained it",
    )
    command.add_argument(
        "--min-accuracy",
        type=float,
        metavar="SCORE",
        help="the least validation score, such as 0.9; then the smallest network that has it",
    )


class Choice(NamedTuple):
    """A network that may be picked."""

    search: FinishedSearch
    row: Mapping[str, Any]

    @property
    def model(self) -> Path:
        """Its file."""
        return self.search.folder / self.row["model"]

    def value(self, quantity: str) -> float | None:
        """What a limit may limit; None if it is unknown."""
        if quantity == LATENCY:
            return read_json(self.model.with_suffix(".json"))[LATENCY]
        return self.row[quantity]


def run(given: argparse.Namespace) -> None:
    """Pick a network and write it."""
    require_folder(given.folder)
    if given.out.suffix != ".keras":
        sys.exit(f"{given.out}: the name must end in .keras")
    choices = _choices(given)
    chosen = pick(choices, vars(given))
    _write(chosen, given.folder, given.out)
    row, summary = chosen.row, chosen.search.summary
    print(
        f"{given.out}: {row['candidate']} of {chosen.search.name}, seed{chosen.search.seed}:"
        f" {summary['objective']} {row['val_score']:.4f}, {row['parameters']:,} parameters,"
        f" {row['multiplications']:,} multiplications, {row['epochs_trained']:.1f} epochs trained"
    )


def _choices(given: argparse.Namespace) -> list[Choice]:
    """All networks of the searches that are asked for; exit if they cannot be compared."""
    searches = [
        each
        for each in finished_searches(given.folder)
        if given.search in (None, each.name) and given.seed in (None, each.seed)
    ]
    if not searches:
        asked = "" if given.search is None else f" {given.search}"
        seed = "" if given.seed is None else f" with seed {given.seed}"
        sys.exit(f"{given.folder}: no finished search{asked}{seed}")
    for key in ("dataset", "objective"):
        found = sorted({each.summary[key] for each in searches})
        if len(found) > 1:
            listed = ", ".join(found)
            sys.exit(f"{given.folder}: searches of several {key}s ({listed}): choose by --search")
    choices = []
    for search in searches:
        path = SearchFolder(search.folder).front
        if not path.exists():
            sys.exit(f"{path}: no such file; run the search again, which writes it")
        choices += [Choice(search, row) for row in read_front(path)]
    return choices


def pick(choices: Sequence[Choice], limits: Mapping[str, Any]) -> Choice:
    """The best network within limits, or the smallest with a score; exit if there is none.

    Args:
        choices: all networks.
        limits: values of `LIMITS` and `min_accuracy`; None or missing: no limit.
    """
    within = list(choices)
    for option, quantity, unit in LIMITS:
        if (limit := limits.get(option)) is None:
            continue
        values = [(each, each.value(quantity)) for each in within]
        known = [(each, value) for each, value in values if value is not None]
        kept = [each for each, value in known if value <= limit]
        if not kept:
            least = min((value for _, value in known), default=None)
            shown = "unknown" if least is None else f"{least:,}"
            flag = "--" + option.replace("_", "-")
            sys.exit(f"{flag}: no network has at most {limit:,} {unit}; the least is {shown}")
        within = kept
    direction = 1 if is_maximized(choices[0].search.summary["objective"]) else -1
    wanted = limits.get("min_accuracy")
    best = max(within, key=lambda each: (direction * each.row["val_score"], -_size(each)))
    if wanted is None:
        return best
    enough = [each for each in within if direction * (each.row["val_score"] - wanted) >= 0]
    if not enough:
        sys.exit(
            f"--min-accuracy: no network reaches {wanted}; the best has {best.row['val_score']}"
        )
    return min(enough, key=lambda each: (_size(each), -direction * each.row["val_score"]))


def _size(choice: Choice) -> int:
    return choice.row["parameters"]


def _write(chosen: Choice, results: Path, out: Path) -> None:
    """Write a network with its preprocessing, and the description of that."""
    from netsurgery.objectives.training_settings import TrainingSettings
    from netsurgery.storage.dependencies import Dependencies
    from netsurgery.storage.settings import from_settings

    record = chosen.model.with_suffix(".json")
    made = Dependencies.read(record)
    if made is None:
        sys.exit(f"{record}: an earlier version wrote it; run the search again")
    settings = from_settings(TrainingSettings, made.settings)
    data = results / "_data" / chosen.search.summary["dataset"]
    split = chosen.search.folder / "split.npz"
    with no_stderr():  # TensorFlow talks while it starts
        from netsurgery.jobs.raw_model import raw_model, raw_model_description
        from netsurgery.keras_io import archive

        archive.save(raw_model(chosen.model, data, split, settings), out)
        write_json(description_of(out), raw_model_description(data, split, settings))
