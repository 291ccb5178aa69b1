"""What networks learn to predict, and what follows from it for their outputs and their training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netsurgery.objectives import keras_catalog
from netsurgery.objectives.keras_catalog import CROSSENTROPY, LOSSES, METRICS

CLASSIFICATION, REGRESSION, MULTILABEL = "classification", "regression", "multilabel"


@dataclass(frozen=True)
class Task:
    """A kind of prediction.

    Attributes:
        name: In the settings of a dataset.
        outputs: What each output stands for, in the plural.
        activations: That the output layer may have; that of new networks comes first.
        loss: By default.
        metrics: Built-in ones, and whether more is better. The first is the default objective.
        optional: Those that are recorded on request only.
        losses: Names of losses that fit; None: all do.
        keras_metrics: Names of Keras metrics that fit; None: all do.
        fewest_outputs: That a network needs.
        has_classes: Whether each sample is of one class.
    """

    name: str
    outputs: str
    activations: tuple[str, ...]
    loss: str
    metrics: Mapping[str, bool]
    optional: tuple[str, ...] = ()
    losses: tuple[str, ...] | None = None
    keras_metrics: tuple[str, ...] | None = field(default=None, repr=False)
    fewest_outputs: int = 1
    has_classes: bool = False

    def output_activation(self, wanted: str) -> str:
        """The activation of a new network's output: the one wanted, if the task allows it."""
        return wanted if wanted in self.activations else self.activations[0]

    @property
    def every_loss(self) -> list[str]:
        """The names of the losses that fit."""
        return keras_catalog.names(LOSSES) if self.losses is None else list(self.losses)

    @property
    def every_keras_metric(self) -> list[str]:
        """The names of the Keras metrics that fit."""
        names = keras_catalog.names(METRICS)
        return names if self.keras_metrics is None else list(self.keras_metrics)


def _metrics_of_numbers() -> tuple[str, ...]:
    names = keras_catalog.names(METRICS)
    return tuple(name for name in names if keras_catalog.find(METRICS, name).for_regression)


TASKS = {
    task.name: task
    for task in (
        Task(
            CLASSIFICATION,
            outputs="classes",
            activations=("softmax", "linear"),
            loss=CROSSENTROPY,
            metrics={
                "accuracy": True,
                "loss": False,
                "balanced_accuracy": True,
                "top5_accuracy": True,
            },
            optional=("balanced_accuracy", "top5_accuracy"),
            fewest_outputs=2,
            has_classes=True,
        ),
        Task(
            REGRESSION,
            outputs="targets",
            activations=("linear",),
            loss="mse",
            metrics={"loss": False, "mae": False, "rmse": False, "r2": True},
            # targets are scaled to mean 0, so losses must take numbers of either sign
            losses=(
                *("mse", "mae", "huber", "mean_squared_error", "mean_absolute_error"),
                *("log_cosh", "cosine_similarity"),
            ),
            keras_metrics=_metrics_of_numbers(),
        ),
        Task(
            MULTILABEL,
            outputs="labels",
            activations=("sigmoid",),
            loss="binary_crossentropy",
            metrics={
                "mean_average_precision": True,
                "loss": False,
                "macro_f1": True,
                "exact_match": True,
                "label_accuracy": True,
            },
            losses=(
                *("binary_crossentropy", "binary_focal_crossentropy"),
                *("mse", "mean_squared_error"),
            ),
            # those that take each output for itself
            keras_metrics=(
                *("auc", "binary_accuracy", "binary_crossentropy", "binary_iou"),
                *("mean_absolute_error", "mean_squared_error", "precision", "recall"),
                *("precision_at_recall", "recall_at_precision"),
                *("sensitivity_at_specificity", "specificity_at_sensitivity"),
            ),
        ),
    )
}
