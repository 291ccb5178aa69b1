"""Views of an experiment in MLflow's user interface, stored in tags of the experiment.

A view is what MLflow's Share button creates: a tag of the experiment, and a URL that ends in
`?viewStateShareKey=NAME`. `searches` shows the tree of searches and candidates, `candidates` the
candidates alone, best first.
"""

from __future__ import annotations

import json

from netsurgery.tracking.runs import KIND, PREFIX

ABOUT = (
    "Searches of netsurgery: one run per search and seed, with a nested run per candidate. "
    "docs/tracking.md describes their content and how to query it."
)
COLUMNS = {  # with their widths in pixels
    "params.`operation`": 150,
    "params.`generation`": 90,
    "metrics.`parameters`": 100,
    "metrics.`val_score`": 100,
    "metrics.`test_score`": 100,
    "metrics.`wall_seconds`": 110,
    f"tags.`{PREFIX}eliminated_in`": 250,
    f"tags.`{PREFIX}eliminated_by`": 190,
}
FIRST = {"attributes.`Run Name`": 200, "attributes.`Created`": 140, "attributes.`Duration`": 90}


def _view(condition: str, order: str, descending: bool) -> str:
    return json.dumps(
        {
            "selectedColumns": list(COLUMNS),
            "columnOrder": [*FIRST, *COLUMNS],
            "columnWidths": FIRST | COLUMNS,
            "searchFilter": condition,
            "orderByKey": order,
            "orderByAsc": not descending,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "modelVersionFilter": "All Runs",
            "datasetsFilter": [],
        }
    )


TAGS = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.note.content": ABOUT,
    "mlflow.sharedViewState.searches": _view("", "attributes.start_time", True),
    "mlflow.sharedViewState.candidates": _view(
        f"tags.`{KIND}` = 'candidate'", "metrics.`val_score`", True
    ),
}
