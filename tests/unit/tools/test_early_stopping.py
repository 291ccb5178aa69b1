"""What early stopping would have saved, from the files of finished searches."""

import pytest
from tools import early_stopping

from netsurgery.analysis.runs import Run
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import write_json
from tests.support.experiments import summary
from tests.support.factories import search, start, winners


@pytest.fixture
def run_with(tmp_path):
    """A function from the best parents of a search, scores and sizes, to its run."""

    def made(pairs, **settings):
        found = search(**settings)
        folder = SearchFolder(tmp_path / settings["algorithm"])
        for number, (score, parameters) in enumerate(pairs):
            record = start(candidate=f"g{number:02}c00", score=score, parameters=parameters)
            after = winners(record, spent=(number + 1) * 10_000)  # 10 epochs each
            write_json(folder.winners(number), after.to_json())
        score, parameters = pairs[-1]
        done = summary(parameters, score, []) | {"epochs_spent": 10.0 * len(pairs)}
        return Run("s", 0, found.settings, [], "digits", folder, done)

    return made


def test_a_greedy_search_is_stopped_where_scores_stay(run_with):
    pairs = [(0.5, 100), (0.7, 100), (0.7, 100), (0.7, 100), (0.72, 200)]
    run = run_with(pairs, algorithm="ectonas", topology="ff-small")
    stopped = early_stopping.stop(run, {"patience": 2})
    assert stopped.early
    assert (stopped.saved, stopped.lost) == (pytest.approx(20), pytest.approx(2))
    assert stopped.larger == pytest.approx(-50)
    assert early_stopping.stop(run, {"patience": 3}).saved == 0


def test_the_surgeon_is_stopped_by_its_own_rules(run_with):
    pairs = [(0.5, 100), (0.6, 100), (0.6, 100), (0.59, 100)]
    run = run_with(pairs, algorithm="surgeon", topology="surgeon-medium")
    assert early_stopping.stop(run, {"patience": 1}).saved == pytest.approx(25)
    table = list(early_stopping.rows([run]))
    assert [row["`early_stopping`"] for row in table] == [
        "`{patience: 2}`",
        "`{patience: 3}`",
        "`{max_reversals: 1}`",
        "`{max_reversals: 2}`",
    ]
    assert table[0]["searches stopped"] == "0 of 1"  # it ends there anyway
