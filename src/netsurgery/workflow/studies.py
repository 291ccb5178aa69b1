"""The networks that the studies of surgery look at."""

from __future__ import annotations

from collections.abc import Iterable

from netsurgery.config.model import Config

POOLING, SURGERY, IMMEDIATE = "pooling", "surgery", "surgery-immediate"


def study_runs(config: Config, study: str) -> list[tuple[str, int]]:
    """Return search and seed of each network of a study: the baselines of the configuration.

    The pooling trials look at bare convolutions, which no topology of the papers' searches has.
    """
    baselines = [
        (name, seed) for name, seed in config.runs if not config.searches[name].algorithm.searches
    ]
    if study != POOLING:
        return baselines
    return [
        (name, seed)
        for name, seed in baselines
        if any("conv" in layer for layer in config.searches[name].layers)
    ]


def study_rows(config: Config, study: str) -> list[str]:
    """List the files that the jobs of a study write, one per network."""
    return [
        f"{config.results}/_studies/{study}/{name}/seed{seed}/rows.json"
        for name, seed in study_runs(config, study)
    ]


def paper_inputs(config: Config, papers: Iterable[str]) -> list[str]:
    """List what the tables of papers wait for, apart from their searches."""
    pooling = "ectonas" in papers and bool(study_runs(config, POOLING))
    return [f"{config.results}/_studies/{POOLING}/summary.csv"] if pooling else []
