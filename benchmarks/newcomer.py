"""What a newcomer gets from a file of their own: `init`, `check`, a search, `predict`, as typed.

    python -m benchmarks.newcomer FOLDER FILE[=TARGET] ... [--budget EPOCHS] [--cores N]

Each FILE is a table, arrays, a folder of images or series, taken as it is; TARGET is its column to
predict, if `init` shall not guess. One run of Snakemake searches for all, with gradient boosting or
another reference model beside each network. Then the exported model predicts the file as it came;
what it gives for the test samples must be what the summary says. FOLDER gets all files and
`newcomer.md`, the table.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import yaml

from netsurgery.analysis.references.results import read_references
from netsurgery.analysis.test_figures import figure_of
from netsurgery.cli.main import main as netsurgery
from netsurgery.datasets import read_new
from netsurgery.objectives.number_scores import NumberScores
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import read_json

ROOT = Path(__file__).parent.parent
HEADER = (
    "| file | read as | samples | predicts | test | references | the raw file gives |\n"
    "|---|---|---:|---|---:|---|---|\n"
)
TOLERANCE = 1e-3  # of an accuracy, and of an error relative to it


class Refused(Exception):  # noqa: N818
    """A command ended with a message."""


def typed(*words: str) -> str:
    """What a command of netsurgery prints.

    Raises:
        Refused: it ended with a message.
    """
    out = io.StringIO()
    with mock.patch.object(sys, "argv", ["netsurgery", *words]), contextlib.redirect_stdout(out):
        try:
            netsurgery()
        except SystemExit as error:
            if error.code not in (None, 0):
                raise Refused(str(error.code)) from None
    return out.getvalue()


def draft(number: int, file: Path, target: str) -> tuple[str, dict[str, Any]]:
    """The name and configuration that `init` gives for a file, after `check` accepted it."""
    config = f"{number:02d}.yaml"
    named = ["--target", target] if target else []
    typed("init", str(file), *named, "-o", config)
    Path(f"{number:02d}.txt").write_text(typed("check", config))
    content = yaml.safe_load(Path(config).read_text())
    (name,) = content["datasets"]
    return name, content


def of_raw_file(search: SearchFolder, file: Path) -> tuple[str, float]:
    """Accuracy or root mean square error on the test samples, by `predict` or `evaluate`."""
    data = read_json(search.final / "preprocessing.json")
    name = "rmse" if data["classes"] is None else "accuracy"
    if "test" in data["parts"]:  # which has a file or array of its own
        given = data["settings"].get("test_path", str(file))
        typed("evaluate", str(search.root), given, "-o", "scores.json")
        return name, json.loads(Path("scores.json").read_text(encoding="utf-8"))[name]
    typed("predict", str(search.root), str(file), "-o", "predictions.csv")
    predictions = pd.read_csv("predictions.csv", keep_default_na=False, dtype={0: str})
    batches = list(read_new(data, file, labelled=True).batches)
    key = next(iter(batches[0].keys))
    keys = [str(each) for batch in batches for each in batch.keys[key]]
    labels = np.concatenate([batch.labels for batch in batches if batch.labels is not None])
    with np.load(search.root / "split.npz") as split:
        test = split["test"]
    rows = predictions.set_index(predictions[key].astype(str)).loc[[keys[i] for i in test]]
    found, true = rows.filter(regex="^prediction").to_numpy(), labels[test]
    if name == "accuracy":
        return name, float(np.mean(found[:, 0].astype(str) == true.astype(str)))
    numbers = true.reshape(found.shape).astype(float)
    return name, NumberScores.of(numbers, found.astype(float)).scores()["rmse"]


def row(file: Path, content: Mapping[str, Any], search: SearchFolder) -> str:
    """The row of a file in the table."""
    ((_, dataset),) = content["datasets"].items()
    extra = [f"{k} {v!r}" for k, v in dataset.items() if k in ("delimiter", "decimal", "encoding")]
    read_as = ", ".join([dataset["source"], *extra])
    if not (search.final / "summary.json").exists():
        return f"| {file.name} | {read_as} | | | search failed | | |"
    summary, data = (read_json(search.final / f"{n}.json") for n in ("summary", "preprocessing"))
    if data["classes"] is None:
        predicts = f"{', '.join(data['targets']) or 'numbers'}"
    else:
        target = ", ".join(data["targets"])
        predicts = f"{target + ', ' if target else ''}{len(data['classes'])} classes"
    references = "; ".join(f"{r.name} {r.result}" for r in read_references(search.root))
    try:
        name, value = of_raw_file(search, file)
        recorded = summary["test_metrics"][name]
        agrees = abs(value - recorded) <= TOLERANCE * (1 if name == "accuracy" else recorded)
        same = "the same" if agrees else f"**{name} {value:.4g} instead of {recorded:.4g}**"
    except Refused as error:
        same = f"**refused**: {error}"
    samples = sum(data["parts"].values())
    return (
        f"| {file.name} | {read_as} | {samples:,} | {predicts} | {figure_of(summary)} "
        f"| {references} | {same} |"
    )


def table(files: Sequence[str], budget: float, cores: int) -> Iterator[str]:
    """The rows of all files, in the present folder."""
    drafts: dict[str, tuple[Path, dict[str, Any]]] = {}
    merged: dict[str, Any] = {"results": "results", "datasets": {}, "searches": {}}
    for number, given in enumerate(files):
        path, _, target = given.partition("=")
        try:
            name, content = draft(number, Path(path), target)
        except Refused as error:
            yield f"| {Path(path).name} | **refused**: {error} | | | | | |"
            continue
        drafts[name] = Path(path), content
        merged["datasets"] |= content["datasets"]
        search = content["searches"][name]
        search |= {"budget": min(budget, search["budget"]), "reference": True}
        merged["searches"][name] = search
        print(f"{path}: drafted as {name}", file=sys.stderr, flush=True)
    Path("all.yaml").write_text(yaml.safe_dump(merged, sort_keys=False))
    words = ["--configfile", "all.yaml", "--cores", str(cores), "--keep-going"]
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), *words]
    with Path("snakemake.log").open("w") as log:
        subprocess.run(command, stdout=log, stderr=log, check=False)
    for name, (file, content) in drafts.items():
        yield row(file, content, SearchFolder(Path("results") / name / "seed42"))


def main() -> None:
    """Parse arguments and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", nargs="+", metavar="FILE[=TARGET]")
    parser.add_argument("--budget", type=float, default=40, help="epochs of each search, at most")
    parser.add_argument("--cores", type=int, default=1)
    given = parser.parse_args()
    given.folder.mkdir(parents=True)
    places = [str(Path(p).resolve()) + s + t for p, s, t in (f.partition("=") for f in given.files)]
    os.chdir(given.folder)
    lines = []
    for line in table(places, given.budget, given.cores):
        print(line, flush=True)
        lines.append(line)
    Path("newcomer.md").write_text(HEADER + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
