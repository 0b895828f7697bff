"""The routes of the soak, and the same as loopbridge's configuration and as HAProxy's."""

import dataclasses

CONTAINER, OUTSIDE = "172.17.0.2", "172.17.0.1"
CONTAINER_V6, OUTSIDE_V6 = "fd00:17::2", "fd00:17::1"
# An address that comes and goes.
FLEETING = "172.17.0.3"
ADMIN = ("127.0.0.1", 9901)

STREAM, PROXIED, HTTP, DATAGRAMS = "127.0.0.1:9001", "127.0.0.1:9005", "127.0.0.1:9010", "127.0.0.1:9020"
HOLD, QUEUE_TIMEOUT = 5, 5


@dataclasses.dataclass
class Route:
    """One route; `settings` as YAML has them, `haproxy` what its server line has instead."""

    name: str
    port: int
    upstream: str
    protocol: str = "tcp"
    tls: bool = False
    settings: str = ""
    haproxy: str = ""
    names_clients: bool = False
    # A socket file to listen on, by its name in the folder of sockets.
    path: str = ""

    @property
    def app(self):
        """Which of the apps is behind it."""
        if self.upstream in (HTTP, "http.sock"):
            return "http"
        return "datagrams" if self.upstream == DATAGRAMS else "stream"

    @property
    def has_no_resets(self):
        return bool(self.path) or self.upstream.endswith(".sock")


ROUTES = {route.name: route for route in (
    Route("tcp", 7001, STREAM),
    Route("same port", 9001, STREAM),
    Route("queue", 7003, STREAM, settings=f"upstream_connections: {{ max: 8, queue: 200, queue_timeout: {QUEUE_TIMEOUT}s }}, connect: first_byte",
          haproxy="maxconn 8"),
    Route("spare", 7004, STREAM, settings="pool: { spare: 4 }"),
    Route("proxied", 7005, PROXIED, names_clients=True, haproxy="send-proxy-v2",
          settings=f"proxy_protocol: {{ accept: true, trusted_proxies: [{OUTSIDE}/32, \"{OUTSIDE_V6}/128\"], send: v2 }}"),
    Route("per client", 7006, STREAM, settings="source: per_client"),
    Route("to unix", 7007, "stream.sock"),
    Route("from unix", 0, STREAM, path="tcp.sock"),
    Route("unix", 0, "stream.sock", path="unix.sock"),
    Route("tls", 7011, STREAM, tls=True),
    Route("tls queue", 7012, STREAM, tls=True, settings=f"upstream_connections: {{ max: 4, queue: 200, queue_timeout: {QUEUE_TIMEOUT}s }}",
          haproxy="maxconn 4"),
    Route("http", 7020, HTTP, protocol="http"),
    Route("http queue", 7021, HTTP, protocol="http", haproxy="maxconn 6",
          settings=f"upstream_connections: {{ max: 6, queue: 200, queue_timeout: {QUEUE_TIMEOUT}s }}, pool: {{ idle: 2, idle_timeout: 500ms }}"),
    Route("http unix", 0, "http.sock", protocol="http", path="http.sock"),
    Route("https", 7022, HTTP, protocol="http", tls=True),
    Route("https unpooled", 7023, HTTP, protocol="http", tls=True, settings="pool: { idle: 0 }", haproxy="unpooled"),
    Route("datagrams", 7030, DATAGRAMS, protocol="udp", settings="idle_timeout: 5s"),
    Route("passing", 7040, STREAM),
)}

_DEFAULTS = """
log: {{ level: info, format: json }}
admin: {{ listen: "127.0.0.1:9901" }}
workers: 2
drain: 5s
defaults:
  hold: {hold}s
  idle_timeout: 30s
  half_close_timeout: 30s
  max_connections: {max_connections}
  pool: {{ spare: 0, idle: 16, idle_timeout: 2s }}
  http: {{ head_timeout: 5s, body_timeout: 5s, response_timeout: 10s, keep_alive_timeout: 5s }}
routes:
"""


def loopbridge(folder, version=0, has_passing=True):
    """The configuration; another version changes all routes but those of Unix sockets."""
    text = _DEFAULTS.format(hold=HOLD, max_connections=5000 + version)
    for route in ROUTES.values():
        if route.name == "passing" and not has_passing:
            continue
        listen = f'"unix:{folder}/listen/{route.path}"' if route.path else f'"*:{route.port}"'
        upstream = f"unix:{folder}/apps/{route.upstream}" if route.upstream.endswith(".sock") else route.upstream
        parts = [f"name: {route.name}", f"listen: {listen}", f'upstream: "{upstream}"', f"protocol: {route.protocol}"]
        if route.tls:
            parts.append(f"tls: {{ certificate: {folder}/soak.crt, key: {folder}/soak.key }}")
        if route.settings:
            parts.append(route.settings)
        text += "  - { " + ", ".join(parts) + " }\n"
    return text


def haproxy(folder):
    """The same for HAProxy, as far as it can: nothing is held, and datagrams are left out."""
    text = f"""
global
    maxconn 4000
    nbthread 2
    stats socket {folder}/haproxy.sock mode 600 level admin
defaults
    log stderr format raw local0
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    timeout queue {QUEUE_TIMEOUT}s
    timeout tunnel 30s
    timeout http-request 5s
    timeout http-keep-alive 5s
    retries 3
"""
    for route in ROUTES.values():
        if route.protocol == "udp":
            continue
        name = route.name.replace(" ", "-")
        if route.path:
            bind = f"{folder}/listen/{route.path}"
        elif route.name == "same port":
            bind = f"{CONTAINER}:{route.port},[{CONTAINER_V6}]:{route.port}"
        else:
            bind = f"0.0.0.0:{route.port},[::]:{route.port} v6only"
        upstream = f"{folder}/apps/{route.upstream}" if route.upstream.endswith(".sock") else route.upstream
        options = "accept-proxy" if route.names_clients else ""
        if route.tls:
            options += f" ssl crt {folder}/soak.pem"
        server = route.haproxy if route.haproxy != "unpooled" else ""
        text += f"listen {name}\n    mode {route.protocol}\n    bind {bind} {options}\n    server app {upstream} {server}\n"
        if route.haproxy == "unpooled":
            text += "    http-reuse never\n"
    return text
