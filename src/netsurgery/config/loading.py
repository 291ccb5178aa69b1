"""The configuration: defaults, expansion of lists, and one clear line for whatever is wrong."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jsonschema
import yaml

from netsurgery import datasets
from netsurgery.config.scaling import scaled
from netsurgery.datasets.builtin import NAMED as NAMED_DATASETS
from netsurgery.networks import topologies
from netsurgery.objectives import objectives
from netsurgery.objectives.suggestions import suggest
from netsurgery.search import scores
from netsurgery.tracking import uri

MAX_RUNS_IN_ONE_DAG = (
    20  # searches and seeds in one graph, from which on a job costs noticeably more
)
EXPANDING = ("dataset", "topology", "mode", "greediness")  # in the order they add to a name
TRAINING = (
    "optimizer",
    "learning_rate",
    "momentum",
    "batch_size",
    "dtype_policy",
    "loss",
    "extra_metrics",
    "class_weights",
    "augmentation",
    "objective",
    "score_window",
)
SPLITTING = ("validation_fraction", "test_fraction", "subset_fraction", "min_subset_size")
CHOOSING = ("objective", "mode", "greediness", "score_window")
OPERATING = ("removal_rule", "calibration_samples", "copy_noise")
BREEDING = (
    "round_epochs",
    "rounds",
    "parents",
    "recuperation",
    "units_change_fraction",
    "min_units_change",
    "channels_change",
    "pooling",
    "max_parameters",
    "max_growth",
)
# what a decision point of the Surgeon knows; not what ends the search, which it is told bit by bit
DECIDING = (
    "relative_threshold",
    "absolute_threshold",
    "tie_break",
    "max_parameters",
    "mode",
    "branches",
    "max_redraws",
    "on_no_improvement",
    "recuperation_batches",
    "recuperation_factors",
    "selection",
    "top_k",
    "add_random_candidate",
)


class ConfigError(ValueError):
    """The configuration is wrong; the message is one line that names the key."""


@dataclass(frozen=True)
class Search:
    """A search with all its settings; it runs once per seed."""

    name: str
    settings: Mapping[str, Any]
    layers: list[dict[str, Any]]  # the hidden ones of the starting topology

    @property
    def algorithm(self) -> str:
        """Its algorithm: ectonas, surgeon or baseline."""
        return self.settings["algorithm"]

    @property
    def seeds(self) -> list[int]:
        """The seeds it runs with."""
        return self.settings["seeds"]

    @property
    def first_epochs(self) -> int:
        """Epochs that the starting topology is trained: the warm-up, or all of a baseline."""
        if self.algorithm == "baseline":
            return self.settings["epochs"]
        limits = (self.settings.get(key, math.inf) for key in ("budget", "epochs"))
        return int(min(self.settings["warm_up_epochs"], *limits))

    @property
    def output_activation(self) -> str:
        """The activation of its output layer, where that tells classes apart."""
        return "linear" if self.settings["topology"] in topologies.WITH_LOGITS else "softmax"

    @property
    def final_mode(self) -> str:
        """How the final candidate is selected (see `netsurgery.search.scores.winner`)."""
        if self.algorithm == "surgeon":
            return scores.COMPOSITE
        return self.settings.get("mode", scores.GREEDY)

    def pick(self, names: Iterable[str]) -> dict[str, Any]:
        """Some of the settings."""
        return {name: self.settings[name] for name in names}


@dataclass(frozen=True)
class Dataset:
    """A dataset and where it comes from."""

    name: str
    settings: dict[str, Any]

    @property
    def task(self) -> str:
        """Classification or regression."""
        return datasets.task_of(self.settings)


@dataclass(frozen=True)
class Config:
    """A whole configuration, checked and complete."""

    results: str
    datasets: Mapping[str, Dataset]
    searches: Mapping[str, Search]
    tracking: Mapping[str, Any]
    scale: float = 1.0
    cores_per_search: int | None = None  # what `cores_apart` gives, where it is not left to that
    only_run: tuple[str, int] | None = None  # the one search and seed to run
    use_gpu: int = 0  # what a training step asks the scheduler for
    jobs_per_gpu: int = 1  # training steps at once on one GPU

    @property
    def runs(self) -> list[tuple[str, int]]:
        """Each search with each of its seeds, or the one asked for."""
        every = [(search.name, seed) for search in self.searches.values() for seed in search.seeds]
        return every if self.only_run is None else [self.only_run]

    def cores_apart(self, cores: int | None) -> int:
        """Cores for each search and seed as a run of its own; 0: all in one graph.

        Where the configuration leaves it open, many searches go apart: in one graph what a job
        costs, and what the workflow holds, grows with their number.

        Args:
            cores: that the run may use on this machine; None: its jobs go to a cluster.
        """
        if self.only_run is not None:
            return 0
        if self.cores_per_search is not None:
            return self.cores_per_search
        return (
            max(1, cores // len(self.runs)) if cores and len(self.runs) > MAX_RUNS_IN_ONE_DAG else 0
        )


def _line(where: Iterable[Any], message: str) -> ConfigError:
    place = ".".join(map(str, where))
    return ConfigError(
        " ".join(f"config: {place}: {message}".replace("config: :", "config:").split())
    )


def _explain(error: jsonschema.ValidationError) -> ConfigError:
    """One line for an error of the schema, with what would be right."""
    where, rule = list(error.absolute_path), cast(Any, error.validator_value)
    value = cast(Any, error.instance)
    schema = cast(dict[str, Any], error.schema)
    meaning = f" ({schema['description']})" if "description" in schema else ""
    match error.validator:
        case "additionalProperties":
            known = schema.get("properties", {})
            unknown = min(key for key in value if key not in known)
            return _line([*where, unknown], f"unknown key{suggest(unknown, known)}")
        case "required":
            missing = next(key for key in rule if key not in value)
            return _line([*where, missing], f"is missing; needed here: {', '.join(rule)}")
        case "enum":
            return _line(where, f"{value!r} is unknown{suggest(value, rule)}")
        case "pattern" if meaning:
            return _line(where, f"{value!r} is no {meaning.strip(' ()')}")
        case "pattern":
            right = "search/seed" if where == ["only_run"] else "letters, digits, - and _ only"
            return _line(where, f"{value!r} is no name: {right}")
        case "type":
            kinds = [rule] if isinstance(rule, str) else rule
            named = " or ".join(f"an {k}" if k[0] in "aio" else f"a {k}" for k in kinds)
            return _line(where, f"{value!r} is not {named}{meaning}")
        case "minItems" | "minProperties" | "minLength":
            return _line(where, f"is empty{meaning}")
        case "maxProperties":
            return _line(where, f"{value!r} has more than {rule} key{meaning}")
        case _:
            return _line(where, f"{error.message}{meaning}")


def _check_numbers(value: Any, where: tuple[Any, ...] = ()) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise _line((*where, key), f"the key {key!r} is not text; put it in quotes")
            _check_numbers(item, (*where, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _check_numbers(item, (*where, i))
    elif isinstance(value, float) and not math.isfinite(value):
        raise _line(where, f"{value} is not a finite number")


def _defaults(properties: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, and the schema's defaults where there are none, nested ones too."""
    filled = dict(given)
    for key, schema in properties.items():
        if "default" in schema:
            filled.setdefault(key, schema["default"])
        if "properties" in schema and key in filled:
            filled[key] = _defaults(schema["properties"], filled[key])
    return filled


def _expand(name: str, given: Any) -> Iterator[tuple[str, Any]]:
    """One search per combination of listed values; each list adds its value to the name."""
    if not isinstance(given, Mapping):
        yield name, given  # wrong, as the schema will say
        return
    if isinstance(given.get("seeds"), int):
        given = {**given, "seeds": [given["seeds"]]}
    listed = [key for key in EXPANDING if isinstance(given.get(key), list)]
    for key in listed:
        if not given[key]:
            raise _line(["searches", name, key], "the list is empty")
        if len({str(value) for value in given[key]}) < len(given[key]):
            raise _line(["searches", name, key], f"{given[key]} names a value twice")
    done = set()
    for values in itertools.product(*(given[key] for key in listed)):
        search = dict(given) | dict(zip(listed, values, strict=True))
        # greediness belongs to the balanced mode: in a list of modes the others go without it
        aside = isinstance(given.get("mode"), list) and search["mode"] != "balanced"
        if aside:
            search.pop("greediness", None)
        parts = [str(search[key]) for key in listed if key in search]
        full = ".".join([name, *parts])
        if full not in done:
            done.add(full)
            yield full, search


def _check_dataset(name: str, settings: dict[str, Any]) -> Dataset:
    """What the schema cannot say.

    Raises:
        ConfigError: naming the key.
    """
    original = settings.get("excerpt_of", "digits")
    if original not in NAMED_DATASETS:
        message = f"{original!r} is unknown{suggest(original, NAMED_DATASETS)}"
        raise _line(["datasets", name, "excerpt_of"], message)
    folder = settings["source"] in ("image_folder", "npy")
    for key, path in datasets.paths(settings).items():
        if set("{}") & set(str(path)):
            raise _line(["datasets", name, key], f"'{path}' has braces, which mean something here")
        if not path.exists():
            raise _line(["datasets", name, key], f"'{path}' is not there")
        if path.is_dir() != folder:
            raise _line(["datasets", name, key], f"'{path}' is {'no' if folder else 'a'} folder")
    return Dataset(name, settings)


def _check_search(
    name: str,
    search: Mapping[str, Any],
    own: Mapping[str, Any],
    known_datasets: Mapping[str, Dataset],
) -> list[dict[str, Any]]:
    """What the schema cannot say; gives the hidden layers of the starting topology.

    Raises:
        ConfigError: naming the key.
    """
    where = ["searches", name]
    dataset_names = {**NAMED_DATASETS, **known_datasets}
    topology_names = {**dict.fromkeys(topologies.NAMED), **own}
    for key, known in (("dataset", dataset_names), ("topology", topology_names)):
        if search[key] not in known:
            raise _line([*where, key], f"{search[key]!r} is unknown{suggest(search[key], known)}")
    if "greediness" in search and search.get("mode", "greedy") != "balanced":
        raise _line([*where, "greediness"], "goes with mode: balanced only")
    hidden = own.get(search["topology"]) or topologies.named(search["topology"])
    if search["algorithm"] == "surgeon" and any("dense" not in layer for layer in hidden):
        message = f"{search['topology']!r} has conv cells; the Surgeon takes dense layers only"
        raise _line([*where, "topology"], message)
    dataset = known_datasets[search["dataset"]]
    if search["algorithm"] == "surgeon" and dataset.task != "classification":
        message = f"{dataset.name} is {dataset.task}; the Surgeon is for classification"
        raise _line([*where, "dataset"], message)
    try:
        logits = search["topology"] in topologies.WITH_LOGITS
        objectives.check(search, dataset.task, logits=logits)
    except objectives.MisfitError as misfit:
        raise _line([*where, *misfit.where], str(misfit)) from None
    if search.get("class_weights", "none") != "none" and dataset.task != "classification":
        raise _line([*where, "class_weights"], f"goes not with {dataset.task} (allowed: none)")
    flat = datasets.is_flat(dataset.settings)
    if search.get("augmentation", "none") != "none" and flat:
        raise _line([*where, "augmentation"], f"needs images; {dataset.name} has rows of features")
    try:
        topologies.build(hidden, (1,) if flat else (1, 1, 1), 2)
    except ValueError as error:
        raise _line(["topologies", search["topology"]], str(error)) from None
    return hidden


def _datasets(
    given: Mapping[str, Any], schema: Mapping[str, Any], grammar: Mapping[str, Any]
) -> dict[str, Dataset]:
    """The user's datasets, and those built-in ones that searches name; settings add to theirs.

    Raises:
        ConfigError: naming the key.
    """
    own = given.get("datasets", {})
    chosen = [
        s["dataset"]
        for s in given["searches"].values()
        if isinstance(s, Mapping) and "dataset" in s
    ]
    named = {
        str(name) for names in chosen for name in (names if isinstance(names, list) else [names])
    }
    found = {}
    for name in sorted(own.keys() | (named & NAMED_DATASETS.keys())):
        settings = own.get(name, {})
        if name in NAMED_DATASETS and isinstance(settings, Mapping):
            if "source" in settings:
                raise _line(["datasets", name], "is the name of a built-in dataset; take another")
            settings = {**NAMED_DATASETS[name], **settings}
        _validate(settings, grammar, ("datasets", name))
        properties = schema["$defs"][settings["source"]]["properties"]
        found[name] = _check_dataset(name, _defaults(properties, settings))
    return found


def load(given: Mapping[str, Any], schema_path: Path) -> Config:
    """Check a configuration and complete it.

    Args:
        given: as read from YAML.
        schema_path: the JSON schema, in YAML, that holds the grammar and the defaults.

    Raises:
        ConfigError: one line that names the first wrong key or value and what would be right.
    """
    schema = yaml.load(schema_path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    _check_numbers(given)
    each = {
        section: {
            **schema["properties"][section].pop("additionalProperties"),
            "$defs": schema["$defs"],
        }
        for section in ("datasets", "searches")
    }
    _validate(given, schema)  # all but these two, which are completed first
    known = _datasets(given, schema, each["datasets"])
    own = given.get("topologies", {})
    for name in own.keys() & topologies.NAMED.keys():
        raise _line(["topologies", name], "is the name of a built-in topology; take another")
    complete, scale = {}, given.get("scale", schema["properties"]["scale"]["default"])
    for name, listed in given["searches"].items():
        for full, search in _expand(name, listed):
            _validate(search, each["searches"], ("searches", full))
            layers = _check_search(full, search, own, known)
            properties = schema["$defs"][search["algorithm"]]["properties"]
            settings = _defaults(properties, search)
            objectives.complete(settings, known[search["dataset"]].task)
            if settings.get("mode") != "balanced":
                settings["greediness"] = 1.0
            complete[full] = Search(full, scaled(settings, scale), layers)
    whole = {key: given.get(key, rule.get("default")) for key, rule in schema["properties"].items()}
    tracking = _defaults(schema["properties"]["tracking"]["properties"], given.get("tracking", {}))
    _check_store(tracking.get("uri"))
    only = _only(whole["only_run"], complete)
    plain = (whole[key] for key in ("use_gpu", "jobs_per_gpu"))
    return Config(
        whole["results"], known, complete, tracking, scale, whole["cores_per_search"], only, *plain
    )


def _check_store(store: str | None) -> None:
    """Refuse what is no tracking store, or names one with its password.

    Raises:
        ConfigError: which.
    """
    try:
        if store is not None:
            uri.check(store)
    except ValueError as error:
        raise _line(["tracking", "uri"], str(error)) from None


def _only(chosen: str | None, searches: Mapping[str, Search]) -> tuple[str, int] | None:
    """The one search and seed to run.

    Raises:
        ConfigError: there is no such search, or not with this seed.
    """
    if chosen is None:
        return None
    name, _, seed = chosen.partition("/")
    if name not in searches:
        raise _line(["only_run"], f"{name!r} is no search{suggest(name, searches)}")
    if int(seed) not in searches[name].seeds:
        raise _line(
            ["only_run"], f"{name} has no seed {seed}; its seeds are {searches[name].seeds}"
        )
    return name, int(seed)


def _validate(value: Any, schema: Mapping[str, Any], where: tuple[str, ...] = ()) -> None:
    validator = jsonschema.Draft202012Validator(schema)

    def order(error: jsonschema.ValidationError) -> tuple[list[str], bool, str]:
        # an unknown key may be the misspelt one that another error misses
        known = error.validator != "additionalProperties"
        return list(map(str, error.absolute_path)), known, error.message

    errors = sorted(validator.iter_errors(value), key=order)
    if errors:
        first = errors[0]
        first.path.extendleft(reversed(where))
        raise _explain(first)
