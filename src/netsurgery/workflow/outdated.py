"""Find results that were made with other settings, other code or other data.

Each file of results says what it depends on (see `netsurgery.storage.dependencies`). Here this is
compared with a configuration, with the code of this package, and with the files that it was made
from. Snakemake has no part in it: what it remembers of a job is lost or void when results are moved
or renamed, and with some of its options it does not look.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from netsurgery import datasets
from netsurgery.config.model import Config
from netsurgery.datasets import KnownFiles
from netsurgery.storage.dependencies import MISSING, Dependencies, content_of
from netsurgery.storage.files import DamagedFileError
from netsurgery.storage.integrity import DATA, json_files
from netsurgery.workflow.checkpoints import existing_plans
from netsurgery.workflow.code_stages import SHARED
from netsurgery.workflow.dependencies import JobDependencies
from netsurgery.workflow.parameters import Parameters
from netsurgery.workflow.searches import JOBS, Searches

MAX_REASONS = 3  # in a message
FROM_PLANS = (
    *("allowed", "batches", "fresh", "is_round"),
    *("later_rounds", "offspring", "rates", "stream"),
)
UNKNOWN = "an earlier version of netsurgery did not record what it was made from"
SHARED_CODE = "code that all stages share has changed"
PLAN = "plan"  # written by another rule for each algorithm
SUMMARY = "summary.json"
GENERATION, STEPS = r"generation(?P<generation>\d+)", r"(?:phase1/[a-z_]+|phase2)/round\d+/slot\d+"
# the rule that makes a file of a search
RULES = {
    re.compile(pattern): rule
    for pattern, rule in {
        r"split\.json": "split_dataset",
        r"generation00/warm-up\.json": "train_initial_network",
        r"generation00/winners\.json": "init_search",
        rf"{GENERATION}/plan\.json": PLAN,
        rf"{GENERATION}/winners\.json": "select_parents",
        rf"{GENERATION}/singular_values\.json": "singular_values",
        rf"{GENERATION}/decision_report\.json": "decision_report",
        rf"{GENERATION}/recuperation/(?P<candidate>\w+)\.json": "train_offspring",
        rf"{GENERATION}/(?P<slot>{STEPS})\.json": "train_round",
        rf"{GENERATION}/try(?P<attempt>\d+)/slot(?P<rank>\d+)\.json": "train_branch",
        rf"{GENERATION}/try(?P<attempt>\d+)/plan\.json": "plan_try",
        rf"{GENERATION}/first_look\.json": "first_look",
        rf"{GENERATION}/(?P<step>cooled/\w+)\.json": "cool_down",
        rf"{GENERATION}/(?P<step>fresh/\w+)\.json": "train_fresh",
        r"final/(?:network|test|preprocessing)\.json": "finalize",
        r"final/summary\.json": "summarize_search",
        r"final/(?:errors|exports)\.json": "export_model",
        r"reference\.json": "train_reference",
        r"plots/checksums\.json": "plot_search",
    }.items()
}


@dataclass(frozen=True)
class OutdatedFile:
    """A file that does not fit the configuration, the code or the files that it was made from.

    Attributes:
        path: The file.
        reasons: Why; none if only files that it was made from are outdated.
    """

    path: Path
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutdatedFolder:
    """The outdated files of a dataset, or of a search with one seed."""

    folder: Path
    files: tuple[OutdatedFile, ...]

    @property
    def unknown(self) -> bool:
        """Whether no file says what it was made from."""
        return all(file.reasons == (UNKNOWN,) for file in self.files)

    def __str__(self) -> str:
        direct = [file for file in self.files if file.reasons]
        reasons = list(dict.fromkeys(reason for file in direct for reason in file.reasons))
        more = len(reasons) - MAX_REASONS
        listed = "; ".join([*reasons[:MAX_REASONS], *([f"{more} more"] if more > 0 else [])])
        first = (direct or list(self.files))[0].path.relative_to(self.folder)
        count = f"{len(self.files)} file" + "s" * (len(self.files) > 1)
        return (
            f"{self.folder}: {listed or 'made from outdated data'};"
            f" the run makes {first} again and what follows ({count})"
        )


class OutdatedFiles:
    """Finds the outdated files of a results folder.

    Args:
        config: The configuration to compare with. Of datasets and searches that it does not have,
            each file is only compared with those that it was made from.
        compare_code: Whether to compare with the code of this package; else the code that made the
            files of a search only has to be the same for all of them.
        complete: Whether the files that a file was made from have to be there; if one is missing,
            a run makes it again, and what follows.
    """

    def __init__(
        self, config: Config, *, compare_code: bool = True, complete: bool = False
    ) -> None:
        self.config = config
        self.results = Path(config.results)
        searches = Searches(config, existing_plans(self.results), lambda: None)
        self.jobs = JobDependencies(Parameters(searches))
        self.compare_code, self.complete = compare_code, complete
        self.known_files = {
            name: KnownFiles.of(self.results / DATA / name) for name in config.datasets
        }
        self.check = cache(self._check)
        self.open: set[Path] = set()
        self.content = cache(content_of)
        self.code: dict[tuple[tuple[str, ...], str], str] = {}  # by folder and stage

    def save_known_files(self) -> None:
        """Keep the checksums of data files, so that the next run need not read them."""
        for known in self.known_files.values():
            known.save()

    def find(self, runs: Sequence[tuple[str, int]] | None = None) -> list[OutdatedFolder]:
        """Find the outdated files of the configured datasets and of some searches.

        Args:
            runs: Search and seed of each; all that the folder has by default.
        """
        if runs is None:
            folders = sorted(self.results.glob(f"{DATA}/*"))
            folders += sorted(self.results.glob("[!_]*/seed*"))
        else:
            folders = [self.results / DATA / name for name in self.config.datasets]
            folders += [self.results / name / f"seed{seed}" for name, seed in runs]
        files = {folder: _in_order(folder) for folder in folders}
        files[self.results] = [self.results / SUMMARY]
        found = []
        for folder, paths in files.items():
            checked = map(self.check, paths)
            if outdated := tuple(filter(None, checked)):
                found.append(OutdatedFolder(folder, outdated))
        return found

    def _check(self, path: Path) -> OutdatedFile | None:
        """Check a file; what is missing or damaged is left to `netsurgery.storage.integrity`."""
        made = self._rule_of(path)
        if made is None:
            return None
        try:
            found = Dependencies.read(path)
        except (FileNotFoundError, DamagedFileError):
            return None
        if found is None:
            return OutdatedFile(path, (UNKNOWN,))
        self.open.add(path)  # no file was made from itself, but a spoilt one may say so
        follows = any(self.check(each) for each in found.inputs if each not in self.open)
        self.open.remove(path)
        if follows:
            return OutdatedFile(path)
        reasons = (*self._other_inputs(found), *self._differences(path, found, *made))
        return OutdatedFile(path, reasons) if reasons else None

    def _other_inputs(self, found: Dependencies) -> Iterator[str]:
        """Yield which files are not those that a file was made from."""
        for path, content in found.inputs.items():
            try:
                if self.content(path) != content:
                    yield f"made from another {path}"
            except FileNotFoundError:
                if self.complete:
                    yield f"{path} is missing"
            except DamagedFileError:
                pass

    def _rule_of(self, path: Path) -> tuple[str, SimpleNamespace] | None:
        """Return the rule that makes a file, and its wildcards; None for other files."""
        if not path.is_relative_to(self.results):
            return None
        parts = path.relative_to(self.results).parts
        if parts == (SUMMARY,):
            return "summarize_all", SimpleNamespace()
        if parts[0] == DATA:
            return "prepare_dataset", SimpleNamespace(dataset=parts[1])
        search, seed, name = parts[0], parts[1].removeprefix("seed"), "/".join(parts[2:])
        for pattern, rule in RULES.items():
            if matched := pattern.fullmatch(name):
                return rule, SimpleNamespace(search=search, seed=seed, **matched.groupdict())
        return None

    def _differences(
        self, path: Path, found: Dependencies, rule: str, wildcards: SimpleNamespace
    ) -> Iterator[str]:
        """Yield how a file differs from the configuration and from the code."""
        expected = self._expected(rule, wildcards)
        if expected is not None:
            for setting, there, here in found.changed_settings(expected):
                if setting == "files" and here is None:
                    continue  # another rule makes the files, or they are on another machine
                yield _describe(setting, there, here)
        if self.compare_code and expected is not None:
            for stage in found.changed_code(expected):
                yield f"the code of {stage} has changed" if stage != SHARED else SHARED_CODE
        if not self.compare_code:
            folder = path.relative_to(self.results).parts[:2]
            for stage, digest in found.code.items():
                if self.code.setdefault((folder, stage), digest) != digest:
                    yield f"not all files are of the same version of the code of {stage}"

    def _expected(self, rule: str, wildcards: SimpleNamespace) -> Dependencies | None:
        """Return what a file should depend on; None if the configuration does not tell."""
        if rule == "prepare_dataset":
            known = wildcards.dataset in self.config.datasets
        elif rule == "summarize_all":
            known = bool(self.config.searches)
        else:
            known = wildcards.search in self.config.searches
            if known and rule == PLAN:
                rule = JOBS[self.config.searches[wildcards.search].algorithm.name].plan_rule
        if known and rule == "prepare_dataset":
            return self._expected_data(rule, wildcards)
        try:
            return self.jobs.expected(rule, wildcards) if known else None
        except (AssertionError, LookupError, OSError, StopIteration, ValueError):
            return None  # of another algorithm, of a plan that is made again, or of a backup

    def _expected_data(self, rule: str, wildcards: SimpleNamespace) -> Dependencies:
        """Return what a prepared dataset should depend on, with what its files hold now."""
        name = wildcards.dataset
        settings = self.config.datasets[name].settings
        files = datasets.content_of_files(settings, self.known_files[name])
        return self.jobs.expected(rule, wildcards).with_settings(files=files)


def _in_order(folder: Path) -> list[Path]:
    """List the JSON files of a dataset or search in the order in which they are made.

    Files that one is made from come before it or are of the same generation.
    """
    order = ("split.json", "generation", "final", "plots")

    def place(path: Path) -> tuple[int, int, str]:
        first = path.relative_to(folder).parts[0]
        known = (i for i, name in enumerate(order) if first.startswith(name))
        number = first.removeprefix("generation")
        return next(known, len(order)), int(number) if number.isdecimal() else 0, str(path)

    return sorted(json_files(folder), key=place)


def _describe(setting: str, there: Any, here: Any) -> str:
    """Say how a setting of a file differs from that of the configuration."""
    if setting == "searches":
        return "it is of other searches"
    if setting == "files":
        return "its files hold other data"
    if setting.partition(".")[0] in FROM_PLANS:
        return "another plan"
    if there is MISSING:
        return f"{setting} is {json.dumps(here)} in the configuration, and not known there"
    if here is MISSING:
        return f"{setting} is {json.dumps(there)} there, and not set in the configuration"
    return f"{setting} is {json.dumps(there)} there, {json.dumps(here)} in the configuration"
