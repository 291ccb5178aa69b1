"""The tables of docs/settings.md: up to date, complete, and readable."""

import pytest
from tools.generate_settings_tables import PAGE, generate, rows, tables

from tests.support.factories import schema


def test_the_page_is_up_to_date():
    page = PAGE.read_text(encoding="utf-8")
    assert generate(page, schema()) == page


def test_each_key_is_on_the_page():
    page, whole = PAGE.read_text(encoding="utf-8"), schema()
    properties = [whole["properties"], *(d["properties"] for d in _definitions(whole))]
    for key in {key for each in properties for key in each}:
        assert f"`{key}`" in page, key


def _definitions(whole):
    return [d for d in whole["$defs"].values() if isinstance(d.get("properties"), dict)]


def test_each_description_is_a_sentence():
    for name, table in tables(schema()).items():
        for line in table.splitlines()[2:] if name != "presets" else ():
            meaning = line.removesuffix(" |").rpartition(" | ")[2]
            assert meaning[0].isupper() or meaning[0] in "`1"
            assert meaning.endswith(".")


def test_a_page_without_a_table_is_an_error():
    with pytest.raises(ValueError, match="lacks the tables dataset-csv, "):
        generate("", schema())


@pytest.mark.parametrize(
    ("schema", "values", "default"),
    [
        ({"enum": ["a", "b"], "default": "a"}, "`a`, `b`", "`a`"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "number > 0 and ≤ 1", "none"),
        ({"type": "boolean", "default": True}, "`true`, `false`", "`true`"),
        (
            {"type": "array", "items": {"type": "string"}, "default": ["?"]},
            "list of texts",
            "`['?']`",
        ),
        ({"type": ["string", "integer"], "x-default": "the first"}, "text or integer", "the first"),
    ],
)
def test_values_and_defaults_are_written_out(schema, values, default):
    assert rows({"key": schema | {"description": "Words."}}) == [
        ("`key`", values, default, "Words.")
    ]


def test_nested_keys_that_are_alike_share_a_row():
    half = {"type": "integer", "minimum": 1, "description": "An integer.", "default": 1}
    nested = {"type": "object", "description": "By name.", "properties": {"a": half, "b": half}}
    assert rows({"key": nested}) == [
        ("`key`", "mapping to integers ≥ 1", "1 for `a`, `b`", "By name.")
    ]
