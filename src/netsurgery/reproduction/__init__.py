"""Experiments: many searches looked at together, and the papers' own figures beside them.

`runs` finds what a configuration asked for and what became of it, `statistics` says what repeats
come to, `ectonas` and `surgeon` make the papers' tables, `published` holds the papers' figures,
`curves` what training looked like along the way.
"""
