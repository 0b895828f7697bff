"""Acts upon the program and its apps while the clients come and go; every event is written down with its time."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import routes
from support.sockets import connect
from support.waiting import wait_until

_WRONG = (
    "routes: [", "routes: []\nholt: 1s\n", "routes:\n  - { listen: 7001, upstream: 9001 }\n  - { listen: 7001, upstream: 9002 }\n",
    "routes:\n  - { listen: 7001, upstream: 9001, tls: { certificate: /nowhere.crt, key: /nowhere.key } }\n", "\x00\x01", "")


class App:
    """One of the apps: killed, started again, stopped for a while."""

    ADDRESSES = {
        "stream": (routes.STREAM, "PROXY=" + routes.PROXIED, "stream.sock"),
        "http": (routes.HTTP, "http.sock"),
        "datagrams": (routes.DATAGRAMS,),
    }

    def __init__(self, kind, namespace, folder):
        self.kind, self._namespace, self._folder = kind, namespace, folder
        self.generation = 0
        self._process = None

    def start(self):
        self.generation += 1
        addresses = [f"{self._folder}/apps/{one}" if one.endswith(".sock") else one for one in self.ADDRESSES[self.kind]]
        program = os.path.join(os.path.dirname(__file__), "app.py")
        with open(f"{self._folder}/app-{self.kind}.log", "a") as log:
            self._process = subprocess.Popen(
                self._namespace.command(sys.executable, program, self.kind, str(self.generation), f"{self._folder}/app-{self.kind}.jsonl",
                                        *addresses),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if self.kind != "datagrams":
            ports = [int(one.rpartition(":")[2]) for one in self.ADDRESSES[self.kind] if not one.endswith(".sock")]
            wait_until(lambda: all(self._namespace.listens_on(port) for port in ports), "the app listens", limit=60)

    def kill(self):
        self._process.kill()
        self._process.wait(10)

    def signal(self, number):
        self._process.send_signal(number)


class Conductor:
    """Two threads, one for the apps and one for the program, each with its own chance."""

    def __init__(self, subject, network, apps, folder, seed):
        self._subject, self._network, self._apps, self._folder = subject, network, apps, folder
        self._seed = seed
        self.events = []
        self.failures = []
        self.reloads = {"success": 0, "failure": 0}
        self._version, self._has_passing, self._has_address = 0, True, False
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(name, plan), daemon=True) for name, plan in (
            ("apps", ((6, self._kill_app), (3, self._pause_app))),
            ("program", self._program_plan()))]

    def _program_plan(self):
        always = ((2, self._pause_program), (2, self._stall_log), (2, self._change_address))
        if not self._subject.reloads:
            return always
        return (*always, (4, self._reload), (2, self._reload_wrong), (2, self._hang_up), (5, self._scrape), (2, self._bother_admin))

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Everything is as in the beginning once this returns."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(60)
        if self._has_address:
            self._network.take_fleeting_address()
        if self._subject.reloads and self._subject.is_running:
            if not self._has_passing:
                self._change_passing()
            self._take_over(routes.loopbridge(self._folder), "reload")

    def _run(self, name, plan):
        chance = random.Random(f"{self._seed} {name}")
        while not self._is_over.wait(chance.expovariate(1 / 2.0)):
            act = chance.choices([one for _, one in plan], [weight for weight, _ in plan])[0]
            started = time.monotonic()
            try:
                act(chance)
            except Exception as error:
                if not self._subject.is_running:
                    return
                self.failures.append({"what": act.__name__.strip("_").replace("_", " "), "from": started, "to": time.monotonic(),
                                      "error": f"{type(error).__name__}: {str(error)[:300]}"})

    def _note(self, what, started, **more):
        self.events.append({"what": what, "from": started, "to": time.monotonic(), **more})

    # The apps

    def _kill_app(self, chance):
        """The kernel ends its connections with resets (app.py sees to that), so the truth is known."""
        app = chance.choices(self._apps, (5, 5, 1))[0]
        started = time.monotonic()
        app.kill()
        # Longer than clients are held, now and then.
        time.sleep(chance.choice((0, 0, 0, 0.3, 1, routes.HOLD + 1)))
        app.start()
        self._note("app killed", started, app=app.kind, generation=app.generation)

    def _pause_app(self, chance):
        app = chance.choice(self._apps)
        started = time.monotonic()
        app.signal(signal.SIGSTOP)
        time.sleep(chance.random() * 3)
        app.signal(signal.SIGCONT)
        self._note("app paused", started, app=app.kind)

    # The program

    def _pause_program(self, chance):
        started = time.monotonic()
        self._subject.signal(signal.SIGSTOP)
        # Longer than heads, bodies and kept connections may take, now and then.
        time.sleep(chance.choice((0.05, 0.5, 2, 2, 6)))
        self._subject.signal(signal.SIGCONT)
        self._note("program paused", started)

    def _stall_log(self, chance):
        started = time.monotonic()
        self._subject.stall_log(chance.random() * 5)
        self._note("log stalled", started)

    def _change_address(self, chance):
        started = time.monotonic()
        if self._has_address:
            self._network.take_fleeting_address()
        else:
            self._network.give_fleeting_address()
        self._has_address = not self._has_address
        self._note("address changed", started)

    def _count(self, result):
        return self._subject.counters().get(f'loopbridge_reloads_total{{result="{result}"}}', 0)

    def _take_over(self, text, what, result="success", **more):
        """Writes a file, and waits until it has been taken or refused."""
        started = time.monotonic()
        before = self._count(result)
        self._subject.configure(text)
        self._subject.signal(signal.SIGHUP)
        wait_until(lambda: self._count(result) > before, f"a {result} of a reload", limit=20, interval=0.05)
        self.reloads[result] += 1
        self._note(what, started, **more)

    def _reload(self, chance):
        self._version = chance.choice((self._version, self._version + 1))
        if chance.random() < 0.3:
            self._change_passing()
        self._take_over(routes.loopbridge(self._folder, self._version, self._has_passing), "reload")

    def _change_passing(self):
        """The route that comes and goes: from the moment before it goes to the one after it is there again, it may be missed."""
        self._has_passing = not self._has_passing
        if self._has_passing:
            # Its connections are gone once those of before have drained.
            self._gone["to"] = time.monotonic() + 7
        else:
            self._gone = {"what": "route gone", "from": time.monotonic(), "to": float("inf")}
            self.events.append(self._gone)

    def _reload_wrong(self, chance):
        self._take_over(chance.choice(_WRONG), "wrong file", "failure")

    def _hang_up(self, chance):
        """Several signals in a row; how many of them become one is the program's business."""
        started = time.monotonic()
        self._subject.configure(routes.loopbridge(self._folder, self._version, self._has_passing))
        before = self._count("success")
        for _ in range(chance.randrange(1, 5)):
            self._subject.signal(signal.SIGHUP)
        wait_until(lambda: self._count("success") > before, "a reload", limit=20, interval=0.05)
        self._note("signals", started)

    def _scrape(self, chance):
        started = time.monotonic()
        for target in chance.sample(("/metrics", "/status.json", "/doctor.json", "/history.json", "/healthz", "/", "/configuration.yaml"), 3):
            self._subject.ask(target)
        self._note("scrape", started)

    def _bother_admin(self, chance):
        """Half a request, or one whose answer nobody takes."""
        started = time.monotonic()
        connection = connect(self._network.container, *routes.ADMIN)
        connection.sendall(b"GET /doctor.json HTTP/1.1\r\nHost: a\r\n" + b"\r\n" * chance.randrange(2))
        time.sleep(chance.choice((0, 0, 0.1)))
        connection.close()
        self._subject.ask("/doctor.json")
        self._note("admin bothered", started)
