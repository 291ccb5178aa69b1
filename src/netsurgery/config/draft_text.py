"""A draft as a configuration file: YAML with a comment that says why for each setting."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from netsurgery.config.draft import Draft
from netsurgery.datasets.builtin import BUILTIN_DATASETS
from netsurgery.datasets.source import Suggestion

WIDTH = 100
# of a dataset, in this order; others follow
ORDER = ("source", "path", "validation_path", "test_path", "target", "task")


def name_of(stem: str) -> str:
    """The name of a dataset and its search, from that of a file."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_") or "mine"
    return f"{name}-data" if name in BUILTIN_DATASETS else name


def configuration(
    name: str, draft: Draft, search: Sequence[Suggestion], command: str, output: str
) -> str:
    """The text of a configuration file.

    Args:
        name: Of the dataset and of the search.
        draft: Of the dataset.
        search: The settings of the search.
        command: That the file comes from.
        output: Path of the file, for the commands in it.
    """
    known = [key for key in ORDER if key in draft.settings]
    keys = [*known, *(key for key in draft.settings if key not in known)]
    lines = [
        f"# Written by `{command}`.",
        f"# What the data become: netsurgery check {output}",
        f"# Run the search:       snakemake --configfile {output} --cores 2",
        "",
        *_warnings(draft),
        *_setting("", "results", f"results-{name}", ["a folder for this configuration alone"]),
        "",
        "datasets:",
        f"  {name}:",
    ]
    for key in keys:
        lines += _setting("    ", key, draft.settings[key], draft.reasons.get(key, []))
    lines += ["", "searches:", f"  {name}:", f"    dataset: {name}"]
    for suggestion in search:
        lines += _setting("    ", suggestion.key, suggestion.value, [suggestion.why])
    return "\n".join(lines) + "\n"


def _warnings(draft: Draft) -> Iterator[str]:
    """What to look at in the data, as comments."""
    for warning in draft.data["warnings"]:
        text = warning.removeprefix(f"{draft.data['origin']}: ")
        yield from textwrap.wrap(
            text, WIDTH, initial_indent="# Look at: ", subsequent_indent="#   "
        )
    if draft.data["warnings"]:
        yield ""


def _setting(indent: str, key: str, value: Any, reasons: Sequence[str]) -> Iterator[str]:
    """A setting, with its reason behind it or, if that is long, above it."""
    text = f"{indent}{key}: {_plain(value)}"
    together = f"{text}  # {'; '.join(reasons)}"
    if reasons and len(together) <= WIDTH:
        yield together
        return
    for reason in reasons:
        yield f"{indent}# {' '.join(reason.split())}"
    yield text


def _plain(value: Any) -> str:
    """A value in one line of YAML."""
    if isinstance(value, str) and not re.fullmatch(r"[\w./ -]+", value):
        return json.dumps(value, ensure_ascii=False)
    dumped = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return dumped.removesuffix("\n").removesuffix("\n...")
