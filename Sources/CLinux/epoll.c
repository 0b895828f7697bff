#include "CLinux.h"

#include <stdbool.h>
#include <sys/epoll.h>

static _Thread_local bool is_closing;

void clinux_closing_begins(void) { is_closing = true; }

void clinux_closing_ends(void) { is_closing = false; }

// Stands before libc's function of that name, also for libevent. Closing a descriptor takes it out of the epoll
// instance (epoll(7), question 6), so that to delete it first is a call in vain; but libevent knows no way of
// forgetting an event without that call.
int epoll_ctl(int instance, int operation, int descriptor, struct epoll_event *event) {
  if (operation == EPOLL_CTL_DEL && is_closing) return 0;
  return (int)syscall(SYS_epoll_ctl, instance, operation, descriptor, event);
}
