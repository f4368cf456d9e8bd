"""The system calls that each process may make after its start.

Found by running the tests under strace, and read from what CPython 3.11 to 3.14 and the C
libraries (glibc, musl) do on x86-64, arm64 and 32-bit arm: names that a machine does not have
are passed over. A call that is not here is EPERM and a line in the kernel's log; what can
only be an attack ends the process.
"""

import socket
from collections.abc import Mapping
from types import MappingProxyType

#: Call -> values of its first argument, () for any.
Calls = Mapping[str, tuple[int, ...]]

#: New programs, other processes' memory, mounts, kernel code: no process of ours needs them.
FATAL = tuple(
    """
    execve execveat ptrace process_vm_readv process_vm_writev mount umount2 move_mount open_tree
    fsopen fsconfig fsmount fspick mount_setattr pivot_root chroot setns unshare init_module
    finit_module delete_module kexec_load kexec_file_load bpf userfaultfd perf_event_open
    io_uring_setup
    """.split()
)

# prctl: die with the parent, the name of a thread, the name of a mapping.
_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_VMA = 1, 15, 0x53564D41

# clone: as fork does it.
_CLONE_SETTID, _CLONE_CLEARTID, _SIGCHLD = 0x01000000, 0x00200000, 17

_MEMORY = "brk mmap mmap2 munmap mremap mprotect madvise membarrier mincore"
_FILES = """
    open openat openat2 close close_range read readv pread64 write writev pwrite64 lseek _llseek
    stat stat64 lstat lstat64 fstat fstat64 newfstatat fstatat64 statx access faccessat
    faccessat2 readlink readlinkat getcwd getdents getdents64 fcntl fcntl64 dup dup2 dup3
    ftruncate ftruncate64 fadvise64 arm_fadvise64_64 umask
    """
_TIME = """
    clock_gettime clock_gettime64 clock_getres gettimeofday time nanosleep clock_nanosleep
    clock_nanosleep_time64 getitimer setitimer
    """
_WAITING = """
    poll ppoll ppoll_time64 select pselect6 pselect6_time64 epoll_create1 epoll_ctl epoll_wait
    epoll_pwait epoll_pwait2 futex futex_time64 pipe pipe2 eventfd2
    """
_SIGNALS = """
    rt_sigaction rt_sigprocmask rt_sigreturn sigreturn rt_sigsuspend rt_sigpending
    rt_sigtimedwait rt_sigtimedwait_time64 sigaltstack restart_syscall tgkill
    """
_SELF = """
    getpid getppid gettid getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32
    getrandom getrusage getrlimit ugetrlimit prlimit64 sysinfo uname getcpu sched_getaffinity
    sched_yield rseq set_robust_list exit exit_group
    """
#: Over sockets that there are already: the link to the supervisor.
_LINKED = "sendto send recvfrom recv sendmsg recvmsg getsockopt getsockname shutdown ioctl"


def _any(*texts: str) -> dict[str, tuple[int, ...]]:
    return {name: () for text in texts for name in text.split()}


#: What every process needs: memory, files, time, waiting, its link.
_COMMON: Calls = MappingProxyType(
    {
        **_any(_MEMORY, _FILES, _TIME, _WAITING, _SIGNALS, _SELF, _LINKED),
        "prctl": (_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_VMA),
    }
)

#: Opens packet sockets (libpcap: and netlink to look at the interface, and a datagram socket
#: for interface requests); joins and configures them.
SENSOR: Calls = MappingProxyType(
    {
        **_COMMON,
        "socket": tuple(
            map(int, (socket.AF_PACKET, socket.AF_NETLINK, socket.AF_INET, socket.AF_UNIX))
        ),
        **_any("bind setsockopt memfd_create"),
    }
)

#: The sensor where its sockets are opened for it: it asks for names of interfaces through a
#: local one.
FIRST_PACKETS: Calls = MappingProxyType(
    {
        **_COMMON,
        "socket": (int(socket.AF_UNIX),),
        **_any("timerfd_create timerfd_settime timerfd_settime64"),
    }
)

#: No sockets at all; writes files in its directory.
ENGINE: Calls = MappingProxyType(
    {
        **_COMMON,
        **_any("mkdir mkdirat rename renameat renameat2 unlink unlinkat flock fsync fdatasync"),
    }
)

#: Netlink to nftables, conntrack, routes and neighbours; its own state file; names are asked
#: of the system's resolver over datagrams.
ENFORCER: Calls = MappingProxyType(
    {
        **_COMMON,
        "socket": tuple(
            map(int, (socket.AF_NETLINK, socket.AF_INET, socket.AF_INET6, socket.AF_UNIX))
        ),
        **_any(
            "bind connect setsockopt getpeername recvmmsg recvmmsg_time64 sendmmsg",
            "mkdir mkdirat rename renameat renameat2 unlink unlinkat flock fsync fdatasync chmod",
            "fchmod fchmodat statfs statfs64 fstatfs fstatfs64",
            "inotify_init1 inotify_add_watch inotify_rm_watch timerfd_create timerfd_settime",
            "timerfd_settime64",
        ),
    }
)

#: Over the network to the collector, in a process that it forks for it (and no thread: glibc's
#: fork and musl's are clones of no other kind); asks for the resolver over netlink and datagrams;
#: writes its cursor; asks whether the clock is kept right, which it has no capability to set.
SYNC: Calls = MappingProxyType(
    {
        **_COMMON,
        "socket": tuple(
            map(int, (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_UNIX))
        ),
        "clone": (_CLONE_SETTID | _CLONE_CLEARTID | _SIGCHLD, _SIGCHLD),
        **_any(
            "fork wait4 waitpid waitid",
            "bind connect setsockopt getpeername recvmmsg recvmmsg_time64 sendmmsg",
            "rename renameat renameat2 unlink unlinkat fsync fdatasync",
            "adjtimex clock_adjtime clock_adjtime64",
        ),
    }
)
