// The kernel interfaces that Swift's Glibc module leaves out, and the count of the calls that a relay makes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

/// How many system calls the calling thread has made through the functions that relays use: recv, send, splice,
/// epoll_wait, epoll_ctl, shutdown, close, getsockopt and setsockopt, in whichever library the caller is.
uint64_t system_calls_made(void);

/// splice(2) between a pipe and a socket, non-blocking.
ssize_t splice_nonblocking(int from, int to, size_t length);

/// Makes a non-blocking pipe that holds `size` bytes (F_SETPIPE_SZ), or returns false with errno set.
bool make_pipe(int ends[2], int size);

/// Whether this machine counts instructions (perf_event_open(2)); virtual machines often do not.
bool can_count_instructions(void);
