// The program's own definitions of a few libc functions, which count and then make the same system call. The linker
// prefers them to libc's for the program and for every library in it, so the product's relay is counted as it is, on
// any machine and without privileges; a tracer would change the times beside the counts.

#define _GNU_SOURCE
#include "CSystemCalls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local uint64_t calls;

uint64_t system_calls_made(void) { return calls; }

ssize_t recv(int fd, void *buffer, size_t size, int flags) {
  calls++;
  return syscall(SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);
}

ssize_t send(int fd, const void *buffer, size_t size, int flags) {
  calls++;
  return syscall(SYS_sendto, fd, buffer, size, flags, NULL, 0);
}

ssize_t splice_nonblocking(int from, int to, size_t length) {
  return splice(from, NULL, to, NULL, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

ssize_t splice(int from, off_t *from_offset, int to, off_t *to_offset, size_t length, unsigned flags) {
  calls++;
  return syscall(SYS_splice, from, from_offset, to, to_offset, length, flags);
}

// The product has its own epoll_ctl() and epoll_wait(), which make the calls by syscall(2).
long syscall(long number, ...) {
  static long (*libc_syscall)(long, ...);
  if (!libc_syscall) libc_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  if (number == SYS_epoll_ctl || number == SYS_epoll_pwait) calls++;
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (int index = 0; index < 6; index++) arguments[index] = va_arg(list, long);
  va_end(list);
  return libc_syscall(
      number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

int shutdown(int fd, int how) {
  calls++;
  return (int)syscall(SYS_shutdown, fd, how);
}

int close(int fd) {
  calls++;
  return (int)syscall(SYS_close, fd);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length) {
  calls++;
  return (int)syscall(SYS_getsockopt, fd, level, option, value, length);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
  calls++;
  return (int)syscall(SYS_setsockopt, fd, level, option, value, length);
}

bool make_pipe(int ends[2], int size) {
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return false;
  if (fcntl(ends[1], F_SETPIPE_SZ, size) >= size) return true;
  close(ends[0]);
  close(ends[1]);
  return false;
}

bool can_count_instructions(void) {
  struct perf_event_attr counter = {
      .type = PERF_TYPE_HARDWARE, .size = sizeof counter, .config = PERF_COUNT_HW_INSTRUCTIONS, .exclude_kernel = 1};
  int fd = (int)syscall(SYS_perf_event_open, &counter, 0, -1, -1, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}
