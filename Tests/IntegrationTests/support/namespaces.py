"""Network namespaces: a container, the outside, and a cable between them."""

import contextlib
import ctypes
import itertools
import os
import socket
import subprocess

from support.waiting import wait_until

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)
_PREFIX = "lb-test-"
_LISTENING = "0A"


def run(*command, **options):
    """Runs a command to its end and returns its output; fails when it does."""
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    assert result.returncode == 0, f"{' '.join(command)}: {result.stderr.strip()}"
    return result.stdout


def remove_stale_namespaces():
    """Removes what test runs that were killed have left behind."""
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0]
        if name.startswith(_PREFIX):
            owner = name[len(_PREFIX):].split("-")[0]
            if not os.path.exists(f"/proc/{owner}"):
                run("ip", "netns", "del", name)


class PatientSocket(socket.socket):
    """A socket whose timeout in sendall() is for each piece that goes. Python's own is for all of them together, so that much data would
    fail on a busy machine however well it goes."""

    def sendall(self, data, flags=0):
        left = memoryview(data).cast("B")
        while left:
            left = left[self.send(left, flags):]


class Namespace:
    """A network namespace with a loopback interface, known to `ip netns` by a name that nobody else uses."""

    def __init__(self, label):
        self.name = f"{_PREFIX}{os.getpid()}-{next(_numbers)}-{label}"
        run("ip", "netns", "add", self.name)
        self._descriptor = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        """Runs ip(8) inside."""
        return run("ip", "-n", self.name, *arguments)

    def command(self, *command):
        """The command line that runs `command` inside; it keeps the process id it is started with."""
        return ["ip", "netns", "exec", self.name, *command]

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside; what it opens meanwhile stays there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(self._descriptor)
            try:
                yield
            finally:
                _setns(home)
        finally:
            os.close(home)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, timeout=10.0):
        """A new socket inside, with a limit for each call that blocks."""
        with self.entered():
            new = PatientSocket(family, kind)
        new.settimeout(timeout)
        return new

    def sysctl(self, name, value):
        """Sets a sysctl of this namespace, such as net.ipv4.tcp_rmem."""
        with self.entered(), open(f"/proc/sys/{name.replace('.', '/')}", "w") as file:
            file.write(str(value))

    def connections(self):
        """All TCP sockets inside as (local address in hexadecimal, local port, remote port, state)."""
        rows = []
        for fields in self._tcp_table():
            address, port = fields[1].split(":")
            rows.append((address, int(port, 16), int(fields[2].split(":")[1], 16), fields[3]))
        return rows

    def is_owned(self, local, remote):
        """Whether a process has a TCP socket inside with this local and this remote port. One that was closed with bytes left to send
        is the kernel's alone."""
        ends = (f":{local:04X}", f":{remote:04X}")
        return any(fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]) and fields[9] != "0" for fields in self._tcp_table())

    def _tcp_table(self):
        """The rows of the kernel's tables of TCP sockets (proc(5), /proc/net/tcp), each as its fields."""
        for table in ("tcp", "tcp6"):
            with self.entered():
                try:
                    with open(f"/proc/thread-self/net/{table}") as file:
                        lines = file.read().splitlines()[1:]
                except FileNotFoundError:
                    continue
            yield from map(str.split, lines)

    def listening_addresses(self, port):
        """The addresses, in hexadecimal, on which somebody inside listens at this port."""
        return {address for address, local, _, state in self.connections() if local == port and state == _LISTENING}

    def listening_inodes(self, port):
        """The sockets that listen at this port inside, by their inodes."""
        return {fields[9] for fields in self._tcp_table() if fields[3] == _LISTENING and int(fields[1].split(":")[1], 16) == port}

    def listens_on(self, port):
        """On how many addresses inside somebody listens at this port."""
        return len(self.listening_addresses(port))

    def counter(self, group, name):
        """A counter of this namespace's TCP, such as ("Tcp", "ActiveOpens") or ("TcpExt", "TCPAbortOnData")."""
        for table in ("snmp", "netstat"):
            with self.entered(), open(f"/proc/thread-self/net/{table}") as file:
                lines = file.read().splitlines()
            for names, values in zip(lines[::2], lines[1::2]):
                if names.startswith(group + ":") and name in names.split():
                    return int(values.split()[names.split().index(name)])
        raise KeyError(f"{group}.{name}")

    def remove(self):
        """Removes it from `ip netns`; it ends with its last socket and process."""
        os.close(self._descriptor)
        run("ip", "netns", "del", self.name)


class Cable:
    """Joins two namespaces by a veth pair, as Docker does: eth0 on either side."""

    CONTAINER = "172.17.0.2"
    CONTAINER_V6 = "fd00:17::2"
    OUTSIDE = "172.17.0.1"
    OUTSIDE_V6 = "fd00:17::1"

    def __init__(self, outside, container, container_has_addresses=True):
        outside.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", container.name)
        # The link-local address is there at once: a browser gives up what it loads when an address comes to its machine.
        outside.sysctl("net.ipv6.conf.eth0.accept_dad", 0)
        for end in (outside, container):
            end.ip("link", "set", "eth0", "up")
        outside.ip("addr", "add", self.OUTSIDE + "/24", "dev", "eth0")
        outside.ip("addr", "add", self.OUTSIDE_V6 + "/64", "dev", "eth0", "nodad")
        if container_has_addresses:
            container.ip("addr", "add", self.CONTAINER + "/24", "dev", "eth0")
            container.ip("addr", "add", self.CONTAINER_V6 + "/64", "dev", "eth0", "nodad")
        # The link is up a moment after it was told to be.
        for end in (outside, container):
            wait_until(lambda: "state UP" in end.ip("link", "show", "eth0"), "eth0 is up")


def _setns(descriptor):
    CLONE_NEWNET = 0x40000000
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
