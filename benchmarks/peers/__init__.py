"""Compare netsurgery with other ways to get a small network, at the same processor seconds.

`python -m benchmarks.peers OUTPUT` runs every peer on every data set, one after another, each in a
process of its own (`run_peer`); `python -m benchmarks.peers.report OUTPUT` writes the table and the
plot. `data_sets` makes the data, `search_space` is what both tuners search, `recipe`,
`hyperband`, `tpe`, `auto_model`, `boosting` and `arbor` are the peers.
"""
