"""Find keys that a YAML file gives twice: YAML's readers drop all but the last without a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from netsurgery.config.errors import ConfigError

MERGE = "tag:yaml.org,2002:merge"  # the key <<, which may stand there several times


def check_keys(path: Path) -> None:
    """Check that a configuration file gives each key once.

    Args:
        path: The file, in YAML or JSON.

    Raises:
        ConfigError: Naming the file, the key and its lines.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeError, yaml.YAMLError):
        return  # Snakemake, which reads the file as well, says what is wrong
    for keys, first, again in _duplicates(root, (), set()):
        raise ConfigError(
            f"config: {path}: {'.'.join(keys)} is given twice, in lines {first} and {again};"
            " only one of them would count"
        )


def _duplicates(
    node: yaml.Node | None, where: tuple[str, ...], seen: set[int]
) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Yield each key that a mapping has twice, and the two lines, from 1."""
    if node is None or id(node) in seen:  # an alias names a node that was there before
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            yield from _duplicates(item, (*where, str(i)), seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            name, line = (key.tag, str(key.value)), key.start_mark.line + 1
            if name in lines and key.tag != MERGE:
                yield (*where, str(key.value)), lines[name], line
            lines[name] = line
            yield from _duplicates(value, (*where, str(key.value)), seen)
