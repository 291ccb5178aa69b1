"""Plots of one search, the summary table of all searches, and what plots have in common.

A plot is a pure function of records or lineage rows and the summary; `write_search_plots` writes
the files. Canvases have fixed sizes in inches with margins measured from the text, so nothing is
cut off, and the same arguments give the same bytes. Only this package, `report` and
`reproduction.plots` import matplotlib, which takes a while.
"""

from netsurgery.plots.baseline import plot_against_baseline
from netsurgery.plots.evolution import plot_evolution
from netsurgery.plots.family_tree import plot_family_tree
from netsurgery.plots.front import plot_front
from netsurgery.plots.saving import save_figure, write_search_plots
from netsurgery.plots.simulation import plot_simulation
from netsurgery.plots.singular_values import plot_singular_values
from netsurgery.plots.structure import plot_structure
from netsurgery.plots.summary_table import write_summary_table
from netsurgery.plots.training_curves import plot_accuracy, plot_size

__all__ = [
    "plot_accuracy",
    "plot_against_baseline",
    "plot_evolution",
    "plot_family_tree",
    "plot_front",
    "plot_simulation",
    "plot_singular_values",
    "plot_size",
    "plot_structure",
    "save_figure",
    "write_search_plots",
    "write_summary_table",
]
