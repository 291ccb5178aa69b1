"""Random generators depend on their seed and purpose alone."""

from netsurgery.storage.random_streams import random_stream


def test_streams_repeat_for_one_purpose_and_differ_for_others():
    def draw(*key):
        return random_stream(*key).integers(2**62)

    assert draw(0, "split", "test") == draw(0, "split", "test")
    keys = [(0, "a"), (1, "a"), (0, "b"), (0, "a", 1), (0, "a", 2), (11, "a"), (1, "1a")]
    assert len({draw(*key) for key in keys}) == len(keys)
