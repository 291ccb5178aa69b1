"""What studies and reports look at: baselines of the configuration, all of it, our own modules."""

import hashlib

from netsurgery.analysis import runs

STUDIES = f"{RESULTS}/_studies"
STUDIED = [(name, seed) for name, seed in RUNS if CONFIG.searches[name].algorithm == "baseline"]
# the pooling trials are for bare convolutions, which no topology of the papers' searches has
POOLED = [
    (name, seed)
    for name, seed in STUDIED
    if any("conv" in layer for layer in CONFIG.searches[name].layers)
]
POOLING = [f"{STUDIES}/pooling/summary.csv"] if POOLED else []


def sources(*patterns):
    """A hash of some of our own modules: what a study measures is this code."""
    files = sorted(file for name in patterns for file in (HERE / "src/netsurgery").glob(name))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


wildcard_constraints:
    study="surgery|right-after",  # right-after: without the training that follows


def rows_of(study):
    """What the jobs of a study write, for all networks that it looks at."""
    networks = POOLED if study == "pooling" else STUDIED
    return [f"{STUDIES}/{study}/{name}/seed{seed}/rows.json" for name, seed in networks]


def listed():
    """A hash of what `searches.json` holds: another configuration makes another report."""
    return hashlib.sha256(json.dumps(runs.listing(CONFIG), sort_keys=True).encode()).hexdigest()
