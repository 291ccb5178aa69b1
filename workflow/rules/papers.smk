"""The papers' experiments: every search of the configuration, and the papers' tables beside ours."""


rule paper_ectonas:
    input:
        [finished(name, seed) for name, seed in RUNS],
    message:
        "tables and figures of ECToNAS are in {RESULTS}/papers"


rule paper_surgeon:
    input:
        [finished(name, seed) for name, seed in RUNS],
    message:
        "tables and figures of the Surgeon are in {RESULTS}/papers"
