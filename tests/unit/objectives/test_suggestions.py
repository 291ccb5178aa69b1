"""Suggestions of valid names."""

from netsurgery.objectives.suggestions import MAX_LISTED, suggest


def test_the_closest_name_and_all_names_are_listed():
    assert suggest("gredy", ["greedy", "random"]) == (
        "; did you mean greedy? (allowed: greedy, random)"
    )
    assert suggest("x", ["greedy", "random"]) == " (allowed: greedy, random)"


def test_of_many_names_the_closest_is_enough():
    names = [f"name{i}" for i in range(MAX_LISTED)] + ["greedy"]
    assert suggest("gredy", names) == "; did you mean greedy?"
