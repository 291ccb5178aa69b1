"""netsurgery: train neural networks and reshape them while they train."""

from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/plans.smk"
include: "workflow/rules/tries.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/ectonas.smk"
include: "workflow/rules/surgeon.smk"
include: "workflow/rules/outcome.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/studied.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/papers.smk"


localrules:
    all,
    study_surgery,
    study_right_after,
    study_pooling,
    paper_ectonas,
    paper_surgeon,


rule all:
    input:
        [finished(name, seed) for name, seed in RUNS],
        [tracked(name, seed) for name, seed in RUNS],
        REPORTED,
    message:
        "all searches are finished: netsurgery results {RESULTS} lists their models"


onstart:
    begin()


onerror:
    print(f"netsurgery report {RESULTS} shows what is there, and what is missing", file=sys.stderr)
