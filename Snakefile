"""netsurgery: train neural networks and reshape them while they train."""

from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/run.smk"
include: "workflow/rules/plans.smk"
include: "workflow/rules/tries.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/apart.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/ectonas.smk"
include: "workflow/rules/surgeon.smk"
include: "workflow/rules/outcome.smk"
include: "workflow/rules/studied.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/papers.smk"


# on a cluster these stay where Snakemake runs: each is over before it would be submitted
localrules:
    all,
    split,
    open_search,
    mutate,
    select,
    plan_try,
    gather,
    analyse,
    audit,
    conclude,
    plot,
    report,
    paper_tables,
    summarise,
    track_generation,
    track_search,
    study_surgery,
    study_right_after,
    study_pooling,
    fidelity_tables,
    pooling_tables,
    paper_ectonas,
    paper_surgeon,


rule all:
    input:
        wanted(),
    message:
        "all searches are finished: netsurgery results {RESULTS} lists their models"


onstart:
    begin()


onsuccess:
    told_in_the_end()


onerror:
    explain(log)
    told_in_the_end()
    print(
        f"netsurgery report {RESULTS} shows what is there, and what is missing", file=sys.stderr
    )
