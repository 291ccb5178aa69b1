"""The points of decision of ECToNAS. Of these `mutate` alone depends on data: a checkpoint."""


rule init_search:
    input:
        record=f"{SEARCH}/generation00/warm-up.json",
        model=f"{SEARCH}/generation00/warm-up.keras",
    output:
        f"{SEARCH}/generation00/winners.json",
    log:
        f"{LOGS}/generation00/winners.log",
    conda:
        "../../environment.yml"
    params:
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: first parent"
    shell:
        "python -S -m netsurgery.processes.client jobs init_search --folder {params.folder} > {log} 2>&1"


checkpoint plan_generation:
    input:
        winners=lambda w: str(folder_of(w).winners(int(w.generation) - 1)),
    output:
        f"{GENERATION}/plan.json",
    log:
        f"{LOGS}/generation{{generation}}/plan.log",
    wildcard_constraints:
        search=searches_by("ectonas"),
        generation=GENERATIONS,
    conda:
        "../../environment.yml"
    params:
        settings=settings(configuration.BREEDING),
        allowance=generation_allowance,
    message:
        "{wildcards.search} seed {wildcards.seed}: plan generation {wildcards.generation}"
    shell:
        "python -S -m netsurgery.processes.client jobs plan_generation --winners {input.winners}"
        " --generation {wildcards.generation} --settings {params.settings:q} --seed {wildcards.seed}"
        " --allowance {params.allowance} --output {output} > {log} 2>&1"


rule select_parents:
    input:
        unpack(generation_outputs),
        plan=f"{GENERATION}/plan.json",
        previous=lambda w: str(folder_of(w).winners(int(w.generation) - 1)),
    output:
        f"{GENERATION}/winners.json",
    log:
        f"{LOGS}/generation{{generation}}/winners.log",
    wildcard_constraints:
        generation=GENERATIONS,
    conda:
        "../../environment.yml"
    params:
        settings=settings(configuration.CHOOSING),
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: winners of generation {wildcards.generation}"
    shell:
        "python -S -m netsurgery.processes.client jobs select_parents --folder {params.folder}"
        " --generation {wildcards.generation} --settings {params.settings:q}"
        " --seed {wildcards.seed} > {log} 2>&1"
