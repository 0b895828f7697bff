// Two functions that stand before libc's of the same name, for libevent, which is linked to them. They make up for what
// libevent has no word for.
#include "CLinux.h"

#include <stdbool.h>
#include <sys/epoll.h>

// Closing a descriptor takes it out of the epoll instance (epoll(7), question 6), so that to delete it first is a call in
// vain; but libevent knows no way of forgetting an event without that call.
static _Thread_local bool is_closing;

void clinux_closing_begins(void) { is_closing = true; }

void clinux_closing_ends(void) { is_closing = false; }

// libevent reports an error as "readable and writable", which healthy sockets are too. Where the end of the stream is
// watched for, an error is told as that end alone, which never comes alone otherwise: at the end one can read.
// Likewise of TCP's urgent mark, of which libevent never heard: it is told as an end together with "writable".
// libevent keeps the descriptor in the lower half of an event's data, and we in the upper half that it wants to know.
static const uint64_t wants_errors = UINT64_C(1) << 32;

int epoll_ctl(int instance, int operation, int descriptor, struct epoll_event *event) {
  if (operation == EPOLL_CTL_DEL && is_closing) return 0;
  if (event && event->events & EPOLLRDHUP) {
    event->data.u64 = (uint32_t)event->data.fd | wants_errors;
    event->events |= EPOLLPRI;
  }
  return (int)syscall(SYS_epoll_ctl, instance, operation, descriptor, event);
}

int epoll_wait(int instance, struct epoll_event *events, int capacity, int timeout) {
  // The call without a signal mask, under the name that every architecture has.
  int count = (int)syscall(SYS_epoll_pwait, instance, events, capacity, timeout, NULL, 0);
  for (int index = 0; index < count; index++) {
    if (!(events[index].data.u64 & wants_errors)) continue;
    if (events[index].events & EPOLLERR) {
      events[index].events = EPOLLRDHUP;
    } else if (events[index].events & EPOLLPRI) {
      events[index].events = EPOLLRDHUP | EPOLLOUT;
    }
  }
  return count;
}
