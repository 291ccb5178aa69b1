"""What is attached to the run of a finished search: its dataset, its files, its model."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
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

SHA256 = PREFIX + "model_sha256"
PATTERNS = ("lineage.csv", "final/*.json", "plots/*.svg", "generation*/singular_values.svg")


def log_attachments(
    client: MlflowClient,
    run_id: str,
    folder: SearchFolder,
    search: Run,
    registered_model: str | None,
) -> None:
    """Log the dataset, files and model of a finished search, unless the store has them already.

    Args:
        client: of the store.
        run_id: of the search.
        folder: of the search.
        search: the content of its run.
        registered_model: name of the registered model that the final model becomes a version of;
            None: the model is not registered.
    """
    data = folder.root.parents[1] / "_data" / search.tags[PREFIX + "dataset"]
    run = client.get_run(run_id)
    if not run.inputs.dataset_inputs:
        client.log_inputs(run_id, datasets=[_dataset_input(data)])
    files = sorted(path for pattern in PATTERNS for path in folder.root.glob(pattern))
    digest = hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()
    if run.data.tags.get(ATTACHED) != digest:
        for path in files:
            subfolder = path.parent.relative_to(folder.root)
            client.log_artifact(run_id, str(path), None if subfolder == Path() else str(subfolder))
        client.set_tag(run_id, ATTACHED, digest)
    model = _log_model(client, run, folder, data, search)
    if registered_model:
        _register(client, run, model, registered_model)


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
    client: MlflowClient, run: entities.Run, folder: SearchFolder, data: Path, search: Run
) -> entities.LoggedModel:
    """Log the final model once, and delete other models of this search.

    A model with a registered version stays, because somebody may be serving it.
    """
    file = folder.final / "model.keras"
    file_hash, identity = sha256(file), _identity_tags(search.tags)
    logged = [
        model
        for model in client.search_logged_models([run.info.experiment_id])
        if identity.items() <= model.tags.items()
    ]
    current = [
        model
        for model in logged
        if model.tags.get(SHA256) == file_hash
        and model.source_run_id == run.info.run_id
        and model.status == LoggedModelStatus.READY
    ]
    for model in logged:
        if model not in current[:1] and not _is_registered(client, model.model_id):
            client.delete_logged_model(model.model_id)
    if current:
        return current[0]
    summary = read_json(folder.final / "summary.json")
    model = client.create_logged_model(
        run.info.experiment_id,
        name=re.sub(r"[/:.%'\"]", "-", search.name),
        source_run_id=run.info.run_id,
        tags={**identity, SHA256: file_hash},
        params={"layers": " | ".join(summary["layers"]), "parameters": str(summary["parameters"])},
        model_type="keras",
    )
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "model"
        models.save(file, data, path, run_id=run.info.run_id, model_id=model.model_id)
        client.log_model_artifacts(model.model_id, str(path))
    client.log_outputs(
        run.info.run_id, [entities.LoggedModelOutput(model.model_id, summary["generations"])]
    )
    return client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


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
        client.create_model_version(
            name, source, run.info.run_id, tags=dict(model.tags), model_id=model.model_id
        )
