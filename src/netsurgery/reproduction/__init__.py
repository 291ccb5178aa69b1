"""Reproduction of the papers' experiments, with the papers' published results for comparison.

`ectonas` and `surgeon` make the papers' tables, `ectonas_claims` and `surgeon_claims` judge the
claims of their texts, `published` holds the papers' results, `statistics` summarizes repeated runs,
`curves` extracts training curves; `paper_tables` and `papers` collect all tables and figures of a
paper; `studies` measure the surgery itself.
"""
