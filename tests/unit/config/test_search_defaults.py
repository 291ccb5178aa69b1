"""The settings of a search that its configuration leaves out."""

import numpy as np
import pytest

from netsurgery.config.errors import ConfigError
from netsurgery.search.algorithms import ALGORITHMS
from tests.unit.config.examples import REGRESSION, load, load_surgeon


def test_loss_and_metric_follow_the_task():
    settings = load().searches["s"].settings
    assert (settings["loss"], settings["objective"]) == ("crossentropy", "val_accuracy")
    settings = load(top=REGRESSION, dataset="sugar", topology="ff-small").searches["s"].settings
    assert (settings["loss"], settings["objective"]) == ("mse", "val_loss")


def test_the_surgeon_scores_regression_by_r2():
    given = {"datasets": {"d": {"source": "sklearn", "name": "diabetes"}}}
    found = load_surgeon(dataset="d", top=given).searches["s"].settings
    assert (found["objective"], found["loss"]) == ("val_r2", "mse")
    for dataset, objective in (("d", "val_accuracy"), ("digits", "val_r2"), ("d", "val_loss")):
        with pytest.raises(ConfigError, match="objective: "):
            load_surgeon(dataset=dataset, objective=objective, top=given)


@pytest.mark.parametrize(("optimizer", "momentum"), [("sgd", 0.9), ("rmsprop", 0.9), ("adam", 0)])
def test_a_default_momentum_is_for_optimizers_that_take_one(optimizer, momentum):
    settings = load(algorithm="arbor", topology="cnn-tiny", optimizer=optimizer)
    assert settings.searches["s"].settings["momentum"] == momentum


@pytest.mark.parametrize(
    ("source", "topology"),
    [
        ({"source": "sklearn", "name": "digits"}, "cnn-tiny"),
        ({"source": "sklearn", "name": "wine"}, "ff-small"),
    ],
)
def test_a_search_needs_no_more_than_its_data(source, topology):
    searches = {"s": {"dataset": "d"}}
    settings = load(top={"datasets": {"d": source}, "searches": searches}).searches["s"].settings
    assert (settings["algorithm"], settings["topology"]) == ("arbor", topology)
    assert settings["augmentation"] == "auto"


def test_rows_in_a_file_start_from_dense_layers(tmp_path):
    np.savez(tmp_path / "rows.npz", x_train=np.ones((9, 5)), y_train=np.arange(9) % 3)
    source = {"source": "npz", "path": str(tmp_path / "rows.npz")}
    top = {"datasets": {"d": source}, "searches": {"s": {"dataset": "d"}}}
    assert load(top=top).searches["s"].settings["topology"] == "ff-small"


@pytest.mark.parametrize(("task", "rate"), [("diabetes", 0.02), ("wine", 0.004), ("digits", 0.15)])
def test_rates_of_arbor_suit_the_task(task, rate):
    data = {"datasets": {"d": {"source": "sklearn", "name": task}}}
    given = {"algorithm": "arbor", "dataset": "d", "topology": "ff-small"}
    for changed, expected in (({}, rate), ({"learning_rate": 0.3}, 0.3)):
        loaded = load(top=data | {"searches": {"s": given | changed}})
        assert loaded.searches["s"].settings["learning_rate"] == expected


@pytest.mark.parametrize(
    ("name", "topology", "scaling"),
    [
        ("digits", "cnn-tiny", "sqrt"),
        ("wine", "ff-small", "none"),
        ("diabetes", "ff-small", "none"),
    ],
)
def test_default_rates_of_images_follow_the_batch_size(name, topology, scaling):
    data = {"datasets": {"d": {"source": "sklearn", "name": name}}}
    given = {"algorithm": "arbor", "dataset": "d", "topology": topology}
    settings = load(top=data | {"searches": {"s": given}}).searches["s"].settings
    assert settings["learning_rate_scaling"] == scaling
    for own in ({"learning_rate": 0.15}, {"optimizer": "adam"}):
        settings = load(top=data | {"searches": {"s": given | own}}).searches["s"].settings
        assert settings["learning_rate_scaling"] == "none"


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("sgd", 0.1), ("adam", 0.001), ({"lion": {"beta_1": 0.8}}, 0.001)]
)
def test_another_optimizer_has_the_rate_of_keras(optimizer, rate):
    assert load(optimizer=optimizer).searches["s"].settings["learning_rate"] == rate
    assert load(optimizer=optimizer, learning_rate=3).searches["s"].settings["learning_rate"] == 3


@pytest.mark.parametrize(
    ("seeds", "expanded"),
    [({}, [42, 43, 44]), ({"seeds": [7]}, [7, 8, 9]), ({"seeds": [3, 1, 2]}, [3, 1, 2])],
)
def test_each_fold_has_a_seed(seeds, expanded):
    search = load(folds=3, **seeds).searches["s"]
    assert search.seeds == expanded
    folds = [search.split_settings(seed)["fold"] for seed in expanded]
    assert folds == [{"index": i, "count": 3, "seed": expanded[0]} for i in range(3)]


@pytest.mark.parametrize(("algorithm", "numbers"), [("arbor", "auto"), ("baseline", None)])
def test_numbers_of_tables_enter_in_pieces_by_default_of_arbor(algorithm, numbers):
    table = {"dataset": "sugar", "topology": "ff-small", "top": REGRESSION}
    assert load(algorithm=algorithm, **table).searches["s"].settings.get("numbers") == numbers
    given = load(algorithm=algorithm, numbers="piecewise_linear", **table)
    assert given.searches["s"].settings["numbers"] == "piecewise_linear"
    line = "numbers: piecewise_linear needs rows of features, but 'digits' has images"
    with pytest.raises(ConfigError, match=line):
        load(algorithm=algorithm, numbers="piecewise_linear")


@pytest.mark.parametrize(
    ("algorithm", "name", "expected"),
    [
        ("arbor", "diabetes", 0.4),
        ("arbor", "wine", 1.5),
        ("arbor", "digits", 0.005),  # images
        ("baseline", "wine", 0),
    ],
)
def test_kernels_of_rows_decay_faster_in_arbor(algorithm, name, expected):
    top = {"datasets": {"d": {"source": "sklearn", "name": name}}}
    found = load(top=top, algorithm=algorithm, dataset="d", topology="ff-small").searches["s"]
    assert found.settings["weight_decay"] == expected
    chosen = ALGORITHMS[algorithm]
    assert set(chosen.row_defaults) in (set(), set(chosen.task_defaults))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, ("adam", 0.004, 0.001, 1.5)),
        ({"weight_decay": 0.3}, ("adam", 0.004, 0.001, 0.3)),
        ({"optimizer": "sgd"}, ("sgd", 0.15, 0.05, 0.05)),
        ({"momentum": 0.8}, ("sgd", 0.15, 0.05, 0.05)),
        ({"learning_rate": 0.3}, ("sgd", 0.3, 0.1, 0.05)),
        ({"optimizer": "adam"}, ("adam", 0.01, 0.01 / 3, 0.05)),
        ({"optimizer": "adam", "round_learning_rate": 0.2}, ("adam", 0.01, 0.2, 0.05)),
        ({"optimizer": "adam", "learning_rate": 0.03}, ("adam", 0.03, 0.01, 0.05)),
    ],
)
def test_what_goes_with_an_optimizer_leaves_with_it(changed, expected):
    top = {"datasets": {"d": {"source": "sklearn", "name": "wine"}}}
    found = load(top=top, algorithm="arbor", dataset="d", topology="ff-small", **changed)
    keys = ("optimizer", "learning_rate", "round_learning_rate", "weight_decay")
    optimizer, *numbers = (found.searches["s"].settings[key] for key in keys)
    assert (optimizer, *numbers) == (expected[0], *map(pytest.approx, expected[1:]))


@pytest.mark.parametrize(
    ("algorithm", "dataset", "top", "parts"),
    [
        ("arbor", "digits", {}, "auto"),
        ("arbor", "sugar", REGRESSION, 1),  # a table
        ("arbor", "digits", {"use_gpu": 1}, 1),
        ("baseline", "digits", {}, 1),
    ],
)
def test_batches_are_split_where_that_is_faster(algorithm, dataset, top, parts):
    given = {"algorithm": algorithm, "dataset": dataset, "topology": "ff-small", "top": top}
    assert load(**given).searches["s"].settings["batch_parts"] == parts
    assert load(**given, batch_parts=4).searches["s"].settings["batch_parts"] == 4


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("adam", 0.002, 0)),
        ({"learning_rate": 0.3}, ("sgd", 0.3, 0)),
        ({"momentum": 0.9}, ("sgd", 0.1, 0.9)),
        ({"optimizer": "rmsprop"}, ("rmsprop", 0.001, 0)),
        ({"algorithm": "arbor", "budget": 20}, ("sgd", 0.15, 0.9)),
    ],
)
def test_several_labels_have_defaults_of_their_own(given, expected, tmp_path):
    labels = np.eye(3, dtype=int)
    np.savez(tmp_path / "d.npz", x_train=np.zeros((3, 2)), y_train=labels)
    data = {"source": "npz", "path": str(tmp_path / "d.npz"), "task": "multilabel"}
    found = load(top={"datasets": {"d": data}}, dataset="d", topology="ff-small", **given)
    settings = found.searches["s"].settings
    assert tuple(settings[key] for key in ("optimizer", "learning_rate", "momentum")) == expected
    assert settings["loss"] == "binary_crossentropy"
    assert settings["objective"] == "val_mean_average_precision"
