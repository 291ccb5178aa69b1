"""MLflow: what the records of a search say, for people to look at and compare.

The records are the truth and MLflow only shows them. Whatever the store held of a search before,
afterwards it holds what its present records say: `gather` reads these, `Store` brings the runs in
line, `attach` adds files and the model. Nothing is ever read back from MLflow to decide anything.

The runs are in one experiment: a search whose dataset is changed keeps its place, a search is found
without knowing its dataset, and the table is narrowed down by tags.

    <search>/seed<seed>     one run per search and seed: settings as params; by generation the best
                            parent's val_score, parameters and epochs_trained, and the epochs_spent;
                            the numbers of the summary one step behind the last generation; plots,
                            lineage and model
        <candidate>         nested, one per candidate: its surgery and layers as params; loss,
                            accuracy, val_loss, val_accuracy and epoch by batches trained

Steps of candidates are batches on the axis of their lineage, for MLflow's are integers; `epoch` is
logged beside the metrics. Times are those of the records.

A store that does not answer, or not in time, is no failure: what it was not told is written down
(`ledger`), and told by the next run.

Importing this imports nothing: `telling` and what it needs import MLflow, which takes seconds;
`places`, `ledger`, `runs` and `gathering` do not.
"""
