// Kernel interfaces that Swift's Glibc module leaves out, and one call that Swift cannot make itself.
#ifndef CKERNEL_H
#define CKERNEL_H

#include <sys/epoll.h>
#include <sys/prctl.h>

/// Lets the kernel wake this thread on time instead of up to 50 us later.
static inline int set_timer_slack_to_nothing(void) { return prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

/// Makes orphaned descendants children of this process instead of the system's init.
static inline int adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL); }

#endif
