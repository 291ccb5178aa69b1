"""Reproduction of the papers' experiments, with the papers' published results for comparison.

`ectonas` and `surgeon` make the papers' tables, `published` holds the papers' results, `statistics`
summarizes repeated runs, `curves` extracts training curves; `papers` writes all tables and figures
of a paper; `studies` measure the surgery itself.
"""
