"""The public API: what `import netsurgery` offers, and that it loads nothing heavy."""

import subprocess
import sys

import pytest

import netsurgery


def test_importing_the_package_loads_no_tensorflow():
    code = (
        "import sys, netsurgery\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'mlflow', 'matplotlib', 'pandas'}\n"
        "sys.exit(repr(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", netsurgery.__all__)
def test_each_public_name_can_be_imported(name):
    assert getattr(netsurgery, name).__doc__


def test_public_names_are_listed_and_located_once():
    assert sorted(netsurgery._MODULE_OF) == sorted(netsurgery.__all__)
    assert set(netsurgery.__all__) <= set(dir(netsurgery))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'graft'"):
        netsurgery.graft  # noqa: B018
