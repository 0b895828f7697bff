// The smallest correct TCP relay that receives and sends on bare epoll(7): what a machine can do at all.
//
//     limit LISTEN_ADDRESS:PORT UPSTREAM_ADDRESS:PORT
//
// One thread, one buffer through which all bytes go, every socket registered once, and no system call in vain. Ends are
// passed on as ends, resets as resets. It has no timeouts, no log and no limits: it is a yardstick, not a proxy.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256, READS_A_TURN = 4 };

/// One side of a relay, and the direction that begins there.
struct side {
  struct relay *relay;
  int fd;
  bool is_connected;
  bool is_readable;      // A receive may return something.
  bool end_is_near;      // The peer has finished: a receive that empties the socket is the last.
  bool hides_something;  // An error or an urgent byte lies behind the data: a short receive has not emptied the socket.
  bool has_ended;        // Everything was received.
  bool has_passed_end;   // The other side was told so, after everything.
  char *parked;          // What was received here and the other side has not taken yet.
  size_t parked_start, parked_end;
};

struct relay {
  struct side client, upstream;
  bool is_closed;
  bool is_listed;
  struct relay *next_listed;
};

static _Alignas(4096) char buffer[1 << 20];
static struct sockaddr_in upstream_address;
static int epoll, listener;
static bool listener_is_paused;
/// Relays that have more to carry than one turn allows, and closed ones, which events at hand may still name.
static struct relay *listed;

static struct side *across(struct side *side) {
  return side == &side->relay->client ? &side->relay->upstream : &side->relay->client;
}

static void list(struct relay *relay) {
  if (!relay->is_listed) relay->next_listed = listed, listed = relay;
  relay->is_listed = true;
}

static bool watch(int operation, int fd, uint32_t events, void *owner) {
  return epoll_ctl(epoll, operation, fd, &(struct epoll_event){.events = events, .data.ptr = owner}) == 0;
}

static void reset_when_closed(int fd) {
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1, .l_linger = 0}, sizeof(struct linger));
}

static void close_relay(struct relay *relay) {
  close(relay->client.fd);
  close(relay->upstream.fd);
  relay->is_closed = true;
  list(relay);
  if (listener_is_paused && watch(EPOLL_CTL_MOD, listener, EPOLLIN, NULL)) listener_is_paused = false;
}

static void fail(struct side *broken) {
  reset_when_closed(across(broken)->fd);
  close_relay(broken->relay);
}

/// Delivers what a side said before it was found broken by sending to it, and closes the relay.
static void fail_after_last_words(struct side *broken) {
  ssize_t size = broken->parked || broken->has_ended ? 0 : 1;
  while (size > 0 && (size = recv(broken->fd, buffer, sizeof buffer, 0)) > 0)
    if (send(across(broken)->fd, buffer, (size_t)size, MSG_NOSIGNAL) < size) break;
  fail(broken);
}

/// Sends to the side across; returns how much of it was taken, or -1 if the relay is closed now.
static ssize_t deliver(struct side *source, const char *bytes, size_t size) {
  struct side *sink = across(source);
  ssize_t sent = send(sink->fd, bytes, size, MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) return 0;
  if (sent < 0) fail_after_last_words(sink);
  if (sent > 0) sink->is_connected = true;
  return sent;
}

/// Keeps what the side across did not take; nothing more is received until it is gone.
static bool park(struct side *source, const char *bytes, size_t size) {
  source->parked = malloc(size);
  source->parked_start = 0, source->parked_end = size;
  return source->parked && memcpy(source->parked, bytes, size);
}

/// Sends what is parked; returns whether nothing is any more, so that receiving may go on.
static bool unpark(struct side *source) {
  if (!source->parked) return true;
  ssize_t sent = deliver(source, source->parked + source->parked_start, source->parked_end - source->parked_start);
  if (sent < 0) return false;
  source->parked_start += (size_t)sent;
  if (source->parked_start < source->parked_end) return false;
  free(source->parked);
  source->parked = NULL;
  return true;
}

static void pass_end(struct side *source) {
  struct side *sink = across(source);
  // Shutting down a socket that is still connecting would take the connect back (Linux: tcp_disconnect).
  if (!sink->is_connected) return;
  source->has_passed_end = true;
  if (sink->has_passed_end)
    close_relay(source->relay);
  else
    shutdown(sink->fd, SHUT_WR);
}

/// Carries what there is from one side to the other.
static void carry(struct side *source) {
  if (!unpark(source)) return;
  for (int reads = 0; source->is_readable; reads++) {
    // The others go first; it goes on in its next turn.
    if (reads == READS_A_TURN) return list(source->relay);
    ssize_t received = recv(source->fd, buffer, sizeof buffer, 0);
    if (received < 0 && errno != EAGAIN) return fail(source);
    bool is_emptied = received <= 0 || ((size_t)received < sizeof buffer && !source->hides_something);
    if (is_emptied) source->is_readable = false;
    source->has_ended = received == 0 || (received > 0 && is_emptied && source->end_is_near);
    if (received <= 0) break;
    ssize_t sent = deliver(source, buffer, (size_t)received);
    if (sent < 0) return;
    if (sent == received) continue;
    if (!park(source, buffer + sent, (size_t)(received - sent))) fail(source);
    return;
  }
  if (source->has_ended && !source->has_passed_end) pass_end(source);
}

static void handle(struct side *side, uint32_t events) {
  struct side *other = across(side);
  if (events & EPOLLRDHUP) side->end_is_near = true;
  if (events & (EPOLLERR | EPOLLPRI)) side->hides_something = true;
  if (events & ~(uint32_t)EPOLLOUT && !side->has_ended) {
    side->is_readable = true;
    if (!side->parked) carry(side);
  } else if (events & EPOLLERR && side->has_ended) {
    fail(side);
  }
  if (!(events & EPOLLOUT) || side->relay->is_closed) return;
  side->is_connected = true;
  if (other->parked || (other->has_ended && !other->has_passed_end)) carry(other);
}

/// Gives the listed relays their next turn, and frees the closed ones.
static void take_turns(void) {
  struct relay *relay = listed;
  listed = NULL;
  while (relay) {
    struct relay *next = relay->next_listed;
    relay->is_listed = false;
    if (relay->is_closed) {
      free(relay->client.parked);
      free(relay->upstream.parked);
      free(relay);
    } else {
      if (relay->client.is_readable && !relay->client.parked) carry(&relay->client);
      if (!relay->is_closed && relay->upstream.is_readable && !relay->upstream.parked) carry(&relay->upstream);
    }
    relay = next;
  }
}

static bool connect_upstream(int fd) {
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  return connect(fd, (struct sockaddr *)&upstream_address, sizeof upstream_address) == 0 || errno == EINPROGRESS;
}

static void accept_client(void) {
  int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) {
    // Out of descriptors or memory: watching on would only say so again, until a relay gives some back.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
      listener_is_paused = watch(EPOLL_CTL_MOD, listener, 0, NULL);
    return;
  }
  const uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
  int upstream = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct relay *relay = calloc(1, sizeof *relay);
  if (relay && upstream >= 0 && connect_upstream(upstream)) {
    relay->client = (struct side){.relay = relay, .fd = client, .is_connected = true};
    relay->upstream = (struct side){.relay = relay, .fd = upstream};
    if (watch(EPOLL_CTL_ADD, client, events, &relay->client) &&
        watch(EPOLL_CTL_ADD, upstream, events, &relay->upstream))
      return;
  }
  free(relay);
  if (upstream >= 0) close(upstream);
  reset_when_closed(client);
  close(client);
}

static struct sockaddr_in parse_address(char *text) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  char *colon = strrchr(text, ':'), *rest = text;
  unsigned long port = colon ? strtoul(colon + 1, &rest, 10) : 0;
  if (colon) *colon = '\0';
  if (port < 1 || port > 65535 || *rest || inet_pton(AF_INET, text, &address.sin_addr) != 1) {
    fprintf(stderr, "limit: %s: expected an IPv4 address and port, as in 127.0.0.1:8000\n", text);
    exit(64);
  }
  address.sin_port = htons((uint16_t)port);
  return address;
}

static void start_listening(struct sockaddr_in address) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  // Accepted sockets inherit it.
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, SOMAXCONN) != 0 ||
      !watch(EPOLL_CTL_ADD, listener, EPOLLIN, NULL)) {
    perror("limit: cannot listen");
    exit(71);
  }
}

int main(int count, char **arguments) {
  if (count != 3) {
    fputs("usage: limit LISTEN_ADDRESS:PORT UPSTREAM_ADDRESS:PORT\n", stderr);
    return 64;
  }
  upstream_address = parse_address(arguments[2]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  start_listening(parse_address(arguments[1]));
  for (;;) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int ready = epoll_wait(epoll, events, EVENTS_AT_ONCE, listed ? 0 : -1);
    for (int index = 0; index < ready; index++) {
      struct side *side = events[index].data.ptr;
      if (!side)
        accept_client();
      else if (!side->relay->is_closed)
        handle(side, events[index].events);
    }
    take_turns();
  }
}
