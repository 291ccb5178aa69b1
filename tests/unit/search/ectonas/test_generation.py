"""A generation: offspring and brackets."""

from netsurgery.search.ectonas.generation import part_of_epoch


def test_recuperation_is_at_least_one_batch():
    assert part_of_epoch(0.1, 4) == 1
    assert part_of_epoch(0.1, 45) == 4
    assert part_of_epoch(0.3, 10) == 3  # not 2, as floats would have it
    assert part_of_epoch(1.0, 45) == 45
