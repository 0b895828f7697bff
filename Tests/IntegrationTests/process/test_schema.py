"""The JSON Schema, as a validator that is not ours sees it (PyPI's jsonschema)."""

import json
import re
import subprocess

import pytest

import support.packages  # noqa: F401, makes them importable
from support.settings import PROGRAM, REPOSITORY
from support.tls import Authority

jsonschema = pytest.importorskip("jsonschema", minversion="4.0")
yaml = pytest.importorskip("yaml")

WRONG_FILES = REPOSITORY / "Tests/WrongFiles"
SCHEMA_LINE = "# yaml-language-server: $schema=loopbridge.schema.json\n"
DOCUMENTED = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs/configuration.md").read_text(), re.DOTALL)


def value(node):
    """Returns a node's value in YAML 1.2's core schema, which editors go by; PyYAML itself knows 1.1 only."""
    if isinstance(node, yaml.SequenceNode):
        return [value(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {str(value(key)): value(item) for key, item in node.value}
    if node.style:
        return node.value
    if node.value in ("", "~", "null", "Null", "NULL"):
        return None
    if node.value in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return node.value.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+", node.value):
        return int(node.value)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", node.value):
        return float(node.value)
    return node.value


def read(text):
    return value(yaml.compose(text))


@pytest.fixture(scope="module")
def validator():
    printed = subprocess.run(
        [PROGRAM, "check", "--schema"], capture_output=True, text=True, check=True, timeout=30).stdout
    schema = json.loads(printed)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def examples():
    files = [path for path in sorted((REPOSITORY / "config").glob("*.yaml"))]
    return [path for path in files if path.read_text().startswith(SCHEMA_LINE)]


def wrong_files(kind):
    return sorted((WRONG_FILES / kind).glob("*.yaml"))


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.name)
def test_accepts_every_example(validator, path):
    validator.validate(read(path.read_text()))


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.name)
def test_every_example_loads(path, tmp_path):
    # They name certificates, which are looked at.
    authority = Authority(tmp_path, "ca")
    for name in ("shop", "admin"):
        authority.issue(name)
    example = tmp_path / path.name
    example.write_text(path.read_text().replace("/tls/", f"{tmp_path}/"))
    result = subprocess.run([PROGRAM, "check", "--config", example], capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stderr) == (0, "")


def test_there_are_examples():
    assert "loopbridge.yaml" in [path.name for path in examples()]


@pytest.mark.parametrize("text", [text for text in DOCUMENTED if "routes:" in text])
def test_accepts_what_is_documented(validator, text):
    validator.validate(read(text))


def test_accepts_what_check_prints(validator):
    routes = ["8000", "[::]:8080:[::1]:8000", "192.0.2.1:80:unix:/run/a", "[fe80::1%2]:81:192.0.2.7:8000"]
    printed = subprocess.run(
        [PROGRAM, "check", "--explain", "--hold", "0", *routes], capture_output=True, text=True, check=True,
        timeout=30).stdout
    validator.validate(read(printed))


@pytest.mark.parametrize("path", wrong_files("shape"), ids=lambda path: path.stem)
def test_rejects_what_is_wrong_by_shape(validator, path):
    assert not validator.is_valid(read(path.read_text()))


@pytest.mark.parametrize("path", wrong_files("meaning"), ids=lambda path: path.stem)
def test_cannot_know_what_is_wrong_by_meaning(validator, path):
    """Were one of these rejected, it would belong among those that are wrong by shape."""
    validator.validate(read(path.read_text()))
