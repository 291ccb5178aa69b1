"""The catalog of Keras's classes: names, arguments and error messages."""

import re

import pytest

from netsurgery.objectives import keras_catalog
from netsurgery.objectives.keras_catalog import LOSSES, METRICS, OPTIMIZERS, describe, find


def test_a_class_knows_its_arguments():
    auc = find(METRICS, "auc")
    assert auc.class_name == "AUC"
    assert auc.arguments["curve"] == "ROC"
    assert find(METRICS, "iou").required == ("target_class_ids",)


def test_short_names_stand_for_long_ones():
    assert find(LOSSES, "mse") == find(LOSSES, "mean_squared_error")
    assert "mse" in keras_catalog.names(LOSSES)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("admw", "unknown optimizer 'admw'; did you mean adamw?"),
        ({"adam": {"beta": 1}}, "adam has no argument 'beta'; did you mean beta_"),
        ({"adam": {"amsgrad": 1}}, "argument amsgrad of adam is 1; it must be of the type"),
    ],
)
def test_an_invalid_optimizer_is_explained(setting, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        keras_catalog.check(OPTIMIZERS, setting)


def test_a_missing_argument_is_an_error():
    with pytest.raises(ValueError, match=r"write {iou: {target_class_ids: \.\.\.}}"):
        keras_catalog.check(METRICS, "iou")


def test_a_setting_is_described_with_its_arguments():
    assert describe("sgd") == "sgd"
    assert describe({"adamw": {"weight_decay": 0.01}}) == "adamw (weight_decay 0.01)"


@pytest.mark.parametrize(
    ("setting", "shorter"),
    [
        ("adam", "adam"),
        ({"adam": {}}, "adam"),
        ({"adam": {"beta_1": 0.9, "weight_decay": None, "amsgrad": False}}, "adam"),
        ({"adam": {"beta_1": 0.8, "beta_2": 0.999}}, {"adam": {"beta_1": 0.8}}),
        ({"adam": {"amsgrad": True}}, {"adam": {"amsgrad": True}}),
    ],
)
def test_arguments_as_keras_has_them_are_left_out(setting, shorter):
    assert keras_catalog.without_defaults(OPTIMIZERS, setting) == shorter
