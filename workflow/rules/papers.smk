"""The papers' experiments: their searches, and tables that compare our results with the papers'."""


rule paper_ectonas:
    input:
        targets.final_targets(),
        f"{RESULTS}/papers/ectonas/tables.md",
    localrule: True
    message:
        f"Tables and figures of ECToNAS are in {RESULTS}/papers/ectonas"


rule paper_surgeon:
    input:
        targets.final_targets(),
        f"{RESULTS}/papers/surgeon/tables.md",
    localrule: True
    message:
        f"Tables and figures of the Surgeon are in {RESULTS}/papers/surgeon"


rule write_paper_tables:
    input:
        targets.report_inputs(),
        lambda w: studies.paper_inputs(CONFIG, [w.paper]),
    output:
        tables=f"{RESULTS}/papers/{{paper}}/tables.md",
        figures=f"{RESULTS}/papers/{{paper}}/figures.md",
    log:
        f"{RESULTS}/papers/{{paper}}/tables.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        code=code_digests(REPORT),
        listing=listing_hash(CONFIG),
        results=subpath(output.tables, ancestor=3),
    message:
        "Write tables and figures for the paper {wildcards.paper}"
    shell:
        display_job("write_paper_tables", "--results {params.results:q} --paper {wildcards.paper}")
