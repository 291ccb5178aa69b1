"""Searches: what the schema cannot check, and how settings are expanded."""

import re

import numpy as np
import pytest

from netsurgery.config.errors import ConfigError
from netsurgery.networks import topologies
from netsurgery.objectives.step_rates import Along
from tests.unit.config.examples import REGRESSION, load


def test_own_topologies_are_built_layer_by_layer():
    own = {"mine": [{"conv_cell": {"channels": 4, "pooling": "max"}}, {"dense": {"units": 6}}]}
    hidden = load(topology="mine", topologies=own).searches["s"].layers
    topology = topologies.build(hidden, (8, 8, 1), 10)
    layers = [str(layer) for layer in topology.layers]
    assert layers == [
        "conv 4 (3x3)",
        "max pool 2x2",
        "batch norm",
        "relu",
        "flatten",
        "dense 6 (relu)",
        "dense 10 (softmax)",
    ]


def test_an_entry_without_settings_is_its_name():
    branches = [["squeeze"], [{"conv": {"channels": 1}}]]
    short = [{"parallel": {"branches": branches}}, "global_average", {"batch_norm": None}]
    assert load(topology="mine", topologies={"mine": short}).searches["s"].layers == [
        {"parallel": {"branches": [[{"squeeze": {}}], [{"conv": {"channels": 1}}]]}},
        {"global_average": {}},
        {"batch_norm": {}},
    ]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("flaten", "topologies.mine.0.flaten: unknown key; did you mean flatten?"),
        ("residual", "topologies.mine.0.residual.channels: is missing; required here: channels"),
        ({"residual": {"channels": 4, "block": "wide"}}, "residual.block: unknown value 'wide'"),
        ({"parallel": {"branches": [[]]}}, "mine.0.parallel.branches: [[]] has fewer than 2"),
        (
            {"parallel": {"branches": [[], [{"dense": {"units": 0}}]]}},
            "topologies.mine.0.parallel.branches.1.0.dense.units: ",
        ),
        ("squeeze", "topologies.mine: entry 1, squeeze: needs images or series, not rows"),
    ],
)
def test_an_invalid_entry_is_named(entry, line):
    top = {"datasets": {"d": {"source": "sklearn", "name": "wine"}}}
    with pytest.raises(ConfigError, match=re.escape(line)):
        load(top=top, dataset="d", topology="mine", topologies={"mine": [entry]})


def test_conv_cells_are_refused_for_rows_of_features():
    top = {"datasets": {"d": {"source": "sklearn", "name": "wine"}}}
    with pytest.raises(ConfigError, match="entry 1, conv_cell: needs images"):
        load(top=top, dataset="d")
    assert load(top=top, dataset="d", topology="ff-small")


def test_a_metric_to_score_by_is_recorded():
    settings = (
        load(objective="val_balanced_accuracy", extra_metrics=["top5_accuracy"])
        .searches["s"]
        .settings
    )
    assert settings["extra_metrics"] == ["balanced_accuracy", "top5_accuracy"]
    of_keras = [{"auc": {"curve": "PR"}}, "recall"]
    settings = load(objective="val_auc", extra_metrics=of_keras).searches["s"].settings
    assert settings["extra_metrics"] == of_keras
    settings = load(objective="val_recall").searches["s"].settings
    assert settings["extra_metrics"] == ["recall"]


@pytest.mark.parametrize("kind", ["adamw", {"sgd": {"weight_decay": 0.5}}])
def test_weights_decay_in_one_way(kind):
    with pytest.raises(ConfigError, match=r"searches\.s\.weight_decay: (adamw|sgd) decays all"):
        load(optimizer=kind, weight_decay=0.01)
    plain = {"adamw": {"weight_decay": 0.0}}
    assert load(optimizer=plain, weight_decay=0.01).searches["s"].settings["weight_decay"] == 0.01


@pytest.mark.parametrize(
    ("search", "epochs"),
    [
        ({"algorithm": "baseline", "epochs": 7}, 7),
        ({"algorithm": "surgeon", "topology": "surgeon-small", "epochs": 30, "budget": 90}, 30),
        ({"budget": 40}, 40),
        ({"budget": "20min"}, "20min"),
    ],
)
def test_a_schedule_spans_what_the_algorithm_says(search, epochs):
    assert load(**search).searches["s"].rates is None
    assert load(schedule="cosine", **search).searches["s"].rates == Along(epochs)
    assert load(schedule={"constant": {}}, **search).searches["s"].rates is None


def test_a_loss_without_logits_needs_probabilities():
    assert load(loss="dice").searches["s"].settings["loss"] == "dice"
    with pytest.raises(
        ConfigError, match="dice takes no logits, which are the outputs of this topology"
    ):
        load(loss="dice", topology="surgeon-small")
    load(loss="categorical_focal_crossentropy", topology="surgeon-small")


@pytest.mark.parametrize(
    ("dataset", "key", "value", "line"),
    [
        ("sugar", "objective", "val_accuracy", "does not fit regression"),
        ("sugar", "loss", "crossentropy", "does not fit regression (allowed: cosine_similarity,"),
        ("sugar", "loss", {"dice": {}}, "'dice' does not fit regression"),
        ("sugar", "class_weights", "balanced", "allowed: none"),
        (
            "sugar",
            "extra_metrics.0",
            ["top5_accuracy"],
            "'top5_accuracy' does not fit regression (allowed: conc",
        ),
        (
            "sugar",
            "extra_metrics.1",
            ["r2_score", "auc"],
            "'auc' does not fit regression (allowed: c",
        ),
        ("sugar", "objective", "val_auc", "does not fit regression"),
        ("sugar", "augmentation", "sixfold", "needs images"),
        ("sugar", "augmentation", "shift", "'shift' needs images or series, but 'sugar' has rows"),
        ("digits", "schedule", "cosin", "unknown schedule 'cosin'; did you mean cosine?"),
        ("digits", "schedule", {"cosine": {"end": 0}}, "cosine has no argument 'end'"),
        ("digits", "objective", "val_r2", "does not fit classification"),
        ("digits", "loss", "ctc", "unknown loss 'ctc' (allowed: binary_cross"),
        ("digits", "objective", "auc", "unknown metric 'auc'; did you mean val_auc?"),
        ("digits", "objective", "val_precison", "did you mean val_precision?"),
        ("digits", "objective", "val_true_positives", "whether more true_positives is better"),
        (
            "digits",
            "objective",
            "val_iou",
            "list iou with its target_class_ids under extra_metrics",
        ),
        ("digits", "extra_metrics.0", ["iou"], "iou requires the argument target_class_ids"),
        (
            "digits",
            "extra_metrics.0",
            [{"auc": {"curv": "PR"}}],
            "no argument 'curv'; did you mean curve",
        ),
        ("digits", "extra_metrics.1", ["auc", {"auc": {"curve": "PR"}}], "auc is listed twice"),
        (
            "digits",
            "extra_metrics.0",
            [{"top5_accuracy": {"k": 3}}],
            "top5_accuracy has no argument 'k'",
        ),
        ("digits", "optimizer", "sdg", "unknown optimizer 'sdg'; did you mean sgd?"),
        ("digits", "optimizer", {"adam": {"beta": 1}}, "no argument 'beta'; did you mean beta_"),
        (
            "digits",
            "optimizer",
            {"adam": {"amsgrad": 1}},
            "argument amsgrad of adam is 1; it must be of the type",
        ),
        ("digits", "optimizer", {"adam": {"learning_rate": 1}}, "has no argument 'learning_rate'"),
        ("digits", "optimizer.adam", {"adam": 3}, "3 is not a mapping"),
        ("digits", "optimizer", {"adam": {}, "sgd": {}}, "has more than 1 entry"),
        ("digits", "optimizer", 3, "3 is not text or a mapping"),
    ],
)
def test_what_does_not_fit_the_task_is_refused(dataset, key, value, line):
    with pytest.raises(ConfigError) as caught:
        load(top=REGRESSION, dataset=dataset, topology="ff-small", **{key.partition(".")[0]: value})
    assert str(caught.value).startswith(f"config: searches.s.{key}: ")
    assert line in str(caught.value)


@pytest.mark.parametrize("algorithm", ["ectonas", "surgeon"])
def test_noise_needs_growth_by_copies(algorithm):
    given = {"topology": "ff-small", "algorithm": algorithm, "copy_noise": 0.1}
    assert load(**given, growth="copies")
    assert load(**given | {"copy_noise": 0}, growth="zeros")
    with pytest.raises(ConfigError, match="needs copies, but growth is zeros"):
        load(**given, growth="zeros")


@pytest.mark.parametrize("algorithm", ["ectonas", "surgeon"])
@pytest.mark.parametrize(
    ("key", "limit", "line"),
    [
        (
            "max_multiplications",
            739,
            "739 is less than the 740 multiplications per sample of the initial network for samples"
            " of 8x8x1; raise it to 740",
        ),
        (
            "max_model_bytes",
            3039,
            "3,039 is less than the 3,040 bytes of weights of the initial network for samples of"
            " 8x8x1; raise it to 3,040",
        ),
    ],
)
def test_a_start_above_a_limit_on_size_is_an_error(algorithm, key, limit, line):
    given = {"algorithm": algorithm, "topology": "surgeon-small", key: limit}
    with pytest.raises(ConfigError) as caught:
        load(**given)
    assert str(caught.value) == f"config: searches.s.{key}: {line}, or start smaller"
    assert load(**given | {key: limit + 1})


@pytest.mark.parametrize(
    ("dataset", "limit", "line"),
    [
        ("digits", 12_169, "the 12,170 parameters of the initial network for samples of 8x8x1;"),
        ("array", 13_781, "the at least 13,782 parameters of the initial network; raise it to"),
        ("images", 250_000, "the at least 261,682 parameters of the initial network; raise it to"),
        ("table", 5000, "the at least 5,782 parameters of the initial network; raise it to"),
    ],
)
def test_a_start_above_max_parameters_is_an_error(dataset, limit, line, tmp_path):
    np.savez(tmp_path / "x.npz", x_train=np.zeros((4, 9, 9, 1), np.uint8), y_train=np.arange(4))
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    own = {
        "datasets": {
            "array": {"source": "npz", "path": str(tmp_path / "x.npz")},
            "images": {"source": "image_folder", "path": str(tmp_path), "size": [32, 80]},
            "table": {"source": "csv", "path": str(tmp_path / "table.csv"), "target": "b"},
        }
    }
    with pytest.raises(ConfigError, match=r"config: searches\.s\.max_parameters: ") as caught:
        load(top=own, dataset=dataset, topology="ff-large", max_parameters=limit)
    assert f"{limit:,} is less than {line}" in str(caught.value)
    assert load(top=own, dataset=dataset, topology="ff-large", max_parameters=261_682)
    assert load(top=own, dataset=dataset, topology="ff-large")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"operations": ["ectonas", "add_residual"]},
            "operations.1: unknown operation 'add_residual'",
        ),
        (
            {"recuperation": {"add_unit": 0.5}},
            "recuperation.add_unit: unknown operation 'add_unit'; did",
        ),
        ({"operations": []}, "operations: is empty"),
        ({"recuperation": {"add_cell": 2}}, "recuperation.add_cell: 2 is greater"),
    ],
)
def test_unknown_operations_are_named(settings, line):
    with pytest.raises(ConfigError, match=re.escape(line)):
        load(**settings)


def test_arbor_refuses_operations_that_do_not_grow_exactly():
    with pytest.raises(ConfigError, match=r"operations.1: 'add_dense' is no growth of Arbor"):
        load(algorithm="arbor", topology="cnn-tiny", operations=["add_cell", "add_dense"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sizes": [500, 9000], "max_parameters": 9000}, "sizes.1: 9000 is not less than max_par"),
        ({"sizes": [100_000]}, "sizes.0: 100000 is not less than max_parameters, 100000"),
    ],
)
def test_sizes_of_arbor_are_smaller_than_the_final_network(changed, message):
    with pytest.raises(ConfigError, match=message):
        load(algorithm="arbor", topology="cnn-tiny", **changed)


def test_folds_need_seeds_and_samples_to_divide(tmp_path):
    with pytest.raises(ConfigError, match=r"seeds: there are 2 seeds for 3 folds"):
        load(folds=3, seeds=[1, 2])
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    table = {"source": "csv", "path": str(tmp_path / "a.csv"), "target": "y"}
    top = {"datasets": {"d": table | {"test_path": table["path"]}}}
    with pytest.raises(ConfigError, match=r"folds: 'd' has test samples of its own"):
        load(folds=3, top=top, dataset="d", topology="ff-small")


@pytest.mark.parametrize("text", ["20 minutes", "-5min", "20", "0s", "1d"])
@pytest.mark.parametrize("algorithm", ["arbor", "ectonas", "baseline"])
def test_a_bad_time_gets_one_line(algorithm, text):
    key = "epochs" if algorithm == "baseline" else "budget"
    line = rf"^config: searches\.s\.{key}: '{text}' is not valid \(Epochs to train.* or a time of"
    with pytest.raises(ConfigError, match=line):
        load(algorithm=algorithm, **{key: text})


def test_what_needs_classes_is_refused_for_several_labels(tmp_path):
    np.savez(tmp_path / "d.npz", x_train=np.zeros((3, 2)), y_train=np.eye(3, dtype=int))
    data = {"source": "npz", "path": str(tmp_path / "d.npz"), "task": "multilabel"}
    for key, value, line in (
        ("class_weights", "balanced", "needs classes, but 'd' is for multilabel"),
        ("loss", "crossentropy", "'crossentropy' does not fit multilabel"),
        ("objective", "val_accuracy", "'val_accuracy' does not fit multilabel"),
    ):
        with pytest.raises(ConfigError, match=re.escape(line)):
            load(top={"datasets": {"d": data}}, dataset="d", topology="ff-small", **{key: value})
