"""Series: steps with channels, from arrays, tables, UCR files and folders of recordings.

Readers give recordings (`recordings`), which are whole samples or are cut into windows (`samples`);
`source` makes a dataset of them.
"""

from netsurgery.datasets.series.source import SERIES

__all__ = ["SERIES"]
