"""A final model as a search leaves it, with the weights of an untrained network."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from netsurgery import datasets
from netsurgery.keras_io import archive, conversion, preprocessing
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build
from netsurgery.objectives.tasks import TASKS
from netsurgery.storage.files import write_json
from netsurgery.training.output_scores import score_outputs
from tests.support.factories import complete_dataset


def _network(samples: datasets.Samples, outputs: int, activation: str | None) -> keras.Model:
    """A network without hidden layers, but for those of each of several inputs."""
    if samples.parts:
        entries = [{"conv_cell": {"channels": 2}}]
        shape, parts = samples.x.shape[1:], samples.parts
        topology = build(entries, shape, outputs, activation or "linear", inputs=parts)
        return conversion.to_keras(initialise(topology, np.random.default_rng(0)))
    return keras.Sequential(
        [
            keras.Input(samples.x.shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(
                outputs,
                activation,
                kernel_initializer=keras.initializers.GlorotNormal(0),
                kernel_regularizer=keras.regularizers.L2(0.01),
            ),
        ]
    )


class FinalSearch:
    """The files of a final model, and what its network gives for the test samples.

    Args:
        folder: to write into.
        dataset: settings.
        metrics: additional metrics.
        activation: of the last layer in classification; None for logits.
    """

    def __init__(
        self,
        folder: Path,
        dataset: dict[str, Any],
        metrics: tuple[str, ...] = (),
        activation: str | None = "softmax",
    ) -> None:
        prepared, split = folder / "prepared", folder / "split.npz"
        datasets.prepare("d", complete_dataset(dataset), prepared)
        datasets.write_split(prepared, split, datasets.SplitSettings(0.2, 0.2), 0)
        self.samples = samples = datasets.read_part(prepared, split, "test")
        self.data = data = datasets.describe(prepared)
        task = TASKS[data["task"]]
        self.network = _network(
            samples, data["outputs"], task.output_activation(activation or "linear")
        )
        model = preprocessing.with_preprocessing(
            self.network, data, samples.scaling, samples.target
        )
        self.loss = task.loss
        measured = {"loss": self.loss, "extra_metrics": list(metrics)}
        self.model = folder / "final" / "model.keras"
        self.model.parent.mkdir()
        archive.save(model, self.model)
        described = preprocessing.description(
            data, samples.scaling, samples.target, samples.non_negative, measured, {}
        )
        write_json(self.model.with_name("preprocessing.json"), described)
        logits = task.has_classes and activation is None
        inputs = samples.as_taken(samples.inputs(np.arange(len(samples))))
        self.outputs = np.asarray(self.network(inputs))
        self.scores = score_outputs(
            self.outputs,
            samples.y[samples.indices],
            samples.target,
            loss=self.loss,
            metrics=metrics,
            penalty=float(sum(self.network.losses)),
            logits=logits,
        )
