"""netsurgery: train neural networks and reshape them while they train."""

from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/handlers.smk"
include: "workflow/rules/ectonas_inputs.smk"
include: "workflow/rules/surgeon_inputs.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/search_runs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/ectonas.smk"
include: "workflow/rules/surgeon.smk"
include: "workflow/rules/finalize.smk"
include: "workflow/rules/study_inputs.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/papers.smk"


# on a cluster these stay where Snakemake runs: each is over before it would be submitted
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
        final_targets(),
    message:
        "all searches are finished: netsurgery results {RESULTS} lists their models"


onstart:
    start_run()


onsuccess:
    print_pending_tracking()


onerror:
    print_failures(log)
    print_pending_tracking()
    print(
        f"netsurgery report {RESULTS} shows what is there, and what is missing", file=sys.stderr
    )
