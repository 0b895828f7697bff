#pragma once

// Before libevent's headers: event-config.h turns _GNU_SOURCE on, and types such as fd_set would then differ
// from the ones that Swift's own Glibc module declares.
#include <sys/select.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
