"""What the plans of the Surgeon's tries say about its jobs. Reading one waits for its checkpoint."""

from netsurgery.jobs import surgeon as surgeon_decisions
from netsurgery.search.surgeon import decision_point as surgeon
from netsurgery.search.plans import recuperation_step
from netsurgery.search.surgeon.decision_point import StoppingSettings
from netsurgery.search.surgeon.plans import TryPlan


@cache
def read_try(path, modified):
    """A try's plan, read once per version of the file."""
    return layout.read_try(Path(path))


def try_of(wildcards, generation=None, attempt=None):
    """The plan of a job's try, or of another."""
    path = checkpoints.plan_try.get(
        search=wildcards.search,
        seed=wildcards.seed,
        generation=wildcards.generation if generation is None else f"{generation:02d}",
        attempt=wildcards.attempt if attempt is None else attempt,
    ).output[0]
    return read_try(path, Path(path).stat().st_mtime_ns)


def tries_at(wildcards, generation):
    """The plans of a decision point's tries, what came of them included; or of the end."""
    attempt = 1
    while True:
        plan = try_of(wildcards, generation, attempt)
        yield plan
        if not isinstance(plan, TryPlan):
            return
        attempt += 1


def tries_of(wildcards):
    """The files of what `tries_at` gives for a job's decision point."""
    folder, generation = folder_of(wildcards), int(wildcards.generation)
    plans = list(tries_at(wildcards, generation))
    return [str(folder.try_plan(generation, number)) for number in range(1, len(plans) + 1)]


def decision_of(wildcards, generation):
    """A whole decision point as one plan."""
    return surgeon.merge(list(tries_at(wildcards, generation)))


def try_with(wildcards):
    """The plan of the try that a job's candidate is born in."""
    return next(
        plan
        for plan in tries_at(wildcards, int(wildcards.generation))
        if isinstance(plan, TryPlan)
        and any(child.candidate == wildcards.candidate for child in plan.offspring)
    )


def branches_of(wildcards):
    """The models that a job's decision point begins with."""
    folder = folder_of(wildcards)
    for generation in range(int(wildcards.generation) - 1, 0, -1):
        if winners := decision_of(wildcards, generation).winners:
            return [str(folder.model(generation, slot)) for (slot,) in winners]
    return [str(folder.model(0, WARM_UP))]


def competitors_of(wildcards):
    """Models and records of all candidates of a job's try."""
    folder, generation = folder_of(wildcards), int(wildcards.generation)
    steps = [recuperation_step(child.candidate) for child in try_of(wildcards).offspring]
    return {
        "models": [str(folder.model(generation, step)) for step in steps],
        "records": [str(folder.record(generation, step)) for step in steps],
    }


def try_inputs(wildcards):
    """What the plan of a try is made from: the branches, and all tries before it."""
    folder = folder_of(wildcards)
    generation, attempt = int(wildcards.generation), int(wildcards.attempt)
    earlier = [try_of(wildcards, attempt=number) for number in range(1, attempt)]
    known = {
        "winners": [str(folder.winners(number)) for number in range(generation)],
        "tries": [str(folder.try_plan(generation, plan.attempt)) for plan in earlier],
        "records": [
            str(folder.record(generation, step)) for plan in earlier for step in plan.steps
        ],
    }
    # behind the last epoch there is nothing to decide
    if (
        StoppingSettings.from_settings(search_of(wildcards).settings).epochs_left(generation - 1)
        > 0
    ):
        known["singular_values"] = str(folder.singular_values(generation))
    return known


def decision_reports(wildcards):
    """What a search's decisions rest on, for people; nothing for other algorithms than this one."""
    if search_of(wildcards).algorithm != "surgeon":
        return []
    folder = folder_of(wildcards)
    decided_at = [p.generation for p in plans_of(wildcards) if not isinstance(p, FinalPlan)]
    names = (
        "singular_values.json",
        "layers.csv",
        "recommendations.csv",
        "singular_values.svg",
        "audit.json",
    )
    return [str(folder.generation(number) / name) for number in decided_at for name in names]


def try_allowance(wildcards):
    """All that a try is told of when the search is to end."""
    return str(
        surgeon_decisions.allowance(
            folder_of(wildcards),
            int(wildcards.generation),
            int(wildcards.attempt),
            search_of(wildcards).settings,
        )
    )
