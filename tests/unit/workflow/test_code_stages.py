"""Digests of the code behind each stage."""

import shutil
from pathlib import Path

import pytest

from netsurgery.workflow import code_stages
from netsurgery.workflow.code_stages import (
    NOTHING,
    SHARED,
    STAGES,
    digest_of_modules,
    module_digest,
    stage_of,
)

MODULES = {  # some that decide, and some that do not
    "datasets/arrays.py": "data",
    "datasets/samples.py": "training",
    "training/loop.py": "training",
    "networks/layers/conv.py": "training",
    "search/selection.py": "training",
    "jobs/training_step.py": "training",
    "surgery/operations/units.py": "surgery",
    "keras_io/preprocessing.py": "final model",
    "keras_io/tflite.py": "export",
    "search/ectonas/planning.py": "planning",
    "search/surgeon/verdict.py": "planning",
    "plots/style.py": "report",
    "storage/random_streams.py": SHARED,
    "__init__.py": NOTHING,
    "cli/verify.py": NOTHING,
    "tracking/sync.py": NOTHING,
    "a_new_package/module.py": SHARED,
}
SOURCE = '''"""Docstring."""
import os  # comment

def f(x):
    """Docstring."""
    return x + 1
'''


def digests(package):
    code_stages._digests_of_stages.cache_clear()
    return code_stages._digests_of_stages(package)


@pytest.fixture
def package(tmp_path):
    """A package with some of the modules."""
    for name in MODULES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SOURCE)
    return tmp_path


@pytest.mark.parametrize(("module", "stage"), MODULES.items())
def test_a_change_in_a_module_changes_its_stage_alone(package, module, stage):
    assert stage_of(module) == stage
    before = digests(package)
    (package / module).write_text(SOURCE.replace("1", "2"))
    after = digests(package)
    changed = {each for each in STAGES if before[each] != after[each]}
    assert changed == {stage} - {NOTHING}


@pytest.mark.parametrize(
    "same",
    [
        SOURCE.replace("# comment", "# another"),
        SOURCE.replace("Docstring", "Other text"),
        SOURCE.replace("x + 1", "(x\n        + 1)"),
        SOURCE.replace("\n\n", "\n\n\n\n"),
    ],
)
def test_comments_docstrings_and_layout_change_nothing(package, same):
    before = digests(package)
    for name in MODULES:
        (package / name).write_text(same)
    assert digests(package) == before


@pytest.mark.parametrize("old_new", [("x + 1", "x - 1"), ("def f", "def g"), ("os", "sys")])
def test_changed_code_changes_the_digest(old_new):
    assert module_digest(SOURCE) != module_digest(SOURCE.replace(*old_new))


def test_a_string_in_the_code_is_no_docstring():
    assert module_digest("x = 'a'") != module_digest("x = 'b'")


def test_a_new_module_changes_its_stage(package):
    before = digests(package)
    (package / "surgery" / "new.py").write_text("")
    after = digests(package)
    assert [each for each in STAGES if before[each] != after[each]] == ["surgery"]


def test_digests_are_kept_and_need_no_place_to_be_kept(package, monkeypatch):
    before = digests(package)
    monkeypatch.setattr(code_stages, "module_digest", lambda _: 1 / 0)
    assert digests(package) == before  # none is computed again
    monkeypatch.undo()
    (file,) = package.rglob(code_stages.CACHE)
    file.write_text("spoilt")
    assert digests(package) == before
    shutil.rmtree(file.parent)
    file.parent.touch()  # nothing can be written there
    assert digests(package) == before


def test_the_version_of_the_package_is_no_reason_to_redo_anything():
    """The module that holds it decides nothing."""
    package = Path(code_stages.__file__).parents[1]
    assert "__version__" in (package / "__init__.py").read_text()
    assert stage_of("__init__.py") == NOTHING


def test_every_module_has_a_stage():
    """One without a stage counts as shared by all, so that a change in it would redo everything."""
    package = Path(code_stages.__file__).parents[1]
    modules = (path.relative_to(package).as_posix() for path in package.rglob("*.py"))
    shared = [each for each in modules if stage_of(each) == SHARED]
    assert [each for each in shared if not each.startswith("storage/")] == []


def test_modules_of_studies_have_a_digest_of_their_own(package, monkeypatch):
    monkeypatch.setattr(code_stages, "PACKAGE", package)
    before = digest_of_modules("surgery/**/*.py")
    (package / "plots/style.py").write_text("")
    assert digest_of_modules("surgery/**/*.py") == before
    (package / "surgery/operations/units.py").write_text("")
    assert digest_of_modules("surgery/**/*.py") != before
    with pytest.raises(FileNotFoundError, match="no module matches 'surgry/"):
        digest_of_modules("surgry/*.py")
