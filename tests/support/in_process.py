"""A search in one process, compared with the same search of the workflow."""

import json
import os
import subprocess
import sys

from benchmarks.faults.compare import without_times

from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.storage.files import read_json
from tests.support.factories import ROOT
from tests.support.workflow_runs import PATIENCE, search_folder

RUN = """
import json, sys
from pathlib import Path
from netsurgery.processes.tensorflow_imports import without_optional_packages
with without_optional_packages():
    from netsurgery.jobs.in_process import run_search
from netsurgery.config import loading
from netsurgery.search.layout import SearchFolder
schema, given, data, split, folder = sys.argv[1:]
config = loading.load(json.loads(given), Path(schema))
run_search(config.searches["s"], 0, Path(data), Path(split), SearchFolder(Path(folder)))
"""


def search_in_one_process(finished, folder, settings, top=None) -> SearchFolder:
    """Run a search again, with the data of a finished one, in a process of its own.

    Args:
        finished: the folder in which the workflow ran, or that of its search.
        folder: for the files.
        settings: of the search.
        top: other keys of the configuration, such as datasets, whose files lie in the folder.
    """
    theirs, mine = of_search(finished), SearchFolder(folder / "s" / "seed0")
    schema = ROOT / "workflow/schemas/config.schema.yaml"
    data = theirs.root.parents[1] / "_data" / settings["dataset"]
    split = theirs.root / "split.npz"
    given = {"searches": {"s": settings}, **(top or {})}
    arguments = map(str, (schema, json.dumps(given), data, split, mine.root))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return mine


def of_search(finished) -> SearchFolder:
    """The folder of a search."""
    return finished if isinstance(finished, SearchFolder) else search_folder(finished)


def trained(folder: SearchFolder):
    """Every record and model of a search, by file name."""
    found = {}
    for path in folder.root.rglob("*.keras"):
        name = str(path.relative_to(folder.root))
        if name != "final/model.keras":
            found[name] = path.read_bytes()
            record = Record.from_json(read_json(path.with_suffix(".json")))
            found[name + " record"] = without_times(record.to_json())
    return found


def assert_same_training(finished, mine: SearchFolder):
    """Assert that both searches trained the same candidates to the same weights."""
    theirs, here = trained(of_search(finished)), trained(mine)
    assert theirs.keys() == here.keys()
    assert [name for name in theirs if theirs[name] != here[name]] == []
