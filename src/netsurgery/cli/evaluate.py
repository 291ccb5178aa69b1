"""`netsurgery evaluate`: the test metrics of a final model on any labelled file."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

from netsurgery.cli import final_models
from netsurgery.cli.arguments import Subparsers
from netsurgery.cli.quiet import no_stderr
from netsurgery.cli.tables import format_table
from netsurgery.datasets import NewSamples
from netsurgery.storage.files import write_text


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "evaluate",
        help="measure a final model on a labelled file",
        allow_abbrev=False,
        description="Measure the final model of a search on any labelled file or folder: the loss"
        " and the metrics that the summary has for the test samples. The file is read as the"
        " training data were.",
    )
    command.set_defaults(run=run)
    final_models.add_arguments(command, "labelled samples, like the training data")
    final_models.add_output(command, "OUT.json", "write the metrics as JSON, too")


def run(given: argparse.Namespace) -> None:
    """Measure the model and print the table."""
    files, samples = final_models.opened(given, ".json", labelled=True)
    scores = _scores(files, samples)
    final_models.print_notes(samples)
    if given.out is not None:
        finite = {name: value if math.isfinite(value) else None for name, value in scores.items()}
        content = {"model": str(files.path), "file": str(given.file), **finite}
        write_text(given.out, json.dumps(content, indent=1) + "\n")
    rows = [
        (name, f"{value:,}" if name == "samples" else f"{value:.6g}")
        for name, value in scores.items()
    ]
    print(format_table([("metric", "value"), *rows]))


def _scores(files: final_models.ModelFiles, samples: NewSamples) -> dict[str, Any]:
    with no_stderr():  # TensorFlow talks while it starts
        from netsurgery.jobs.file_scores import score_file

        return score_file(files.path, files.data, samples)
