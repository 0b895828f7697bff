"""Which errors each system call may have, and which calls and errors no fault is injected into, with the reason.

The errors are those of the man pages (Debian's manpages-dev, section 2, and tcp(7), ip(7), udp(7), unix(7), netlink(7)
for what the protocols add). EPERM and ENOSYS are added to each call: that is how a container's seccomp profile refuses.
"""

# The number of the call that fails; 0 stands for every one.
OCCURRENCES = (1, 2, 3, 5, 10, 0)

# The errors of a container's seccomp profile, or of a kernel that lacks the call.
REFUSALS = ("EPERM", "ENOSYS")

# These tell of a mistake in the call, so that how often it went well before says nothing: the first time and always.
MISTAKES = {"EBADF", "EINVAL", "ENOTSOCK", "EOPNOTSUPP", "EISCONN", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ENOPROTOOPT", "EDOM",
            "ESPIPE", "ENOTTY", "EPERM", "ENOSYS", "EISDIR", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EOVERFLOW", "EDESTADDRREQ"}

_OPENING = "EMFILE EACCES EINTR ENFILE ENOENT ENOMEM ELOOP ENAMETOOLONG ENOTDIR EPERM EOVERFLOW EIO"
_NAMING = "EACCES ENOENT ENOMEM ELOOP ENAMETOOLONG ENOTDIR EIO"

ERRORS = {name: errors.split() for name, errors in {
    # Sockets
    "socket": "EMFILE EACCES EAFNOSUPPORT EINVAL ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT",
    "socketpair": "EAFNOSUPPORT EMFILE ENFILE EOPNOTSUPP ENOMEM",
    "bind": "EACCES EADDRINUSE EADDRNOTAVAIL EBADF EINVAL ENOMEM ENOENT EROFS",
    "listen": "EADDRINUSE EBADF EOPNOTSUPP",
    "accept4": "EMFILE ECONNABORTED EINTR ENFILE ENOBUFS ENOMEM EPROTO EBADF EINVAL ENETDOWN EHOSTUNREACH ETIMEDOUT",
    "connect": "EADDRNOTAVAIL EAGAIN EACCES EADDRINUSE ECONNREFUSED EINTR EINPROGRESS ENETUNREACH ETIMEDOUT EBADF ENOENT ENOBUFS",
    "setsockopt": "EINVAL EBADF ENOPROTOOPT ENOMEM ENOBUFS EDOM",
    "getsockopt": "EBADF EINVAL ENOPROTOOPT ENOBUFS",
    "getsockname": "EBADF EINVAL ENOBUFS",
    "getpeername": "EBADF ENOTCONN ENOBUFS",
    "shutdown": "EINVAL EBADF",
    "recvfrom": "ENOMEM ECONNRESET ECONNREFUSED EINTR ENOTCONN ENOBUFS ETIMEDOUT EHOSTUNREACH EBADF",
    "recvmsg": "ENOMEM ECONNRESET ECONNREFUSED EINTR ENOTCONN ENOBUFS ETIMEDOUT EBADF EMFILE",
    "recvmmsg": "ENOMEM ECONNREFUSED EINTR ENOBUFS EBADF EINVAL",
    "sendto": "ENOBUFS EPIPE ECONNREFUSED ECONNRESET EINTR EMSGSIZE ENOMEM ETIMEDOUT ENETUNREACH EACCES EBADF",
    "sendmsg": "ENOBUFS EPIPE ECONNREFUSED ECONNRESET EINTR EMSGSIZE ENOMEM ETIMEDOUT ENETUNREACH EBADF",
    "sendmmsg": "ENOBUFS ECONNREFUSED EINTR EMSGSIZE ENOMEM ENETUNREACH EHOSTUNREACH EACCES EINVAL EIO EBADF",
    # Bytes
    "read": "EIO EINTR EBADF EINVAL EISDIR ECONNRESET",
    "readv": "EBADF EINTR EINVAL EIO EISDIR ECONNRESET ENOMEM ETIMEDOUT",
    "pread64": "EBADF EINTR EINVAL EIO ESPIPE",
    "write": "EIO EINTR EBADF EINVAL ENOSPC EPIPE EFBIG EDQUOT",
    "writev": "EBADF EINTR EINVAL EIO ENOSPC EPIPE ECONNRESET ENOBUFS ENOMEM",
    "splice": "EINVAL ENOMEM EBADF ESPIPE ECONNRESET EPIPE EINTR",
    "tee": "EINVAL ENOMEM",
    "pipe2": "EMFILE ENFILE EINVAL",
    "lseek": "EBADF EINVAL ESPIPE",
    # Events
    "epoll_create1": "EMFILE ENFILE ENOMEM EINVAL",
    "epoll_ctl": "ENOMEM ENOSPC EBADF EINVAL EEXIST ENOENT",
    "epoll_wait": "EINTR EBADF EINVAL",
    "epoll_pwait": "EINTR EBADF EINVAL",
    "epoll_pwait2": "EINTR EBADF EINVAL",
    "eventfd2": "EMFILE ENFILE ENODEV ENOMEM EINVAL",
    "epoll_create": "EMFILE ENFILE ENOMEM EINVAL",
    "timer_create": "EAGAIN ENOMEM EINVAL",
    "timer_settime": "EINVAL",
    "timer_delete": "EINVAL",
    "timerfd_create": "EMFILE ENFILE ENODEV ENOMEM EINVAL",
    "timerfd_settime": "EBADF EINVAL ECANCELED",
    "poll": "EINTR ENOMEM EINVAL",
    "ppoll": "EINTR ENOMEM EINVAL",
    "inotify_init1": "EMFILE ENFILE ENOMEM EINVAL",
    "inotify_add_watch": "EACCES ENOENT ENOMEM ENOSPC EBADF EINVAL",
    "inotify_rm_watch": "EBADF EINVAL",
    "signalfd4": "EMFILE ENFILE ENODEV ENOMEM EINVAL",
    # Descriptors and files
    "fcntl": "EAGAIN EBADF EINTR EINVAL EMFILE ENFILE",
    "flock": "EAGAIN EBADF EINTR EINVAL ENOLCK",
    "dup": "EBADF EMFILE",
    "dup2": "EBADF EBUSY EINTR EMFILE",
    "dup3": "EBADF EBUSY EINTR EMFILE EINVAL",
    "ioctl": "EBADF EINVAL ENOTTY",
    "openat": _OPENING,
    "open": _OPENING,
    "newfstatat": _NAMING + " EBADF EOVERFLOW",
    "fstat": "EBADF EIO ENOMEM EOVERFLOW",
    "statx": _NAMING + " EBADF",
    "access": _NAMING + " EROFS",
    "faccessat": _NAMING + " EROFS",
    "readlink": _NAMING + " EINVAL",
    "readlinkat": _NAMING + " EINVAL EBADF",
    "getdents64": "EBADF EINVAL ENOENT ENOTDIR",
    "unlink": _NAMING + " EBUSY EISDIR EROFS",
    "unlinkat": _NAMING + " EBUSY EISDIR EROFS EBADF",
    "rename": _NAMING + " EBUSY EEXIST ENOSPC EROFS EXDEV",
    "renameat": _NAMING + " EBUSY EEXIST ENOSPC EROFS EXDEV",
    "link": _NAMING + " EEXIST EMLINK ENOSPC EROFS",
    "mkdir": _NAMING + " EEXIST ENOSPC EROFS",
    "rmdir": _NAMING + " EBUSY EROFS",
    "chmod": _NAMING + " EROFS",
    "fchmod": "EBADF EIO EROFS",
    "fchmodat": _NAMING + " EROFS EBADF",
    "chown": _NAMING + " EROFS",
    "fchownat": _NAMING + " EROFS EBADF",
    "umask": "",
    # Processes and the machine
    "clone3": "EAGAIN ENOMEM ENOSPC",
    "clone": "EAGAIN ENOMEM ENOSPC",
    "vfork": "EAGAIN ENOMEM",
    "fork": "EAGAIN ENOMEM",
    "wait4": "ECHILD EINTR",
    "waitid": "ECHILD EINTR EINVAL",
    "kill": "ESRCH EINVAL",
    "pidfd_open": "EMFILE ENFILE ENODEV ENOMEM ESRCH EINVAL",
    "prctl": "EINVAL EACCES",
    "prlimit64": "EINVAL ESRCH",
    "getrusage": "EINVAL",
    "sysinfo": "",
    "uname": "",
    "sched_getaffinity": "EINVAL ESRCH",
    "getrandom": "EINTR",
    "clock_nanosleep": "EINTR EINVAL",
    "nanosleep": "EINTR",
    "rt_sigaction": "EINVAL",
    "rt_sigtimedwait": "EAGAIN EINTR EINVAL",
    "sigaltstack": "EPERM ENOMEM EINVAL",
    "setpgid": "EACCES ESRCH EINVAL",
    "setsid": "",
    "getpgid": "ESRCH",
    "getpriority": "ESRCH",
    "chdir": _NAMING,
    "getcwd": "EACCES ENOENT ENOMEM ERANGE",
    "mlock": "ENOMEM EAGAIN",
}.items()}

# The explanations for the report, so that nobody need guess.
_NO_ERRORS = "always succeeds (its man page has no errors), and a seccomp profile that refused it would end any program of libc's"
_MEMORY = ("ends the process where Swift or a C library allocates, by design of the language; what is done before it comes "
           "to that is tested with real limits, not by injection")
_THREADS = "is how threads wait for each other: libc takes an error for a wake-up or for damage, and ends the process"
_LIBC = "is made by libc before main() or at a thread's start, whose own answer to an error is to do without it, or to end"
LEFT_OUT = {
    "close": "closes the descriptor whatever it returns, in the real kernel. strace leaves the call out instead, so that the "
             "descriptor would stay open: a fault that does not exist",
    "execve": "is the shell's or the tracer's: the program is not there yet. What `run` does when a command cannot be executed has "
              "tests of its own",
    "exit": "does not return", "exit_group": "does not return", "rt_sigreturn": "does not return",
    "restart_syscall": "is the kernel's own",
    "futex": _THREADS, "set_robust_list": _LIBC, "rseq": _LIBC, "set_tid_address": _LIBC, "arch_prctl": _LIBC,
    "rt_sigprocmask": _THREADS, "tgkill": "is how a crash ends", "membarrier": _THREADS,
    "brk": _MEMORY, "mmap": _MEMORY, "mremap": _MEMORY, "mprotect": _MEMORY, "munmap": _MEMORY, "madvise": _MEMORY,
    "sched_yield": _NO_ERRORS,
    **{name: _NO_ERRORS for name in ("getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getpgrp",
                                     "umask", "clock_gettime", "gettimeofday", "time", "getcpu")},
}

# Errors of calls that are made: what is left out of the man page's list.
ERRORS_LEFT_OUT = {
    "EFAULT": "tells of an address outside of the program: it passes buffers of its own",
    "EAGAIN of receiving, sending, accepting, reading, writing and splicing":
        "is said by the kernel only where it will tell of the next readiness; injected while bytes are there, the edge that was "
        "told would be a lie",
    "EINTR without end": "takes a signal for each call, without end; it is injected at each single time",
    "EAGAIN of getrandom": "is said only where the caller asks for it (GRND_NONBLOCK), as malloc() alone does, which goes on without",
    "ENOTCONN of shutdown": "is said of a connection that has ended, which an event tells besides; of one that lives it is a lie",
    "EINPROGRESS and EALREADY of connect": "likewise: the attempt was not even begun, and nobody would tell of its end",
}


def errors_of(call):
    """The errors to inject into a call, the more telling ones first."""
    left_out = {"connect": {"EINPROGRESS"}}.get(call, set())
    errors = [error for error in ERRORS[call] if error not in left_out]
    return errors + [error for error in REFUSALS if error not in errors]


def occurrences_of(error):
    """At which times an error is injected."""
    if error == "EINTR":
        return OCCURRENCES[:-1]
    return (1, 0) if error in MISTAKES else OCCURRENCES
