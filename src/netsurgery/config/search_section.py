"""The `searches` section: checks that the schema cannot make, and defaults that depend on data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery import datasets
from netsurgery.config.errors import error_at
from netsurgery.config.expansion import expand
from netsurgery.config.model import Dataset, Search
from netsurgery.config.names import check_name
from netsurgery.config.scaling import scale_settings
from netsurgery.config.schema import fill_defaults, validate
from netsurgery.config.starting_models import OF_OPTIMIZER, StartingModel, is_path
from netsurgery.config.starting_models import read as read_model
from netsurgery.config.topology_section import Entries, load_topologies
from netsurgery.datasets.augmentation import AUTO, NONE, OF_IMAGES, SHIFT, SIXFOLD, random_changes
from netsurgery.datasets.builtin import BUILTIN_DATASETS
from netsurgery.datasets.piecewise import PIECEWISE_LINEAR, SCALED
from netsurgery.networks import topologies
from netsurgery.networks.layers import input_parts
from netsurgery.networks.topology import Topology
from netsurgery.objectives import checks, keras_catalog
from netsurgery.objectives.keras_catalog import OPTIMIZERS, SGD
from netsurgery.objectives.suggestions import suggest
from netsurgery.objectives.tasks import TASKS
from netsurgery.search.algorithm import Algorithm, UnsuitableSettingError
from netsurgery.search.algorithms import algorithm_of
from netsurgery.search.selection import SelectionMode
from netsurgery.search.size_limit import SizeLimits, why_no_start
from netsurgery.storage.canonical import with_whole_numbers
from netsurgery.storage.settings import from_settings
from netsurgery.surgery.settings import Growth


def load_searches(
    given: Mapping[str, Any],
    schema: Mapping[str, Any],
    known_datasets: Mapping[str, Dataset],
    scale: float,
) -> dict[str, Search]:
    """Expand, check, complete and scale the searches of a configuration.

    Args:
        given: The whole configuration.
        schema: The schema of one search.
        known_datasets: The datasets that searches may name.
        scale: See `netsurgery.config.scaling`.

    Raises:
        ConfigError: Naming the key.
    """
    own_topologies = load_topologies(given)
    found = {}
    for name, listed in given["searches"].items():
        for full, given_search in expand(name, listed):
            check_name(["searches"], full)
            search = with_whole_numbers(given_search)
            if isinstance(search, Mapping):
                search = _choices(search, schema, known_datasets) | dict(search)
            validate(search, schema, ("searches", full))
            where = ("searches", full, "topology")
            model = read_model(search["topology"], where) if is_path(search["topology"]) else None
            search = search if model is None else model.with_compilation(search)
            search = _with_seed_per_fold(search, schema, ("searches", full))
            layers = _check(full, search, own_topologies, known_datasets, model)
            properties = schema["$defs"][search["algorithm"]]["properties"]
            algorithm, dataset = algorithm_of(search), known_datasets[search["dataset"]]
            flat = datasets.is_flat(dataset.settings) is True
            defaults = _defaults(algorithm, dataset.task, search, flat)
            if given.get("use_gpu"):
                defaults = {**defaults, "batch_parts": 1}  # more are no faster there
            if model is not None and "default" in properties["numbers"]:
                defaults = {**defaults, "numbers": SCALED}  # as it takes them
            filled = fill_defaults(properties, {**defaults, **search})
            settings = {**filled, **algorithm.fixed_settings}
            checks.fill_task_defaults(settings, dataset.task)
            if settings.get("mode") != SelectionMode.BALANCED:
                settings["greediness"] = 1.0
            found[full] = Search(full, scale_settings(settings, scale), layers, model)
    return found


def _defaults(
    algorithm: Algorithm, task: str, search: Mapping[str, Any], flat: bool
) -> dict[str, Any]:
    """The defaults of an algorithm for a task, without an optimizer if the search sets one.

    The settings of an optimizer go together: another optimizer has another learning rate, by
    default that of Keras.

    Args:
        algorithm: of the search.
        task: of its dataset.
        search: its settings.
        flat: whether samples are rows of features.
    """
    kinds = [(algorithm.task_defaults, algorithm.recipes)]
    if flat:
        kinds.append((algorithm.row_defaults, algorithm.row_recipes))
    found: dict[str, Any] = {}
    for plain, recipes in kinds:
        found |= plain.get(task, {})
        if search.keys().isdisjoint(OF_OPTIMIZER):
            found |= recipes.get(task, {})
    rate = search.get("learning_rate") or _rate_of(search.get("optimizer", SGD), algorithm)
    if rate is not None:
        found |= {"learning_rate": rate, **algorithm.defaults_of_rate(rate)}
    return found


def _rate_of(optimizer: keras_catalog.Setting, algorithm: Algorithm) -> float | None:
    """The learning rate that follows from Keras's; None for sgd, whose rate is the algorithm's."""
    name, _ = keras_catalog.split_setting(optimizer)
    if name == SGD:
        return None
    rate = keras_catalog.find(OPTIMIZERS, name).learning_rate
    return None if rate is None else algorithm.keras_rates * rate


def _with_seed_per_fold(
    search: Mapping[str, Any], schema: Mapping[str, Any], where: tuple[str, ...]
) -> Mapping[str, Any]:
    """The search with a seed for each fold: those that follow a single one.

    Raises:
        ConfigError: There are other numbers of seeds than folds, or a multiple of them.
    """
    folds = search.get("folds")
    if folds is None:
        return search
    seeds = search.get("seeds", schema["$defs"]["common"]["seeds"]["default"])
    if len(seeds) == 1:
        seeds = list(range(seeds[0], seeds[0] + folds))
    elif len(seeds) % folds:
        message = (
            f"there are {len(seeds)} seeds for {folds} folds; give one, whose successors are then "
            f"added, or {folds}, or a multiple of it"
        )
        raise error_at([*where, "seeds"], message)
    return {**search, "seeds": seeds}


def _choices(
    search: Mapping[str, Any], schema: Mapping[str, Any], known_datasets: Mapping[str, Dataset]
) -> dict[str, Any]:
    """What a search that names only its dataset is: an algorithm and a start that fit the data."""
    dataset = known_datasets.get(str(search.get("dataset")))
    flat = dataset is not None and datasets.is_flat(dataset.settings)
    topology = topologies.START_OF_ROWS if flat else topologies.START_OF_IMAGES
    return {"algorithm": schema["properties"]["algorithm"]["default"], "topology": topology}


def _check(
    name: str,
    search: Mapping[str, Any],
    own_topologies: Mapping[str, Entries],
    known_datasets: Mapping[str, Dataset],
    model: StartingModel | None,
) -> Entries:
    """Check what the schema cannot; return the entries of the starting topology.

    There are none if the search starts from a user's model.

    Raises:
        ConfigError: Naming the key.
    """
    where = ["searches", name]
    dataset_names = {**BUILTIN_DATASETS, **known_datasets}
    topology_names = {**topologies.NAMED, **own_topologies}
    for key, known in (("dataset", dataset_names), ("topology", topology_names)):
        if search[key] not in known and not (key == "topology" and model):
            message = f"unknown {key} {search[key]!r}{suggest(search[key], known)}"
            raise error_at([*where, key], message)
    if "greediness" in search and search.get("mode") != SelectionMode.BALANCED:
        raise error_at([*where, "greediness"], "applies to mode: balanced only; remove it")
    dataset = known_datasets[search["dataset"]]
    if model is None:
        hidden = own_topologies.get(search["topology"]) or topologies.named(search["topology"])
        logits = search["topology"] in topologies.WITH_LOGITS
    else:
        hidden, logits = [], model.has_logits
    _check_algorithm(where, search, model.kinds if model else hidden, dataset)
    try:
        checks.check(search, dataset.task, logits=logits)
        algorithm_of(search).check_settings(search)
    except checks.SettingError as error:
        raise error_at([*where, *error.where], str(error)) from None
    _check_data(where, search, dataset)
    _check_growth(where, search)
    if model is None:
        _check_start(where, search, hidden, dataset)
    else:
        _check_model(where, search, model, dataset)
    return hidden


def _check_algorithm(
    where: list[str], search: Mapping[str, Any], hidden: Entries, dataset: Dataset
) -> None:
    """Check that the algorithm can take the topology and the dataset."""
    try:
        algorithm_of(search).check(hidden, dataset.task)
    except UnsuitableSettingError as error:
        raise error_at([*where, error.key], f"{search[error.key]!r} {error}") from None


def _check_start(
    where: list[str], search: Mapping[str, Any], hidden: Entries, dataset: Dataset
) -> None:
    """Check the starting topology as far as the shape of the samples is known."""
    shape, outputs = datasets.known_shape(dataset.settings)
    inputs = input_parts(datasets.known_inputs(dataset.settings))
    axes = 2 if datasets.is_series(dataset.settings) else 3
    smallest = (1,) if datasets.is_flat(dataset.settings) else (1,) * axes
    smallest = (inputs[-1].stop,) if inputs else smallest
    fewest = TASKS[dataset.task].fewest_outputs
    try:
        start = topologies.build(hidden, shape or smallest, outputs or fewest, inputs=inputs)
    except ValueError as error:
        raise error_at(["topologies", search["topology"]], str(error)) from None
    unknown = shape is None or outputs is None
    _check_limits(where, search, start, smallest=unknown)


def _check_model(
    where: list[str], search: Mapping[str, Any], model: StartingModel, dataset: Dataset
) -> None:
    """Check a user's model as far as the data are known."""
    shape, outputs = datasets.known_shape(dataset.settings)
    scaling, inputs = dataset.settings.get("scaling"), datasets.known_inputs(dataset.settings)
    reason = model.why_unsuitable(shape, outputs, dataset.task, dataset.name, scaling, inputs)
    if reason:
        raise error_at([*where, "topology"], f"'{model.path}' {reason}")
    if search.get("numbers", SCALED) != SCALED:
        raise error_at(
            [*where, "numbers"],
            f"{search['numbers']} changes the inputs, of which '{model.path}' takes one for each"
            f" number (allowed: {SCALED})",
        )
    algorithm = algorithm_of(search)
    if algorithm.trains_anew and (kept := model.kept_layer):
        raise error_at(
            [*where, "topology"],
            f"'{model.path}' has {kept}, whose weights surgery keeps as they are; {algorithm.title}"
            " trains its final network from fresh weights: take another algorithm",
        )
    _check_limits(where, search, model.topology)


def _check_limits(
    where: list[str], search: Mapping[str, Any], start: Topology, *, smallest: bool = False
) -> None:
    if found := why_no_start(start, from_settings(SizeLimits, search), smallest=smallest):
        key, reason = found
        raise error_at([*where, key], reason)


def _check_growth(where: list[str], search: Mapping[str, Any]) -> None:
    """Check that noise is asked for only where there are copies."""
    if search.get("growth") == Growth.ZEROS and search.get("copy_noise"):
        message = f"{search['copy_noise']} needs copies, but growth is zeros (allowed: 0)"
        raise error_at([*where, "copy_noise"], message)


def _check_data(where: list[str], search: Mapping[str, Any], dataset: Dataset) -> None:
    """Check the settings that need classes or images, or samples to divide."""
    if "folds" in search and "test_path" in dataset.settings:
        message = (
            f"{dataset.name!r} has test samples of its own (`test_path`), so that there are none "
            f"to divide; remove one of them"
        )
        raise error_at([*where, "folds"], message)
    flat, series = datasets.is_flat(dataset.settings), datasets.is_series(dataset.settings)
    several = bool(datasets.known_inputs(dataset.settings))
    if search.get("numbers") == PIECEWISE_LINEAR and (flat is False or several):
        found = "several inputs" if several else "series" if series else "images"
        message = f"{PIECEWISE_LINEAR} needs rows of features, but {dataset.name!r} has {found}"
        raise error_at([*where, "numbers"], f"{message} (allowed: {SCALED}, {AUTO})")
    weights, augmentation = (search.get(key, "none") for key in ("class_weights", "augmentation"))
    if weights != "none" and not TASKS[dataset.task].has_classes:
        message = f"{weights!r} needs classes, but {dataset.name!r} is for {dataset.task}"
        raise error_at([*where, "class_weights"], f"{message} (allowed: none)")
    if augmentation in (NONE, AUTO):
        return
    if augmentation == SIXFOLD and several:
        message = f"{augmentation!r} needs one input, but {dataset.name!r} has several"
        raise error_at([*where, "augmentation"], f"{message} (allowed: none, auto, random changes)")
    changes = random_changes(augmentation, ())
    of_images = augmentation == SIXFOLD or not {*changes}.isdisjoint(OF_IMAGES)
    if flat or (series and of_images):
        needed = "images" if of_images else "images or series"
        found, allowed = ("series", f"none, {SHIFT}") if series else ("rows of features", "none")
        message = f"{augmentation!r} needs {needed}, but {dataset.name!r} has {found}"
        raise error_at([*where, "augmentation"], f"{message} (allowed: {allowed})")
