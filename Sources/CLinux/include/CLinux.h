// What Swift cannot import by itself: functions that glibc hides behind _GNU_SOURCE, function-like
// macros, and kernel headers that no Swift module covers. Only start.c, epoll.c and memory.c have behaviour of their own.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "children.h"
#include "datagrams.h"

/// accept4(2): accepts a connection and makes it non-blocking and close-on-exec in one call.
static inline int clinux_accept4(int fd, struct sockaddr *address, socklen_t *length) {
  extern int accept4(int, struct sockaddr *, socklen_t *, int);
  return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// socket(2), non-blocking and close-on-exec.
static inline int clinux_socket(int family, int type, int protocol) {
  return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

/// Who was at the other end of a Unix socket when it began to connect or to listen (unix(7), SO_PEERCRED); -1 where that is
/// not known.
static inline int clinux_peer_credentials(int fd, pid_t *process, uid_t *user) {
  // As the kernel has it, whatever libc shows of it (struct ucred).
  struct {
    pid_t process;
    uid_t user;
    gid_t group;
  } credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -1;
  *process = credentials.process;
  *user = credentials.user;
  return 0;
}

/// Gives the socket's file at `path` to somebody else; an id of -1 leaves it as it is. What is no socket is left alone, a
/// link to one too (ENOTSOCK), whoever has put it there meanwhile.
static inline int clinux_chown_socket(const char *path, uid_t user, gid_t group) {
  enum { just_the_place = 010000000 /* O_PATH */, the_file_itself = 0x1000 /* AT_EMPTY_PATH */ };
  int fd = open(path, just_the_place | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  struct stat status;
  int result = fstat(fd, &status);
  if (result == 0 && !S_ISSOCK(status.st_mode)) {
    errno = ENOTSOCK;
    result = -1;
  }
  if (result == 0) result = fchownat(fd, "", user, group, the_file_itself);
  int code = errno;
  close(fd);
  errno = code;
  return result;
}

/// Has the kernel look at what comes for a socket by a program of `count` instructions, in place of any before it (socket(7),
/// SO_ATTACH_FILTER).
static inline int clinux_attach_filter(int fd, const struct sock_filter *instructions, unsigned short count) {
  struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)instructions};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/// Reads how much of what came for a socket was dropped (sock_diag(7), SO_MEMINFO); -1 where the kernel does not say.
static inline int clinux_socket_drops(int fd, uint32_t *drops) {
  uint32_t values[SK_MEMINFO_VARS] = {0};
  socklen_t length = sizeof values;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values, &length) < 0) return -1;
  *drops = values[SK_MEMINFO_DROPS];
  return 0;
}

/// flock(2), without waiting, which Swift takes for the structure of that name.
static inline int clinux_try_lock(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

/// A pipe that holds `capacity` bytes in `ends`, read end first, non-blocking and close-on-exec (pipe2(2),
/// F_SETPIPE_SZ); -1 when the system refuses it, or refuses it so much.
int clinux_pipe(int ends[2], int capacity);

/// splice(2) that blocks on neither end.
ssize_t clinux_splice(int from, int to, size_t count);

/// The first message in a netlink answer of `length` bytes, or null (netlink(3), NLMSG_OK).
static inline const struct nlmsghdr *clinux_netlink_first(const void *buffer, size_t length) {
  const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
  return NLMSG_OK(header, length) ? header : NULL;
}

/// The message after `header`, or null; `remaining` counts down (netlink(3), NLMSG_NEXT).
static inline const struct nlmsghdr *clinux_netlink_next(const struct nlmsghdr *header, size_t *remaining) {
  if (NLMSG_ALIGN(header->nlmsg_len) > *remaining) return NULL;
  header = NLMSG_NEXT(header, *remaining);
  return NLMSG_OK(header, *remaining) ? header : NULL;
}

/// The payload of a netlink message that is at least `size` bytes long, or null.
static inline const void *clinux_netlink_payload(const struct nlmsghdr *header, size_t size) {
  return header->nlmsg_len >= NLMSG_LENGTH(size) ? NLMSG_DATA(header) : NULL;
}

/// The attribute `type` of an address message with its length in `length`, or null (rtnetlink(3)).
static inline const void *clinux_address_attribute(const struct nlmsghdr *header, int type, size_t *length) {
  const struct ifaddrmsg *message = (const struct ifaddrmsg *)NLMSG_DATA(header);
  int remaining = (int)IFA_PAYLOAD(header);
  for (const struct rtattr *attribute = IFA_RTA(message); RTA_OK(attribute, remaining);
       attribute = RTA_NEXT(attribute, remaining)) {
    if (attribute->rta_type == type) {
      *length = RTA_PAYLOAD(attribute);
      return RTA_DATA(attribute);
    }
  }
  return NULL;
}

/// The attribute `type` of a socket's description with its length in `length`, or null (sock_diag(7)).
static inline const void *clinux_socket_attribute(const struct nlmsghdr *header, int type, size_t *length) {
  const struct inet_diag_msg *message = (const struct inet_diag_msg *)NLMSG_DATA(header);
  int remaining = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof *message));
  for (const struct rtattr *attribute = (const struct rtattr *)(message + 1); RTA_OK(attribute, remaining);
       attribute = RTA_NEXT(attribute, remaining)) {
    if (attribute->rta_type == type) {
      *length = RTA_PAYLOAD(attribute);
      return RTA_DATA(attribute);
    }
  }
  return NULL;
}

/// How many bytes were given to a TCP socket that its peer's kernel has not acknowledged, an end counted as one (tcp(7), SIOCOUTQ);
/// none where they cannot arrive any more, or where closing loses nothing, as with a Unix socket.
static inline int clinux_undelivered(int fd) {
  int count = 0;
  if (ioctl(fd, TIOCOUTQ, &count) < 0 || count <= 0) return 0;
  // The kernel has thrown away what a broken connection had to send, and goes on counting it.
  struct tcp_info information;
  socklen_t length = sizeof information;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &information, &length) < 0) return 0;
  return information.tcpi_state == TCP_CLOSE ? 0 : count;
}

/// How many CPUs the calling thread may use (sched_getaffinity(2)), or -1.
static inline int clinux_affinity_count(void) {
  unsigned long mask[128] = {0};
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  if (bytes < 0) return -1;
  int count = 0;
  for (size_t word = 0; word < (size_t)bytes / sizeof mask[0]; word++) count += __builtin_popcountl(mask[word]);
  return count;
}

/// Names the calling thread in ps and top; at most 15 bytes (pthread_setname_np(3)).
static inline void clinux_name_thread(const char *name) {
  extern int pthread_setname_np(pthread_t, const char *);
  pthread_setname_np(pthread_self(), name);
}

/// Has the spawned process's group become the foreground group of the terminal `fd`, before the command runs
/// (posix_spawn_file_actions_addtcsetpgrp_np(3)).
static inline int clinux_spawn_in_foreground(posix_spawn_file_actions_t *actions, int fd) {
  extern int posix_spawn_file_actions_addtcsetpgrp_np(posix_spawn_file_actions_t *, int);
  return posix_spawn_file_actions_addtcsetpgrp_np(actions, fd);
}

/// All signals, those too that glibc keeps to itself and sigfillset(3) leaves out: what posix_spawn(3) is not told to
/// set to its default it has ignored, these at least.
static inline void clinux_all_signals(sigset_t *set) { memset(set, 0xFF, sizeof *set); }

/// Takes a signal out of the set, also one that glibc keeps to itself and sigdelset(3) refuses.
static inline void clinux_remove_signal(sigset_t *set, int number) {
  unsigned long *words = (unsigned long *)set;
  size_t bits = 8 * sizeof words[0], bit = (size_t)number - 1;
  words[bit / bits] &= ~(1UL << bit % bits);
}

/// Has the orphans among this process's descendants become its children (prctl(2)).
static inline int clinux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

/// Has the process leave no core dump, and nobody but root look into its memory (prctl(2)).
static inline void clinux_forbid_dumps(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/// Has the calling thread wipe what it frees or moves by ``clinux_free`` and ``clinux_resize`` from now on, or no more.
void clinux_wipe_what_is_freed(bool wanted);

/// Notes on the calling thread that an allocation has failed, as ``clinux_allocate`` and ``clinux_resize`` do.
void clinux_note_failed_allocation(void);

/// Whether one has failed on the calling thread since this was last asked.
bool clinux_allocation_has_failed(void);

/// malloc(3), free(3) and realloc(3), for a library that lets itself be told what to use.
void *clinux_allocate(size_t count);
void clinux_free(void *block);
void *clinux_resize(void *block, size_t count);

/// malloc(3), for a block of one connection, which ends where there is none.
void *clinux_allocate_block(size_t count);

/// For tests: has only so many more of the calling thread's blocks be granted; all of them where the number is negative.
void clinux_grant_blocks(long count);

/// From now until ``clinux_closing_ends``, the calling thread's events are deleted without telling the kernel: their
/// descriptors are closed right after, which tells it too.
void clinux_closing_begins(void);
void clinux_closing_ends(void);

/// How often the calling thread has added a descriptor to an epoll instance, or changed or deleted it there.
unsigned clinux_epoll_changes(void);

/// How often it wanted to delete one that was not there.
unsigned clinux_epoll_strays(void);

/// Up to when everything that had come for the calling thread's loop has been told to it, in nanoseconds of CLOCK_MONOTONIC:
/// whoever measures a silence measures it up to here. It is told to the handlers of this turn, which timers follow.
int64_t clinux_heard_until(void);

/// What the process was started with. The pointers are the kernel's own and stay valid.
struct clinux_start {
  int argument_count;
  char **arguments;
  char **environment;
  /// The signals that were ignored, the first one in the lowest bit. Later the first thread would have changed one
  /// that glibc keeps to itself.
  uint64_t ignored_signals;
};

/// What the process was started with, also where there is no /proc.
struct clinux_start clinux_start(void);
