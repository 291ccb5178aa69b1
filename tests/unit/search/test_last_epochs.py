"""What is said of the last epochs of a search."""

from dataclasses import replace

import pytest

from netsurgery.plots.family import Family
from netsurgery.search.last_epochs import describe_last_epochs, last_epochs_summary
from netsurgery.search.records import LastEpochs, Record
from tests.support.factories import start

FINAL = start(candidate="g00c00", batches_per_epoch=100, step="final", batches_spent=250)


def told(last):
    final = replace(FINAL, last_epochs=last)
    assert Record.from_json(final.to_json()) == final
    return describe_last_epochs({"objective": "val_loss", **last_epochs_summary(final)})


@pytest.mark.parametrize(
    ("last", "text"),
    [
        (LastEpochs(250, 0.5, 0.25, True), "for 2.5 epochs: val_loss 0.5000 before, 0.2500 after."),
        (LastEpochs(250, 0.5, 0.25, True), "The final weights are those after these epochs."),
        (LastEpochs(250, 0.5, 0.75, False), "The final weights are those before these epochs."),
        (LastEpochs(250, 0.5, None, False), "val_loss 0.5000 before, the training failed."),
    ],
)
def test_both_scores_and_the_choice_are_told(last, text):
    assert text in told(last)


def test_nothing_is_told_where_there_were_none():
    assert told(None) is None


def test_last_epochs_that_are_not_kept_move_no_birth():
    born = replace(FINAL, candidate="g01c00", parent="g00c00", step="phase2/round1/slot0")
    born = replace(born, batches_trained=1300, batches_spent=100)
    end = replace(born, step="final", batches_spent=900)
    end = replace(end, last_epochs=LastEpochs(900, 0.5, 0.1, False))
    root = replace(FINAL, step="warm-up", batches_trained=1000, batches_spent=1000)
    family = Family([root, born, end], "g01c00", "val_accuracy")
    assert family.birth_epochs["g01c00"] == 12
