"""Check the messages for invalid configurations, generated from the schema with one error each.

    python -m benchmarks.faults.configs OUTPUT [--count 1500] [--commands 150]

All are loaded in this process, and some are passed to the real command. OUTPUT gets `configs.json`
and `configs.md`.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import math
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from benchmarks.faults.report import table

from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from netsurgery.config.expansion import EXPANDING
from netsurgery.objectives import checks, keras_catalog
from netsurgery.storage.files import write_json, write_text

ROOT = Path(__file__).parent.parent.parent
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
MAX_SECONDS = 5  # of CPU time until a configuration is rejected
Random = np.random.Generator
KeyPath = tuple[Any, ...]

# settings that another setting requires
COMPANIONS = {"greediness": {"mode": "balanced"}, "momentum": {"optimizer": "rmsprop"}}
# settings that name an object of Keras: those valid for classification
KERAS_NAMES = {
    "optimizer": keras_catalog.names("optimizers"),
    "loss": [
        name
        for name in keras_catalog.names("losses")
        if keras_catalog.find("losses", name).takes_logits
    ],
    "objective": ["val_accuracy", "val_loss", "val_recall", "val_f1_score"],
    "extra_metrics": ["top5_accuracy", "auc", "hinge", "mean_squared_error"],
}
INVALID_NAMES = (
    "../up",
    "a/b",
    "a b",
    "",
    "a\n",
    "a;b",
    "$(id)",
    "{x}",
    "-x",
    ".",
    "a'b",
    "ä",
    "<b>",
    "`id`",
)
OTHERS: tuple[Any, ...] = (None, "words", "", [], {}, [1, [2]], {"a": {"b": 1}}, True, -1, 1.5)
NOT_FINITE = (math.nan, math.inf, -math.inf)


@dataclass(frozen=True)
class Invalid:
    """A configuration with one error."""

    given: dict[str, Any]
    key: str  # that the message must name
    error: str  # kind of error


def read_schema() -> dict[str, Any]:
    """The schema."""
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


# --- valid configurations -------------------------------------------------------------------------


def valid_value(schema: dict[str, Any], rng: Random) -> Any:
    """A random value that a schema allows."""
    if "enum" in schema:
        return schema["enum"][rng.integers(len(schema["enum"]))]
    kind = schema.get("type")
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    most = schema.get("maximum", schema.get("exclusiveMaximum", least + 50))
    match kind:
        case "integer":
            return int(rng.integers(least, most + 1))
        case "number":
            return round(float(least + (most - least) * rng.uniform(0.05, 0.95)), 4)
        case "boolean":
            return bool(rng.random() < 0.5)
        case "string" | ["string", "integer"]:
            return "text"
        case "array":
            count = schema.get("minItems", 1)
            values = [valid_value(schema["items"], rng) for _ in range(count)]
            return values[:1] if schema.get("uniqueItems") else values
    names = schema.get("properties", {})
    return {name: valid_value(names[name], rng) for name in names if rng.random() < 0.5}


def valid_name(key: str, schema: dict[str, Any], rng: Random) -> Any:
    """The name of an object of Keras, or a list of one."""
    names = [name for name in KERAS_NAMES[key] if name in schema.get("enum", KERAS_NAMES[key])]
    name = names[rng.integers(len(names))]
    if key == "objective":
        return name
    given = name if rng.random() < 0.5 or name in keras_catalog.SHORT_NAMES else {name: {}}
    return [given] if key == "extra_metrics" else given


def valid_search(algorithm: str, schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A valid search."""
    topology = "surgeon-small" if algorithm == "surgeon" else "ff-small"
    search = {"algorithm": algorithm, "dataset": "digits", "topology": topology}
    for name, own in schema["$defs"][algorithm]["properties"].items():
        if name in search or rng.random() < 0.6:
            continue
        given = COMPANIONS.get(name, {})
        if any(search.get(key, value) != value for key, value in given.items()):
            continue
        search[name] = valid_name(name, own, rng) if name in KERAS_NAMES else valid_value(own, rng)
        search |= given
    if search.get("mode", "") != "balanced":
        search.pop("greediness", None)
    if keras_catalog.split_setting(search.get("optimizer", "sgd"))[0] not in checks.WITH_MOMENTUM:
        search.pop("momentum", None)
    return search


def valid_dataset(source: str, schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A valid dataset, except that its files do not exist."""
    own = schema["$defs"][source]
    chosen = [n for n in own["properties"] if n in own["required"] or rng.random() < 0.3]
    values = {name: valid_value(own["properties"][name], rng) for name in chosen}
    if ("input" in values) != ("target" in values) and source == "tfds":
        values.pop("input", None), values.pop("target", None)
    return values | {"source": source}


def valid(schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A valid configuration."""
    algorithms = schema["properties"]["searches"]["additionalProperties"]["properties"]
    algorithm = valid_value(algorithms["algorithm"], rng)
    given: dict[str, Any] = {"searches": {"s": valid_search(algorithm, schema, rng)}}
    if rng.random() < 0.5:
        own = schema["properties"]["topologies"]["additionalProperties"]["items"]["properties"]
        dense = valid_value(own["dense"], rng) | {"units": 4}
        given["topologies"] = {"mine": [{"dense": dense}]}
    return given


# --- invalid configurations -----------------------------------------------------------------------


def invalid_values(schema: dict[str, Any], rng: Random) -> Iterator[tuple[Any, str]]:
    """Values that a schema forbids, and the kind of error."""
    types = schema.get("type")
    types = set(types) if isinstance(types, list) else {types} - {None}
    if "enum" in schema:
        for value in schema["enum"]:
            if (other := misspell(str(value), rng)) not in schema["enum"]:
                yield other, "misspelt word"
        yield from ((v, "wrong type") for v in OTHERS if v not in schema["enum"])
        return
    for value in OTHERS:
        if types and json_type(value) not in types and not (types == {"number"} and value == -1):
            yield value, "wrong type"
    if types & {"number", "integer"} and "string" not in types:
        yield from ((value, "not a finite number") for value in NOT_FINITE)
        for limit, step in (("minimum", -1), ("maximum", 1)):
            if limit in schema:
                yield schema[limit] + step, "out of range"
                yield schema[limit] + step * 10**12, "out of range"
        for limit in ("exclusiveMinimum", "exclusiveMaximum"):
            if limit in schema:
                yield schema[limit], "out of range"
    if "array" in types:
        if schema.get("minItems"):
            yield [], "empty"
        if schema.get("uniqueItems"):
            one = valid_value(schema["items"], rng)
            yield [one, one], "duplicate"
    if "string" in types and schema.get("minLength"):
        yield "", "empty"
    if types == {"string", "object"}:
        word = misspell("rmsprop", rng)
        yield from (({word: {}}, "misspelt word"), ({"sgd": {word: 1}}, "misspelt word"))
        yield from (
            ({"sgd": 1}, "wrong type"),
            ({"sgd": {}, "adam": {}}, "two instead of one"),
        )


def json_type(value: Any) -> str:
    """The JSON schema type of a value."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def misspell(word: str, rng: Random) -> str:
    """A word with a missing, an extra or two swapped letters."""
    at = int(rng.integers(max(1, len(word) - 1)))
    return (
        word[:at] + word[at + 1 :],
        word[:at] + "q" + word[at:],
        word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :] + "x",
    )[rng.integers(3)]


def key_paths(
    schema: dict[str, Any], where: KeyPath = ()
) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """All keys of a section with their schemas."""
    for name, own in schema.get("properties", {}).items():
        yield (*where, name), own
        yield from key_paths(own, (*where, name))
    if "items" in schema:
        yield (*where, 0), schema["items"]
        yield from key_paths(schema["items"], (*where, 0))


def put(given: Any, where: KeyPath, value: Any, leaf: Any = None) -> None:
    """Set the value of a key, and create its parents."""
    for here, following in itertools.pairwise(where):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(given, list):
            if len(given) <= here:
                given.append(empty)
        elif not isinstance(given.get(here), type(empty)):
            given[here] = empty
        given = given[here]
    if isinstance(given, list):
        given[:] = [value, *given[1:]]
    else:
        given[where[-1]] = value


def sections(schema: dict[str, Any]) -> list[tuple[KeyPath, str, dict[str, Any]]]:
    """A search of each algorithm, a dataset of each source and a topology, with their schemas."""
    definitions = schema["$defs"]
    searches = [
        (("searches", "s"), name, definitions[name]) for name in ("ectonas", "surgeon", "baseline")
    ]
    names = schema["properties"]["datasets"]["additionalProperties"]["properties"]["source"]
    known = [(("datasets", "d"), name, definitions[name]) for name in names["enum"]]
    layers = schema["properties"]["topologies"]["additionalProperties"]
    return [*searches, *known, (("topologies", "mine"), "", layers)]


def invalid_configs(schema: dict[str, Any], rng: Random) -> Iterator[Invalid]:
    """Invalid configurations, without end."""
    chosen = sections(schema)
    while True:
        section, name, own = chosen[rng.integers(len(chosen))]
        given = valid(schema, rng)
        if section[0] == "searches":
            given["searches"]["s"] = valid_search(name, schema, rng)
        elif section[0] == "datasets":
            given["datasets"] = {"d": valid_dataset(name, schema, rng)}
        else:
            given["topologies"] = {"mine": [{"dense": {"units": 3}}]}
        yield from invalid_value(given, section, own, rng)
        yield from invalid_value(given, section, own, rng)
        yield from invalid_value(given, section, own, rng)
        made = [*invalid_keys(given, section, own, rng), *invalid_sections(given, section, rng)]
        if made:
            yield made[rng.integers(len(made))]


def invalid_value(
    given: dict[str, Any], section: KeyPath, own: dict[str, Any], rng: Random
) -> Iterator[Invalid]:
    """An invalid value in a section."""
    found = [
        (where, schema)
        for where, schema in key_paths(own)
        if any(key in schema for key in ("type", "enum"))
        and where[-1] not in ("source", "algorithm")
    ]
    where, schema = found[rng.integers(len(found))]
    values = list(invalid_values(schema, rng))
    if values:
        errors = sorted({error for _, error in values})
        error = errors[rng.integers(len(errors))]
        alike = [value for value, other in values if other == error]
        value = alike[rng.integers(len(alike))]
        changed = copy.deepcopy(given)
        companions = COMPANIONS.get(str(where[0]), {})
        for key, companion in companions.items():
            changed[section[0]][section[1]][key] = companion
        if section[0] == "topologies":  # one kind of layer each
            changed["topologies"]["mine"] = []
        expanding = where[0] in EXPANDING and isinstance(value, list)
        if not expanding:
            put(changed, (*section, *where), value)
            yield Invalid(changed, ".".join(map(str, (*section, *where))), error)


def invalid_keys(
    given: dict[str, Any], section: KeyPath, own: dict[str, Any], rng: Random
) -> Iterator[Invalid]:
    """An unknown and a missing key of a section."""
    mappings = [((), own), *((w, s) for w, s in key_paths(own) if "properties" in s)]
    where, schema = mappings[rng.integers(len(mappings))]
    if schema.get("additionalProperties") is False and section[0] != "topologies":
        names = list(schema["properties"])
        key = misspell(names[rng.integers(len(names))], rng)
        if key not in names:
            changed = copy.deepcopy(given)
            put(changed, (*section, *where, key), 1)
            yield Invalid(changed, ".".join(map(str, (*section, *where, key))), "unknown key")
    if section[0] == "searches":
        key = ("algorithm", "dataset", "topology")[rng.integers(3)]
        changed = copy.deepcopy(given)
        del changed["searches"]["s"][key]
        yield Invalid(changed, f"searches.s.{key}", "missing key")


def invalid_sections(given: dict[str, Any], section: KeyPath, rng: Random) -> Iterator[Invalid]:
    """An invalid name, and a section of another type."""
    changed = copy.deepcopy(given)
    name = INVALID_NAMES[rng.integers(len(INVALID_NAMES))]
    changed[section[0]] = {name: changed[section[0]][section[1]]}
    yield Invalid(changed, section[0], "invalid name")
    other = OTHERS[rng.integers(len(OTHERS))]
    if not isinstance(other, dict):
        yield Invalid(given | {section[0]: other}, section[0], "not a section")
    key = misspell(section[0], rng)
    if key not in top_level_keys():
        yield Invalid({**given, key: {}}, key, "unknown key")


def top_level_keys() -> set[str]:
    """The top-level keys."""
    return {"results", "datasets", "topologies", "searches"}


# --- messages -------------------------------------------------------------------------------------


def problem_of(example: Invalid) -> str:
    """The problem with the message for an invalid configuration; empty if it is fine."""
    try:
        loading.load(copy.deepcopy(example.given), SCHEMA)
    except ConfigError as error:
        return message_problem(str(error), example)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "accepted"


def message_problem(message: str, example: Invalid) -> str:
    """The problem with a message; empty if it is fine."""
    if len(message.splitlines()) != 1 or not message.startswith("config:"):
        return f"not one line: {message!r}"
    last = example.key.split(".")[-1]
    parent = example.key.rpartition(".")[0]
    if last not in message and parent not in message:
        return f"{example.key} is not named: {message}"
    return ""


def command(given: dict[str, Any], folder: Path, *arguments: str) -> tuple[int, list[str], float]:
    """Run the real command: exit code, lines of its output, CPU seconds."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    return command_of(path, folder, *arguments)


def command_of(path: Path, folder: Path, *arguments: str) -> tuple[int, list[str], float]:
    """Run the real command on a file."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    place = ["--directory", str(folder), "--configfile", str(path), "--cores", "1"]
    began = cpu_seconds()
    done = subprocess.run([*words, *place, *arguments], capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if line and "Using " not in line]
    return done.returncode, lines, cpu_seconds() - began


def cpu_seconds() -> float:
    """The CPU seconds of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def problem_of_command(example: Invalid, folder: Path) -> tuple[str, float]:
    """The problem with the real command's message, and its CPU seconds."""
    code, lines, seconds = command(example.given, folder)
    if code != 1 or len(lines) != 1:
        return f"exit code {code}: {lines[:3]}", seconds
    if (folder / "results").exists():
        return "files were written", seconds
    return message_problem(lines[0], example), seconds


def main() -> None:
    """Generate configurations, check their messages and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--commands", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    rng, schema = np.random.default_rng(given.seed), read_schema()
    counts: dict[str, dict[str, Any]] = {}
    failed: list[dict[str, Any]] = []
    slowest = 0.0
    every = max(1, given.count // max(1, given.commands))
    with tempfile.TemporaryDirectory() as name:
        for number, example in zip(range(given.count), invalid_configs(schema, rng), strict=False):
            row = counts.setdefault(
                example.error,
                {"error": example.error, "tested": 0, "by command": 0, "as expected": 0},
            )
            problem = problem_of(example)
            row["tested"] += 1
            if given.commands and number % every == 0:
                by_command, seconds = problem_of_command(example, Path(name))
                problem = problem or by_command or ("slow" if seconds > MAX_SECONDS else "")
                slowest = max(slowest, seconds)
                row["by command"] += 1
            row["as expected"] += not problem
            if problem:
                failed.append({"key": example.key, "error": example.error, "problem": problem})
                print(failed[-1], flush=True)
        for number in range(given.count // 10):
            config = valid(schema, rng)
            loading.load(copy.deepcopy(config), SCHEMA)
            if number < given.commands // 10:
                code, lines, _ = command(config, Path(name), "--dry-run", "--quiet")
                if code:
                    failed.append({"key": "", "error": "none", "problem": lines[-3:]})
                    print(failed[-1], flush=True)
    rows = [*counts.values()]
    total = {key: sum(row[key] for row in rows) for key in ("tested", "by command", "as expected")}
    rows.append({"error": "all", **total})
    write_json(given.output / "configs.json", {"rows": rows, "failed": failed, "slowest": slowest})
    write_text(given.output / "configs.md", table(rows))
    print(table(rows), f"the slowest command took {slowest:.1f} s", sep="\n")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(ROOT / "src"))
    main()
