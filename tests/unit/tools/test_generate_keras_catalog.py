"""The catalog of Keras's classes: it says what Keras says."""

import json

import pytest
from tools.generate_keras_catalog import PATH, catalog, snake_case


def test_the_file_is_up_to_date():
    assert json.loads(PATH.read_text(encoding="utf-8")) == catalog()


@pytest.mark.parametrize(
    ("name", "snake"),
    [("CategoricalFocalCrossentropy", "categorical_focal_crossentropy"), ("AUC", "auc"),
     ("MeanIoU", "mean_iou"), ("F1Score", "f1_score")],
)  # fmt: skip
def test_classes_are_named_in_snake_case(name, snake):
    assert snake_case(name) == snake
