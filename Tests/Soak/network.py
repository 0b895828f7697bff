"""The outside, the container, and the cable between them, which may lose, double, delay and reorder what it carries."""

import fcntl
import json
import os
import pathlib
import shutil
import struct
import subprocess

import routes
from support.namespaces import Namespace, run
from support.waiting import wait_until

_TUN = "/dev/net/tun"
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
# In parts of a hundred, beside the loss that is asked for.
DUPLICATES, REORDERED = 0.1, 1.0


class Network:
    """Two namespaces. With a loss, in parts of a hundred, the cable is a bad one: netem's where the kernel has it, else a pair of
    TAP devices with a program of ours between them."""

    def __init__(self, loss, seed, folder):
        self.outside, self.container = Namespace("outside"), Namespace("container")
        self._forwarder, self._devices = None, []
        self.kind = "veth"
        try:
            if not loss:
                self._join_by_veth()
            elif self._has_netem():
                self._join_by_veth()
                self._lose_by_netem(loss)
            elif os.path.exists(_TUN):
                self._join_by_taps(loss, seed, folder)
            else:
                self._join_by_veth()
                self.kind = "veth; nothing is lost, for there is neither netem nor a TUN device here"
            for end, address, six in ((self.outside, routes.OUTSIDE, routes.OUTSIDE_V6), (self.container, routes.CONTAINER, routes.CONTAINER_V6)):
                end.ip("link", "set", "eth0", "up")
                end.ip("addr", "add", address + "/24", "dev", "eth0")
                end.ip("addr", "add", six + "/64", "dev", "eth0", "nodad")
            for end in (self.outside, self.container):
                wait_until(lambda: "LOWER_UP" in end.ip("link", "show", "eth0"), "eth0 is up")
        except BaseException:
            self.remove()
            raise

    def _join_by_veth(self):
        self.outside.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", self.container.name)

    def _lose_by_netem(self, loss):
        """The delay is not always the same, so frames overtake each other."""
        self.kind = f"veth with netem, {loss:g} % lost, {DUPLICATES:g} % doubled"
        for end in (self.outside, self.container):
            run("ip", "netns", "exec", end.name, "tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", "1ms", "1ms",
                "loss", f"{loss}%", "duplicate", f"{DUPLICATES}%")

    def _has_netem(self):
        self.outside.ip("link", "add", "probe", "type", "veth", "peer", "name", "probe2")
        result = subprocess.run(
            self.outside.command("tc", "qdisc", "add", "dev", "probe", "root", "netem", "loss", "1%"), capture_output=True)
        self.outside.ip("link", "del", "probe")
        return result.returncode == 0

    def _join_by_taps(self, loss, seed, folder):
        program = os.path.join(folder, "lossy_cable")
        source = pathlib.Path(__file__).with_name("lossy_cable.c")
        run(shutil.which("cc") or "clang", "-std=c11", "-D_GNU_SOURCE", "-O2", "-o", program, str(source))
        for end in (self.outside, self.container):
            with end.entered():
                device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
                self._devices.append(device)
                fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH14x", b"eth0", _IFF_TAP | _IFF_NO_PI))
        chances = [str(round(chance * 10_000)) for chance in (loss, DUPLICATES, REORDERED)]
        self._forwarder = subprocess.Popen(
            [program, *map(str, self._devices), str(seed), *chances], pass_fds=self._devices, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE)
        self.kind = f"TAP devices, {loss:g} % lost, {DUPLICATES:g} % doubled, {REORDERED:g} % late"

    def give_fleeting_address(self):
        self.container.ip("addr", "add", routes.FLEETING + "/24", "dev", "eth0")

    def take_fleeting_address(self):
        self.container.ip("addr", "del", routes.FLEETING + "/24", "dev", "eth0")

    def remove(self):
        """Returns what the cable has done to the frames, where it is ours."""
        figures = None
        if self._forwarder:
            self._forwarder.terminate()
            figures = json.loads(self._forwarder.communicate(timeout=10)[0] or b"null")
        for device in self._devices:
            os.close(device)
        for end in (self.outside, self.container):
            end.remove()
        return figures
