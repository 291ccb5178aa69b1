"""Models that are no networks, trained on the split of a search: is a network worth it at all?"""
