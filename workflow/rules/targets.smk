"""What the workflow is to make of each search: its files, and its place in MLflow."""

import time
from types import SimpleNamespace

from snakemake.exceptions import IncompleteCheckpointException

from netsurgery.tracking import uri
from netsurgery.tracking.state import TrackingState, line


def cores_here():
    """How many cores the run may use on this machine; None if its jobs go to a cluster.

    So, too, for Snakemake's own report: that finds each search's pictures in one graph only.
    """
    given = workflow.resource_settings
    return None if given.nodes or "--report" in sys.argv else given.cores


# cores for each search and seed as a run of its own; 0: all in one graph
CORES_PER_SEARCH = CONFIG.cores_apart(cores_here())
SEARCH_MARKER = f"{RESULTS}/_runs/{{search}}/seed{{seed}}.done"

EXPORTED_FILES = (
    "README.md",
    "errors.json",
    "exports.json",
    "model.keras",
    "network.json",
    "network.keras",
    "preprocessing.json",
    "summary.json",
    "test.json",
)


def search_outputs(name, seed):
    """A function that gives all files of a finished search: what `all` wants of it.

    All, for what is damaged is taken away, and Snakemake misses only what is wanted itself.
    """
    wildcards = SimpleNamespace(search=name, seed=seed)

    def files(_):
        folder = folder_of(wildcards)
        begins = [*dataset_inputs(wildcards).values(), folder.root / "split.json"]
        ends = [*(folder.final / name for name in EXPORTED_FILES), folder.lineage]
        found = decision_files(wildcards) + decision_reports(wildcards)
        return found + list(map(str, [*begins, *ends]))

    return files


def markers(wildcards, planned):
    """The markers of the start and of planned generations, in order.

    None for a baseline: its start is its end.
    """
    if search_of(wildcards).algorithm == "baseline":
        return []
    numbers = [0, *(plan.generation for plan in planned if not isinstance(plan, FinalPlan))]
    return [str(folder_of(wildcards).generation(number) / "tracked.json") for number in numbers]


def tracking_markers(name, seed):
    """A function that gives all markers of a search whose generation is planned.

    It does not wait for plans to come, so that MLflow shows a search while it goes on.
    """
    wildcards = SimpleNamespace(search=name, seed=seed)

    def files(_):
        planned, ends = [], []
        try:
            for plan in plans_of(wildcards):
                planned.append(plan)
            ends = [str(folder_of(wildcards).final / "tracked.json")]
        except IncompleteCheckpointException:
            pass  # the plans to come add theirs
        return [*markers(wildcards, planned), *ends]

    return files


def store_of(wildcards):
    """The store as people may see it: another one is a reason to tell all again."""
    return uri.named(CONFIG.tracking.get("uri"))


def tracking_revision(wildcards):
    """A number that changes when a finished search is to be told anew (see TrackingState.again)."""
    name = f"{wildcards.search}/seed{wildcards.seed}"
    return TrackingState(Path(RESULTS)).again(name) + uri.is_missing(
        store_of(wildcards), Path(RESULTS)
    )


def print_pending_tracking():
    """Tell the user in one line of what MLflow could not be told."""
    if said := line(Path(RESULTS)):
        print(said, file=sys.stderr)


def search_marker(name, seed):
    """The marker of a search that a run of its own has finished."""
    return SEARCH_MARKER.format(search=name, seed=seed)


def completeness_token(wildcards):
    """Whether nothing is missing of a search once it is finished; else a reason to look again."""
    marker = Path(search_marker(wildcards.search, wildcards.seed))
    return not marker.exists() or folder_of(wildcards).complete or time.time()


def final_targets():
    """What `all` is made of: everything, the searches' own runs, or all of one search."""
    if CORES_PER_SEARCH:
        return [search_marker(name, seed) for name, seed in RUNS] + SUMMARY_FILES
    each = [find(name, seed) for name, seed in RUNS for find in (search_outputs, tracking_markers)]
    return each + SEARCH_PLOTS + ([] if CONFIG.only_run else SUMMARY_FILES)
