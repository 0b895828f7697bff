#pragma once

// Before libevent's headers: event-config.h turns _GNU_SOURCE on, and types such as fd_set would then differ
// from the ones that Swift's own Glibc module declares.
#include <sys/select.h>

#include <event2/event.h>
