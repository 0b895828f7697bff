// Two functions that stand before libc's of the same name, for libevent, which is linked to them. They make up for what
// libevent has no word for.
#include "CLinux.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <time.h>

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

// What the thread's calls have changed, and those that were to delete what the kernel does not watch: a descriptor was closed
// before.
static _Thread_local unsigned changes, strays;

unsigned clinux_epoll_changes(void) { return changes; }

unsigned clinux_epoll_strays(void) { return strays; }

int epoll_ctl(int instance, int operation, int descriptor, struct epoll_event *event) {
  if (operation == EPOLL_CTL_DEL && is_closing) return 0;
  if (event && event->events & EPOLLRDHUP) {
    event->data.u64 = (uint32_t)event->data.fd | wants_errors;
    event->events |= EPOLLPRI;
  }
  int result = (int)syscall(SYS_epoll_ctl, instance, operation, descriptor, event);
  if (result == 0) changes++;
  if (result < 0 && operation == EPOLL_CTL_DEL && (errno == ENOENT || errno == EBADF)) strays++;
  return result;
}

// libevent calls the handlers of what a look has found, and then the timers that are due by the clock. Who ends something for
// silence must know what the look was worth: a process that was stopped (SIGSTOP, a frozen container) is woken with EINTR
// and without a look, long after its timers were due; and a look finds no more than there is room for.
static _Thread_local int64_t heard_until;
// Looks in a row that have found as much as there was room for, and when the first of them began.
static _Thread_local struct {
  int64_t begun;
  int count;
} full_looks;

// What was ready at the first of so many full looks has been told by the last, since epoll deals out in turn.
static const int most_full_looks = 64;

int64_t clinux_heard_until(void) { return heard_until; }

static int64_t coarse_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void note_look(int64_t begun, int count, int capacity, int timeout) {
  if (count == capacity) {
    if (full_looks.count == 0) full_looks.begun = begun;
    if (++full_looks.count < most_full_looks) return;
    begun = full_looks.begun;
  } else if (count == 0 && timeout > 0) {
    // It has waited for all of that time; whatever has kept the process from going on then came later.
    begun += timeout * INT64_C(1000000);
  }
  full_looks.count = 0;
  if (begun > heard_until) heard_until = begun;
}

int epoll_wait(int instance, struct epoll_event *events, int capacity, int timeout) {
  int64_t begun = coarse_now();
  // The call without a signal mask, under the name that every architecture has.
  int count = (int)syscall(SYS_epoll_pwait, instance, events, capacity, timeout, NULL, 0);
  if (count < 0 && errno == EINTR) {
    begun = coarse_now();
    timeout = 0;
    count = (int)syscall(SYS_epoll_pwait, instance, events, capacity, timeout, NULL, 0);
  }
  if (count >= 0) note_look(begun, count, capacity, timeout);
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
