"""`make secrets`: what git tracks holds none, and one that is planted does not pass."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import secret_scan

from mizzle.service.http import auth

PLANTED = {
    "AWS Access Key": "AKIA" + "IOSFODNN7EXAMPLQ",
    "GitHub Token": "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Secret Keyword": 'password = "hunter2' + 'hunter2"',
    "Basic Auth Credentials": "https://me:hunter2" + "hunter2@example.com/",
    "Hex High Entropy String": 'key = "3f786850e387550fdab836ed7e6dc88'
    + '1de23001b3f786850e387550fdab836ed"',
    "Base64 High Entropy String": 'x = "XbT8s0lqkP3xjTj0s8Yw6v' + 'Nf1zqk2mR4uWc9eHaIbQ"',
}


def _scan(*files: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, secret_scan.__file__, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not (secret_scan.ROOT / ".git").exists(), reason="this tree is no clone")
def test_what_git_tracks_holds_no_secrets() -> None:
    done = _scan()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.startswith("no secrets in ")


def test_planted_secrets_do_not_pass(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text("".join(f"{line}\n" for line in PLANTED.values()))
    done = _scan(file)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    for number, kind in enumerate(PLANTED, 1):
        assert f"{file}:{number}: {kind}" in lines
    assert not any(secret in done.stdout for secret in PLANTED.values())


def test_the_keys_of_the_service_do_not_pass(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"as {auth.new_key('me')[0]}\n")
    assert f"{file}:1: key of a service" in _scan(file).stdout


def test_names_of_digests_excuse_digests_and_nothing_else() -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    assert secret_scan.is_digest(f'  "sha256": "{digest}",', digest)
    assert not secret_scan.is_digest(f'  "api_key": "{digest}",', digest)
    assert not secret_scan.is_digest(f'  "sha256": "0", "key": "{digest}"', digest)


def test_files_that_are_left_out_exist() -> None:
    assert all((secret_scan.ROOT / path).exists() for path in secret_scan.LEFT_OUT)
