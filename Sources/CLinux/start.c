#include "CLinux.h"

#include <stdlib.h>

static struct clinux_start start;

struct clinux_start clinux_start(void) { return start; }

// Runs before Swift's own initialisers, which look for the runtime's files next to the program and abort
// where there is no /proc to say where that is; told a root, they do not look. Swift takes the arguments
// and the environment from /proc too, so they are kept here, as the kernel gave them.
__attribute__((constructor(101))) static void keep_start(int count, char **arguments, char **environment) {
  start = (struct clinux_start){.argument_count = count, .arguments = arguments, .environment = environment};
  if (access("/proc/self/exe", F_OK) != 0) setenv("SWIFT_ROOT", "/", 0);
}
