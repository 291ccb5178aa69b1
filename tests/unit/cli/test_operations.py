"""`netsurgery operations`: what a Keras model allows."""

import json


def test_operations_are_listed_as_json(netsurgery, model):
    found = json.loads(netsurgery("operations", model, "--json"))
    start = 36 * 5 + 5 + 5 * 4 + 4 + 4 * 3 + 3
    assert found[0] == {
        "operation": "identity",
        "position": None,
        "width": None,
        "pooling": None,
        "layer": None,
        "parameters": start,
        "exact": True,
    }
    assert [(entry["operation"], entry["position"]) for entry in found[1:]] == [
        *(("add_dense", position) for position in (3, 4)),
        *(("remove_dense", position) for position in (2, 3)),
        *(("add_units", position) for position in (2, 3)),
        *(("remove_units", position) for position in (2, 3)),
        ("add_conv_cell", 1),
    ]
    wider = found[5]
    assert (wider["width"], wider["parameters"]) == (7, start + 2 * (36 + 1 + 4))
    assert [entry["pooling"] for entry in found] == [None] * 9 + ["average"]
    narrow = json.loads(netsurgery("operations", model, "--json", "--operation", "truncate"))
    assert {entry["operation"] for entry in narrow} == {"truncate"}


def test_operations_are_listed_as_a_table(netsurgery, model):
    lines = netsurgery("operations", model).splitlines()
    assert (
        lines[0].split()
        == "operation position name layer there width parameters predictions".split()
    )
    assert lines[6].split("  ")[0] == "add_units"
    assert [" ".join(line.split()) for line in lines[5:7]] == [
        "remove_dense 3 theirs dense 4 (relu) 203 differ",
        "add_units 2 ours dense 5 (relu) 7 306 the same",
    ]
