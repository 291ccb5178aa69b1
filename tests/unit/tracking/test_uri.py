"""URIs of tracking stores are shown without credentials, and checked."""

import pytest

from netsurgery.tracking import uri

PLAIN = (
    "http://localhost:5000",
    "https://mlflow.example.org/team",
    "sqlite:///store.db",
    "sqlite:////data/store.db",
    "postgresql://db.example.org/mlflow",
)


@pytest.mark.parametrize("plain", PLAIN)
def test_a_uri_without_credentials_is_shown_as_it_is(plain):
    assert uri.redact(plain) == plain
    uri.check(plain)


@pytest.mark.parametrize(
    "secret",
    [
        "http://me:s3cret@localhost:5000",
        "https://s3cret@mlflow.example.org/team",
        "postgresql://me:s3cret@db.example.org/mlflow",
        "postgresql://db.example.org/mlflow?password=s3cret",
    ],
)
def test_a_uri_with_credentials_is_refused_and_redacted(secret):
    assert "s3cret" not in uri.redact(secret)
    with pytest.raises(ValueError, match="contains credentials") as error:
        uri.check(secret)
    assert "s3cret" not in str(error.value)


def test_a_uri_of_no_store_is_refused():
    with pytest.raises(ValueError, match="not the URI of a tracking store"):
        uri.check("mlruns")


def test_the_configuration_comes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv(uri.VARIABLE, "http://me:s3%20cret@environment:1")
    configured = uri.TrackingURI.resolve("http://configuration:1", tmp_path)
    assert configured == uri.TrackingURI("http://configuration:1")
    found = uri.TrackingURI.resolve(None, tmp_path)
    assert found == uri.TrackingURI("http://environment:1", "me", "s3 cret")
    assert found.mask_secrets("denied for s3 cret") == "denied for ***"
    monkeypatch.delenv(uri.VARIABLE)
    assert uri.TrackingURI.resolve(None, tmp_path).uri == uri.default_uri(tmp_path)
    assert uri.is_missing(uri.display_name(None), tmp_path)
