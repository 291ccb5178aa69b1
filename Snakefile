"""netsurgery: train neural networks and reshape them while they train."""

from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


include: "workflow/rules/checkpoints.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/search_runs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/ectonas.smk"
include: "workflow/rules/surgeon.smk"
include: "workflow/rules/arbor.smk"
include: "workflow/rules/finalize.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/papers.smk"


rule all:
    input:
        targets.final_targets(),
    localrule: True
    message:
        f"All searches are finished: netsurgery results {RESULTS} lists their models"


onstart:
    session.start()


onsuccess:
    session.succeed()


onerror:
    session.fail(log)
