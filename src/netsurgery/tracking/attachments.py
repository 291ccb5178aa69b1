"""What goes with a finished search's run: its data's name, its files, its model."""

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


def attach(
    client: MlflowClient, run: str, folder: SearchFolder, search: Run, register: str | None
) -> None:
    """Bring what goes with a finished search's run in line; what is there already is left alone.

    Args:
        client: of the store.
        run: id of the search's run.
        folder: of the search.
        search: what its run shows.
        register: name of the registered model that the final one becomes a version of; None: of
            none.
    """
    data = folder.root.parents[1] / "_data" / search.tags[PREFIX + "dataset"]
    told = client.get_run(run)
    if not told.inputs.dataset_inputs:
        client.log_inputs(run, datasets=[_data(data)])
    files = sorted(path for pattern in PATTERNS for path in folder.root.glob(pattern))
    digest = hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()
    if told.data.tags.get(ATTACHED) != digest:
        for path in files:
            place = path.parent.relative_to(folder.root)
            client.log_artifact(run, str(path), None if place == Path() else str(place))
        client.set_tag(run, ATTACHED, digest)
    model = _log_model(client, told, folder, data, search)
    if register:
        _register(client, told, model, register)


def _data(folder: Path) -> entities.DatasetInput:
    """A prepared dataset, as MLflow names it."""
    data = describe(folder)
    digest = hashlib.sha256("".join(data[CHECKSUMS].values()).encode()).hexdigest()
    shown = {key: data[key] for key in ("samples", "parts", "shape", "type", "outputs")}
    dataset = entities.Dataset(
        name=data["name"],
        digest=digest[:12],
        source_type="netsurgery",
        source=json.dumps({"origin": data["origin"], "version": data["version"]}),
        profile=json.dumps(shown),
    )
    return entities.DatasetInput(dataset, [entities.InputTag("mlflow.data.context", "training")])


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that tell whose model it is."""
    return {name: tags[name] for name in (RESULTS, NAME, SEED) if name in tags}


def _log_model(
    client: MlflowClient, run: entities.Run, folder: SearchFolder, data: Path, search: Run
) -> entities.LoggedModel:
    """The final model in the store: logged once, whole, and no other of this search.

    One that a registered version points to stays, for somebody may serve it.
    """
    file = folder.final / "model.keras"
    hashed, own = sha256(file), _own(search.tags)
    known = [
        model
        for model in client.search_logged_models([run.info.experiment_id])
        if own.items() <= model.tags.items()
    ]
    there = [
        model
        for model in known
        if model.tags.get(SHA256) == hashed
        and model.source_run_id == run.info.run_id
        and model.status == LoggedModelStatus.READY
    ]
    for model in known:
        if model not in there[:1] and not _is_registered(client, model.model_id):
            client.delete_logged_model(model.model_id)
    if there:
        return there[0]
    summary = read_json(folder.final / "summary.json")
    model = client.create_logged_model(
        run.info.experiment_id,
        name=re.sub(r"[/:.%'\"]", "-", search.name),
        source_run_id=run.info.run_id,
        tags={**own, SHA256: hashed},
        params={"layers": " | ".join(summary["layers"]), "parameters": str(summary["parameters"])},
        model_type="keras",
    )
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "model"
        models.write(file, data, place, run_id=run.info.run_id, model_id=model.model_id)
        client.log_model_artifacts(model.model_id, str(place))
    client.log_outputs(
        run.info.run_id, [entities.LoggedModelOutput(model.model_id, summary["generations"])]
    )
    return client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


def _is_registered(client: MlflowClient, model: str) -> bool:
    return bool(client.search_model_versions(f"source_path = 'models:/{model}'"))


def _register(
    client: MlflowClient, run: entities.Run, model: entities.LoggedModel, name: str
) -> None:
    """Make the final model a version of a registered model, once."""
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
