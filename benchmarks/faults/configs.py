"""Wrong configurations made from the schema, each wrong in one place, and what is said to them.

    python -m benchmarks.faults.configs OUTPUT [--count 1500] [--commands 150]

All are checked in this process, and some by the real command; OUTPUT gets `configs.json` and
`configs.md`.
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
from netsurgery.config.expansion import EXPANDING
from netsurgery.objectives import checks, keras_catalog
from netsurgery.storage.files import write_json, write_text

ROOT = Path(__file__).parent.parent.parent
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
SECONDS = 5  # that a refusal may take
Random = np.random.Generator
Place = tuple[Any, ...]

# what goes along with a setting that is right by the schema alone
COMPANIONS = {"greediness": {"mode": "balanced"}, "momentum": {"optimizer": "rmsprop"}}
# settings that name something of Keras's: what is right of classification, which these are
NAMING = {
    "optimizer": keras_catalog.names("optimizers"),
    "loss": [
        name
        for name in keras_catalog.names("losses")
        if keras_catalog.find("losses", name).takes_logits
    ],
    "objective": ["val_accuracy", "val_loss", "val_recall", "val_f1_score"],
    "extra_metrics": ["top5_accuracy", "auc", "hinge", "mean_squared_error"],
}
NAMES = (
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
ENDLESS = (math.nan, math.inf, -math.inf)


@dataclass(frozen=True)
class Wrong:
    """A configuration that is wrong at one place."""

    given: dict[str, Any]
    key: str  # that the message must name
    how: str


def grammar() -> dict[str, Any]:
    """The schema."""
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


# --- right ones -----------------------------------------------------------------------------------


def right_value(schema: dict[str, Any], rng: Random) -> Any:
    """A value that a schema allows."""
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
            values = [right_value(schema["items"], rng) for _ in range(count)]
            return values[:1] if schema.get("uniqueItems") else values
    names = schema.get("properties", {})
    return {name: right_value(names[name], rng) for name in names if rng.random() < 0.5}


def right_name(key: str, schema: dict[str, Any], rng: Random) -> Any:
    """Something of Keras's, or a list of one."""
    names = [name for name in NAMING[key] if name in schema.get("enum", NAMING[key])]
    name = names[rng.integers(len(names))]
    if key == "objective":
        return name
    given = name if rng.random() < 0.5 or name in keras_catalog.SHORT_NAMES else {name: {}}
    return [given] if key == "extra_metrics" else given


def right_search(algorithm: str, schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A search that is right."""
    topology = "surgeon-small" if algorithm == "surgeon" else "ff-small"
    search = {"algorithm": algorithm, "dataset": "digits", "topology": topology}
    for name, own in schema["$defs"][algorithm]["properties"].items():
        if name in search or rng.random() < 0.6:
            continue
        given = COMPANIONS.get(name, {})
        if any(search.get(key, value) != value for key, value in given.items()):
            continue
        search[name] = right_name(name, own, rng) if name in NAMING else right_value(own, rng)
        search |= given
    if search.get("mode", "") != "balanced":
        search.pop("greediness", None)
    if keras_catalog.split_setting(search.get("optimizer", "sgd"))[0] not in checks.WITH_MOMENTUM:
        search.pop("momentum", None)
    return search


def right_dataset(source: str, schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A dataset that is right, but that its files are not there."""
    own = schema["$defs"][source]
    chosen = [n for n in own["properties"] if n in own["required"] or rng.random() < 0.3]
    values = {name: right_value(own["properties"][name], rng) for name in chosen}
    if ("input" in values) != ("target" in values) and source == "tfds":
        values.pop("input", None), values.pop("target", None)
    return values | {"source": source}


def right(schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A whole configuration that is right."""
    algorithms = schema["properties"]["searches"]["additionalProperties"]["properties"]
    algorithm = right_value(algorithms["algorithm"], rng)
    given: dict[str, Any] = {"searches": {"s": right_search(algorithm, schema, rng)}}
    if rng.random() < 0.5:
        own = schema["properties"]["topologies"]["additionalProperties"]["items"]["properties"]
        dense = right_value(own["dense"], rng) | {"units": 4}
        given["topologies"] = {"mine": [{"dense": dense}]}
    return given


# --- wrong ones -----------------------------------------------------------------------------------


def wrong_values(schema: dict[str, Any], rng: Random) -> Iterator[tuple[Any, str]]:
    """Values that a schema forbids, and what is wrong with them."""
    kinds = schema.get("type")
    kinds = set(kinds) if isinstance(kinds, list) else {kinds} - {None}
    if "enum" in schema:
        for value in schema["enum"]:
            if (other := misspelt(str(value), rng)) not in schema["enum"]:
                yield other, "a word misspelt"
        yield from ((v, "of another type") for v in OTHERS if v not in schema["enum"])
        return
    for value in OTHERS:
        if kinds and type_of(value) not in kinds and not (kinds == {"number"} and value == -1):
            yield value, "of another type"
    if kinds & {"number", "integer"} and "string" not in kinds:
        yield from ((value, "no finite number") for value in ENDLESS)
        for limit, step in (("minimum", -1), ("maximum", 1)):
            if limit in schema:
                yield schema[limit] + step, "out of range"
                yield schema[limit] + step * 10**12, "out of range"
        for limit in ("exclusiveMinimum", "exclusiveMaximum"):
            if limit in schema:
                yield schema[limit], "out of range"
    if "array" in kinds:
        if schema.get("minItems"):
            yield [], "empty"
        if schema.get("uniqueItems"):
            one = right_value(schema["items"], rng)
            yield [one, one], "twice the same"
    if "string" in kinds and schema.get("minLength"):
        yield "", "empty"
    if kinds == {"string", "object"}:
        word = misspelt("rmsprop", rng)
        yield from (({word: {}}, "a word misspelt"), ({"sgd": {word: 1}}, "a word misspelt"))
        yield from (
            ({"sgd": 1}, "of another type"),
            ({"sgd": {}, "adam": {}}, "two in place of one"),
        )


def type_of(value: Any) -> str:
    """The name that JSON schema has for a value's type."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def misspelt(word: str, rng: Random) -> str:
    """A word with a letter too few, too many, or two in the wrong order."""
    at = int(rng.integers(max(1, len(word) - 1)))
    return (
        word[:at] + word[at + 1 :],
        word[:at] + "q" + word[at:],
        word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :] + "x",
    )[rng.integers(3)]


def places(schema: dict[str, Any], where: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """All places below one, with their schemas."""
    for name, own in schema.get("properties", {}).items():
        yield (*where, name), own
        yield from places(own, (*where, name))
    if "items" in schema:
        yield (*where, 0), schema["items"]
        yield from places(schema["items"], (*where, 0))


def put(given: Any, where: Place, value: Any, leaf: Any = None) -> None:
    """Set the value at a place, making what leads there."""
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


def sections(schema: dict[str, Any]) -> list[tuple[Place, str, dict[str, Any]]]:
    """Where searches, datasets and topologies lie, of each kind, with their schemas."""
    definitions = schema["$defs"]
    searches = [
        (("searches", "s"), name, definitions[name]) for name in ("ectonas", "surgeon", "baseline")
    ]
    names = schema["properties"]["datasets"]["additionalProperties"]["properties"]["source"]
    known = [(("datasets", "d"), name, definitions[name]) for name in names["enum"]]
    layers = schema["properties"]["topologies"]["additionalProperties"]
    return [*searches, *known, (("topologies", "mine"), "", layers)]


def wrong(schema: dict[str, Any], rng: Random) -> Iterator[Wrong]:
    """Wrong configurations, without end."""
    chosen = sections(schema)
    while True:
        section, name, own = chosen[rng.integers(len(chosen))]
        given = right(schema, rng)
        if section[0] == "searches":
            given["searches"]["s"] = right_search(name, schema, rng)
        elif section[0] == "datasets":
            given["datasets"] = {"d": right_dataset(name, schema, rng)}
        else:
            given["topologies"] = {"mine": [{"dense": {"units": 3}}]}
        yield from wrong_value(given, section, own, rng)
        yield from wrong_value(given, section, own, rng)
        yield from wrong_value(given, section, own, rng)
        made = [*wrong_key(given, section, own, rng), *wrong_whole(given, section, rng)]
        if made:
            yield made[rng.integers(len(made))]


def wrong_value(
    given: dict[str, Any], section: Place, own: dict[str, Any], rng: Random
) -> Iterator[Wrong]:
    """A value of a section."""
    found = [
        (where, schema)
        for where, schema in places(own)
        if any(key in schema for key in ("type", "enum"))
        and where[-1] not in ("source", "algorithm")
    ]
    where, schema = found[rng.integers(len(found))]
    values = list(wrong_values(schema, rng))
    if values:
        hows = sorted({how for _, how in values})
        how = hows[rng.integers(len(hows))]
        alike = [value for value, other in values if other == how]
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
            yield Wrong(changed, ".".join(map(str, (*section, *where))), how)


def wrong_key(
    given: dict[str, Any], section: Place, own: dict[str, Any], rng: Random
) -> Iterator[Wrong]:
    """A key of a section that is unknown, and one that is missing."""
    mappings = [((), own), *((w, s) for w, s in places(own) if "properties" in s)]
    where, schema = mappings[rng.integers(len(mappings))]
    if schema.get("additionalProperties") is False and section[0] != "topologies":
        names = list(schema["properties"])
        key = misspelt(names[rng.integers(len(names))], rng)
        if key not in names:
            changed = copy.deepcopy(given)
            put(changed, (*section, *where, key), 1)
            yield Wrong(changed, ".".join(map(str, (*section, *where, key))), "an unknown key")
    if section[0] == "searches":
        key = ("algorithm", "dataset", "topology")[rng.integers(3)]
        changed = copy.deepcopy(given)
        del changed["searches"]["s"][key]
        yield Wrong(changed, f"searches.s.{key}", "a key is missing")


def wrong_whole(given: dict[str, Any], section: Place, rng: Random) -> Iterator[Wrong]:
    """A name that is none, and a section that is something else."""
    changed = copy.deepcopy(given)
    name = NAMES[rng.integers(len(NAMES))]
    changed[section[0]] = {name: changed[section[0]][section[1]]}
    yield Wrong(changed, section[0], "a name that is none")
    other = OTHERS[rng.integers(len(OTHERS))]
    if not isinstance(other, dict):
        yield Wrong(given | {section[0]: other}, section[0], "a section that is none")
    key = misspelt(section[0], rng)
    if key not in grammar_keys():
        yield Wrong({**given, key: {}}, key, "an unknown key")


def grammar_keys() -> set[str]:
    """The keys of the whole."""
    return {"results", "datasets", "topologies", "searches"}


# --- what is said ---------------------------------------------------------------------------------


def complaint(example: Wrong) -> str:
    """What is wrong with what is said of a wrong configuration; nothing if it is right."""
    try:
        loading.load(copy.deepcopy(example.given), SCHEMA)
    except loading.ConfigError as error:
        return misses(str(error), example)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "it is taken for right"


def misses(said: str, example: Wrong) -> str:
    """What a message lacks."""
    if len(said.splitlines()) != 1 or not said.startswith("config:"):
        return f"not one line: {said!r}"
    last = example.key.split(".")[-1]
    parent = example.key.rpartition(".")[0]
    if last not in said and parent not in said:
        return f"{example.key} is not named: {said}"
    return ""


def command(given: dict[str, Any], folder: Path, *arguments: str) -> tuple[int, list[str], float]:
    """The real command: exit code, the lines that it says, seconds."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    return command_of(path, folder, *arguments)


def command_of(path: Path, folder: Path, *arguments: str) -> tuple[int, list[str], float]:
    """The real command on a file."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    place = ["--directory", str(folder), "--configfile", str(path), "--cores", "1"]
    began = spent()
    done = subprocess.run([*words, *place, *arguments], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if line and "Using " not in line]
    return done.returncode, said, spent() - began


def spent() -> float:
    """Seconds of a processor that commands took, whatever else the machine has to do."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def complaint_of_command(example: Wrong, folder: Path) -> tuple[str, float]:
    """The same for the real command, and its seconds."""
    code, said, seconds = command(example.given, folder)
    if code != 1 or len(said) != 1:
        return f"exit code {code}: {said[:3]}", seconds
    if (folder / "results").exists():
        return "something was written", seconds
    return misses(said[0], example), seconds


def main() -> None:
    """Make them, try them, and write what was seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--commands", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    rng, schema = np.random.default_rng(given.seed), grammar()
    counts: dict[str, dict[str, Any]] = {}
    failed: list[dict[str, Any]] = []
    slowest = 0.0
    every = max(1, given.count // max(1, given.commands))
    with tempfile.TemporaryDirectory() as name:
        for number, example in zip(range(given.count), wrong(schema, rng), strict=False):
            row = counts.setdefault(
                example.how, {"what is wrong": example.how, "tried": 0, "by command": 0, "right": 0}
            )
            problem = complaint(example)
            row["tried"] += 1
            if given.commands and number % every == 0:
                by_command, seconds = complaint_of_command(example, Path(name))
                problem = problem or by_command or ("slow" if seconds > SECONDS else "")
                slowest = max(slowest, seconds)
                row["by command"] += 1
            row["right"] += not problem
            if problem:
                failed.append({"key": example.key, "how": example.how, "problem": problem})
                print(failed[-1], flush=True)
        for number in range(given.count // 10):
            fine = right(schema, rng)
            loading.load(copy.deepcopy(fine), SCHEMA)
            if number < given.commands // 10:
                code, said, _ = command(fine, Path(name), "--dry-run", "--quiet")
                if code:
                    failed.append({"key": "", "how": "right", "problem": said[-3:]})
                    print(failed[-1], flush=True)
    rows = [*counts.values()]
    total = {key: sum(row[key] for row in rows) for key in ("tried", "by command", "right")}
    rows.append({"what is wrong": "all", **total})
    write_json(given.output / "configs.json", {"rows": rows, "failed": failed, "slowest": slowest})
    write_text(given.output / "configs.md", table(rows))
    print(table(rows), f"the slowest command took {slowest:.1f} s", sep="\n")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(ROOT / "src"))
    main()
