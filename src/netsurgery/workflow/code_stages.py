"""Which code decides what: digests of the modules behind each stage of a search.

A new version of the package redoes only the stages whose code has changed. Comments, docstrings and
layout do not count.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import json
from collections.abc import Iterable
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from netsurgery.storage.files import write_text

PACKAGE = Path(__file__).parents[1]
CACHE = "code_stages.json"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

DATA, TRAINING, SURGERY, MODEL = "data", "training", "surgery", "final model"
PLANNING, EXPORT, REPORT, SHARED = "planning", "export", "report", "shared"
NOTHING = "nothing"  # modules that change when and where something runs, not what comes of it

# A module belongs to the first stage with a pattern that matches, in subfolders as well; one that
# belongs to none counts as shared by all
STAGES: dict[str, tuple[str, ...]] = {
    NOTHING: (
        *(
            "cli/*",
            "config/*",
            "processes/*",
            "tracking/*",
            "workflow/*",
            "__*__.py",
        ),
        *(f"storage/{each}.py" for each in ("canonical", "dependencies", "files", "integrity")),
        *(f"storage/{each}.py" for each in ("locking", "mlflow_*", "provenance", "timer")),
        *(f"jobs/{each}.py" for each in ("__*__", "cold_start", "command_line")),
        *(f"jobs/{each}.py" for each in ("divergence", "exit_messages", "in_process", "server")),
        # the final model on files of the user
        *("datasets/new_*.py", "keras_io/final_model.py"),
        *("training/output_scores.py", "jobs/file_scores.py"),
        # surgery on models of the user
        *(f"keras_io/{each}.py" for each in ("model_surgery", "effects", "constraints")),
        *(f"keras_io/{each}.py" for each in ("calibration", "compilation", "layer_copies")),
        *(f"keras_io/{each}.py" for each in ("optimizer_slots", "optimizer_files", "set_aside")),
        *(f"keras_io/{each}.py" for each in ("user_files", "file_kinds", "keras_errors")),
    ),
    MODEL: ("jobs/raw_model.py", "keras_io/preprocessing.py", "search/last_epochs.py"),
    EXPORT: (
        *("jobs/export.py", "jobs/model_check.py", "keras_io/tflite.py"),
        "report/error_analysis.py",
    ),
    TRAINING: (
        *("training/*", "networks/*", "objectives/*", "keras_io/*"),
        *("datasets/samples.py", "datasets/augmentation.py"),
        *(f"search/{each}.py" for each in ("candidates", "records", "scores", "selection")),
        *(f"search/{each}.py" for each in ("speed", "speed_fit", "target")),
        *(
            f"jobs/{each}.py"
            for each in (
                "calibration",
                "first_look",
                "initial_network",
                "speed",
                "train",
                "training_*",
            )
        ),
    ),
    SURGERY: ("surgery/*",),
    REPORT: (
        *("plots/*", "report/*", "analysis/*", "reproduction/*"),
        *(f"search/{each}.py" for each in ("front", "last_epochs", "lineage", "summary")),
        *("jobs/search.py", "jobs/reference.py"),
    ),
    PLANNING: ("search/*", "jobs/arbor.py", "jobs/ectonas.py", "jobs/surgeon.py"),
    DATA: ("datasets/*",),
    SHARED: (),
}


def stage_of(module: str) -> str:
    """Return the stage that a module belongs to.

    Args:
        module: Its file, relative to the package, with forward slashes.
    """
    return next(
        (
            stage
            for stage, patterns in STAGES.items()
            if any(fnmatch(module, pattern) for pattern in patterns)
        ),
        SHARED,
    )


def code_digests(*stages: str) -> dict[str, str]:
    """Return the digest of each of these stages, and that of the code which all share."""
    digests = _digests_of_stages(PACKAGE)
    return {stage: digests[stage] for stage in (*stages, SHARED)}


def digest_of_modules(*patterns: str) -> str:
    """Return one digest of the modules that match, for studies that measure the code itself.

    Args:
        patterns: Glob patterns, relative to the package.

    Raises:
        FileNotFoundError: A pattern matches no module.
    """
    files: set[Path] = set()
    for pattern in patterns:
        matches = set(PACKAGE.glob(pattern))
        if not matches:
            raise FileNotFoundError(f"{PACKAGE}: no module matches {pattern!r}")
        files |= matches
    return _digest(each.read_text(encoding="utf-8") for each in sorted(files))


def module_digest(source: str) -> str:
    """Return the digest of a module's source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return _digest([ast.dump(tree, annotate_fields=False)])


@cache
def _digests_of_stages(package: Path) -> dict[str, str]:
    """Compute the digests of all stages, which takes a second unless they are in the cache."""
    cached = _read_cache(package)
    modules: dict[str, dict[str, str]] = {stage: {} for stage in STAGES}
    known = {}
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        stage = stage_of(name)
        if stage == NOTHING:
            continue
        source = path.read_bytes()
        key = hashlib.sha256(source).hexdigest()
        known[key] = modules[stage][name] = cached.get(key) or module_digest(source.decode())
    if known != cached:
        with contextlib.suppress(OSError):  # a package that is read-only does without
            write_text(_cache_file(package), json.dumps(known))
    return {stage: _digest([json.dumps(each)])[:16] for stage, each in modules.items()}


def _cache_file(package: Path) -> Path:
    """Name the cache of digests, next to Python's own compiled modules."""
    return Path(importlib.util.cache_from_source(str(package / "module.py"))).parent / CACHE


def _read_cache(package: Path) -> dict[str, str]:
    try:
        found = json.loads(_cache_file(package).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()
