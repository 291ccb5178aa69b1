"""The papers' experiments: every search of the configuration, and the papers' tables beside ours."""


rule paper_ectonas:
    input:
        final_targets(),
        f"{RESULTS}/papers/ectonas/tables.md",
    message:
        "tables and figures of ECToNAS are in {RESULTS}/papers/ectonas"


rule paper_surgeon:
    input:
        final_targets(),
        f"{RESULTS}/papers/surgeon/tables.md",
    message:
        "tables and figures of the Surgeon are in {RESULTS}/papers/surgeon"


rule write_paper_tables:
    input:
        REPORT_INPUTS,
        lambda w: POOLING if w.paper == "ectonas" else [],
    output:
        tables=f"{RESULTS}/papers/{{paper}}/tables.md",
        figures=f"{RESULTS}/papers/{{paper}}/figures.md",
    log:
        f"{RESULTS}/papers/{{paper}}/tables.log",
    wildcard_constraints:
        paper="|".join(PAPERS),
    conda:
        "../../environment.yml"
    params:
        version=netsurgery.__version__,
        listed=listing_hash(),
        results=subpath(output.tables, ancestor=3),
    message:
        "tables and figures of {wildcards.paper}"
    shell:
        "python -S -m netsurgery.processes.client showing write_paper_tables --results {params.results:q} --paper {wildcards.paper}"
        " > {log} 2>&1"
