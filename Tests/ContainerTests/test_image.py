"""The image that the Dockerfile makes."""

import json
import tarfile

MEGABYTE = 1_000_000


def inspect(docker, what):
    return json.loads(docker.run("image", "inspect", "--format", "{{json " + what + "}}", "loopbridge"))


def test_is_at_most_20_megabytes(docker):
    assert inspect(docker, ".Size") <= 20 * MEGABYTE


def test_holds_the_program_and_nothing_else(docker, tmp_path):
    made = docker.run("create", "loopbridge")
    try:
        docker.run("export", "--output", tmp_path / "image.tar", made)
    finally:
        docker.run("rm", made)
    with tarfile.open(tmp_path / "image.tar") as image:
        with_content = [(entry.name, oct(entry.mode & 0o7777), entry.uid) for entry in image if entry.isfile() and entry.size]
    assert with_content == [("loopbridge", "0o755", 0)]


def test_runs_as_nobody_in_particular(docker):
    user = inspect(docker, ".Config.User")
    assert all(part.isdigit() and int(part) > 0 for part in user.split(":")), user


def test_says_what_it_is(docker):
    labels = inspect(docker, ".Config.Labels")
    prefix = "org.opencontainers.image."
    assert labels[prefix + "title"] == "loopbridge"
    assert labels[prefix + "licenses"] == "Apache-2.0"
    assert labels[prefix + "description"]
    assert prefix + "source" in labels
    assert docker.run("run", "--rm", "loopbridge", "--version") == f"loopbridge {labels[prefix + 'version']}"


def test_checks_a_configuration_in_the_image(docker):
    assert "8000" in docker.run("run", "--rm", "--read-only", "--cap-drop", "ALL", "loopbridge", "check", "8000")
