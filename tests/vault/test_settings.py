"""Production refuses to start without what the law and the promise need; each refusal says which setting to change."""

import datetime as dt
import json
import os
from pathlib import Path

import pytest

from crypto.kem import public_key
from crypto.keys import KemSeed, SignSeed
from crypto.signing import sign_public
from vault import health
from vault.__main__ import main
from vault.reading_settings import read_settings
from vault.settings import Hosting, Retention, UnsafeSettings, make_key_file

NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)


@pytest.fixture
def good(tmp_path: Path) -> dict[str, str]:
    """An environment in which production starts."""
    make_key_file(tmp_path / "service-keys.json")
    roots = {name: sign_public(SignSeed.random()).hex() for name in ("nadia", "hugo")}
    incident = bytes(public_key(KemSeed.random())).hex()
    (tmp_path / "public-keys.json").write_text(json.dumps({"roots": roots, "incident": incident}))
    return {
        "ABRI_MODE": "production", "ABRI_FOLDER": str(tmp_path), "ABRI_CONTACT": "Abri, 01 00 00 00 00",
        "ABRI_DATA_PROTECTION": "dpo@abri.test", "ABRI_HOSTING_CERTIFICATE": "HDS-1; Hébergeur (démo); 2028-05-31",
        "ABRI_ORIGINS": "https://abri.test", "ABRI_DATABASE_URL": "postgresql://a:b@rows/abri",
        "ABRI_VAULT_URL": "postgresql://c:d@keys/vault", "ABRI_TOMBSTONES_URL": "postgresql://a:b@rows/tombstones",
        "ABRI_BLOBS": "s3:abri",
    }  # fmt: skip


def test_with_everything_it_starts(good: dict[str, str]) -> None:
    settings = read_settings(good)
    assert settings.hosting == Hosting("HDS-1", "Hébergeur (démo)", dt.date(2028, 5, 31))
    assert all(getattr(Retention(), name) for name in Retention.__dataclass_fields__)
    health.refuse_ended(settings, NOW)
    with pytest.raises(UnsafeSettings, match="ended on 2028-05-31"):
        health.refuse_ended(settings, dt.datetime(2028, 6, 1, 12, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ABRI_CONTACT", None, "ABRI_CONTACT"),
        ("ABRI_DATA_PROTECTION", None, "ABRI_DATA_PROTECTION"),
        ("ABRI_DATA_PROTECTION", " ", "ABRI_DATA_PROTECTION"),
        ("ABRI_DATA_PROTECTION", "x", "an e-mail, a number or an address: see ABRI_DATA_PROTECTION"),
        ("ABRI_CONTACT", "Abri", "an e-mail, a number or an address: see ABRI_CONTACT"),
        ("ABRI_HOSTING_CERTIFICATE", None, "ABRI_HOSTING_CERTIFICATE"),
        ("ABRI_HOSTING_CERTIFICATE", "HDS-1", "number; host; last day"),
        ("ABRI_HOSTING_CERTIFICATE", "HDS-1; ; 2028-05-31", "number; host; last day"),
        ("ABRI_HOSTING_CERTIFICATE", "HDS-1; Hébergeur; soon", "number; host; last day"),
        ("ABRI_ORIGINS", None, "ABRI_ORIGINS"),
        ("ABRI_ORIGINS", "http://abri.test", "https"),
        ("ABRI_ORIGINS", "https://abri.test http://abri.test", "https"),
        ("ABRI_VAULT_URL", None, "ABRI_VAULT_URL"),
        ("ABRI_VAULT_URL", "postgresql://a:b@rows/abri", "ABRI_VAULT_URL"),
        ("ABRI_VAULT_URL", "postgresql+psycopg://c:d@rows:5432/abri", "ABRI_VAULT_URL"),  # the same database by another name
        ("ABRI_TOMBSTONES_URL", None, "ABRI_TOMBSTONES_URL"),
        ("ABRI_TOMBSTONES_URL", "postgresql://c:d@keys/vault", "ABRI_TOMBSTONES_URL"),
        ("ABRI_INSECURE_FAST_KDF", "yes", "Argon2id"),
        ("ABRI_CONTAKT", "x", "Unknown settings: ABRI_CONTAKT"),
        ("ABRI_MODE", "real", "ABRI_MODE"),
        ("ABRI_HOST", "abri.test", "ABRI_HOST"),
        ("ABRI_PORT", "abc", "ABRI_PORT"),
        ("ABRI_PORT", "0", "ABRI_PORT"),
        ("ABRI_PORT", "65536", "ABRI_PORT"),
        ("ABRI_WORKERS", "x", "ABRI_WORKERS"),
        ("ABRI_WORKERS", "0", "ABRI_WORKERS"),
        ("ABRI_DATABASE_URL", "garbage", "ABRI_DATABASE_URL"),
        ("ABRI_DATABASE_URL", "mysql://a:b@rows/abri", "ABRI_DATABASE_URL"),
        ("ABRI_VAULT_URL", "postgresql://c:d@keys:port/vault", "ABRI_VAULT_URL"),
        ("ABRI_TOMBSTONES_URL", "sqlite://", "ABRI_TOMBSTONES_URL"),
        ("ABRI_S3_ENDPOINT", "nonsense", "ABRI_S3_ENDPOINT"),
        ("ABRI_S3_ENDPOINT", "https://", "ABRI_S3_ENDPOINT"),
        ("ABRI_S3_ENDPOINT", "http://s3.example", "https:// alone"),
        ("ABRI_S3_ENDPOINT", "http://10.0.0.7:8333", "https:// alone"),
        ("ABRI_CERTIFICATE", "/etc/hostname", "both or none"),
        # A typing error keeps papers nowhere but where it was meant.
        ("ABRI_BLOBS", "ftp:x", "ABRI_BLOBS"),
        ("ABRI_BLOBS", "S3:abri", "ABRI_BLOBS"),
        ("ABRI_BLOBS", "s3:", "ABRI_BLOBS"),
        ("ABRI_BLOBS", "s3:Papers/abri", "ABRI_BLOBS"),
        ("ABRI_BLOBS", "", "ABRI_BLOBS"),
        ("ABRI_BLOBS", "folder:papers", "ABRI_BLOBS"),
        ("ABRI_BLOBS", "folder:/var/lib/papers", "ABRI_BLOBS=s3:BUCKET"),
    ],
)
def test_without_one_of_them_it_does_not(good: dict[str, str], name: str, value: str | None, said: str) -> None:
    changed = {**good, **({name: value} if value is not None else {})}
    if value is None:
        del changed[name]
    with pytest.raises(UnsafeSettings, match=said):
        read_settings(changed)


@pytest.mark.parametrize("address", ["https://s3.example", "http://127.0.0.1:9000", "http://papers:8333"])
def test_a_store_behind_tls_or_beside_the_service(good: dict[str, str], address: str) -> None:
    assert read_settings({**good, "ABRI_S3_ENDPOINT": address}).s3_endpoint == address


def test_one_key_under_two_names_is_not_two_administrators(good: dict[str, str], tmp_path: Path) -> None:
    """One person would sign both halves of every certificate."""
    public = tmp_path / "public-keys.json"
    content = json.loads(public.read_text())
    roots = {"nadia": content["roots"]["nadia"], "hugo": content["roots"]["nadia"]}
    public.write_text(json.dumps({**content, "roots": roots}))
    with pytest.raises(UnsafeSettings, match="two administrators have the same root key"):
        read_settings(good)


def test_two_administrators_and_a_key_file_of_its_own(good: dict[str, str], tmp_path: Path) -> None:
    public = tmp_path / "public-keys.json"
    content = json.loads(public.read_text())
    public.write_text(json.dumps({**content, "roots": {"nadia": content["roots"]["nadia"]}}))
    with pytest.raises(UnsafeSettings, match="Two administrators"):
        read_settings(good)
    public.write_text(json.dumps(content))
    (tmp_path / "service-keys.json").chmod(0o644)
    with pytest.raises(UnsafeSettings, match="can be read by others"):
        read_settings(good)
    (tmp_path / "service-keys.json").unlink()
    with pytest.raises(UnsafeSettings, match="is missing"):
        read_settings(good)


def test_a_refusal_repeats_no_password(good: dict[str, str]) -> None:
    with pytest.raises(UnsafeSettings) as refused:
        read_settings({**good, "ABRI_DATABASE_URL": "postgres//a:marmot@rows"})
    assert "marmot" not in str(refused.value)


@pytest.mark.parametrize("file", ["service-keys.json", "public-keys.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"sign": "00", "seal": "zz"}', '{"sign": 1, "seal": 2, "roots": 3}'])
def test_a_damaged_key_file_is_named_and_not_repeated(
    good: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    content: str,
) -> None:
    (tmp_path / file).write_text(content)
    with monkeypatch.context() as environment:
        for name, value in good.items():
            environment.setenv(name, value)
        assert main(["check"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("abri: ")
    assert said.count("\n") == 1
    assert file in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cards", "print", "5", "{here}"], "abri: {here}: Is a directory"),
        (["cards", "print", "0", "{here}/cards.pdf"], "from 1 to 500"),
        (["cards", "print", "501", "{here}/cards.pdf"], "from 1 to 500"),
        (["cards", "print", "five", "{here}/cards.pdf"], "from 1 to 500"),
        (["keys", "public", "{here}"], "abri: {here}: Is a directory"),
        (["demo", "--folder", "{here}/public-keys.json"], "public-keys.json"),
        (["demo", "--codes", "--folder", "{here}"], "There is no demonstration"),
        (["trace", "verify", "--copy", "{here}"], "no published head"),
        (["trace", "verify", "--copy", "{here}/nowhere"], "no published head"),
    ],
)
def test_a_command_that_cannot_be_done_ends_in_one_sentence(
    good: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    for name in [one for one in os.environ if one.startswith("ABRI_")]:
        monkeypatch.delenv(name)
    if words[0] in ("keys", "trace"):
        for name, value in good.items():
            monkeypatch.setenv(name, value)
    try:
        status = main([word.format(here=tmp_path) for word in words])
    except SystemExit as refused:  # by argparse
        status = int(refused.code or 0)
    assert status == 2
    told = capsys.readouterr().err
    assert said.format(here=tmp_path) in told
    assert "Traceback" not in told
