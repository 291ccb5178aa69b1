"""Generate the tables of docs/settings.md from the schema of the configuration.

    python -m tools.generate_settings_tables [--check]

The tables stand between the comments `<!-- table: NAME -->` and `<!-- end of table -->`; the text
around them is written by hand. With `--check` the page stays as it is, and the exit status is 1 if
it is out of date.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from netsurgery.networks import topologies

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
PAGE = ROOT / "docs/settings.md"
TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
# keys of the top level that have a section of their own
SECTIONS = ("datasets", "topologies", "tracking", "searches")
TYPES = {"string": "text", "boolean": "`true`, `false`", "object": "mapping"}
HEAD = ("key", "values", "default", "meaning")
# the shapes of samples that the parameters of built-in topologies are counted for
SHAPES = ((28, 28, 1), (32, 32, 3), (128, 9))
CLASSES = 10
PRESET_HEAD = ("topology", "entries", *("x".join(map(str, shape)) for shape in SHAPES))

Schema = Mapping[str, Any]


def tables(schema: Schema) -> dict[str, str]:
    """Return the tables of the page by name."""
    top, definitions = schema["properties"], schema["$defs"]
    entries = definitions["entries"]["items"]["properties"]
    every_dataset, every_search = definitions["data"], definitions["common"]
    found = {
        "top-level": rows({key: top[key] for key in top if key not in SECTIONS}),
        "tracking": rows(top["tracking"]["properties"]),
        "every-dataset": rows(
            every_dataset
            | top["datasets"]["additionalProperties"]["properties"]
            | {"excerpt_of": every_dataset["excerpt_of"]},
            required=("source",),
        ),
        "every-search": rows(
            every_search | top["searches"]["additionalProperties"]["properties"],
            required=("dataset",),
        ),
    }
    for name, entry in entries.items():
        if entry["properties"]:
            required = entry.get("required", ())
            found[f"entry-{name}"] = rows(entry["properties"], required=required)
    for source in ("npz", "series", "image_folder", "csv", "tfds", "sklearn"):
        own = definitions[source]
        shown = {k: v for k, v in own["properties"].items() if k not in every_dataset}
        found[f"dataset-{source}"] = rows(shown, required=own["required"])
    of_text, of_excel = (definitions[name]["properties"] for name in ("csv", "excel"))
    found["dataset-excel"] = rows({k: v for k, v in of_excel.items() if k not in of_text})
    for algorithm in ("arbor", "baseline", "ectonas", "surgeon"):
        properties = definitions[algorithm]["properties"]
        shown = {k: v for k, v in properties.items() if every_search.get(k) != v}
        found[f"search-{algorithm}"] = rows(shown)
    return {
        "presets": table(presets(), PRESET_HEAD),
        **{name: table(lines) for name, lines in found.items()},
    }


def presets() -> Iterator[tuple[str, ...]]:
    """Yield a row for each built-in topology."""
    for name, entries in topologies.NAMED.items():
        networks = (topologies.build(entries, shape, CLASSES) for shape in SHAPES)
        counts = (f"{network.parameters:,}" for network in networks)
        yield f"`{name}`", "<br>".join(map(entry, entries)), *counts


def entry(given: Mapping[str, Any]) -> str:
    """Write an entry of a topology as users do."""
    ((name, settings),) = given.items()
    shown = yaml.safe_dump(
        given if settings else name, default_flow_style=True, sort_keys=False, width=1000
    )
    return f"`{shown.removesuffix('...' + chr(10)).strip().removeprefix('{').removesuffix('}')}`"


def rows(properties: Schema, required: Iterable[str] = ()) -> list[tuple[str, str, str, str]]:
    """Return the rows for some keys; keys within a mapping follow it unless they are alike."""
    found = []
    for key, schema in properties.items():
        nested = schema.get("properties", {})
        alike = len(nested) > 1 and len({each.get("description") for each in nested.values()}) == 1
        default = defaults_of(nested) if alike else default_of(schema)
        found.append(
            (
                f"`{key}`",
                f"mapping to {plural(values_of(next(iter(nested.values()))))}"
                if alike
                else values_of(schema),
                "required" if key in required else default,
                schema["description"],
            )
        )
        if nested and not alike:
            found += rows({f"{key}.{name}": each for name, each in nested.items()})
    return found


def values_of(schema: Schema) -> str:
    """Say which values a key may have."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return "mapping"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(_kind(kind, schema) for kind in kinds)


def _kind(kind: str, schema: Schema) -> str:
    if kind == "array":
        return f"list of {plural(values_of(schema['items']))}"
    if kind in ("integer", "number"):
        return " ".join([kind, *limits(schema)])
    return TYPES[kind]


def plural(values: str) -> str:
    """Put the kind of a list's items into the plural."""
    return re.sub(r"\b(integer|number|text|mapping|list)\b", r"\1s", values)


def limits(schema: Schema) -> Iterator[str]:
    """Yield the limits of a number, such as `> 0 to 0.5`."""
    if "minimum" in schema:
        yield f"≥ {schema['minimum']}"
    if "exclusiveMinimum" in schema:
        yield f"> {schema['exclusiveMinimum']}"
    if "maximum" in schema:
        yield f"and ≤ {schema['maximum']}"
    if "exclusiveMaximum" in schema:
        yield f"and < {schema['exclusiveMaximum']}"


def default_of(schema: Schema) -> str:
    """Say what holds if a key is left out."""
    if "x-default" in schema:
        return schema["x-default"]
    match schema.get("default"):
        case None | [] | {} | "":
            return "none"
        case bool(value):
            return f"`{str(value).lower()}`"
        case list(value):
            return f"`{yaml.safe_dump(value, default_flow_style=True).strip()}`"
        case value:
            return f"`{value}`"


def defaults_of(properties: Schema) -> str:
    """Say the defaults of keys that are alike, those with the same default together."""
    by_default: dict[Any, list[str]] = {}
    for key, schema in properties.items():
        by_default.setdefault(schema["default"], []).append(f"`{key}`")
    return "; ".join(f"{value:g} for {', '.join(keys)}" for value, keys in by_default.items())


def table(lines: Iterable[tuple[str, ...]], head: tuple[str, ...] = HEAD) -> str:
    """Format a table in Markdown."""
    above = [head, ("---",) * len(head)]
    return "".join(f"| {' | '.join(line)} |\n" for line in [*above, *lines])


def generate(page: str, schema: Schema) -> str:
    """Return the page with its tables replaced.

    Raises:
        KeyError: The page names a table that does not exist.
        ValueError: A table is not on the page.
    """
    found = tables(schema)
    missing = found.keys() - {match[2] for match in TABLE.finditer(page)}
    if missing:
        raise ValueError(f"{PAGE.name} lacks the tables {', '.join(sorted(missing))}")
    return TABLE.sub(lambda match: match[1] + found[match[2]] + match[3], page)


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only check that it is up to date")
    given = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    fresh = generate(page, yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))
    if given.check:
        if fresh != page:
            sys.exit(f"{PAGE}: out of date; run python -m tools.generate_settings_tables")
    else:
        PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
