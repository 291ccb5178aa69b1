"""Whether the final model gives on raw test samples what the search recorded.

The model is the network between layers that scale its inputs and outputs. Two comparisons find the
place of a difference: what reaches the network with what it was tested on, and the model's outputs
with those that the network's outputs mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from netsurgery import datasets
from netsurgery.datasets import DataError, Samples
from netsurgery.datasets.joined_inputs import parts_of
from netsurgery.datasets.source import Inputs
from netsurgery.jobs.exit_messages import OneLineError
from netsurgery.keras_io import functional, preprocessing
from netsurgery.networks.packed_inputs import packed
from netsurgery.objectives.label_scores import LabelCounts
from netsurgery.objectives.number_scores import NumberScores
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL

MAX_SAMPLES = 2000  # that are compared
MAX_READ = 100_000  # samples of the source that are read for them
MAX_BYTES = 2**26  # of the samples that are compared
MAX_RESIZED = 12  # images in their own sizes, which may be large
TOLERANCE = 2e-3  # of scaled inputs, probabilities, and scaled targets
LEVEL = 1.01  # by which Pillow and Keras differ in resized images
LISTED = 3  # samples and columns in a message


class DisagreementError(OneLineError):
    """The final model does not give what was recorded; the message says where, in one line."""


@dataclass(frozen=True)
class Agreement:
    """How well the final model agrees with the network that was tested."""

    samples: int
    largest_difference: float  # of a probability, or of a target in standard deviations

    def to_json(self) -> dict[str, Any]:
        """The agreement as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class RawSamples:
    """Some test samples as a user has them."""

    positions: np.ndarray  # within the test part
    batches: Sequence[Inputs]


def read_raw(samples: Samples, data: Mapping[str, Any]) -> RawSamples:
    """Read some test samples from the source.

    Args:
        samples: the test samples.
        data: description of the prepared dataset.

    Raises:
        DisagreementError: a table cannot be read in the way that the model card says.
        DataError, OSError: the source cannot be read.
    """
    positions = _chosen_positions(samples, MAX_RESIZED if data["resized"] else MAX_SAMPLES)
    try:
        return RawSamples(positions, datasets.raw_samples(data, samples.indices[positions]))
    except DataError:
        raise
    except (KeyError, ValueError) as error:
        raise DisagreementError(
            f"{data['origin']}: it cannot be read as the model card says ({error})"
        ) from None


def _chosen_positions(samples: Samples, most: int) -> np.ndarray:
    """The positions of the test samples to compare, evenly spread over what may be read."""
    readable = int(np.sum(samples.indices < samples.indices[0] + MAX_READ))
    size = 4 * int(np.prod(samples.x.shape[1:]))
    count = min(readable, most, max(1, MAX_BYTES // size))
    return np.linspace(0, readable - 1, count).astype(int)


def gives_logits(network: keras.Model, samples: Samples) -> bool:
    """Whether a network's outputs are logits, not probabilities or targets."""
    last = network.layers[-1]
    activation = getattr(last, "activation", None)
    return samples.task == CLASSIFICATION and activation is keras.activations.linear


def in_units(outputs: np.ndarray, samples: Samples, *, logits: bool) -> np.ndarray:
    """What a network's outputs mean: probabilities, or targets in their units, float64.

    Args:
        outputs: (n, outputs) of the network.
        samples: their scaling is inverted.
        logits: whether the network's last layer is linear.
    """
    values = outputs.astype(np.float64)
    if samples.target is not None:
        scaled = values / samples.target.scale + samples.target.shift
        return samples.target.restore(scaled)
    if logits:
        values = np.exp(values - values.max(axis=1, keepdims=True))
        values /= values.sum(axis=1, keepdims=True)
    return values


def check_recorded(
    found: np.ndarray, samples: Samples, recorded: Mapping[str, Any], final: Path
) -> None:
    """Compare a network's outputs for all test samples with the recorded metrics.

    Args:
        found: (n, outputs), see `in_units`.
        samples: the test samples.
        recorded: metrics, None where they are not finite.
        final: the folder of the network, for the message.

    Raises:
        DisagreementError: accuracy or root mean square error differ.
    """
    name, value, tolerance = _test_score(found, samples)
    expected = recorded.get(name)
    if expected is not None and abs(value - expected) > tolerance:
        raise DisagreementError(
            f"{final / 'network.keras'}: gives a test {name} of {value:.6g}, but {expected:.6g} "
            f"was recorded"
        )


def _test_score(found: np.ndarray, samples: Samples) -> tuple[str, float, float]:
    """A metric of a network's outputs: its name, its value, and by how much it may differ."""
    y = samples.y[samples.indices]
    one = TOLERANCE + 1 / y.size  # two classes may be equally likely
    if samples.target is not None:
        scores = NumberScores.of(samples.target.restore(y), found).scores()
        unit = float(np.mean(1 / samples.target.of_values.scale.astype(np.float64)))
        return "rmse", scores["rmse"], TOLERANCE * unit
    if samples.task == MULTILABEL:
        return "label_accuracy", LabelCounts.of(y, found).scores()["label_accuracy"], one
    return "accuracy", float(np.mean(found.argmax(axis=1) == y)), one


def compare(
    model: keras.Model,
    network: keras.Model,
    raw: RawSamples,
    samples: Samples,
    data: Mapping[str, Any],
) -> Agreement:
    """Compare the final model on raw samples with the network on scaled ones.

    Args:
        model: takes raw samples.
        network: the same without preprocessing.
        raw: some test samples.
        samples: the test samples.
        data: description of the prepared dataset.

    Raises:
        DisagreementError: they differ by more than rounding.
    """
    indices = samples.indices[raw.positions]
    both = keras.Model(model.inputs, [*_entering(model, network, samples), *model.outputs])
    given = [both(_tensors(batch), training=False) for batch in raw.batches]
    *entering, found = (np.concatenate(values) for values in zip(*given, strict=True))
    reached = packed(entering) if samples.parts else entering[0]
    expected = samples.inputs(raw.positions)
    level = LEVEL * float(np.max(samples.scaling.scale)) if data["resized"] else 0.0
    _check_inputs(reached, expected, indices, data, max(TOLERANCE, level))
    difference = _difference(found, network, reached, samples)
    largest = float(difference.max())
    if not largest <= TOLERANCE:
        worst = int(indices[difference.max(axis=1).argmax()])
        raise DisagreementError(
            f"{data['origin']}: model.keras does not give what its network gives; sample {worst} "
            f"differs by {largest:.3g} "
            + ("(probability)" if samples.target is None else "standard deviations of the target")
        )
    whole = _difference(found, network, expected, samples)
    return Agreement(len(indices), float(whole.max()))


def _entering(model: keras.Model, network: keras.Model, samples: Samples) -> list[Any]:
    """The tensors of a final model that enter its network."""
    if samples.parts:
        return [model.get_layer(preprocessing.scaled_name(p.name)).output for p in samples.parts]
    return [model.get_layer(functional.first_layer(network)).input]


def _difference(
    found: np.ndarray, network: keras.Model, x: np.ndarray, samples: Samples
) -> np.ndarray:
    """How far outputs are from those that a network's for scaled inputs mean, (n, outputs)."""
    outputs = np.asarray(network(samples.as_taken(x), training=False))
    difference = found - in_units(outputs, samples, logits=gives_logits(network, samples))
    scale = 1 if samples.target is None else samples.target.of_values.scale
    return np.asarray(abs(difference * scale))


def _tensors(raw: Inputs) -> Any:
    """Inputs in their own precision, which Keras keeps for tensors."""
    if isinstance(raw, dict):
        return {name: keras.ops.convert_to_tensor(values) for name, values in raw.items()}
    return keras.ops.convert_to_tensor(raw)


def _check_inputs(
    reached: np.ndarray,
    expected: np.ndarray,
    indices: np.ndarray,
    data: Mapping[str, Any],
    tolerance: float,
) -> None:
    """Compare what reaches the network with what it was tested on, (n, *shape)."""
    differs = ~(abs(reached - expected) <= tolerance * np.maximum(1, abs(expected)))
    if not differs.any():
        return
    flat = differs.reshape(len(differs), -1)
    places = np.flatnonzero(flat.any(axis=0))
    if data["inputs"]:
        own = [part.name for i in places for part in parts_of(data) if part.start <= i < part.stop]
        names, kind = list(dict.fromkeys(own)), "input"
    elif data["features"]:
        names = list(dict.fromkeys(repr(data["features"][i]["column"]) for i in places))
        kind = "column"
    else:
        names = [
            str(i) if expected.ndim == 2 else _pixel(int(i), expected.shape[1:]) for i in places
        ]
        kind = "column" if expected.ndim == 2 else "value"
    samples = [str(i) for i in indices[flat.any(axis=1)]]
    raise DisagreementError(
        f"{data['origin']}: model.keras scales or encodes {_listed(kind, names)} differently from "
        f"training, in {_listed('sample', samples)} (of {len(differs)} that were compared)"
    )


def _pixel(place: int, shape: tuple[int, ...]) -> str:
    return str(tuple(int(i) for i in np.unravel_index(place, shape)))


def _listed(kind: str, names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{kind}{'s' if len(names) > 1 else ''} {', '.join(names[:LISTED])}{more}"
