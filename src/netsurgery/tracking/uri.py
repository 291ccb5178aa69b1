"""The URI of a tracking store, and how to show it without credentials."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from netsurgery.storage.mlflow_artifacts import FOLDER

VARIABLE = "MLFLOW_TRACKING_URI"  # of the environment
SERVERS, DATABASES = ("http", "https"), ("sqlite", "postgresql", "mysql", "mssql")
MASK = "***"


@dataclass(frozen=True)
class TrackingURI:
    """The URI of a tracking store."""

    uri: str
    user: str | None = None  # of a server; not in the URI, which MLflow's messages contain
    password: str | None = None

    @classmethod
    def resolve(cls, configured: str | None, results: Path) -> TrackingURI:
        """The store of the configuration, or else of the environment, or else of the results."""
        uri = configured or os.environ.get(VARIABLE) or default_uri(results)
        parts = urlsplit(uri)
        if parts.scheme not in SERVERS or "@" not in parts.netloc:
            return cls(uri)
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return cls(bare, unquote(parts.username or ""), unquote(parts.password or ""))

    @property
    def file(self) -> Path | None:
        """The file that is the store, which is always reachable; None for servers."""
        return sqlite_file(self.uri)

    @property
    def is_server(self) -> bool:
        """Whether the store is a tracking server, and not a database."""
        return urlsplit(self.uri).scheme in SERVERS

    @property
    def redacted(self) -> str:
        """The URI without credentials."""
        return redact(self.uri)

    def artifacts(self, results: Path) -> Path | None:
        """The folder for artifacts: beside a file, or in the results folder; None: a server's."""
        if self.is_server:
            return None
        return (self.file.parent if self.file else results.resolve()) / FOLDER

    def mask_secrets(self, text: str) -> str:
        """A text without the credentials of this store, in whatever form it contains them."""
        parts = urlsplit(self.uri)
        secrets = {self.password, parts.password, os.environ.get("MLFLOW_TRACKING_TOKEN")}
        secrets |= {os.environ.get("MLFLOW_TRACKING_PASSWORD")}
        forms = {form for secret in secrets if secret for form in (secret, unquote(secret))}
        text = text.replace(self.uri, self.redacted)
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, MASK)
        return re.sub(r"://[^/\s@]+@", "://", text)

    def apply_to_environment(self) -> None:
        """Give MLflow in this process the credentials of a server, and short timeouts."""
        os.environ |= {
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        }
        if self.user is not None:
            os.environ["MLFLOW_TRACKING_USERNAME"] = self.user
            os.environ["MLFLOW_TRACKING_PASSWORD"] = self.password or ""


def default_uri(results: Path) -> str:
    """The URI of the store in a results folder."""
    return f"sqlite:///{local_database(results).resolve()}"


def local_database(results: Path) -> Path:
    """The file of the store in a results folder."""
    return results / "mlflow.db"


def display_name(configured: str | None) -> str:
    """The URI of the chosen store without credentials; empty for that of the results folder."""
    return redact(configured or os.environ.get(VARIABLE) or "")


def sqlite_file(uri: str) -> Path | None:
    """The file of a SQLite store, absolute; None if a URI is that of another store."""
    scheme, _, rest = uri.partition(":///")
    path = rest.partition("?")[0]
    if scheme.partition("+")[0] != "sqlite" or not path or path.startswith((":memory:", "file:")):
        return None
    return Path(path).resolve()


def is_missing(display_name: str, results: Path) -> bool:
    """Whether the store is a file that does not exist."""
    file = sqlite_file(display_name or default_uri(results))
    return file is not None and not file.exists()


def redact(uri: str) -> str:
    """A URI without credentials, which may stand before the host or in the query."""
    bare = re.sub(r"^([^:/?#]+://)[^/?#]*@", r"\1", uri)  # `urlunsplit` drops slashes of sqlite://
    return re.sub(r"\?[^#]*", "", bare)


def check(uri: str) -> None:
    """Reject URIs of no store, and URIs with credentials, because reports show the configuration.

    Raises:
        ValueError: the message does not repeat a password.
    """
    parts = urlsplit(uri)
    if parts.scheme.partition("+")[0] not in (*SERVERS, *DATABASES):
        raise ValueError(
            f"{redact(uri)!r} is not the URI of a tracking store; give that of a server, such as "
            f"http://localhost:5000, or of a database, such as sqlite:////data/mlflow.db"
        )
    if redact(uri) != uri:
        raise ValueError(
            f"contains credentials, and reports show the configuration; remove it and set "
            f"{VARIABLE} in the environment to the whole URI, or set MLFLOW_TRACKING_USERNAME and "
            f"MLFLOW_TRACKING_PASSWORD"
        )
