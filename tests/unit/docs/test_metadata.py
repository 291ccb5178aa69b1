"""Metadata that stand in several files."""

import re
import tomllib

import yaml

import netsurgery
from tests.support.factories import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())


def test_all_files_name_the_same_version():
    assert netsurgery.__version__ == PROJECT["version"] == CITATION["version"]


def test_all_files_name_the_same_licence():
    assert PROJECT["license"] == CITATION["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_the_readme_names_the_cited_papers():
    readme = (ROOT / "README.md").read_text()
    assert [each["doi"] for each in CITATION["references"] if each["doi"] not in readme] == []


def test_github_workflows_run_the_targets_of_make():
    makefile = (ROOT / "Makefile").read_text()
    for name, target in {"checks": "check", "tests": "test", "docs": "docs"}.items():
        steps = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text()
        assert re.search(rf"run: make {target}$", steps, re.MULTILINE)
        assert f"\n{target}: " in makefile


def test_ci_and_github_install_the_same_debian_packages():
    installed = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    for package in re.findall(r"missing\+=\(([^)]+)\)", (ROOT / ".ci" / "run").read_text()):
        assert all(name in installed for name in package.split())
