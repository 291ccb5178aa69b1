"""Users' Keras models as starting topologies: found by their paths, and checked against the data.

Reading a model takes TensorFlow, which no planning process imports: another process describes it
(`netsurgery.training.starting_model`). The description is kept in the user's cache, by the content
of the model and the code.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import netsurgery
from netsurgery.config.errors import error_at
from netsurgery.networks.layers import (
    Flatten,
    KeptJoin,
    KernelLayer,
    Other,
    Rescaling,
    Shape,
)
from netsurgery.networks.topology import Topology
from netsurgery.objectives.tasks import TASKS
from netsurgery.storage.dependencies import digest
from netsurgery.storage.files import sha256, write_text

SUFFIXES = (".keras", ".h5", ".hdf5")
PACKAGE = Path(netsurgery.__file__).parent
OF_OPTIMIZER = ("optimizer", "learning_rate", "momentum")


@dataclass(frozen=True)
class StartingModel:
    """A user's Keras model as the start of a search.

    Attributes:
        path: Of the file or folder.
        sha256: The checksum of its content.
        topology: What it is.
        settings: Its compilation, as settings of a search.
        notes: What a search does not keep of it, one line each.
    """

    path: str
    sha256: str
    topology: Topology
    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, str]:
        """What the job that reads it has to know."""
        return {"path": self.path, "sha256": self.sha256}

    @property
    def has_logits(self) -> bool:
        """Whether its output is linear."""
        return self.topology.layers[-1].activation_function in (None, "linear")

    @property
    def kinds(self) -> list[dict[str, Any]]:
        """Its layers as entries of a list, for algorithms that take some kinds only.

        Those that surgery keeps as they are do not count.
        """
        ignored = Flatten | Other | KeptJoin
        return [{e.kind: {}} for e in self.topology.layers if not isinstance(e, ignored)]

    @property
    def kept_layer(self) -> str | None:
        """The first layer with weights that surgery keeps as it is, for display; None without."""
        kept = (e for e in self.topology.layers if isinstance(e, Other | KeptJoin) and e.arrays)
        return next(map(str, kept), None)

    def with_compilation(self, search: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of a search, completed by the compilation of the model.

        The settings of its optimizer go together: another optimizer has another learning rate.
        """
        own = dict(self.settings)
        if "optimizer" in search:
            own = {key: value for key, value in own.items() if key not in OF_OPTIMIZER}
        return own | dict(search)

    def why_unsuitable(
        self,
        shape: Shape | None,
        outputs: int | None,
        task: str,
        dataset: str,
        scaling: Any,
        inputs: Mapping[str, Shape],
    ) -> str | None:
        """Why it does not fit a dataset; None if it does.

        Args:
            shape: Of the samples; None if it is not known yet.
            outputs: Classes or targets; None if their number is not known yet.
            task: Its name, such as classification.
            dataset: Its name.
            scaling: How the dataset is scaled, as the settings say.
            inputs: The inputs of the samples by name, if they have several.
        """
        own = {part.name: part.shape for part in self.topology.inputs}
        if [*own] != [*inputs]:
            takes, has = (", ".join(names) or "one input" for names in (own, inputs))
            return f"takes {takes}, but {dataset!r} has {has}; names and order must be the same"
        if shape is not None and own != dict(inputs):
            takes, has = (_listed(shapes) for shapes in (own, inputs))
            return f"takes {takes}, but {dataset!r} has {has}"
        entering, leaving = self.topology.input_shape, self.topology.output_shape[-1]
        if shape is not None and shape != entering:
            return f"takes samples of {_sides(entering)}, but {dataset!r} has {_sides(shape)}"
        if outputs is not None and outputs != leaving:
            return f"has {leaving} outputs, but {dataset!r} has {outputs} {TASKS[task].outputs}"
        last, possible = self.topology.layers[-1].activation_function, TASKS[task].activations
        if (last or "linear") not in possible:
            return f"ends with {last or 'linear'}; {task} needs {' or '.join(possible)}"
        if scaling != "none" and (layer := self._preprocessing):
            return (
                f"scales its input itself ({layer}); set scaling: none for dataset {dataset!r}, so"
                f" that it is not scaled twice"
            )
        return None

    @property
    def _preprocessing(self) -> str | None:
        """The layer in front of all others that scales the input, for display."""
        for layer in self.topology.layers:
            if isinstance(layer, KernelLayer):
                return None
            if isinstance(layer, Rescaling) or str(layer) == "Normalization":
                return str(layer)
        return None


def _sides(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _listed(inputs: Mapping[str, Shape]) -> str:
    return ", ".join(f"{name} of {_sides(shape)}" for name, shape in inputs.items())


def is_path(topology: Any) -> bool:
    """Whether the `topology` of a search is a path rather than a name."""
    if not isinstance(topology, str):
        return False
    return topology.endswith(SUFFIXES) or "/" in topology or _is_saved_model(topology)


def _is_saved_model(topology: str) -> bool:
    """Whether it is a folder of TensorFlow, which is refused with advice."""
    return Path(topology, "saved_model.pb").is_file()


@cache
def read(path: str, where: tuple[str, ...]) -> StartingModel:
    """Read a model.

    Args:
        path: Of the model.
        where: The keys that lead to it.

    Raises:
        ConfigError: There is none, or a search cannot start from it.
    """
    if not Path(path).exists():
        message = f"'{path}' does not exist; paths are relative to the working directory"
        raise error_at(where, message)
    checksum = content_of_model(Path(path))
    kept = _cache_folder() / f"{digest([checksum, _code()])}.json"
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = _described(path, where)
        with contextlib.suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_text(kept, json.dumps(found))
    topology = Topology.from_json(found["topology"])
    return StartingModel(path, checksum, topology, found["settings"], tuple(found["notes"]))


def content_of_model(path: Path) -> str:
    """Return the checksum of a model: of a file, or of all files of a folder."""
    if path.is_file():
        return sha256(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return digest({str(file.relative_to(path)): sha256(file) for file in files})


def _described(path: str, where: tuple[str, ...]) -> dict[str, Any]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(PACKAGE.parent),
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, "-m", "netsurgery.training.starting_model", path]
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if process.returncode:
        *_, last = [process.stderr.strip() or "it cannot be read"][-1].splitlines()
        raise error_at(where, last)
    *_, line = process.stdout.splitlines()
    return dict(json.loads(line))


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "netsurgery" / "models"


@cache
def _code() -> list[Any]:
    """What changes when the code that describes models does."""
    return [netsurgery.__version__, *sorted(_versions())]


def _versions() -> Iterator[list[Any]]:
    for file in PACKAGE.rglob("*.py"):
        stat = file.stat()
        yield [str(file), stat.st_size, stat.st_mtime_ns]
