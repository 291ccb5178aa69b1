"""The HTML report: one self-contained file about all searches of a configuration.

`views` and `brackets` prepare plain values, `figures` embeds figures; the templates hold the text
and the layout. The page runs no script and loads nothing from the network.
"""

from __future__ import annotations

from pathlib import Path

import jinja2

from netsurgery.analysis.runs import read_experiment
from netsurgery.report import figures, views
from netsurgery.storage.files import write_text

TEMPLATES = Path(__file__).parent / "templates"
MAX_DETAILED = 60  # searches that get a section of their own


def environment() -> jinja2.Environment:
    """The environment of the templates, which escape all values."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= views.FILTERS
    return templates


def write_report(results: Path, output: Path, max_detailed: int = MAX_DETAILED) -> None:
    """Write the report of a results folder; unfinished searches are listed as such.

    Args:
        results: the folder of all searches.
        output: the HTML file.
        max_detailed: number of searches with a section of their own; the tables list all.

    Raises:
        UnusableFileError: no run was ever started there.
    """
    experiment = read_experiment(results)
    page = environment().get_template("report.html.jinja")
    write_text(
        output,
        page.render(
            title=views.page_title(experiment),
            overview=views.overview(experiment, max_detailed),
            papers=list(figures.paper_sections(experiment)),
            comparison=figures.comparison(experiment),
            searches=[
                views.search_view(run) for run in views.detailed_runs(experiment, max_detailed)
            ],
        ),
    )
