"""The site that `make docs` builds."""

import os
import re
import subprocess
import sys

import pytest

import netsurgery
from tests.support.factories import ROOT

# what a browser fetches by itself: scripts, styles, fonts and figures, but not the links of a page
FETCHED = re.compile(r"""(?:\bsrc=|<link[^>]*\bhref=|url\(|@import)\s*["']?(https?:)?//[^"')\s]+""")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_loads_nothing_from_the_network(site):
    files = [path for kind in ("html", "css") for path in site.rglob(f"*.{kind}")]
    assert len(files) > 20
    fetched = {path: FETCHED.search(path.read_text(encoding="utf-8")) for path in files}
    assert {path: found[0] for path, found in fetched.items() if found} == {}


def test_the_api_page_documents_every_public_name(site):
    page = (site / "api.html").read_text(encoding="utf-8")
    constants = {name for name in netsurgery.__all__ if name.isupper()}
    documented = {name for name in netsurgery.__all__ if f'id="netsurgery.{name}"' in page}
    assert documented | constants == set(netsurgery.__all__)
    assert [name for name in sorted(constants) if f"netsurgery.{name}<" not in page] == []
