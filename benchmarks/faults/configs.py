"""Check the messages for invalid configurations, generated from the schema with one error each.

    python -m benchmarks.faults.configs OUTPUT [--count 1500] [--commands 150]

All are loaded in this process, and some are passed to the real command. OUTPUT gets `configs.json`
and `configs.md`.
"""

from __future__ import annotations

import argparse
import copy
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from benchmarks.faults.invalid_configs import Invalid, invalid_configs
from benchmarks.faults.report import table
from benchmarks.faults.valid_configs import ROOT, SCHEMA, read_schema, valid

from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from netsurgery.storage.files import write_json, write_text

MAX_SECONDS = 5  # of CPU time until a configuration is rejected


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
