"""Short ways to load a configuration of one search."""

from netsurgery.config import loading
from tests.support.factories import SCHEMA

BASE = {"algorithm": "ectonas", "dataset": "digits", "topology": "cnn-small"}
REGRESSION = {"datasets": {"sugar": {"source": "sklearn", "name": "diabetes"}}}


def load(*, topologies=None, top=None, **search):
    """Load a configuration with one search, named s."""
    given = {"searches": {"s": BASE | search}} | (top or {})
    if topologies:
        given["topologies"] = topologies
    return loading.load(given, SCHEMA)


def load_surgeon(**search):
    """The same for a search by the Surgeon."""
    return load(**{"algorithm": "surgeon", "topology": "surgeon-small"} | search)
