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
include: "workflow/rules/finalize.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/papers.smk"


# on a cluster these run where Snakemake runs: they finish faster than a job is submitted
localrules:
    all,
    split_dataset,
    init_search,
    plan_generation,
    select_parents,
    plan_try,
    merge_tries,
    singular_values,
    decision_report,
    summarize_search,
    plot_search,
    write_report,
    write_paper_tables,
    summarize_all,
    log_generation,
    log_search,
    study_surgery,
    study_surgery_immediate,
    study_pooling,
    surgery_fidelity_tables,
    pooling_tables,
    paper_ectonas,
    paper_surgeon,


rule all:
    input:
        targets.final_targets(),
    message:
        "All searches are finished: netsurgery results {RESULTS} lists their models"


onstart:
    session.start()


onsuccess:
    print_pending_tracking(session.results)


onerror:
    print_failures(log, session.results)
    print_pending_tracking(session.results)
