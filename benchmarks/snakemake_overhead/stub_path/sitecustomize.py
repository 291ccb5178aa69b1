"""Replace the training jobs by the stub, in every process with this folder on its path."""

import sys
from importlib.abc import MetaPathFinder
from importlib.util import spec_from_file_location
from pathlib import Path

REPLACED = "netsurgery.jobs.training_commands"
STUB = Path(__file__).parent.parent / "stub.py"


class StubFinder(MetaPathFinder):
    """Finds the stub instead of the replaced module."""

    def find_spec(self, fullname, path=None, target=None):
        """The location of the stub, if the replaced module is imported."""
        return spec_from_file_location(fullname, STUB) if fullname == REPLACED else None


sys.meta_path.insert(0, StubFinder())
