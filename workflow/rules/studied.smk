"""What the studies look at: the baselines of the configuration, and our own modules."""

import hashlib

STUDIES = f"{RESULTS}/_studies"
STUDIED = [(name, seed) for name, seed in RUNS if CONFIG.searches[name].algorithm == "baseline"]


def sources(*patterns):
    """A hash of some of our own modules: what a study measures is this code."""
    files = sorted(file for name in patterns for file in (HERE / "src/netsurgery").glob(name))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


wildcard_constraints:
    study="surgery|right-after",  # right-after: without the training that follows


def rows_of(study):
    """What the jobs of a study write, for all baselines."""
    return [f"{STUDIES}/{study}/{name}/seed{seed}/rows.json" for name, seed in STUDIED]
