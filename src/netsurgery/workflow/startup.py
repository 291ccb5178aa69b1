"""Reading the configuration when Snakemake parses the workflow."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from netsurgery.config.duplicates import check_keys
from netsurgery.config.errors import ConfigError
from netsurgery.config.loading import load
from netsurgery.config.model import Config
from netsurgery.processes.devices import JOBS_PER_GPU

PAPERS = ("ectonas", "surgeon")
REQUESTED = "NETSURGERY_PAPERS"  # the requested papers, for Snakemake runs of a cluster's jobs
SNAKEFILE = "NETSURGERY_SNAKEFILE"


def set_environment(source: Path, snakefile: Path) -> None:
    """Let jobs use this package and the Python that runs Snakemake.

    Args:
        source: The folder that holds the package.
        snakefile: The Snakefile of this workflow, which runs of single searches use.
    """
    _put_first("PYTHONPATH", source)
    _put_first("PATH", Path(sys.executable).parent)
    os.environ[SNAKEFILE] = str(snakefile)


def _put_first(variable: str, folder: Path) -> None:
    """Put a folder first in a search path, once, however often the workflow is parsed."""
    others = os.environ.get(variable, "").split(os.pathsep)
    kept = [each for each in others if each and each != str(folder)]
    os.environ[variable] = os.pathsep.join([str(folder), *kept])


def requested_papers(arguments: Sequence[str], environment: MutableMapping[str, str]) -> list[str]:
    """Return the papers whose targets (`paper_ectonas`, `paper_surgeon`) the user requests.

    Snakemake parses the workflow before it knows its targets, so the command line has to tell. The
    jobs of a cluster have other targets; the environment tells them. In a module a target may have
    a prefix.
    """
    papers = [
        paper for paper in PAPERS if any(each.endswith(f"paper_{paper}") for each in arguments)
    ]
    papers = papers or environment.get(REQUESTED, "").split()
    environment[REQUESTED] = " ".join(papers)
    return papers


def merge(*configs: Mapping[str, Any]) -> dict[str, Any]:
    """Merge configurations key by key; later values replace earlier ones."""
    merged: dict[str, Any] = {}
    for config in configs:
        for key, value in config.items():
            old = merged.get(key)
            if isinstance(old, Mapping) and isinstance(value, Mapping):
                merged[key] = merge(old, value)
            else:
                merged[key] = value
    return merged


def default_config(folder: Path, papers: Iterable[str]) -> dict[str, Any]:
    """Read the searches of the requested papers, else those of `config.yaml`.

    Args:
        folder: The folder `config` of the checkout.
        papers: The requested papers.
    """
    names = [f"papers/{paper}" for paper in papers] or ["config"]
    files = [folder / f"{name}.yaml" for name in names]
    check_or_exit(files)
    return merge(*(yaml.safe_load(file.read_text(encoding="utf-8")) for file in files))


def complete_config(
    given: Mapping[str, Any], folder: Path, papers: Iterable[str]
) -> dict[str, Any]:
    """Fill what the user leaves out; their searches replace the default ones."""
    return ({} if "searches" in given else default_config(folder, papers)) | dict(given)


@contextlib.contextmanager
def _exit_if_invalid() -> Iterator[None]:
    """Exit with one line on standard error if the configuration is invalid."""
    try:
        yield
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def check_or_exit(files: Iterable[Path]) -> None:
    """Check that configuration files give each key once.

    Raises:
        SystemExit: One gives a key twice; a line on standard error names it.
    """
    with _exit_if_invalid():
        for file in files:
            check_keys(file)


def _obstacle(folder: Path) -> str | None:
    """Say why nothing can be written into a folder, which may not be there yet; None if it can."""
    nearest = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    if not nearest.exists():
        return f"{nearest}: is a link to {os.readlink(nearest)}, which does not exist"
    if not nearest.is_dir():
        return f"{nearest}: is a file; results need a folder"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"{nearest}: cannot be written to"
    return None


def load_or_exit(
    given: Mapping[str, Any],
    schema: Path,
    *,
    place: Callable[[str], str] = str,
    data_exists: bool = True,
) -> Config:
    """Check the configuration and where its results go.

    Args:
        given: The configuration.
        schema: See `netsurgery.config.loading.load`.
        place: Gives the folder of results in a module that has a prefix.
        data_exists: Whether data files have to exist, because no rule of this run makes them.

    Raises:
        SystemExit: One of them is invalid; a line on standard error says why.
    """
    with _exit_if_invalid():
        config = load(given, schema, data_exists=data_exists)
        config = replace(config, results=place(config.results))
    for folder in (Path(config.results), Path(".snakemake")):
        if obstacle := _obstacle(folder):
            print(obstacle, file=sys.stderr)
            sys.exit(1)
    os.environ[JOBS_PER_GPU] = str(config.jobs_per_gpu)
    return config


def any_of(names: Iterable[str]) -> str:
    """Return a pattern that matches these names; without names, one that matches nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"
