"""The configuration: what is right, what is wrong, and the one line that says so."""

import re

import pytest
import yaml

from netsurgery.config import loading
from netsurgery.networks import topologies
from tests.support.factories import ROOT, SCHEMA, schema

BASE = {"algorithm": "ectonas", "dataset": "digits", "topology": "cnn-small"}


def load(*, topologies=None, top=None, **search):
    given = {"searches": {"s": BASE | search}} | (top or {})
    if topologies:
        given["topologies"] = topologies
    return loading.load(given, SCHEMA)


def load_surgeon(**search):
    return load(**{"algorithm": "surgeon", "topology": "surgeon-small"} | search)


@pytest.mark.parametrize(
    ("key", "given", "hint"),
    [
        ("topology", {"topology": "cnn-small"}, "the Surgeon takes dense layers only"),
        ("early_stopping.patienc", {"early_stopping": {"patienc": 3}}, "did you mean patience"),
        ("early_stopping.patience", {"early_stopping": {"patience": 0}}, "minimum of 1"),
        ("objective", {"objective": "val_loss"}, "val_accuracy"),
        ("mode", {"mode": "greedy"}, "allowed: random, recommended"),
        ("selection", {"selection": "best"}, "allowed: by_type, top"),
        (
            "recuperation_factors.add_conv_cell",
            {"recuperation_factors": {"add_conv_cell": 1}},
            "unknown",
        ),
        ("target_accuracy", {"target_accuracy": 80}, "maximum of 1"),
        ("rounds", {"rounds": 3}, "unknown key"),
    ],
)
def test_a_wrong_key_or_value_of_the_surgeon_is_named(key, given, hint):
    with pytest.raises(loading.ConfigError) as caught:
        load_surgeon(**given)
    assert str(caught.value).startswith(f"config: searches.s.{key}: ")
    assert hint in str(caught.value)


def test_defaults_are_the_design_s_numbers():
    settings = load().searches["s"].settings
    expected = {
        "mode": "greedy",
        "greediness": 1.0,
        "budget": 1000,
        "budget_mode": "strict",
        "warm_up_epochs": 10,
        "round_epochs": 5,
        "rounds": 3,
        "parents": 2,
        "score_window": 3,
        "units_change_fraction": 0.1,
        "min_units_change": 2,
        "channels_change": 3,
        "max_parameters": 7_999_999,
        "max_growth": 3.0,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch_size": 32,
        "dtype_policy": "float32",
        "validation_fraction": 0.1,
        "test_fraction": 0.1,
        "objective": "val_accuracy",
        "pooling": "average",
    }
    assert settings.items() >= expected.items()
    assert settings["recuperation"] == {
        "identity": 0.1,
        "add_channels": 0.1,
        "add_dense": 0.1,
        "add_units": 0.1,
        "add_conv_cell": 0.25,
        "remove_channels": 1.0,
        "remove_conv_cell": 1.0,
        "remove_dense": 1.0,
        "remove_units": 1.0,
    }
    baseline = loading.load({"searches": {"b": BASE | {"algorithm": "baseline"}}}, SCHEMA).searches[
        "b"
    ]
    assert baseline.settings["epochs"] == baseline.first_epochs == 200


def test_one_given_recuperation_leaves_the_others_at_their_defaults():
    settings = load(recuperation={"identity": 0.5}).searches["s"].settings
    assert settings["recuperation"]["identity"] == 0.5
    assert settings["recuperation"]["add_conv_cell"] == 0.25


def test_lists_expand_and_name_their_searches_in_order():
    found = load(
        topology=["cnn-small", "ff-small"],
        mode=["greedy", "balanced"],
        greediness=[0, 0.5],
        seeds=[0, 7],
    )
    assert list(found.searches) == [
        "s.cnn-small.greedy",
        "s.cnn-small.balanced.0",
        "s.cnn-small.balanced.0.5",
        "s.ff-small.greedy",
        "s.ff-small.balanced.0",
        "s.ff-small.balanced.0.5",
    ]
    assert found.searches["s.ff-small.balanced.0"].settings["greediness"] == 0
    assert found.searches["s.ff-small.greedy"].seeds == [0, 7]


def test_a_single_seed_needs_no_list():
    assert load(seeds=0).searches["s"].seeds == [0]


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


def test_the_warm_up_never_exceeds_the_budget():
    assert load(budget=4).searches["s"].first_epochs == 4
    assert load().searches["s"].first_epochs == 10


WRONG: dict[str, tuple[dict, str]] = {
    "searches.s.topolgy": ({"topolgy": "x"}, "did you mean topology"),
    "searches.s.topology": ({"topology": "cnn-smal"}, "did you mean cnn-small"),
    "searches.s.dataset": ({"dataset": "digit"}, "did you mean digits"),
    "searches.s.mode": ({"mode": "gredy"}, "did you mean greedy"),
    "searches.s.algorithm": ({"algorithm": "magic"}, "allowed: baseline, ectonas"),
    "searches.s.budget": ({"budget": "many"}, "not a number"),
    "searches.s.seeds.0": ({"seeds": [-1]}, "minimum of 0"),
    "searches.s.seeds": ({"seeds": []}, "empty"),
    "searches.s.greediness": ({"greediness": 0.5}, "mode: balanced"),
    "searches.s.momentum": ({"optimizer": "adam", "momentum": 0.9}, "adam has none"),
    "searches.s.epochs": ({"epochs": 5}, "unknown key"),
    "searches.s.learning_rate": ({"learning_rate": float("nan")}, "finite"),
    "searches.s.recuperation.add_layer": ({"recuperation": {"add_layer": 1}}, "add_dense"),
    "searches.s.recuperation.identity": ({"recuperation": {"identity": 2}}, "maximum of 1"),
    "reslts": ({"top": {"reslts": "x"}}, "did you mean results"),
    "results": ({"top": {"results": 3}}, "not text"),
    "datasets.d.source": ({"top": {"datasets": {"d": {"source": "npzz"}}}}, "did you mean npz"),
    "datasets.d.path": ({"top": {"datasets": {"d": {"source": "npz"}}}}, "is missing"),
    "datasets.d.paht": (
        {"top": {"datasets": {"d": {"source": "npz", "path": ".", "paht": "x"}}}},
        "did you mean path",
    ),
    "datasets.d.taget": (
        {"top": {"datasets": {"d": {"source": "csv", "path": ".", "taget": "x"}}}},
        "did you mean target",
    ),
    "datasets.e.path": (
        {"top": {"datasets": {"e": {"source": "npz", "path": "no/such.npz"}}}},
        "'no/such.npz' does not exist",
    ),
    "datasets.digits": (
        {"top": {"datasets": {"digits": {"source": "npz", "path": "."}}}},
        "built-in",
    ),
    "topologies.m.0.dens": ({"topologies": {"m": [{"dens": {"units": 1}}]}}, "mean dense"),
    "topologies.m.0.dense.units": ({"topologies": {"m": [{"dense": {"units": 0}}]}}, "minimum"),
    "topologies.ff-small": ({"topologies": {"ff-small": [{"dense": {"units": 1}}]}}, "built-in"),
    "topologies.m": (
        {
            "topology": "m",
            "topologies": {"m": [{"dense": {"units": 1}}, {"conv_cell": {"channels": 1}}]},
        },
        "before all dense",
    ),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_key_or_value_gives_one_line_that_names_it_and_what_is_right(key):
    given, hint = WRONG[key]
    with pytest.raises(loading.ConfigError) as caught:
        load(**given)
    message = str(caught.value)
    assert "\n" not in message
    assert re.match(rf"config: {re.escape(key)}: ", message), message
    assert hint in message


@pytest.mark.parametrize(
    "given",
    [{}, {"searches": {}}, {"searches": None}, {"searches": []}, {"searches": {"s": 1}}]
    + [{"searches": {name: BASE}} for name in ("a/b", "../x", "a.b", "", 3, "_data")],
)
def test_what_is_no_search_is_refused_in_one_line(given):
    with pytest.raises(loading.ConfigError, match=r"^config: searches.*$"):
        loading.load(given, SCHEMA)


def test_conv_cells_are_refused_for_rows_of_features():
    top = {"datasets": {"d": {"source": "sklearn", "name": "wine"}}}
    with pytest.raises(loading.ConfigError, match="a conv cell needs images"):
        load(top=top, dataset="d")
    assert load(top=top, dataset="d", topology="ff-small")


SUGAR = {"datasets": {"sugar": {"source": "sklearn", "name": "diabetes"}}}


def test_loss_and_metric_follow_the_task():
    settings = load().searches["s"].settings
    assert (settings["loss"], settings["objective"]) == ("crossentropy", "val_accuracy")
    settings = load(top=SUGAR, dataset="sugar", topology="ff-small").searches["s"].settings
    assert (settings["loss"], settings["objective"]) == ("mse", "val_loss")


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


def test_a_loss_that_takes_no_logits_goes_with_probabilities_only():
    assert load(loss="dice").searches["s"].settings["loss"] == "dice"
    with pytest.raises(
        loading.ConfigError, match="dice takes no logits, which this topology gives"
    ):
        load(loss="dice", topology="surgeon-small")
    load(loss="categorical_focal_crossentropy", topology="surgeon-small")


@pytest.mark.parametrize(
    ("dataset", "key", "value", "line"),
    [
        ("sugar", "objective", "val_accuracy", "goes not with regression"),
        ("sugar", "loss", "crossentropy", "goes not with regression (allowed: cosine_similarity,"),
        ("sugar", "loss", {"dice": {}}, "'dice' goes not with regression"),
        ("sugar", "class_weights", "balanced", "allowed: none"),
        (
            "sugar",
            "extra_metrics.0",
            ["top5_accuracy"],
            "'top5_accuracy' is unknown (allowed: conc",
        ),
        (
            "sugar",
            "extra_metrics.1",
            ["r2_score", "auc"],
            "'auc' goes not with regression (allowed: c",
        ),
        ("sugar", "objective", "val_auc", "goes not with regression"),
        ("sugar", "augmentation", "sixfold", "needs images"),
        ("digits", "objective", "val_r2", "goes not with classification"),
        ("digits", "loss", "ctc", "'ctc' is unknown (allowed: binary_cross"),
        ("digits", "objective", "auc", "'auc' is unknown; did you mean val_auc?"),
        ("digits", "objective", "val_precison", "did you mean val_precision?"),
        ("digits", "objective", "val_true_positives", "whether more true_positives is better"),
        (
            "digits",
            "objective",
            "val_iou",
            "list iou with its target_class_ids under extra_metrics",
        ),
        ("digits", "extra_metrics.0", ["iou"], "iou needs its argument target_class_ids"),
        (
            "digits",
            "extra_metrics.0",
            [{"auc": {"curv": "PR"}}],
            "no argument 'curv'; did you mean curve",
        ),
        ("digits", "extra_metrics.1", ["auc", {"auc": {"curve": "PR"}}], "auc is there twice"),
        (
            "digits",
            "extra_metrics.0",
            [{"top5_accuracy": {"k": 3}}],
            "top5_accuracy has no argument 'k'",
        ),
        ("digits", "optimizer", "sdg", "'sdg' is unknown; did you mean sgd?"),
        ("digits", "optimizer", {"adam": {"beta": 1}}, "no argument 'beta'; did you mean beta_"),
        ("digits", "optimizer", {"adam": {"amsgrad": 1}}, "amsgrad is not 1, but like False"),
        ("digits", "optimizer", {"adam": {"learning_rate": 1}}, "has no argument 'learning_rate'"),
        ("digits", "optimizer.adam", {"adam": 3}, "3 is not a mapping"),
        ("digits", "optimizer", {"adam": {}, "sgd": {}}, "has more than 1 entry"),
        ("digits", "optimizer", 3, "3 is not text or a mapping"),
    ],
)
def test_what_does_not_fit_the_task_is_refused(dataset, key, value, line):
    with pytest.raises(loading.ConfigError) as caught:
        load(top=SUGAR, dataset=dataset, topology="ff-small", **{key.partition(".")[0]: value})
    assert str(caught.value).startswith(f"config: searches.s.{key}: ")
    assert line in str(caught.value)


def test_a_path_of_the_wrong_kind_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for source, path, line in (
        ("npz", tmp_path, "is a folder, but source npz reads a file"),
        ("image_folder", tmp_path / "file", "is a file, but source image_folder reads a folder"),
    ):
        top = {"datasets": {"d": {"source": source, "path": str(path)}}}
        with pytest.raises(loading.ConfigError, match=rf"^config: datasets.d.path: .*{line}$"):
            load(top=top)


def test_settings_may_be_added_to_a_built_in_dataset():
    found = load(top={"datasets": {"mnist": {"data_dir": "here"}}}, dataset="mnist").datasets
    assert found["mnist"].settings["data_dir"] == "here"
    assert found["mnist"].settings["name"] == "mnist:3.0.1"
    assert set(found) == {"mnist"}


def test_every_setting_of_a_search_reaches_a_job():
    used = {*loading.TRAINING, *loading.SPLITTING, *loading.CHOOSING, *loading.BREEDING}
    elsewhere = {
        "algorithm",
        "dataset",
        "topology",
        "seeds",
        "budget",
        "warm_up_epochs",
        "time_limit",
    }
    known = used | elsewhere | {*loading.OPERATING, "budget_mode"}
    assert set(load().searches["s"].settings) == known


def test_every_setting_of_the_surgeon_reaches_a_job():
    used = {*loading.TRAINING, *loading.SPLITTING, *loading.OPERATING, *loading.DECIDING}
    ending = {"epochs", "early_stopping", "warm_up_epochs", "decision_epochs"}
    optional = {"budget", "target_accuracy"}
    settings = load_surgeon().searches["s"].settings
    elsewhere = {"algorithm", "dataset", "topology", "seeds", "greediness", "time_limit"}
    assert set(settings) == used | ending | elsewhere
    assert (
        set(schema()["$defs"]["surgeon"]["properties"]) == set(settings) - {"greediness"} | optional
    )


def test_defaults_of_the_surgeon_are_the_paper_s():
    expected = {
        "learning_rate": 0.005,
        "batch_size": 16,
        "optimizer": "sgd",
        "epochs": 100,
        "warm_up_epochs": 10,
        "decision_epochs": 10,
        "branches": 2,
        "max_redraws": 2,
        "recuperation_batches": 25,
        "recuperation_factors": {
            "identity": 1,
            "add_units": 1,
            "truncate": 1,
            "add_dense": 10,
            "remove_units": 10,
            "remove_dense": 10,
        },
        "relative_threshold": 0.005,
        "absolute_threshold": 0.3,
        "selection": "by_type",
        "add_random_candidate": True,
        "early_stopping": {},
    }
    search = load_surgeon().searches["s"]
    assert search.settings.items() >= expected.items()
    assert search.first_epochs == 10
    assert load_surgeon(epochs=4).searches["s"].first_epochs == 4


def test_the_surgeon_s_topologies_have_no_activation_at_their_output():
    assert load_surgeon().searches["s"].output_activation == "linear"
    assert load_surgeon(algorithm="baseline").searches["s"].output_activation == "linear"
    assert load().searches["s"].output_activation == "softmax"


def test_the_shipped_configuration_is_right():
    shipped = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    found = loading.load(shipped, SCHEMA)
    searches = {s.algorithm: s for s in found.searches.values()}
    assert set(searches) == {"ectonas", "baseline"}
    assert searches["baseline"].layers == searches["ectonas"].layers


def test_the_surgeon_s_experiments_are_those_of_the_paper():
    shipped = yaml.safe_load((ROOT / "config" / "papers" / "surgeon.yaml").read_text())
    found = loading.load(shipped, SCHEMA).searches.values()
    assert {tuple(search.seeds) for search in found} == {(6, 63, 72, 77, 97)}
    paper = [search for search in found if "iclr" not in search.name]
    assert len(paper) == 2 * 6 * 3
    for search in found:
        settings = search.settings
        assert (settings["learning_rate"], settings["batch_size"], settings["epochs"]) == (
            0.005,
            16,
            100,
        )
        assert search.output_activation == "linear"


def test_the_surgeon_does_not_take_numbers_to_learn():
    given = {"datasets": {"d": {"source": "sklearn", "name": "diabetes"}}}
    with pytest.raises(
        loading.ConfigError, match="dataset: 'd' is for regression; the Surgeon needs"
    ):
        load_surgeon(dataset="d", top=given)


@pytest.mark.parametrize(
    ("seeds", "top", "cores", "apart"),
    [
        (20, {}, 8, 0),
        (21, {}, 8, 1),
        (21, {}, 64, 3),
        (21, {}, None, 0),  # on a cluster
        (21, {"cores_per_search": 0}, 8, 0),
        (1, {"cores_per_search": 2}, 8, 2),
        (21, {"only_run": "s/3"}, 8, 0),
    ],
)
def test_many_searches_on_one_machine_go_apart_unless_told_otherwise(seeds, top, cores, apart):
    assert load(top=top, seeds=list(range(seeds))).cores_apart(cores) == apart
