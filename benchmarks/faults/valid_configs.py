"""Random valid configurations made from the schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from netsurgery.objectives import checks, keras_catalog
from netsurgery.objectives.schedules import SCHEDULES
from netsurgery.search.arbor.settings import GROWTHS
from netsurgery.search.size_limit import SIZES
from netsurgery.surgery import OPERATIONS

ROOT = Path(__file__).parent.parent.parent
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
Random = np.random.Generator

# settings that another setting requires
COMPANIONS = {
    "copy_noise": {"growth": "copies"},
    "greediness": {"mode": "balanced"},
    "momentum": {"optimizer": "rmsprop"},
}
# settings that name an object of Keras, valid for classification, a schedule or an operation
NAMES = {
    "operations": [operation.name for operation in OPERATIONS],
    "optimizer": keras_catalog.names("optimizers"),
    "schedule": list(SCHEDULES),
    "loss": [
        name
        for name in keras_catalog.names("losses")
        if keras_catalog.find("losses", name).takes_logits
    ],
    "objective": ["val_accuracy", "val_loss", "val_recall", "val_f1_score"],
    "extra_metrics": ["top5_accuracy", "auc", "hinge", "mean_squared_error"],
}
TIME, TIMES = "(s|min|h)", ("90s", "20min", "1.5h")  # of budgets, besides numbers of epochs
NAMES_OF = {"arbor": {"operations": [operation.name for operation in GROWTHS]}}


def read_schema() -> dict[str, Any]:
    """The schema."""
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


def valid_value(schema: dict[str, Any], rng: Random) -> Any:
    """A random value that a schema allows."""
    if "enum" in schema:
        return schema["enum"][rng.integers(len(schema["enum"]))]
    kind = schema.get("type")
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    most = schema.get("maximum", schema.get("exclusiveMaximum", least + 50))
    if TIME in schema.get("pattern", "") and rng.random() < 0.3:
        return TIMES[rng.integers(len(TIMES))]
    match kind:
        case "integer" | ["integer", "string"]:
            return int(rng.integers(least, most + 1))
        case "number" | ["number", "string"]:
            return round(float(least + (most - least) * rng.uniform(0.05, 0.95)), 4)
        case "boolean":
            return bool(rng.random() < 0.5)
        case "string" | ["string", "integer"]:
            return "text"[: schema.get("maxLength", 4)]
        case ["string", "array"]:  # `augmentation`, `sizes`
            return schema.get("default", "none")
        case "array":
            count = schema.get("minItems", 1)
            values = [valid_value(schema["items"], rng) for _ in range(count)]
            return values[:1] if schema.get("uniqueItems") else values
    names = schema.get("properties", {})
    return {name: valid_value(names[name], rng) for name in names if rng.random() < 0.5}


def valid_name(key: str, known: Sequence[str], schema: dict[str, Any], rng: Random) -> Any:
    """The name of an object of Keras, a schedule or an operation, or a list of one."""
    names = [name for name in known if name in schema.get("enum", known)]
    name = names[rng.integers(len(names))]
    if key in ("objective", "operations"):
        return name if key == "objective" else [name]
    given = name if rng.random() < 0.5 or name in keras_catalog.SHORT_NAMES else {name: {}}
    return [given] if key == "extra_metrics" else given


def valid_search(algorithm: str, schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A valid search."""
    topology = "surgeon-small" if algorithm == "surgeon" else "ff-small"
    search: dict[str, Any] = {"algorithm": algorithm, "dataset": "digits", "topology": topology}
    names = NAMES | NAMES_OF.get(algorithm, {})
    for name, own in schema["$defs"][algorithm]["properties"].items():
        if name in search or rng.random() < 0.6:
            continue
        given = COMPANIONS.get(name, {})
        if any(search.get(key, value) != value for key, value in given.items()):
            continue
        known = names.get(name)
        search[name] = valid_name(name, known, own, rng) if known else valid_value(own, rng)
        search |= given
    for name in SIZES & search.keys():  # at least those of the starting topology
        search[name] += 1_000_000
    if "target" in search:  # within reach of every metric
        search["target"] = round(float(rng.uniform(0.05, 0.95)), 4)
    if search.get("mode", "") != "balanced":
        search.pop("greediness", None)
    if keras_catalog.split_setting(search.get("optimizer", "sgd"))[0] not in checks.WITH_MOMENTUM:
        search.pop("momentum", None)
    if "numbers" in search:  # the digits are images
        search["numbers"] = "auto"
    if search.get("weight_decay"):  # of kernels alone: not with an optimizer that decays all
        search["optimizer"] = "sgd"
    return search


def valid_dataset(source: str, schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A valid dataset, except that its files do not exist."""
    own = schema["$defs"][source]
    chosen = [n for n in own["properties"] if n in own["required"] or rng.random() < 0.3]
    values = {name: valid_value(own["properties"][name], rng) for name in chosen}
    if ("input" in values) != ("target" in values) and source == "tfds":
        values.pop("input", None), values.pop("target", None)
    for name, required in own.get("dependentRequired", {}).items():
        if not values.keys() >= set(required):
            values.pop(name, None)
    return values | {"source": source}


def valid(schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A valid configuration."""
    algorithms = schema["properties"]["searches"]["additionalProperties"]["properties"]
    algorithm = valid_value(algorithms["algorithm"], rng)
    given: dict[str, Any] = {"searches": {"s": valid_search(algorithm, schema, rng)}}
    if rng.random() < 0.5:
        own = schema["$defs"]["entries"]["items"]["properties"]
        dense = valid_value(own["dense"], rng) | {"units": 4}
        given["topologies"] = {"mine": [{"dense": dense}]}
    return given
