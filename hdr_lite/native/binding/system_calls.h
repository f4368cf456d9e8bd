/* The system calls that seccomp.c knows by name: those of this machine's kernel headers.
 *
 * Which of them there are differs by machine (arm64 has no `open`, 32-bit arm has `mmap2`), so
 * each line stands only where its number does. A name that is not here is an error; one that
 * is here but not on this machine is passed over.
 */
#ifndef HDR_LITE_SYSTEM_CALLS_H
#define HDR_LITE_SYSTEM_CALLS_H

#include <sys/syscall.h>

#define NO_SUCH_CALL (-1L)

struct system_call {
    const char *name;
    long number; /* NO_SUCH_CALL: not on this machine */
};

static const struct system_call system_calls[] = {
#ifdef SYS__llseek
    {"_llseek", SYS__llseek},
#else
    {"_llseek", NO_SUCH_CALL},
#endif
#ifdef SYS_accept4
    {"accept4", SYS_accept4},
#else
    {"accept4", NO_SUCH_CALL},
#endif
#ifdef SYS_access
    {"access", SYS_access},
#else
    {"access", NO_SUCH_CALL},
#endif
#ifdef SYS_adjtimex
    {"adjtimex", SYS_adjtimex},
#else
    {"adjtimex", NO_SUCH_CALL},
#endif
#ifdef SYS_arch_prctl
    {"arch_prctl", SYS_arch_prctl},
#else
    {"arch_prctl", NO_SUCH_CALL},
#endif
#ifdef SYS_arm_fadvise64_64
    {"arm_fadvise64_64", SYS_arm_fadvise64_64},
#else
    {"arm_fadvise64_64", NO_SUCH_CALL},
#endif
#ifdef SYS_bind
    {"bind", SYS_bind},
#else
    {"bind", NO_SUCH_CALL},
#endif
#ifdef SYS_bpf
    {"bpf", SYS_bpf},
#else
    {"bpf", NO_SUCH_CALL},
#endif
#ifdef SYS_brk
    {"brk", SYS_brk},
#else
    {"brk", NO_SUCH_CALL},
#endif
#ifdef SYS_capget
    {"capget", SYS_capget},
#else
    {"capget", NO_SUCH_CALL},
#endif
#ifdef SYS_capset
    {"capset", SYS_capset},
#else
    {"capset", NO_SUCH_CALL},
#endif
#ifdef SYS_chdir
    {"chdir", SYS_chdir},
#else
    {"chdir", NO_SUCH_CALL},
#endif
#ifdef SYS_chmod
    {"chmod", SYS_chmod},
#else
    {"chmod", NO_SUCH_CALL},
#endif
#ifdef SYS_chown
    {"chown", SYS_chown},
#else
    {"chown", NO_SUCH_CALL},
#endif
#ifdef SYS_chroot
    {"chroot", SYS_chroot},
#else
    {"chroot", NO_SUCH_CALL},
#endif
#ifdef SYS_clock_adjtime
    {"clock_adjtime", SYS_clock_adjtime},
#else
    {"clock_adjtime", NO_SUCH_CALL},
#endif
#ifdef SYS_clock_adjtime64
    {"clock_adjtime64", SYS_clock_adjtime64},
#else
    {"clock_adjtime64", NO_SUCH_CALL},
#endif
#ifdef SYS_clock_getres
    {"clock_getres", SYS_clock_getres},
#else
    {"clock_getres", NO_SUCH_CALL},
#endif
#ifdef SYS_clock_gettime
    {"clock_gettime", SYS_clock_gettime},
#else
    {"clock_gettime", NO_SUCH_CALL},
#endif
#ifdef SYS_clock_gettime64
    {"clock_gettime64", SYS_clock_gettime64},
#else
    {"clock_gettime64", NO_SUCH_CALL},
#endif
#ifdef SYS_clock_nanosleep
    {"clock_nanosleep", SYS_clock_nanosleep},
#else
    {"clock_nanosleep", NO_SUCH_CALL},
#endif
#ifdef SYS_clock_nanosleep_time64
    {"clock_nanosleep_time64", SYS_clock_nanosleep_time64},
#else
    {"clock_nanosleep_time64", NO_SUCH_CALL},
#endif
#ifdef SYS_clock_settime
    {"clock_settime", SYS_clock_settime},
#else
    {"clock_settime", NO_SUCH_CALL},
#endif
#ifdef SYS_clone
    {"clone", SYS_clone},
#else
    {"clone", NO_SUCH_CALL},
#endif
#ifdef SYS_clone3
    {"clone3", SYS_clone3},
#else
    {"clone3", NO_SUCH_CALL},
#endif
#ifdef SYS_close
    {"close", SYS_close},
#else
    {"close", NO_SUCH_CALL},
#endif
#ifdef SYS_close_range
    {"close_range", SYS_close_range},
#else
    {"close_range", NO_SUCH_CALL},
#endif
#ifdef SYS_connect
    {"connect", SYS_connect},
#else
    {"connect", NO_SUCH_CALL},
#endif
#ifdef SYS_delete_module
    {"delete_module", SYS_delete_module},
#else
    {"delete_module", NO_SUCH_CALL},
#endif
#ifdef SYS_dup
    {"dup", SYS_dup},
#else
    {"dup", NO_SUCH_CALL},
#endif
#ifdef SYS_dup2
    {"dup2", SYS_dup2},
#else
    {"dup2", NO_SUCH_CALL},
#endif
#ifdef SYS_dup3
    {"dup3", SYS_dup3},
#else
    {"dup3", NO_SUCH_CALL},
#endif
#ifdef SYS_epoll_create1
    {"epoll_create1", SYS_epoll_create1},
#else
    {"epoll_create1", NO_SUCH_CALL},
#endif
#ifdef SYS_epoll_ctl
    {"epoll_ctl", SYS_epoll_ctl},
#else
    {"epoll_ctl", NO_SUCH_CALL},
#endif
#ifdef SYS_epoll_pwait
    {"epoll_pwait", SYS_epoll_pwait},
#else
    {"epoll_pwait", NO_SUCH_CALL},
#endif
#ifdef SYS_epoll_pwait2
    {"epoll_pwait2", SYS_epoll_pwait2},
#else
    {"epoll_pwait2", NO_SUCH_CALL},
#endif
#ifdef SYS_epoll_wait
    {"epoll_wait", SYS_epoll_wait},
#else
    {"epoll_wait", NO_SUCH_CALL},
#endif
#ifdef SYS_eventfd2
    {"eventfd2", SYS_eventfd2},
#else
    {"eventfd2", NO_SUCH_CALL},
#endif
#ifdef SYS_execve
    {"execve", SYS_execve},
#else
    {"execve", NO_SUCH_CALL},
#endif
#ifdef SYS_execveat
    {"execveat", SYS_execveat},
#else
    {"execveat", NO_SUCH_CALL},
#endif
#ifdef SYS_exit
    {"exit", SYS_exit},
#else
    {"exit", NO_SUCH_CALL},
#endif
#ifdef SYS_exit_group
    {"exit_group", SYS_exit_group},
#else
    {"exit_group", NO_SUCH_CALL},
#endif
#ifdef SYS_faccessat
    {"faccessat", SYS_faccessat},
#else
    {"faccessat", NO_SUCH_CALL},
#endif
#ifdef SYS_faccessat2
    {"faccessat2", SYS_faccessat2},
#else
    {"faccessat2", NO_SUCH_CALL},
#endif
#ifdef SYS_fadvise64
    {"fadvise64", SYS_fadvise64},
#else
    {"fadvise64", NO_SUCH_CALL},
#endif
#ifdef SYS_fallocate
    {"fallocate", SYS_fallocate},
#else
    {"fallocate", NO_SUCH_CALL},
#endif
#ifdef SYS_fchmod
    {"fchmod", SYS_fchmod},
#else
    {"fchmod", NO_SUCH_CALL},
#endif
#ifdef SYS_fchmodat
    {"fchmodat", SYS_fchmodat},
#else
    {"fchmodat", NO_SUCH_CALL},
#endif
#ifdef SYS_fchown
    {"fchown", SYS_fchown},
#else
    {"fchown", NO_SUCH_CALL},
#endif
#ifdef SYS_fchown32
    {"fchown32", SYS_fchown32},
#else
    {"fchown32", NO_SUCH_CALL},
#endif
#ifdef SYS_fchownat
    {"fchownat", SYS_fchownat},
#else
    {"fchownat", NO_SUCH_CALL},
#endif
#ifdef SYS_fcntl
    {"fcntl", SYS_fcntl},
#else
    {"fcntl", NO_SUCH_CALL},
#endif
#ifdef SYS_fcntl64
    {"fcntl64", SYS_fcntl64},
#else
    {"fcntl64", NO_SUCH_CALL},
#endif
#ifdef SYS_fdatasync
    {"fdatasync", SYS_fdatasync},
#else
    {"fdatasync", NO_SUCH_CALL},
#endif
#ifdef SYS_finit_module
    {"finit_module", SYS_finit_module},
#else
    {"finit_module", NO_SUCH_CALL},
#endif
#ifdef SYS_flock
    {"flock", SYS_flock},
#else
    {"flock", NO_SUCH_CALL},
#endif
#ifdef SYS_fork
    {"fork", SYS_fork},
#else
    {"fork", NO_SUCH_CALL},
#endif
#ifdef SYS_fsconfig
    {"fsconfig", SYS_fsconfig},
#else
    {"fsconfig", NO_SUCH_CALL},
#endif
#ifdef SYS_fsmount
    {"fsmount", SYS_fsmount},
#else
    {"fsmount", NO_SUCH_CALL},
#endif
#ifdef SYS_fsopen
    {"fsopen", SYS_fsopen},
#else
    {"fsopen", NO_SUCH_CALL},
#endif
#ifdef SYS_fspick
    {"fspick", SYS_fspick},
#else
    {"fspick", NO_SUCH_CALL},
#endif
#ifdef SYS_fstat
    {"fstat", SYS_fstat},
#else
    {"fstat", NO_SUCH_CALL},
#endif
#ifdef SYS_fstat64
    {"fstat64", SYS_fstat64},
#else
    {"fstat64", NO_SUCH_CALL},
#endif
#ifdef SYS_fstatat64
    {"fstatat64", SYS_fstatat64},
#else
    {"fstatat64", NO_SUCH_CALL},
#endif
#ifdef SYS_fstatfs
    {"fstatfs", SYS_fstatfs},
#else
    {"fstatfs", NO_SUCH_CALL},
#endif
#ifdef SYS_fstatfs64
    {"fstatfs64", SYS_fstatfs64},
#else
    {"fstatfs64", NO_SUCH_CALL},
#endif
#ifdef SYS_fsync
    {"fsync", SYS_fsync},
#else
    {"fsync", NO_SUCH_CALL},
#endif
#ifdef SYS_ftruncate
    {"ftruncate", SYS_ftruncate},
#else
    {"ftruncate", NO_SUCH_CALL},
#endif
#ifdef SYS_ftruncate64
    {"ftruncate64", SYS_ftruncate64},
#else
    {"ftruncate64", NO_SUCH_CALL},
#endif
#ifdef SYS_futex
    {"futex", SYS_futex},
#else
    {"futex", NO_SUCH_CALL},
#endif
#ifdef SYS_futex_time64
    {"futex_time64", SYS_futex_time64},
#else
    {"futex_time64", NO_SUCH_CALL},
#endif
#ifdef SYS_getcpu
    {"getcpu", SYS_getcpu},
#else
    {"getcpu", NO_SUCH_CALL},
#endif
#ifdef SYS_getcwd
    {"getcwd", SYS_getcwd},
#else
    {"getcwd", NO_SUCH_CALL},
#endif
#ifdef SYS_getdents
    {"getdents", SYS_getdents},
#else
    {"getdents", NO_SUCH_CALL},
#endif
#ifdef SYS_getdents64
    {"getdents64", SYS_getdents64},
#else
    {"getdents64", NO_SUCH_CALL},
#endif
#ifdef SYS_getegid
    {"getegid", SYS_getegid},
#else
    {"getegid", NO_SUCH_CALL},
#endif
#ifdef SYS_getegid32
    {"getegid32", SYS_getegid32},
#else
    {"getegid32", NO_SUCH_CALL},
#endif
#ifdef SYS_geteuid
    {"geteuid", SYS_geteuid},
#else
    {"geteuid", NO_SUCH_CALL},
#endif
#ifdef SYS_geteuid32
    {"geteuid32", SYS_geteuid32},
#else
    {"geteuid32", NO_SUCH_CALL},
#endif
#ifdef SYS_getgid
    {"getgid", SYS_getgid},
#else
    {"getgid", NO_SUCH_CALL},
#endif
#ifdef SYS_getgid32
    {"getgid32", SYS_getgid32},
#else
    {"getgid32", NO_SUCH_CALL},
#endif
#ifdef SYS_getitimer
    {"getitimer", SYS_getitimer},
#else
    {"getitimer", NO_SUCH_CALL},
#endif
#ifdef SYS_getpeername
    {"getpeername", SYS_getpeername},
#else
    {"getpeername", NO_SUCH_CALL},
#endif
#ifdef SYS_getpid
    {"getpid", SYS_getpid},
#else
    {"getpid", NO_SUCH_CALL},
#endif
#ifdef SYS_getppid
    {"getppid", SYS_getppid},
#else
    {"getppid", NO_SUCH_CALL},
#endif
#ifdef SYS_getrandom
    {"getrandom", SYS_getrandom},
#else
    {"getrandom", NO_SUCH_CALL},
#endif
#ifdef SYS_getresgid
    {"getresgid", SYS_getresgid},
#else
    {"getresgid", NO_SUCH_CALL},
#endif
#ifdef SYS_getresgid32
    {"getresgid32", SYS_getresgid32},
#else
    {"getresgid32", NO_SUCH_CALL},
#endif
#ifdef SYS_getresuid
    {"getresuid", SYS_getresuid},
#else
    {"getresuid", NO_SUCH_CALL},
#endif
#ifdef SYS_getresuid32
    {"getresuid32", SYS_getresuid32},
#else
    {"getresuid32", NO_SUCH_CALL},
#endif
#ifdef SYS_getrlimit
    {"getrlimit", SYS_getrlimit},
#else
    {"getrlimit", NO_SUCH_CALL},
#endif
#ifdef SYS_getrusage
    {"getrusage", SYS_getrusage},
#else
    {"getrusage", NO_SUCH_CALL},
#endif
#ifdef SYS_getsockname
    {"getsockname", SYS_getsockname},
#else
    {"getsockname", NO_SUCH_CALL},
#endif
#ifdef SYS_getsockopt
    {"getsockopt", SYS_getsockopt},
#else
    {"getsockopt", NO_SUCH_CALL},
#endif
#ifdef SYS_gettid
    {"gettid", SYS_gettid},
#else
    {"gettid", NO_SUCH_CALL},
#endif
#ifdef SYS_gettimeofday
    {"gettimeofday", SYS_gettimeofday},
#else
    {"gettimeofday", NO_SUCH_CALL},
#endif
#ifdef SYS_getuid
    {"getuid", SYS_getuid},
#else
    {"getuid", NO_SUCH_CALL},
#endif
#ifdef SYS_getuid32
    {"getuid32", SYS_getuid32},
#else
    {"getuid32", NO_SUCH_CALL},
#endif
#ifdef SYS_init_module
    {"init_module", SYS_init_module},
#else
    {"init_module", NO_SUCH_CALL},
#endif
#ifdef SYS_inotify_add_watch
    {"inotify_add_watch", SYS_inotify_add_watch},
#else
    {"inotify_add_watch", NO_SUCH_CALL},
#endif
#ifdef SYS_inotify_init1
    {"inotify_init1", SYS_inotify_init1},
#else
    {"inotify_init1", NO_SUCH_CALL},
#endif
#ifdef SYS_inotify_rm_watch
    {"inotify_rm_watch", SYS_inotify_rm_watch},
#else
    {"inotify_rm_watch", NO_SUCH_CALL},
#endif
#ifdef SYS_io_uring_enter
    {"io_uring_enter", SYS_io_uring_enter},
#else
    {"io_uring_enter", NO_SUCH_CALL},
#endif
#ifdef SYS_io_uring_setup
    {"io_uring_setup", SYS_io_uring_setup},
#else
    {"io_uring_setup", NO_SUCH_CALL},
#endif
#ifdef SYS_ioctl
    {"ioctl", SYS_ioctl},
#else
    {"ioctl", NO_SUCH_CALL},
#endif
#ifdef SYS_kcmp
    {"kcmp", SYS_kcmp},
#else
    {"kcmp", NO_SUCH_CALL},
#endif
#ifdef SYS_kexec_file_load
    {"kexec_file_load", SYS_kexec_file_load},
#else
    {"kexec_file_load", NO_SUCH_CALL},
#endif
#ifdef SYS_kexec_load
    {"kexec_load", SYS_kexec_load},
#else
    {"kexec_load", NO_SUCH_CALL},
#endif
#ifdef SYS_keyctl
    {"keyctl", SYS_keyctl},
#else
    {"keyctl", NO_SUCH_CALL},
#endif
#ifdef SYS_kill
    {"kill", SYS_kill},
#else
    {"kill", NO_SUCH_CALL},
#endif
#ifdef SYS_link
    {"link", SYS_link},
#else
    {"link", NO_SUCH_CALL},
#endif
#ifdef SYS_linkat
    {"linkat", SYS_linkat},
#else
    {"linkat", NO_SUCH_CALL},
#endif
#ifdef SYS_listen
    {"listen", SYS_listen},
#else
    {"listen", NO_SUCH_CALL},
#endif
#ifdef SYS_lseek
    {"lseek", SYS_lseek},
#else
    {"lseek", NO_SUCH_CALL},
#endif
#ifdef SYS_lstat
    {"lstat", SYS_lstat},
#else
    {"lstat", NO_SUCH_CALL},
#endif
#ifdef SYS_lstat64
    {"lstat64", SYS_lstat64},
#else
    {"lstat64", NO_SUCH_CALL},
#endif
#ifdef SYS_madvise
    {"madvise", SYS_madvise},
#else
    {"madvise", NO_SUCH_CALL},
#endif
#ifdef SYS_membarrier
    {"membarrier", SYS_membarrier},
#else
    {"membarrier", NO_SUCH_CALL},
#endif
#ifdef SYS_memfd_create
    {"memfd_create", SYS_memfd_create},
#else
    {"memfd_create", NO_SUCH_CALL},
#endif
#ifdef SYS_mincore
    {"mincore", SYS_mincore},
#else
    {"mincore", NO_SUCH_CALL},
#endif
#ifdef SYS_mkdir
    {"mkdir", SYS_mkdir},
#else
    {"mkdir", NO_SUCH_CALL},
#endif
#ifdef SYS_mkdirat
    {"mkdirat", SYS_mkdirat},
#else
    {"mkdirat", NO_SUCH_CALL},
#endif
#ifdef SYS_mlock
    {"mlock", SYS_mlock},
#else
    {"mlock", NO_SUCH_CALL},
#endif
#ifdef SYS_mmap
    {"mmap", SYS_mmap},
#else
    {"mmap", NO_SUCH_CALL},
#endif
#ifdef SYS_mmap2
    {"mmap2", SYS_mmap2},
#else
    {"mmap2", NO_SUCH_CALL},
#endif
#ifdef SYS_mount
    {"mount", SYS_mount},
#else
    {"mount", NO_SUCH_CALL},
#endif
#ifdef SYS_mount_setattr
    {"mount_setattr", SYS_mount_setattr},
#else
    {"mount_setattr", NO_SUCH_CALL},
#endif
#ifdef SYS_move_mount
    {"move_mount", SYS_move_mount},
#else
    {"move_mount", NO_SUCH_CALL},
#endif
#ifdef SYS_mprotect
    {"mprotect", SYS_mprotect},
#else
    {"mprotect", NO_SUCH_CALL},
#endif
#ifdef SYS_mremap
    {"mremap", SYS_mremap},
#else
    {"mremap", NO_SUCH_CALL},
#endif
#ifdef SYS_msync
    {"msync", SYS_msync},
#else
    {"msync", NO_SUCH_CALL},
#endif
#ifdef SYS_munmap
    {"munmap", SYS_munmap},
#else
    {"munmap", NO_SUCH_CALL},
#endif
#ifdef SYS_nanosleep
    {"nanosleep", SYS_nanosleep},
#else
    {"nanosleep", NO_SUCH_CALL},
#endif
#ifdef SYS_newfstatat
    {"newfstatat", SYS_newfstatat},
#else
    {"newfstatat", NO_SUCH_CALL},
#endif
#ifdef SYS_open
    {"open", SYS_open},
#else
    {"open", NO_SUCH_CALL},
#endif
#ifdef SYS_open_tree
    {"open_tree", SYS_open_tree},
#else
    {"open_tree", NO_SUCH_CALL},
#endif
#ifdef SYS_openat
    {"openat", SYS_openat},
#else
    {"openat", NO_SUCH_CALL},
#endif
#ifdef SYS_openat2
    {"openat2", SYS_openat2},
#else
    {"openat2", NO_SUCH_CALL},
#endif
#ifdef SYS_perf_event_open
    {"perf_event_open", SYS_perf_event_open},
#else
    {"perf_event_open", NO_SUCH_CALL},
#endif
#ifdef SYS_personality
    {"personality", SYS_personality},
#else
    {"personality", NO_SUCH_CALL},
#endif
#ifdef SYS_pidfd_open
    {"pidfd_open", SYS_pidfd_open},
#else
    {"pidfd_open", NO_SUCH_CALL},
#endif
#ifdef SYS_pidfd_send_signal
    {"pidfd_send_signal", SYS_pidfd_send_signal},
#else
    {"pidfd_send_signal", NO_SUCH_CALL},
#endif
#ifdef SYS_pipe
    {"pipe", SYS_pipe},
#else
    {"pipe", NO_SUCH_CALL},
#endif
#ifdef SYS_pipe2
    {"pipe2", SYS_pipe2},
#else
    {"pipe2", NO_SUCH_CALL},
#endif
#ifdef SYS_pivot_root
    {"pivot_root", SYS_pivot_root},
#else
    {"pivot_root", NO_SUCH_CALL},
#endif
#ifdef SYS_poll
    {"poll", SYS_poll},
#else
    {"poll", NO_SUCH_CALL},
#endif
#ifdef SYS_ppoll
    {"ppoll", SYS_ppoll},
#else
    {"ppoll", NO_SUCH_CALL},
#endif
#ifdef SYS_ppoll_time64
    {"ppoll_time64", SYS_ppoll_time64},
#else
    {"ppoll_time64", NO_SUCH_CALL},
#endif
#ifdef SYS_prctl
    {"prctl", SYS_prctl},
#else
    {"prctl", NO_SUCH_CALL},
#endif
#ifdef SYS_pread64
    {"pread64", SYS_pread64},
#else
    {"pread64", NO_SUCH_CALL},
#endif
#ifdef SYS_preadv
    {"preadv", SYS_preadv},
#else
    {"preadv", NO_SUCH_CALL},
#endif
#ifdef SYS_prlimit64
    {"prlimit64", SYS_prlimit64},
#else
    {"prlimit64", NO_SUCH_CALL},
#endif
#ifdef SYS_process_vm_readv
    {"process_vm_readv", SYS_process_vm_readv},
#else
    {"process_vm_readv", NO_SUCH_CALL},
#endif
#ifdef SYS_process_vm_writev
    {"process_vm_writev", SYS_process_vm_writev},
#else
    {"process_vm_writev", NO_SUCH_CALL},
#endif
#ifdef SYS_pselect6
    {"pselect6", SYS_pselect6},
#else
    {"pselect6", NO_SUCH_CALL},
#endif
#ifdef SYS_pselect6_time64
    {"pselect6_time64", SYS_pselect6_time64},
#else
    {"pselect6_time64", NO_SUCH_CALL},
#endif
#ifdef SYS_ptrace
    {"ptrace", SYS_ptrace},
#else
    {"ptrace", NO_SUCH_CALL},
#endif
#ifdef SYS_pwrite64
    {"pwrite64", SYS_pwrite64},
#else
    {"pwrite64", NO_SUCH_CALL},
#endif
#ifdef SYS_pwritev
    {"pwritev", SYS_pwritev},
#else
    {"pwritev", NO_SUCH_CALL},
#endif
#ifdef SYS_read
    {"read", SYS_read},
#else
    {"read", NO_SUCH_CALL},
#endif
#ifdef SYS_readlink
    {"readlink", SYS_readlink},
#else
    {"readlink", NO_SUCH_CALL},
#endif
#ifdef SYS_readlinkat
    {"readlinkat", SYS_readlinkat},
#else
    {"readlinkat", NO_SUCH_CALL},
#endif
#ifdef SYS_readv
    {"readv", SYS_readv},
#else
    {"readv", NO_SUCH_CALL},
#endif
#ifdef SYS_recv
    {"recv", SYS_recv},
#else
    {"recv", NO_SUCH_CALL},
#endif
#ifdef SYS_recvfrom
    {"recvfrom", SYS_recvfrom},
#else
    {"recvfrom", NO_SUCH_CALL},
#endif
#ifdef SYS_recvmmsg
    {"recvmmsg", SYS_recvmmsg},
#else
    {"recvmmsg", NO_SUCH_CALL},
#endif
#ifdef SYS_recvmmsg_time64
    {"recvmmsg_time64", SYS_recvmmsg_time64},
#else
    {"recvmmsg_time64", NO_SUCH_CALL},
#endif
#ifdef SYS_recvmsg
    {"recvmsg", SYS_recvmsg},
#else
    {"recvmsg", NO_SUCH_CALL},
#endif
#ifdef SYS_rename
    {"rename", SYS_rename},
#else
    {"rename", NO_SUCH_CALL},
#endif
#ifdef SYS_renameat
    {"renameat", SYS_renameat},
#else
    {"renameat", NO_SUCH_CALL},
#endif
#ifdef SYS_renameat2
    {"renameat2", SYS_renameat2},
#else
    {"renameat2", NO_SUCH_CALL},
#endif
#ifdef SYS_restart_syscall
    {"restart_syscall", SYS_restart_syscall},
#else
    {"restart_syscall", NO_SUCH_CALL},
#endif
#ifdef SYS_rmdir
    {"rmdir", SYS_rmdir},
#else
    {"rmdir", NO_SUCH_CALL},
#endif
#ifdef SYS_rseq
    {"rseq", SYS_rseq},
#else
    {"rseq", NO_SUCH_CALL},
#endif
#ifdef SYS_rt_sigaction
    {"rt_sigaction", SYS_rt_sigaction},
#else
    {"rt_sigaction", NO_SUCH_CALL},
#endif
#ifdef SYS_rt_sigpending
    {"rt_sigpending", SYS_rt_sigpending},
#else
    {"rt_sigpending", NO_SUCH_CALL},
#endif
#ifdef SYS_rt_sigprocmask
    {"rt_sigprocmask", SYS_rt_sigprocmask},
#else
    {"rt_sigprocmask", NO_SUCH_CALL},
#endif
#ifdef SYS_rt_sigqueueinfo
    {"rt_sigqueueinfo", SYS_rt_sigqueueinfo},
#else
    {"rt_sigqueueinfo", NO_SUCH_CALL},
#endif
#ifdef SYS_rt_sigreturn
    {"rt_sigreturn", SYS_rt_sigreturn},
#else
    {"rt_sigreturn", NO_SUCH_CALL},
#endif
#ifdef SYS_rt_sigsuspend
    {"rt_sigsuspend", SYS_rt_sigsuspend},
#else
    {"rt_sigsuspend", NO_SUCH_CALL},
#endif
#ifdef SYS_rt_sigtimedwait
    {"rt_sigtimedwait", SYS_rt_sigtimedwait},
#else
    {"rt_sigtimedwait", NO_SUCH_CALL},
#endif
#ifdef SYS_rt_sigtimedwait_time64
    {"rt_sigtimedwait_time64", SYS_rt_sigtimedwait_time64},
#else
    {"rt_sigtimedwait_time64", NO_SUCH_CALL},
#endif
#ifdef SYS_sched_get_priority_max
    {"sched_get_priority_max", SYS_sched_get_priority_max},
#else
    {"sched_get_priority_max", NO_SUCH_CALL},
#endif
#ifdef SYS_sched_getaffinity
    {"sched_getaffinity", SYS_sched_getaffinity},
#else
    {"sched_getaffinity", NO_SUCH_CALL},
#endif
#ifdef SYS_sched_getparam
    {"sched_getparam", SYS_sched_getparam},
#else
    {"sched_getparam", NO_SUCH_CALL},
#endif
#ifdef SYS_sched_getscheduler
    {"sched_getscheduler", SYS_sched_getscheduler},
#else
    {"sched_getscheduler", NO_SUCH_CALL},
#endif
#ifdef SYS_sched_yield
    {"sched_yield", SYS_sched_yield},
#else
    {"sched_yield", NO_SUCH_CALL},
#endif
#ifdef SYS_seccomp
    {"seccomp", SYS_seccomp},
#else
    {"seccomp", NO_SUCH_CALL},
#endif
#ifdef SYS_select
    {"select", SYS_select},
#else
    {"select", NO_SUCH_CALL},
#endif
#ifdef SYS_send
    {"send", SYS_send},
#else
    {"send", NO_SUCH_CALL},
#endif
#ifdef SYS_sendfile
    {"sendfile", SYS_sendfile},
#else
    {"sendfile", NO_SUCH_CALL},
#endif
#ifdef SYS_sendfile64
    {"sendfile64", SYS_sendfile64},
#else
    {"sendfile64", NO_SUCH_CALL},
#endif
#ifdef SYS_sendmmsg
    {"sendmmsg", SYS_sendmmsg},
#else
    {"sendmmsg", NO_SUCH_CALL},
#endif
#ifdef SYS_sendmsg
    {"sendmsg", SYS_sendmsg},
#else
    {"sendmsg", NO_SUCH_CALL},
#endif
#ifdef SYS_sendto
    {"sendto", SYS_sendto},
#else
    {"sendto", NO_SUCH_CALL},
#endif
#ifdef SYS_set_mempolicy
    {"set_mempolicy", SYS_set_mempolicy},
#else
    {"set_mempolicy", NO_SUCH_CALL},
#endif
#ifdef SYS_set_robust_list
    {"set_robust_list", SYS_set_robust_list},
#else
    {"set_robust_list", NO_SUCH_CALL},
#endif
#ifdef SYS_set_thread_area
    {"set_thread_area", SYS_set_thread_area},
#else
    {"set_thread_area", NO_SUCH_CALL},
#endif
#ifdef SYS_set_tid_address
    {"set_tid_address", SYS_set_tid_address},
#else
    {"set_tid_address", NO_SUCH_CALL},
#endif
#ifdef SYS_setfsuid
    {"setfsuid", SYS_setfsuid},
#else
    {"setfsuid", NO_SUCH_CALL},
#endif
#ifdef SYS_setgid
    {"setgid", SYS_setgid},
#else
    {"setgid", NO_SUCH_CALL},
#endif
#ifdef SYS_setgid32
    {"setgid32", SYS_setgid32},
#else
    {"setgid32", NO_SUCH_CALL},
#endif
#ifdef SYS_setgroups
    {"setgroups", SYS_setgroups},
#else
    {"setgroups", NO_SUCH_CALL},
#endif
#ifdef SYS_setgroups32
    {"setgroups32", SYS_setgroups32},
#else
    {"setgroups32", NO_SUCH_CALL},
#endif
#ifdef SYS_setitimer
    {"setitimer", SYS_setitimer},
#else
    {"setitimer", NO_SUCH_CALL},
#endif
#ifdef SYS_setns
    {"setns", SYS_setns},
#else
    {"setns", NO_SUCH_CALL},
#endif
#ifdef SYS_setpriority
    {"setpriority", SYS_setpriority},
#else
    {"setpriority", NO_SUCH_CALL},
#endif
#ifdef SYS_setregid
    {"setregid", SYS_setregid},
#else
    {"setregid", NO_SUCH_CALL},
#endif
#ifdef SYS_setresgid
    {"setresgid", SYS_setresgid},
#else
    {"setresgid", NO_SUCH_CALL},
#endif
#ifdef SYS_setresgid32
    {"setresgid32", SYS_setresgid32},
#else
    {"setresgid32", NO_SUCH_CALL},
#endif
#ifdef SYS_setresuid
    {"setresuid", SYS_setresuid},
#else
    {"setresuid", NO_SUCH_CALL},
#endif
#ifdef SYS_setresuid32
    {"setresuid32", SYS_setresuid32},
#else
    {"setresuid32", NO_SUCH_CALL},
#endif
#ifdef SYS_setreuid
    {"setreuid", SYS_setreuid},
#else
    {"setreuid", NO_SUCH_CALL},
#endif
#ifdef SYS_setrlimit
    {"setrlimit", SYS_setrlimit},
#else
    {"setrlimit", NO_SUCH_CALL},
#endif
#ifdef SYS_setsid
    {"setsid", SYS_setsid},
#else
    {"setsid", NO_SUCH_CALL},
#endif
#ifdef SYS_setsockopt
    {"setsockopt", SYS_setsockopt},
#else
    {"setsockopt", NO_SUCH_CALL},
#endif
#ifdef SYS_setuid
    {"setuid", SYS_setuid},
#else
    {"setuid", NO_SUCH_CALL},
#endif
#ifdef SYS_setuid32
    {"setuid32", SYS_setuid32},
#else
    {"setuid32", NO_SUCH_CALL},
#endif
#ifdef SYS_shutdown
    {"shutdown", SYS_shutdown},
#else
    {"shutdown", NO_SUCH_CALL},
#endif
#ifdef SYS_sigaltstack
    {"sigaltstack", SYS_sigaltstack},
#else
    {"sigaltstack", NO_SUCH_CALL},
#endif
#ifdef SYS_sigreturn
    {"sigreturn", SYS_sigreturn},
#else
    {"sigreturn", NO_SUCH_CALL},
#endif
#ifdef SYS_socket
    {"socket", SYS_socket},
#else
    {"socket", NO_SUCH_CALL},
#endif
#ifdef SYS_socketcall
    {"socketcall", SYS_socketcall},
#else
    {"socketcall", NO_SUCH_CALL},
#endif
#ifdef SYS_socketpair
    {"socketpair", SYS_socketpair},
#else
    {"socketpair", NO_SUCH_CALL},
#endif
#ifdef SYS_stat
    {"stat", SYS_stat},
#else
    {"stat", NO_SUCH_CALL},
#endif
#ifdef SYS_stat64
    {"stat64", SYS_stat64},
#else
    {"stat64", NO_SUCH_CALL},
#endif
#ifdef SYS_statfs
    {"statfs", SYS_statfs},
#else
    {"statfs", NO_SUCH_CALL},
#endif
#ifdef SYS_statfs64
    {"statfs64", SYS_statfs64},
#else
    {"statfs64", NO_SUCH_CALL},
#endif
#ifdef SYS_statx
    {"statx", SYS_statx},
#else
    {"statx", NO_SUCH_CALL},
#endif
#ifdef SYS_symlink
    {"symlink", SYS_symlink},
#else
    {"symlink", NO_SUCH_CALL},
#endif
#ifdef SYS_symlinkat
    {"symlinkat", SYS_symlinkat},
#else
    {"symlinkat", NO_SUCH_CALL},
#endif
#ifdef SYS_sysinfo
    {"sysinfo", SYS_sysinfo},
#else
    {"sysinfo", NO_SUCH_CALL},
#endif
#ifdef SYS_tgkill
    {"tgkill", SYS_tgkill},
#else
    {"tgkill", NO_SUCH_CALL},
#endif
#ifdef SYS_time
    {"time", SYS_time},
#else
    {"time", NO_SUCH_CALL},
#endif
#ifdef SYS_timer_create
    {"timer_create", SYS_timer_create},
#else
    {"timer_create", NO_SUCH_CALL},
#endif
#ifdef SYS_timer_delete
    {"timer_delete", SYS_timer_delete},
#else
    {"timer_delete", NO_SUCH_CALL},
#endif
#ifdef SYS_timer_settime
    {"timer_settime", SYS_timer_settime},
#else
    {"timer_settime", NO_SUCH_CALL},
#endif
#ifdef SYS_timer_settime64
    {"timer_settime64", SYS_timer_settime64},
#else
    {"timer_settime64", NO_SUCH_CALL},
#endif
#ifdef SYS_timerfd_create
    {"timerfd_create", SYS_timerfd_create},
#else
    {"timerfd_create", NO_SUCH_CALL},
#endif
#ifdef SYS_timerfd_gettime
    {"timerfd_gettime", SYS_timerfd_gettime},
#else
    {"timerfd_gettime", NO_SUCH_CALL},
#endif
#ifdef SYS_timerfd_settime
    {"timerfd_settime", SYS_timerfd_settime},
#else
    {"timerfd_settime", NO_SUCH_CALL},
#endif
#ifdef SYS_timerfd_settime64
    {"timerfd_settime64", SYS_timerfd_settime64},
#else
    {"timerfd_settime64", NO_SUCH_CALL},
#endif
#ifdef SYS_tkill
    {"tkill", SYS_tkill},
#else
    {"tkill", NO_SUCH_CALL},
#endif
#ifdef SYS_truncate
    {"truncate", SYS_truncate},
#else
    {"truncate", NO_SUCH_CALL},
#endif
#ifdef SYS_ugetrlimit
    {"ugetrlimit", SYS_ugetrlimit},
#else
    {"ugetrlimit", NO_SUCH_CALL},
#endif
#ifdef SYS_umask
    {"umask", SYS_umask},
#else
    {"umask", NO_SUCH_CALL},
#endif
#ifdef SYS_umount
    {"umount", SYS_umount},
#else
    {"umount", NO_SUCH_CALL},
#endif
#ifdef SYS_umount2
    {"umount2", SYS_umount2},
#else
    {"umount2", NO_SUCH_CALL},
#endif
#ifdef SYS_uname
    {"uname", SYS_uname},
#else
    {"uname", NO_SUCH_CALL},
#endif
#ifdef SYS_unlink
    {"unlink", SYS_unlink},
#else
    {"unlink", NO_SUCH_CALL},
#endif
#ifdef SYS_unlinkat
    {"unlinkat", SYS_unlinkat},
#else
    {"unlinkat", NO_SUCH_CALL},
#endif
#ifdef SYS_unshare
    {"unshare", SYS_unshare},
#else
    {"unshare", NO_SUCH_CALL},
#endif
#ifdef SYS_userfaultfd
    {"userfaultfd", SYS_userfaultfd},
#else
    {"userfaultfd", NO_SUCH_CALL},
#endif
#ifdef SYS_utimensat
    {"utimensat", SYS_utimensat},
#else
    {"utimensat", NO_SUCH_CALL},
#endif
#ifdef SYS_utimensat_time64
    {"utimensat_time64", SYS_utimensat_time64},
#else
    {"utimensat_time64", NO_SUCH_CALL},
#endif
#ifdef SYS_vfork
    {"vfork", SYS_vfork},
#else
    {"vfork", NO_SUCH_CALL},
#endif
#ifdef SYS_wait4
    {"wait4", SYS_wait4},
#else
    {"wait4", NO_SUCH_CALL},
#endif
#ifdef SYS_waitid
    {"waitid", SYS_waitid},
#else
    {"waitid", NO_SUCH_CALL},
#endif
#ifdef SYS_waitpid
    {"waitpid", SYS_waitpid},
#else
    {"waitpid", NO_SUCH_CALL},
#endif
#ifdef SYS_write
    {"write", SYS_write},
#else
    {"write", NO_SUCH_CALL},
#endif
#ifdef SYS_writev
    {"writev", SYS_writev},
#else
    {"writev", NO_SUCH_CALL},
#endif
};

#endif
