"""What is attached to the run of a finished search: its dataset, its files, its model."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from mlflow import MlflowClient, entities
from mlflow.entities import LoggedModelStatus
from mlflow.exceptions import MlflowException

from netsurgery.datasets.prepared import describe
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import CHECKSUMS, read_json, sha256
from netsurgery.storage.mlflow_sqlite import ATTACHED
from netsurgery.tracking import models
from netsurgery.tracking.runs import NAME, PREFIX, RESULTS, SEED, Run
from netsurgery.tracking.store import Store
from netsurgery.tracking.uri import VARIABLE

MODEL = "model"  # of a run: `runs:/<run id>/model`
SHA256 = PREFIX + "model_sha256"
PATTERNS = (
    "lineage.csv",
    "front.csv",
    "final/*.json",
    "plots/*.svg",
    "generation*/singular_values.svg",
)


def log_attachments(
    store: Store,
    run_id: str,
    folder: SearchFolder,
    search: Run,
    registered_model: str | None,
    *,
    check_files: bool,
) -> None:
    """Log the dataset, files and model of a finished search, unless the store has them already.

    Args:
        store: with the search's run.
        run_id: of the search.
        folder: of the search.
        search: the content of its run.
        registered_model: name of the registered model that the final model becomes a version of;
            None: the model is not registered.
        check_files: whether to look for the files themselves, and not only at what the store says
            it has. That is cheap on this machine, and takes a server a few requests.
    """
    client = store.client
    data = folder.root.parents[1] / "_data" / search.tags[PREFIX + "dataset"]
    run = client.get_run(run_id)
    if not run.inputs.dataset_inputs:
        client.log_inputs(run_id, datasets=[_dataset_input(data)])
    _log_files(client, run, folder, check_files=check_files)
    model = _log_model(store, run, folder, data, search, check_files=check_files)
    if registered_model:
        _register(client, run, model, registered_model)


def _log_files(
    client: MlflowClient, run: entities.Run, folder: SearchFolder, *, check_files: bool
) -> None:
    """Log the files of a finished search."""
    run_id = run.info.run_id
    files = {
        str(path.relative_to(folder.root)): path
        for path in sorted(path for pattern in PATTERNS for path in folder.root.glob(pattern))
    }
    digest = hashlib.sha256("".join(map(sha256, files.values())).encode()).hexdigest()
    logged = partial(client.list_artifacts, run_id)
    if run.data.tags.get(ATTACHED) == digest and not (check_files and _is_lost(logged, files)):
        return
    for name, path in files.items():
        client.log_artifact(run_id, str(path), os.path.dirname(name) or None)
    client.set_tag(run_id, ATTACHED, digest)


def _is_lost(
    logged: Callable[[str | None], Sequence[entities.FileInfo]], files: Mapping[str, Path]
) -> bool:
    """Whether a run or model lacks one of these files, or has another one of that name.

    Args:
        logged: lists what it has in a folder.
        files: by the names that they have there.
    """
    folders = {os.path.dirname(name) or None for name in files}
    found = {info.path: info.file_size for folder in folders for info in logged(folder)}
    return any(found.get(name) != path.stat().st_size for name, path in files.items())


def _dataset_input(folder: Path) -> entities.DatasetInput:
    """A prepared dataset as an input of a run."""
    data = describe(folder)
    digest = hashlib.sha256("".join(data[CHECKSUMS].values()).encode()).hexdigest()
    profile = {key: data[key] for key in ("samples", "parts", "shape", "type", "outputs")}
    dataset = entities.Dataset(
        name=data["name"],
        digest=digest[:12],
        source_type="netsurgery",
        source=json.dumps({"origin": data["origin"], "version": data["version"]}),
        profile=json.dumps(profile),
    )
    return entities.DatasetInput(dataset, [entities.InputTag("mlflow.data.context", "training")])


def _identity_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that identify the search of a model."""
    return {name: tags[name] for name in (RESULTS, NAME, SEED) if name in tags}


def _log_model(
    store: Store,
    run: entities.Run,
    folder: SearchFolder,
    data: Path,
    search: Run,
    *,
    check_files: bool,
) -> entities.LoggedModel:
    """Log the final model once, and delete other models of this search.

    A model with a registered version stays, because somebody may be serving it.
    """
    client, run_id = store.client, run.info.run_id
    file = folder.final / "model.keras"
    file_hash, identity = sha256(file), _identity_tags(search.tags)
    logged = list(_models(store, identity))
    same = [
        model
        for model in logged
        if model.tags.get(SHA256) == file_hash and model.status == LoggedModelStatus.READY
    ]
    current = [each for each in same if each.source_run_id == run_id and each.name == MODEL]
    for model in logged:
        if model in current[:1] or _is_registered(client, model.model_id):
            store.relocate(model.artifact_location)
            if check_files and model in same:
                _log_model_files(client, model, file, data, restore=True)
        else:
            client.delete_logged_model(model.model_id)
    if current:
        return current[0]
    summary = read_json(folder.final / "summary.json")
    model = client.create_logged_model(
        run.info.experiment_id,
        name=MODEL,
        source_run_id=run_id,
        tags={**identity, SHA256: file_hash},
        params={"layers": " | ".join(summary["layers"]), "parameters": str(summary["parameters"])},
        model_type="keras",
    )
    store.relocate(model.artifact_location)
    _log_model_files(client, model, file, data, restore=False)
    outputs = [entities.LoggedModelOutput(model.model_id, summary["generations"])]
    client.log_outputs(run_id, outputs)
    return client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


def _models(store: Store, tags: Mapping[str, str]) -> Iterator[entities.LoggedModel]:
    """The logged models of an experiment with these tags."""
    condition = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    token = None
    while True:
        page = store.client.search_logged_models([store.experiment], condition, page_token=token)
        yield from page
        if not (token := page.token):
            return


def _log_model_files(
    client: MlflowClient, model: entities.LoggedModel, file: Path, data: Path, *, restore: bool
) -> None:
    """Log the files of a model; to restore them, only if one is lost."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "model"
        models.save(file, data, path, run_id=model.source_run_id, model_id=model.model_id)
        files = {str(each.relative_to(path)): each for each in path.rglob("*") if each.is_file()}
        logged = partial(client.list_logged_model_artifacts, model.model_id)
        if not restore or _is_lost(logged, files):
            client.log_model_artifacts(model.model_id, str(path))


def _is_registered(client: MlflowClient, model_id: str) -> bool:
    return bool(client.search_model_versions(f"source_path = 'models:/{model_id}'"))


def _register(
    client: MlflowClient, run: entities.Run, model: entities.LoggedModel, name: str
) -> None:
    """Make the final model a version of a registered model, unless it is one."""
    source = f"models:/{model.model_id}"
    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(name)
    versions = client.search_model_versions(f"name = '{name}'")
    if not any(version.source == source for version in versions):
        with _default_store(client.tracking_uri):
            client.create_model_version(
                name, source, run.info.run_id, tags=dict(model.tags), model_id=model.model_id
            )


@contextlib.contextmanager
def _default_store(uri: str) -> Iterator[None]:
    """Make a store the default: a registry in a database looks there for models, and only there."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = uri
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
