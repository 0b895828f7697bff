"""The images: bases that no registry is needed for, the real Dockerfile's, and the apps of the tests."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from engine.daemon import DockerError

TESTS = pathlib.Path(__file__).resolve().parents[1]
REPOSITORY = TESTS.parents[1]
_MAKE_BASE = TESTS / "make-base-image"
_KEY = "loopbridge.tests.key"

# The names that the Dockerfiles use, and what make-base-image calls them.
_BASES = {"debian:bookworm": "debian", "swift:6.3-bookworm": "swift"}

# The images of the tests: each is a stage of images/Dockerfile.
APPS = (
    "legacy-app", "legacy-app-on-all", "legacy-app-wrapped", "legacy-app-with-program", "static-app",
    "static-app-wrapped", "debian-wrapped")


def make_all(daemon, program=None):
    """Makes or finds every image. `program` takes the place of the one that the Dockerfile has built."""
    _make_bases(daemon)
    build(daemon, REPOSITORY, "loopbridge")
    if program:
        _put_in_program(daemon, program)
    for name in APPS:
        build(daemon, TESTS / "images", name, "--target", name)
    daemon.run("image", "prune", "--force", limit=300)  # what an earlier run has made under these names


def build(daemon, folder, tag, *options, limit=3000):
    """Builds an image with the machine's network, showing what the build says if it fails."""
    proxies = [
        argument for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
        if name in os.environ for argument in ("--build-arg", name)]
    started = time.monotonic()
    daemon.run("build", "--network", "host", "--progress", "plain", "--tag", tag, *proxies, *options, folder, limit=limit)
    print(f"{tag}: built in {time.monotonic() - started:.0f} s", flush=True)


def _make_bases(daemon):
    key = subprocess.run([_MAKE_BASE, "key"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    missing = [tag for tag in _BASES if _key_of(daemon, tag) != key]
    if not missing:
        return
    with tempfile.TemporaryDirectory(prefix="base-", dir=daemon.data.parent) as work:
        for tag in missing:
            started = time.monotonic()
            _import(daemon, tag, [_MAKE_BASE, _BASES[tag], work], key)
            print(f"{tag}: made in {time.monotonic() - started:.0f} s", flush=True)


def _key_of(daemon, tag):
    found = daemon.try_run("image", "inspect", "--format", '{{ index .Config.Labels "' + _KEY + '" }}', tag)
    return found.stdout.strip()


def _import(daemon, tag, command, key):
    log = daemon.data.parent / f"{_BASES[tag]}.log"
    with open(log, "wb") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as maker:
        # The key comes last: an image that was cut short does not count.
        name = f"{tag.replace(':', '-')}-unfinished"
        daemon.run("import", "--change", f"LABEL {_KEY}={key}", "--change", 'CMD ["bash"]', "-", name,
                   stdin=maker.stdout, limit=1800)
        if maker.wait() != 0:
            daemon.try_run("image", "rm", name)
            raise DockerError(f"{' '.join(map(str, command))}:\n{log.read_text(errors='replace')[-3000:]}")
    daemon.run("tag", name, tag)
    daemon.run("image", "rm", name)
    log.unlink()


def _put_in_program(daemon, program):
    with tempfile.TemporaryDirectory() as context:
        shutil.copy(program, pathlib.Path(context) / "loopbridge")
        (pathlib.Path(context) / "Dockerfile").write_text("FROM loopbridge\nCOPY loopbridge /loopbridge\n")
        build(daemon, context, "loopbridge")
