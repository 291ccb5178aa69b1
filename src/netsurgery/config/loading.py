"""Loading a configuration: checked, completed with defaults, expanded and scaled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netsurgery.config.dataset_section import load_datasets
from netsurgery.config.errors import error_at
from netsurgery.config.model import Config, Search
from netsurgery.config.paths import expand_paths, results_folder
from netsurgery.config.schema import check_scalars, fill_defaults, read_schema, validate
from netsurgery.config.search_section import load_searches
from netsurgery.config.topology_section import write_out
from netsurgery.objectives.suggestions import suggest
from netsurgery.tracking import uri


def load(given: Mapping[str, Any], schema_path: Path, *, data_exists: bool = True) -> Config:
    """Check a configuration and complete it.

    Args:
        given: As read from YAML.
        schema_path: The JSON schema, in YAML, that holds all keys and their defaults.
        data_exists: Whether data files have to exist; another workflow may make them later.

    Raises:
        ConfigError: One line that names the first invalid key or value and what is allowed.
    """
    schema, entries = read_schema(schema_path)
    check_scalars(given)
    given = write_out(expand_paths(given))
    validate(given, schema)
    top = {key: given.get(key, rule.get("default")) for key, rule in schema["properties"].items()}
    datasets = load_datasets(given, entries["datasets"], exist=data_exists)
    searches = load_searches(given, entries["searches"], datasets, top["scale"])
    tracking = fill_defaults(
        schema["properties"]["tracking"]["properties"], given.get("tracking", {})
    )
    _check_uri(tracking.get("uri"))
    return Config(
        results=results_folder(top["results"]),
        datasets=datasets,
        searches=searches,
        tracking=tracking,
        scale=top["scale"],
        cores_per_search=top["cores_per_search"],
        only_run=_only_run(top["only_run"], searches),
        use_gpu=top["use_gpu"],
        jobs_per_gpu=top["jobs_per_gpu"],
    )


def _check_uri(given: str | None) -> None:
    """Refuse a URI that MLflow cannot use or that holds a password.

    Raises:
        ConfigError: Naming the reason.
    """
    try:
        if given is not None:
            uri.check(given)
    except ValueError as error:
        raise error_at(["tracking", "uri"], str(error)) from None


def _only_run(given: str | None, searches: Mapping[str, Search]) -> tuple[str, int] | None:
    """Return the search and seed of `only_run`.

    Raises:
        ConfigError: There is no such search, or it does not run with this seed.
    """
    if given is None:
        return None
    name, _, seed = given.partition("/")
    if name not in searches:
        raise error_at(["only_run"], f"unknown search {name!r}{suggest(name, searches)}")
    seeds = searches[name].seeds
    if int(seed) not in seeds:
        message = f"search {name!r} does not run with seed {seed} (its seeds: {seeds})"
        raise error_at(["only_run"], message)
    return name, int(seed)
