"""Hashes as parameters."""

from netsurgery.workflow import hashes
from tests.support.workflow_searches import make_searches


def test_another_configuration_has_another_listing(tmp_path):
    searches = {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}
    found = {
        hashes.listing_hash(make_searches(tmp_path, {"s": searches | changed}).config)
        for changed in ({}, {"budget": 30})
    }
    assert len(found) == 2
