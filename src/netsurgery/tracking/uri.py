"""Where a tracking store is, and how to name it without telling a password."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

ENVIRONMENT = "MLFLOW_TRACKING_URI"
SERVERS, DATABASES = ("http", "https"), ("sqlite", "postgresql", "mysql", "mssql")
HIDDEN = "***"


@dataclass(frozen=True)
class TrackingURI:
    """A tracking store."""

    uri: str
    user: str | None = None  # of a server, apart from the URI: messages of MLflow hold that
    password: str | None = None

    @classmethod
    def find(cls, given: str | None, results: Path) -> TrackingURI:
        """The store that a configuration names, else the environment, else that of the results."""
        uri = given or os.environ.get(ENVIRONMENT) or default_uri(results)
        parts = urlsplit(uri)
        if parts.scheme not in SERVERS or "@" not in parts.netloc:
            return cls(uri)
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return cls(bare, unquote(parts.username or ""), unquote(parts.password or ""))

    @property
    def is_file(self) -> bool:
        """Whether it is a file: then there is nobody who may not answer."""
        return self.uri.startswith("sqlite:")

    @property
    def is_server(self) -> bool:
        """Whether it is a tracking server, and not a database."""
        return urlsplit(self.uri).scheme in SERVERS

    @property
    def shown(self) -> str:
        """Its URI as people may see it."""
        return shown(self.uri)

    def without_secrets(self, text: str) -> str:
        """A text without this store's credentials, however they are written in it."""
        parts = urlsplit(self.uri)
        secrets = {self.password, parts.password, os.environ.get("MLFLOW_TRACKING_TOKEN")}
        secrets |= {os.environ.get("MLFLOW_TRACKING_PASSWORD")}
        found = {each for secret in secrets if secret for each in (secret, unquote(secret))}
        text = text.replace(self.uri, self.shown)
        for secret in sorted(found, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return re.sub(r"://[^/\s@]+@", "://", text)

    def enter(self) -> None:
        """Let MLflow in this process find a server's credentials, and not wait for long."""
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
    return f"sqlite:///{local(results).resolve()}"


def local(results: Path) -> Path:
    """The store's file in a results folder."""
    return results / "mlflow.db"


def named(given: str | None) -> str:
    """What a store is called by who chose it, as people may see it; empty: the results' own."""
    return shown(given or os.environ.get(ENVIRONMENT) or "")


def is_missing(name: str, results: Path) -> bool:
    """Whether the results' own store is the one in use, and not there."""
    return not name and not local(results).exists()


def shown(uri: str) -> str:
    """A URI without credentials, be they in front of the host or in a query."""
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def check(uri: str) -> None:
    """Refuse what is no store's URI, or has credentials: a configuration is shown in reports.

    Raises:
        ValueError: which, in words that do not repeat a password.
    """
    parts = urlsplit(uri)
    if parts.scheme.partition("+")[0] not in (*SERVERS, *DATABASES):
        raise ValueError(
            f"{shown(uri)!r} is no tracking store; give a server's address, such as "
            f"http://localhost:5000, or a database's"
        )
    if shown(uri) != uri:
        raise ValueError(
            f"holds credentials, and reports show the configuration; set {ENVIRONMENT} in the "
            f"environment to the whole address and leave this out, or set "
            f"MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
