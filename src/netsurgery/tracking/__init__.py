"""MLflow: the records of a search as runs, to look at, compare and query.

Records are the truth, and MLflow only shows them: nothing is ever read back from it to decide
anything. Syncing is idempotent. Whatever a store held of a search before, afterwards it holds what
the present records say: `build_runs` reads them, `Store.sync` updates the runs, and
`log_attachments` adds files and the model.

All runs are in one experiment, so that a search keeps its place when its dataset changes, and can
be found without knowing its dataset. Tags narrow the table down.

    <search>/seed<seed>     one run per search and seed: settings as params; by generation the best
                            parent's val_score, parameters and epochs_trained, and the epochs_spent;
                            the numbers of the summary one step after the last generation; plots,
                            lineage and model
        <candidate>         nested, one per candidate: its surgery and layers as params; loss,
                            accuracy, val_loss, val_accuracy and epoch by batches trained

The steps of a candidate are batches, counted along its lineage, because MLflow's steps are
integers; the metric `epoch` is logged as well. Times are those of the records.

If a store cannot be reached in time, the search is queued (see `state`), and the next run logs it.

Importing this package imports no MLflow, which takes seconds; nor do its modules `uri`, `state`,
`runs`, `run_tags`, `search_history` and `runs_from_records`.
"""
