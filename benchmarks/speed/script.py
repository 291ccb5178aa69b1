"""The baseline script: the epochs of a finished search in one process, with Keras's own `fit`.

    python -m benchmarks.speed.script SEARCH_FOLDER DATA_FOLDER SETTINGS

All arrays are in memory and scaled; the model of every candidate is kept and trained with `fit` and
TensorFlow's default threads; nothing is written. Surgery is that of the package, applied to the
current weights.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

from netsurgery import datasets
from netsurgery.keras_io import conversion
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import Offspring
from netsurgery.search.records import Record
from netsurgery.surgery import mutate


class Script:
    """The models and samples of a search."""

    def __init__(self, search: Path, data: Path, batch_size: int, learning_rate: float) -> None:
        self.batch_size, self.learning_rate = batch_size, learning_rate
        self.x, self.y = self.arrays(data, search, "training")
        self.validation = self.arrays(data, search, "validation")
        self.models: dict[str, keras.Sequential] = {}
        self.rng = np.random.default_rng(0)

    @staticmethod
    def arrays(data: Path, search: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
        """The samples of a part, in memory and scaled."""
        samples = datasets.read_part(data, search / "split.npz", part)
        return samples.inputs(np.arange(len(samples))), samples.y[samples.indices]

    def compiled(self, model: keras.Sequential) -> keras.Sequential:
        """Compile a model as a script would."""
        optimizer = keras.optimizers.SGD(self.learning_rate)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def start(self, record: Record) -> None:
        """Create the initial network."""
        fresh = initialise(Topology.from_json(record.topology), self.rng)
        self.models[record.candidate] = self.compiled(conversion.to_keras(fresh))

    def make_offspring(self, child: Offspring) -> None:
        """Create a candidate from its parent."""
        network = conversion.from_keras(self.models[child.parent])
        result = mutate(network, child.mutation, self.rng)
        self.models[child.candidate] = self.compiled(conversion.to_keras(result.network))

    def train(self, record: Record) -> None:
        """Train for the batches of a training step."""
        model = self.models[record.candidate]
        whole, rest = divmod(record.batches_spent, record.batches_per_epoch)
        settings = {"batch_size": self.batch_size, "verbose": 0, "validation_data": self.validation}
        if whole:
            model.fit(self.x, self.y, epochs=whole, **settings)
        if rest:
            count = rest * self.batch_size
            model.fit(self.x[:count], self.y[:count], epochs=1, **settings)


def main() -> None:
    """Replay a search."""
    search, data = Path(sys.argv[1]), Path(sys.argv[2])
    settings = json.loads(sys.argv[3])
    script = Script(search, data, settings["batch_size"], settings["learning_rate"])
    folder = SearchFolder(search)
    script.start(folder.start())
    script.train(folder.start())
    for plan in folder.generations():
        for record in folder.records_of(plan).values():
            if record.candidate not in script.models:
                script.make_offspring(plan.child(record.candidate))
            script.train(record)
    end = folder.end()
    if end.step == "final":
        script.train(end)


if __name__ == "__main__":
    main()
