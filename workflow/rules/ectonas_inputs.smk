"""What a search's plans say about its jobs. Reading one waits for its checkpoint."""

from functools import cache

from netsurgery.jobs import ectonas as decisions
from netsurgery.search import layout
from netsurgery.search.layout import WARM_UP
from netsurgery.search.ectonas import priorities as work
from netsurgery.search.plans import FinalPlan, recuperation_step


@cache
def read_plan(path, modified):
    """A generation's plan, read once per version of the file."""
    return layout.read_plan(Path(path))


def plan_of(wildcards, generation=None):
    """The plan of a job's generation, or of another; a point where the graph may have to wait."""
    if search_of(wildcards).algorithm == "surgeon":
        return decision_of(
            wildcards, int(wildcards.generation if generation is None else generation)
        )
    number = wildcards.generation if generation is None else f"{generation:02d}"
    path = checkpoints.plan_generation.get(
        search=wildcards.search, seed=wildcards.seed, generation=number
    ).output[0]
    return read_plan(path, Path(path).stat().st_mtime_ns)


def plans_of(wildcards):
    """All plans of a job's search, the end's included; none for a baseline."""
    if search_of(wildcards).algorithm == "baseline":
        return
    generation = 1
    while True:
        plan = plan_of(wildcards, generation)
        yield plan
        if isinstance(plan, FinalPlan):
            return
        generation += 1


def decision_files(wildcards):
    """Every record, plan and choice of winners of a search, in order."""
    folder = folder_of(wildcards)
    files = [folder.record(0, WARM_UP), folder.winners(0)]
    for plan in plans_of(wildcards):
        generation = plan.generation
        files.append(folder.plan(generation))
        files += [folder.generation(generation) / name for name in plan.parts]
        if not isinstance(plan, FinalPlan):
            files += [folder.record(generation, step) for step in plan.steps]
            files.append(folder.winners(generation))
    return list(map(str, files))


def generation_allowance(wildcards):
    """What a generation may cost: it depends on the budget only if that is nearly spent."""
    winners = folder_of(wildcards).winners(int(wildcards.generation) - 1)
    chosen = search_of(wildcards).settings
    return str(
        decisions.generation_budget(winners, int(wildcards.generation), chosen, int(wildcards.seed))
    )


def offspring_of(wildcards):
    """The plan's entry for a job's candidate."""
    return born_in(wildcards).child(wildcards.candidate)


def born_in(wildcards):
    """The plan that a job's candidate is in."""
    surgeon = search_of(wildcards).algorithm == "surgeon"
    return try_with(wildcards) if surgeon else plan_of(wildcards)


def plan_of_candidate(wildcards):
    """The file of the plan that a job's candidate is in."""
    folder, generation = folder_of(wildcards), int(wildcards.generation)
    if search_of(wildcards).algorithm == "surgeon":
        return str(folder.try_plan(generation, try_with(wildcards).attempt))
    return str(folder.plan(generation))


def parent_of(wildcards):
    """The model file of the parent of a job's candidate."""
    plan = born_in(wildcards)
    parent = plan.child(wildcards.candidate).parent
    return str(folder_of(wildcards).root / plan.model_of(parent))


def step_of(wildcards):
    """The training step of a job in a generation of ECToNAS."""
    return wildcards.get("slot") or recuperation_step(wildcards.candidate)


def has_rounds(wildcards):
    """Whether a job trains rounds of a bracket: the Surgeon has none, nor has what trains alone."""
    return search_of(wildcards).algorithm == "ectonas" and "generation" in wildcards.keys()


def later_rounds(wildcards):
    """The rounds that a job's candidate is sure to train behind the first one."""
    if not has_rounds(wildcards):
        return []
    return list(plan_of(wildcards).rounds_of(step_of(wildcards))[1:])


def round_epochs(wildcards):
    """Epochs of each of the rounds that a job trains; 0 where it trains none."""
    return plan_of(wildcards).round_epochs if has_rounds(wildcards) else 0


def job_priority(wildcards):
    """The priority of a training job: earlier searches go first, and then what has most behind it.

    What one search leaves idle the next one takes.
    """
    number = RUNS.index((wildcards.search, int(wildcards.seed)))
    rank = step_priority(wildcards) if has_rounds(wildcards) else work.HIGHEST
    return rank - work.HIGHEST - 1000 * number


def step_priority(wildcards):
    """How soon a job of a generation is to go; of one whose plan is still to come, the last."""
    try:
        ranks = step_priorities(folder_of(wildcards), int(wildcards.generation))
    except FileNotFoundError:
        return 0
    return ranks.get(step_of(wildcards), 0)


@cache
def step_priorities(folder, generation):
    """How soon the training jobs of a generation are to go: asked for after every plan of any."""
    plan = layout.read_plan(folder.plan(generation))
    return work.ranks(plan, folder.parents(plan))


def per_round_and_attempt(amount):
    """A resource that grows with a job's rounds, and with every attempt at it."""
    return lambda wildcards, attempt: amount * attempt * (1 + len(later_rounds(wildcards)))


def time_limit(wildcards):
    """Seconds that a job may train; a resource, which is no reason to do finished jobs again."""
    return search_of(wildcards).settings["time_limit"] * (1 + len(later_rounds(wildcards)))


def contenders(wildcards):
    """Models and records of the group whose winner fills a job's slot."""
    slots = plan_of(wildcards).contenders[wildcards.slot]
    folder, generation = folder_of(wildcards), int(wildcards.generation)
    return {
        "models": [str(folder.model(generation, slot)) for slot in slots],
        "records": [str(folder.record(generation, slot)) for slot in slots],
    }


def selection_mode(wildcards):
    """How the winner of the feeding group is found."""
    plan = plan_of(wildcards)
    contender = plan.contenders[wildcards.slot][0]
    return decisions.mode_of(plan.rounds_of(contender)[-1], search_of(wildcards).settings["mode"])


def generation_outputs(wildcards):
    """All records of a generation, and the models of those that may win it."""
    plan, folder, generation = plan_of(wildcards), folder_of(wildcards), int(wildcards.generation)
    last = [step for contenders in plan.winners for step in contenders]
    return {
        "records": [str(folder.record(generation, step)) for step in plan.steps],
        "models": [str(folder.model(generation, step)) for step in last],
    }


def last_plan(wildcards):
    """The plan of the end; None for a baseline, which has none."""
    return next((plan for plan in plans_of(wildcards) if isinstance(plan, FinalPlan)), None)


def no_files(_):
    """No file, as the last function in a job's input, where another one waits for plans.

    Snakemake makes a job anew after every plan of any search if the last function of its input
    waits for one; else only after the plan that it waits for.
    """
    return []


def finalists(wildcards):
    """The models that the final one is selected from."""
    plan, folder = last_plan(wildcards), folder_of(wildcards)
    if plan is None:
        return [str(folder.model(0, WARM_UP))]
    return [str(folder.root / parent.model) for parent in plan.parents]


def final_plan(wildcards):
    """The file of the plan of the end: whoever reads plans must not while one is made again."""
    plan = last_plan(wildcards)
    return [str(folder_of(wildcards).plan(plan.generation))] if plan else []


def remaining_batches(wildcards):
    """What is left of the budget for the final candidate."""
    plan = last_plan(wildcards)
    return plan.remaining_batches if plan else 0


def generation_log_inputs(wildcards):
    """What a generation tells MLflow, and the marker of the one before: they go in order."""
    folder, generation = folder_of(wildcards), int(wildcards.generation)
    if generation == 0:
        return [str(folder.record(0, WARM_UP)), str(folder.winners(0))]
    return [
        str(folder.generation(generation - 1) / "tracked.json"),
        str(folder.plan(generation)),
        *(str(folder.record(generation, step)) for step in plan_of(wildcards).steps),
        str(folder.winners(generation)),
    ]
