"""The table of all searches, a row per search and seed, as a CSV file and an HTML page.

Its columns come from the summaries, results first, rounded for readers.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

from netsurgery.search.layout import SearchFolder
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import CHECKSUMS, checksums, read_json, write_text

# of the final network; missing in 0.1
LATENCIES = ("latency", "latency_batch32")
COSTS = ("multiplications", "peak_memory", "model_bytes", *LATENCIES)
# results first, because the page is narrow
COLUMNS = (
    "test_accuracy",
    "objective",
    "test_score",
    "val_score",
    "test_loss",
    "start_parameters",
    "parameters",
    *COSTS,
    "epochs_trained",
    "epochs_spent",
    "generations",
    "candidates",
    "status",
    "algorithm",
    "dataset",
    "topology",
    "mode",
    "greediness",
    "budget",
)
TABLE_PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<title>Summary of all searches</title>
<style>
body {{ font: 14px sans-serif; margin: 1em; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 0.3em 0.7em; border-bottom: 1px solid #ddd; text-align: right; }}
th {{ text-align: left; vertical-align: bottom; }}
.name {{ text-align: left; white-space: nowrap; }}
</style>
{table}
"""


def write_summary_table(
    folders: Iterable[str], output: Path, dependencies: Dependencies = NO_DEPENDENCIES
) -> None:
    """Write a table with a row per search and seed as a CSV file, and an HTML page next to it.

    Args:
        folders: of the finished searches.
        output: the CSV file.
        dependencies: what the table depends on besides the summaries.
    """
    import pandas  # slow to import, and only needed here

    rows, summaries = [], []
    for folder in map(Path, folders):
        summaries.append(SearchFolder(folder).final / "summary.json")
        summary = read_json(summaries[-1])
        rows.append(
            {"search": folder.parent.name, "seed": summary["seed"]}
            | {name: summary.get(name) if name in COSTS else summary[name] for name in COLUMNS}
        )
    table = pandas.DataFrame(rows)
    # not latencies, which are short and have three digits
    table = table.round(dict.fromkeys(table.columns.drop(list(LATENCIES)), 4))
    write_text(output, table.to_csv(index=False, lineterminator="\n"))

    # text left-aligned, numbers right-aligned
    head = "".join(f"<th>{name.replace('_', '<br>')}</th>" for name in table.columns)
    body = [
        "".join(
            f'<td class="name">{html.escape(value)}</td>'
            if isinstance(value, str)
            else f"<td>{'' if value is None or value != value else f'{value:,.10g}'}</td>"
            for value in row
        )
        for row in table.astype(object).itertuples(index=False, name=None)
    ]
    lines = "\n".join(f"<tr>{cells}</tr>" for cells in [head, *body])
    page = output.with_suffix(".html")
    write_text(page, TABLE_PAGE.format(table=f"<table>\n{lines}\n</table>"))
    path = output.with_suffix(".json")
    written = {CHECKSUMS: checksums(path, output, page)}
    dependencies.with_inputs(summaries).write(path, written)
