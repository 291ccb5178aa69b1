"""The report of a real search: its content, and how a browser renders it."""

import csv
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise

import keras
import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.analysis import runs
from netsurgery.jobs.export import export
from netsurgery.jobs.model_check import DisagreementError
from netsurgery.jobs.search import summarize_search
from netsurgery.keras_io.tflite import predict_tflite
from netsurgery.networks.topology import Topology
from netsurgery.report import brackets, error_analysis, html_report, model_card, views
from netsurgery.reproduction.paper_tables import ectonas_tables
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.storage.files import read_json, write_json
from tests.support.experiments import assert_kept_figures_suffice
from tests.support.workflow_runs import QUICK, run, search_folder

pytestmark = pytest.mark.workflow
HARD = "<script>alert(1)</script>"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished search, its baseline and a random search, with their report and tables."""
    folder = tmp_path_factory.mktemp("reported")
    plain = {"algorithm": "baseline", "dataset": "digits", "topology": "ff-small", "epochs": 3}
    searches = {
        "s": QUICK,
        "plain": plain | {"seeds": [0]},
        "drawn": QUICK | {"mode": "random", "budget": 14},
    }
    run(folder, "all", "paper_ectonas", top={"searches": searches})
    return folder


def test_kept_figures_give_the_same_tables_as_files(finished, tmp_path):
    assert_kept_figures_suffice(finished / "results", ectonas_tables, tmp_path)


@pytest.fixture
def page(finished):
    return (finished / "results" / "report.html").read_text()


class Elements(HTMLParser):
    """All tags of a page with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def of(self, tag):
        """The attributes of all tags of a name."""
        return [attributes for name, attributes in self.found if name == tag]


def test_the_page_is_self_contained(page):
    elements = Elements(page)
    for image in elements.of("img"):
        assert image["src"].startswith("data:")
        assert len(image["alt"]) > 10
    for link in elements.of("a"):
        assert link["href"].startswith("#")
    anchors = {attributes.get("id") for _, attributes in elements.found}
    assert {link["href"][1:] for link in elements.of("a")} <= anchors
    assert not elements.of("script")
    assert "http" not in re.sub(r'"data:[^"]*"', "", page)
    assert len([a for _, a in elements.found if "id" in a]) == len(anchors - {None})


def test_a_section_shows_the_summary(finished, page):
    summary = read_json(search_folder(finished).final / "summary.json")
    article = page[page.index('id="s-seed0"') :].split("</article>")[0]
    text = " ".join(re.sub(r"<[^>]*>", " ", article).split())
    assert f"test accuracy {summary['test_accuracy']:.1%}" in text
    assert f"parameters {summary['parameters']:,} from {summary['start_parameters']:,}" in text
    assert f"candidates {summary['candidates']} in {summary['generations']} generations" in text
    assert 'keras.models.load_model("results/s/seed0/final/model.keras")' in page.replace(
        "&#34;", '"'
    )


def test_every_generation_has_its_brackets(finished, page):
    folder = search_folder(finished)
    plans = folder.generations()
    article = page[page.index('id="s-seed0"') :].split("</article>")[0]
    assert len(re.findall("<summary>Generation", article)) == len(plans)
    for plan in plans:
        records = folder.records_of(plan)
        winners = read_json(folder.winners(plan.generation))["parents"]
        parents = [parent["record"]["candidate"] for parent in winners]
        shown = brackets.describe(plan, records, parents)
        last = shown["phase2"] or [rounds[-1] for _, rounds in shown["phase1"]]
        selected = [one["candidate"] for group in last[-1] for one in group if one["won"]]
        assert sorted(selected) == sorted(parents)
        offspring = [
            one["candidate"] for _, them in shown["phase1"] for group in them[0] for one in group
        ]
        assert sorted(offspring) == [child.candidate for child in plan.offspring]
        for rounds in [*(them for _, them in shown["phase1"]), shown["phase2"]]:
            for before, after in pairwise(rounds):
                on = {one["candidate"] for group in before for one in group if one["won"]}
                assert on == {one["candidate"] for group in after for one in group}


def test_unfinished_runs_are_shown_as_missing(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished / "results", folder)
    (folder / "s" / "seed0" / "final" / "summary.json").unlink()
    html_report.write_report(folder, folder / "report.html")
    page = (folder / "report.html").read_text()
    assert "2 of 3 runs are finished" in page
    assert 'class="absent">unfinished' in page
    assert 'id="s-seed0"' not in page
    assert 'id="plain-seed0"' in page


def test_names_are_escaped(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished / "results", folder)
    path = folder / "s" / "seed0" / "final" / "errors.json"
    content = read_json(path)
    content["classes"][3] = HARD
    for one in content["mistakes"]:
        one["predicted"] = HARD
    write_json(path, content)
    html_report.write_report(folder, folder / "report.html")
    page = (folder / "report.html").read_text()
    assert HARD not in page
    assert "&lt;script&gt;" in page


def test_warnings_about_the_data_are_shown(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished / "results", folder)
    path = folder / "s" / "seed0" / "final" / "preprocessing.json"
    write_json(path, read_json(path) | {"warnings": ["column 'id' counts the rows"]})
    html_report.write_report(folder, folder / "report.html")
    assert "Data: column &#39;id&#39; counts the rows." in (folder / "report.html").read_text()


COLUMNS = {
    "table": [
        {"name": "a|b", "became": "number", "values": "0 to 9", "missing": 2, "features": 2},
        {"name": "class", "became": "target", "values": "", "missing": 0, "features": 0},
        {"name": "id", "became": "left out", "values": "`drop`", "missing": 0, "features": 0},
    ],
    "task": "classification",
    "classes": ["no", "yes"],
}


def test_what_each_column_of_a_table_became_is_shown(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished / "results", folder)
    path = folder / "s" / "seed0" / "final" / "preprocessing.json"
    write_json(path, read_json(path) | COLUMNS)
    html_report.write_report(folder, folder / "report.html")
    page = (folder / "report.html").read_text()
    assert "Columns of the data <small>3 columns</small>" in page
    assert '<td class="text">a|b</td><td>number</td><td class="text">0 to 9</td>' in page
    card = "\n".join(model_card.data_section(COLUMNS | {"warnings": ["'id' counts rows"]}))
    assert "| a\\|b | number | 0 to 9 | 2 | 2 |" in card
    assert "| class | target | 2 levels: no, yes |  |  |" in card
    assert "- 'id' counts rows." in card


def test_a_large_experiment_shows_some_runs_in_detail(finished):
    experiment = runs.read_experiment(finished / "results")
    assert {run.search for run in views.detailed_runs(experiment, 2)} == {"s", "drawn"}
    overview = views.overview(experiment, 2)
    assert (overview["detailed"], overview["finished"]) == (2, 3)
    anchors = {row["search"]: row["anchor"] for row in overview["rows"]}
    assert anchors == {"s": "s-seed0", "drawn": "drawn-seed0", "plain": None}


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_renders_the_page(finished, tmp_path, width):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no headless browser here: " + ", ".join(BROWSERS))
    page = (finished / "results" / "report.html").read_text()
    probe = (
        "<script>onload = () => { const all = [...document.images];"
        "const broken = all.filter(i => !i.naturalWidth);"
        "document.title = [document.documentElement.scrollWidth, innerWidth, all.length,"
        " broken.length].join(' '); }</script></body>"
    )
    probed = tmp_path / "page.html"
    probed.write_text(page.replace("</body>", probe))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--v=0"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=5000", "--dump-dom", probed.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    title = re.search(r"<title>([\d ]+)</title>", done.stdout)
    assert title, done.stderr[-2000:]
    scroll, inner, images, broken = map(int, title.group(1).split())
    assert images >= 4
    assert broken == 0
    assert scroll <= inner  # nothing makes the page wider than its window


def test_the_target_of_a_paper_writes_tables_and_figures(finished, page):
    folder, summary = finished / "results/papers/ectonas", search_folder(finished).final
    accuracy = read_json(summary / "summary.json")["test_accuracy"]
    with (folder / "table1.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert float(rows["greedy"]["accuracy"]) == pytest.approx(100 * accuracy)
    assert set(rows) == {"greedy", "baseline", "random"}
    for name in ("table1", "table3", "differences", "costs", "claims"):
        assert "Full scale." in (folder / f"{name}.md").read_text()
    for name in ("figure5", "pareto"):
        assert (folder / f"{name}.svg").read_text().count("<path") > 3
    # the page shows the same tables
    assert "ECToNAS, 2024" in page
    assert f"{100 * accuracy:.1f}" in page[page.index('id="ectonas"') :]


# --- files next to the model -------------------------------------------------------------------


def test_the_lite_model_gives_the_same_outputs(finished):
    final = search_folder(finished).final
    (export,) = read_json(final / "exports.json")["exports"]
    assert export["written"]
    x = np.random.default_rng(0).integers(0, 17, (50, 8, 8, 1), np.uint8)
    lite = predict_tflite((final / "model.tflite").read_bytes(), x)
    keras_outputs = keras.models.load_model(final / "model.keras").predict(x, verbose=0)
    np.testing.assert_allclose(lite, keras_outputs, atol=1e-4)
    assert export["largest_difference"] <= 1e-4


def test_a_search_whose_model_gives_something_else_has_no_summary(finished, tmp_path):
    folder = SearchFolder(shutil.copytree(search_folder(finished).root, tmp_path / "seed0"))
    for name in ("exports.json", "summary.json"):
        (folder.final / name).unlink()
    recorded = read_json(folder.final / "test.json")
    write_json(folder.final / "test.json", recorded | {"accuracy": recorded["accuracy"] - 0.1})
    data = finished / "results/_data/digits"
    samples = datasets.read_part(data, folder.root / "split.npz", "test")
    with pytest.raises(DisagreementError, match=r"network\.keras: gives a test accuracy of"):
        export(data, samples, folder.final)
    with pytest.raises(FileNotFoundError, match=r"exports\.json"):
        summarize_search(folder, runs.read_experiment(finished / "results").runs[0].settings, 0)
    assert not (folder.final / "summary.json").exists()


def test_errors_are_those_of_the_test_samples(finished):
    final = search_folder(finished).final
    found, summary = read_json(final / "errors.json"), read_json(final / "summary.json")
    counts = np.array(found["confusion"])
    assert counts.sum() == found["samples"]
    assert counts.trace() / counts.sum() == pytest.approx(summary["test_accuracy"])
    assert len(found["mistakes"]) == min(error_analysis.MAX_MISTAKES, counts.sum() - counts.trace())
    for one in found["mistakes"]:
        assert one["class"] != one["predicted"]
    confidence = [one["probability"] for one in found["mistakes"]]
    assert confidence == sorted(confidence, reverse=True)


def test_the_model_card_agrees_with_the_summary(finished):
    final = search_folder(finished).final
    summary, card = read_json(final / "summary.json"), (final / "README.md").read_text()
    assert f"{summary['parameters']:,} trainable parameters" in card
    assert f"| test accuracy | {summary['test_accuracy']:.1%} |" in card
    assert "seed 0" in card
    for i, layer in enumerate(summary["layers"]):
        assert f"- `{i}` {layer}\n" in card
    assert f"| multiplications | {summary['multiplications']:,} |" in card
    assert f"| weights in the model file | {summary['model_bytes']:,} bytes |" in card
    for name in re.findall(r"^\| `([a-z.]+)` \|", card, re.MULTILINE):
        assert (final / name).exists()


def test_the_model_card_names_what_few_samples_change(finished):
    final = SearchFolder(finished / "results" / "plain" / "seed0").final
    given = {name: read_json(final / f"{name}.json") for name in ("summary", "errors", "exports")}
    data, exports = read_json(final / "preprocessing.json"), given["exports"]
    settings = {
        "optimizer": "sgd",
        "learning_rate": 0.15,
        "learning_rate_scaling": "sqrt",
        "batch_size": "auto",
        "schedule": "one_cycle",
        "momentum": 0.9,
        "weight_decay": 0,
        "ema_momentum": 0,
        "augmentation": "none",
    }
    topology = Topology.from_json(Record.from_json(read_json(final / "network.json")).topology)
    card = model_card.model_card(
        *(given["summary"], settings, data, topology, given["errors"]),
        *(exports["exports"], exports["check"]),
    )
    assert sum(data["counts"].values()) == 1797
    assert f"{data['counts']['training']:,} training, {data['counts']['validation']} valid" in card
    assert "sgd, learning rate 0.075 (one_cycle), momentum 0.9, batch size 32." in card


def test_absent_classes_have_no_precision_and_recall():
    rows = error_analysis.by_class(
        error_analysis.confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    )
    assert rows[0] == {"samples": 2, "precision": 1.0, "recall": 0.5, "f1": 2 / 3}
    assert rows[2] == {"samples": 0, "precision": None, "recall": None, "f1": None}


def test_a_failed_candidate_is_marked(finished):
    folder = search_folder(finished)
    plan = folder.generations()[0]
    records = folder.records_of(plan)
    step, names = next(iter(plan.rounds.items()))
    assert [name.split("/")[0] for name in names] == ["recuperation", "phase1", "phase1"]
    outcomes = records[step].to_json()["rounds"]
    outcomes[names[-1]]["score"] = None  # it failed in the last of the rounds that its step covers
    failed = {"status": "diverged", "score": None, "rounds": outcomes}
    records[step] = Record.from_json(records[step].to_json() | failed)
    shown = brackets.describe(plan, records, [])
    by_round = [
        {
            one["candidate"]
            for _, them in shown["phase1"]
            for g in them[i]
            for one in g
            if one["failed"]
        }
        for i in range(2)
    ]
    assert by_round == [set(), {records[step].candidate}]
