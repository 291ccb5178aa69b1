"""The tables of the papers' page, filled with finished runs."""

from tools import fill_paper_tables
from tools.fill_paper_tables import experiment, filled, has_whole_dataset

from tests.support.experiments import run_of


def runs(**accuracies):
    """Runs on datasets, with an accuracy each, or None for one that is not finished."""
    return [
        run_of("ectonas", accuracy, seed, dataset=name)
        for name, given in accuracies.items()
        for seed, accuracy in enumerate(given)
    ]


def test_a_paper_is_filled_once_a_dataset_is_finished():
    assert not has_whole_dataset([])
    assert not has_whole_dataset(runs(mnist=[50, None], adult=[None, 60]))
    assert has_whole_dataset(runs(mnist=[50, None], adult=[0, 60]))


def test_tables_without_a_new_file_keep_their_content(tmp_path):
    marked = "<!-- ectonas/{} -->\n{}\n<!-- end -->\n"
    untouched = f"text\n{marked.format('table2', 'old')}"
    (tmp_path / "ectonas").mkdir()
    (tmp_path / "ectonas" / "table1.md").write_text("new\n")
    before, after = (marked.format("table1", each) for each in ("old", "new\n"))
    assert filled(before + untouched, tmp_path) == after + untouched


def test_pooling_trials_belong_to_ectonas_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(fill_paper_tables, "KEPT", tmp_path / "kept")
    results = tmp_path / "results"
    trials = results / "_studies" / "pooling" / "summary.csv"
    trials.parent.mkdir(parents=True)
    trials.write_text("pooling,rule\n")
    assert experiment("ectonas", results).pooling_trials.exists()
    assert not experiment("surgeon", results).pooling_trials.exists()
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["ectonas-excerpts-pooling.csv"]
