#include "CLinux.h"

#include <stdlib.h>

static struct clinux_start start;

struct clinux_start clinux_start(void) { return start; }

// The kernel is asked (rt_sigaction(2)): glibc does not answer for the signals that it keeps to itself, and these are
// ignored in whatever its posix_spawn(3) has started, by `make` for one.
static uint64_t ignored_signals(void) {
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
  } action;
  uint64_t ignored = 0;
  for (int number = 1; number <= 64; number++) {
    if (syscall(SYS_rt_sigaction, number, NULL, &action, sizeof action.mask) == 0 && action.handler == SIG_IGN)
      ignored |= UINT64_C(1) << (number - 1);
  }
  return ignored;
}

// Runs before Swift's own initialisers, which look for the runtime's files next to the program and abort
// where there is no /proc to say where that is; told a root, they do not look. Swift takes the arguments
// and the environment from /proc too, so they are kept here, as the kernel gave them.
__attribute__((constructor(101))) static void keep_start(int count, char **arguments, char **environment) {
  start = (struct clinux_start){
      .argument_count = count,
      .arguments = arguments,
      .environment = environment,
      .ignored_signals = ignored_signals(),
  };
  if (access("/proc/self/exe", F_OK) != 0) setenv("SWIFT_ROOT", "/", 0);
}
