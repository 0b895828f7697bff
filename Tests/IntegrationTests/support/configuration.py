"""A configuration file under the test's control."""

import os


def route(listen, upstream, name=None, **settings):
    """A route as the file has it."""
    parts = {"name": name, "listen": listen, "upstream": upstream, **settings}
    return "{ " + ", ".join(f"{key}: {value}" for key, value in parts.items() if value is not None) + " }"


def text_of(*routes, **settings):
    """A whole file."""
    lines = [f"{key}: {value}" for key, value in settings.items()]
    return "\n".join([*lines, "routes:", *(f"  - {route}" for route in routes)]) + "\n"


class ConfigurationFile:
    """A file in a folder, written in the ways in which people and programs do."""

    def __init__(self, folder, *routes, **settings):
        self.path = str(folder / "loopbridge.yaml")
        self.replace(text_of(*routes, **settings))

    def set(self, *routes, **settings):
        """Makes it say this from now on, in one step."""
        self.replace(text_of(*routes, **settings))

    def replace(self, text):
        """As editors do: a new file is renamed over the old one."""
        with open(self.path + ".new", "w") as file:
            file.write(text)
        os.rename(self.path + ".new", self.path)


class ConfigMap:
    """A folder as Kubernetes mounts a ConfigMap into it: every update is a folder of its own, and the swap of a link."""

    def __init__(self, folder, text):
        self._folder = folder
        self._number = 0
        self.path = str(folder / "loopbridge.yaml")
        self.update(text)
        os.symlink("..data/loopbridge.yaml", self.path)

    def update(self, text):
        """Returns once the new contents are what the path leads to."""
        old, self._number = self._number, self._number + 1
        new = self._folder / f"..{self._number}"
        new.mkdir()
        (new / "loopbridge.yaml").write_text(text)
        os.symlink(new.name, self._folder / "..data_tmp")
        os.rename(self._folder / "..data_tmp", self._folder / "..data")
        if old:
            (self._folder / f"..{old}" / "loopbridge.yaml").unlink()
            (self._folder / f"..{old}").rmdir()
