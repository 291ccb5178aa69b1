"""The plot of a simulation."""

from netsurgery import plots
from netsurgery.analysis.simulation import Outcome
from tests.support.plotted_searches import boxes


def test_title_and_legend_fit_into_the_figure():
    outcomes = [Outcome(count, 100 / count + 5, 10, 80.0, 10.0) for count in (1, 4, 64, 1000)]
    figure = plots.plot_simulation(outcomes, 5.0, "54 searches; 4 cores per search")
    _, found = boxes(figure)
    width, height = figure.bbox.size
    assert (found[:, :2] >= 0).all()
    assert found[:, 2].max() <= width
    assert found[:, 3].max() <= height
