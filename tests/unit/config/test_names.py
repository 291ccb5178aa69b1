"""Names that files and Snakemake cannot take are refused before anything runs."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snakemake.io import PeriodicityDetector

from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from netsurgery.config.names import MAX_LENGTH, REPEATED
from tests.support.factories import SCHEMA
from tests.unit.config.examples import BASE

LETTERS = random.Random(0)


def name(length):
    return "".join(LETTERS.choices(string.ascii_letters + string.digits, k=length))


def load_named(search="s", dataset="digits", **settings):
    own = {} if dataset == "digits" else {dataset: {"source": "sklearn", "name": "wine"}}
    chosen = {"dataset": dataset} | ({} if dataset == "digits" else {"topology": "ff-small"})
    given = {"datasets": own, "searches": {search: BASE | chosen | settings}}
    return loading.load(given, SCHEMA)


def test_names_as_long_as_files_allow_are_taken():
    load_named(search=name(MAX_LENGTH))
    load_named(dataset=name(MAX_LENGTH))


@pytest.mark.parametrize("key", ["search", "dataset"])
def test_a_longer_name_is_refused_in_one_line(key):
    with pytest.raises(ConfigError) as caught:
        load_named(**{key: name(MAX_LENGTH + 1)})
    assert f"the name has 201 characters; file names have room for {MAX_LENGTH}" in str(
        caught.value
    )
    assert len(str(caught.value)) < 200


def test_the_values_of_lists_count_as_well():
    with pytest.raises(ConfigError, match="the name has 209 characters"):
        load_named(search=name(MAX_LENGTH - 1), topology=["cnn-small"])


@pytest.mark.parametrize("key", ["search", "dataset"])
@pytest.mark.parametrize("ending", ["a" * 20, "ab" * 25, "1" * 60])
def test_a_name_that_repeats_itself_is_refused(key, ending):
    with pytest.raises(ConfigError, match="20 times or more, which Snakemake refuses"):
        load_named(**{key: f"x-{ending}"})


@given(st.text("ab", max_size=4), st.text("ab", min_size=1, max_size=3), st.integers(17, 23))
def test_names_are_refused_where_snakemake_refuses_them(head, piece, times):
    value = head + piece * times
    assert bool(REPEATED.search(value)) == bool(PeriodicityDetector().is_periodic(value))


def test_seeds_are_short_enough_for_file_names():
    load_named(seeds=[2**63 - 1])
    with pytest.raises(ConfigError, match=r"seeds\.0: .*maximum"):
        load_named(seeds=[10**30])
