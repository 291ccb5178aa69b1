"""Configuration files outside Snakemake: reading one, and the schema of this checkout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from netsurgery.config.duplicates import check_keys
from netsurgery.config.errors import ConfigError

SCHEMA = Path(__file__).parents[3] / "workflow" / "schemas" / "config.schema.yaml"


def read_file(path: Path) -> Mapping[str, Any]:
    """Read a configuration file.

    Raises:
        ConfigError: It is no YAML, gives a key twice, or has no searches.
        OSError: It cannot be read.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{path}: {where}is not YAML ({reason})") from None
    check_keys(path)
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path}: is no configuration; it needs a section `searches`")
    return content
