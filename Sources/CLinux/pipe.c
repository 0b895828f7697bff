#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "CLinux.h"

int clinux_pipe(int ends[2], int capacity) {
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return -1;
  if (fcntl(ends[1], F_SETPIPE_SZ, capacity) >= 0) return 0;
  int code = errno;
  close(ends[0]);
  close(ends[1]);
  errno = code;
  return -1;
}

ssize_t clinux_splice(int from, int to, size_t count) {
  return splice(from, NULL, to, NULL, count, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}
