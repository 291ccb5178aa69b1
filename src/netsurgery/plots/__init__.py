"""Pictures of a finished search, and the table over all of them: what the report shows.

A picture is a pure function of records or lineage rows and the summary; `write` makes the files.
Canvases have fixed inches with margins measured from the text, so nothing is cut off, and the same
arguments give the same bytes. Nothing outside this package imports matplotlib.
"""

from netsurgery.plots.epochs import accuracy, size
from netsurgery.plots.files import write
from netsurgery.plots.table import summarise
from netsurgery.plots.tree import family_tree

__all__ = ["accuracy", "family_tree", "size", "summarise", "write"]
