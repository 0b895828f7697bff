#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/// How a child has ended that nobody has waited for yet, as waitpid(2) has it in `status`; the child stays (waitid(2),
/// WNOWAIT). 1 when it has ended, 0 while it has not, -1 where there is no such child.
static inline int clinux_peek_at_child(pid_t child, int *status) {
  siginfo_t info = {0};
  if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return -1;
  if (info.si_pid != child) return 0;
  *status = info.si_code == CLD_EXITED ? (info.si_status & 0xFF) << 8
                                       : info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
  return 1;
}

/// Whether a process is in the midst of its end (PF_EXITING in /proc/PID/stat, proc(5)): its descriptors may be closed
/// already, before anybody can wait for it. False where /proc does not tell.
static inline bool clinux_is_ending(pid_t process) {
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", process);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count <= 0) return false;
  text[count] = 0;
  // The name, which may hold anything, ends with the last parenthesis.
  const char *rest = strrchr(text, ')');
  char state;
  unsigned flags;
  if (!rest || sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2) return false;
  return (flags & 0x4) != 0 || state == 'Z' || state == 'X';
}
