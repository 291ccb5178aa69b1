"""What studies and reports look at: baselines of the configuration, all of it, our own modules."""

import hashlib

from netsurgery.analysis import runs

STUDIES = f"{RESULTS}/_studies"
STUDY_RUNS = [(name, seed) for name, seed in RUNS if CONFIG.searches[name].algorithm == "baseline"]
# the pooling trials are for bare convolutions, which no topology of the papers' searches has
POOLING_RUNS = [
    (name, seed)
    for name, seed in STUDY_RUNS
    if any("conv" in layer for layer in CONFIG.searches[name].layers)
]
POOLING = [f"{STUDIES}/pooling/summary.csv"] if POOLING_RUNS else []


def code_hash(*patterns):
    """A hash of some of our own modules: what a study measures is this code."""
    files = sorted(file for name in patterns for file in (HERE / "src/netsurgery").glob(name))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


wildcard_constraints:
    study="surgery|surgery-immediate",  # immediate: without the training that follows


def study_rows(study):
    """What the jobs of a study write, for all networks that it looks at."""
    networks = POOLING_RUNS if study == "pooling" else STUDY_RUNS
    return [f"{STUDIES}/{study}/{name}/seed{seed}/rows.json" for name, seed in networks]


def listing_hash():
    """A hash of what `searches.json` holds: another configuration makes another report."""
    return hashlib.sha256(json.dumps(runs.listing(CONFIG), sort_keys=True).encode()).hexdigest()
