"""The report: one HTML file about all searches of a configuration, to be read without a network.

`views` gathers what is shown as plain values, `brackets` says who met whom, `figures` puts pictures
into the page; the templates hold all words and the layout. No script runs in the page.
"""

from __future__ import annotations

from pathlib import Path

import jinja2

from netsurgery.analysis.runs import read
from netsurgery.report import figures, views
from netsurgery.storage.files import write_text

TEMPLATES = Path(__file__).parent / "templates"
MOST = 60  # searches that are shown in full


def environment() -> jinja2.Environment:
    """The templates, which escape whatever they are given."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= views.FILTERS
    return found


def write(results: Path, output: Path, most: int = MOST) -> None:
    """Write the report of a results folder; searches that are not finished are named as such.

    Args:
        results: the folder of all searches.
        output: the HTML file.
        most: how many searches are shown in full; all are in the tables.

    Raises:
        Unusable: no run was ever started there.
    """
    experiment = read(results)
    page = environment().get_template("report.html.jinja")
    write_text(
        output,
        page.render(
            title=views.title(experiment),
            overview=views.overview(experiment, most),
            papers=list(figures.papers(experiment)),
            comparison=figures.comparison(experiment),
            searches=[views.search(run) for run in views.shown(experiment, most)],
        ),
    )
