/* While it is loaded it tries what no plugin needs, and says what of it was let through. SECRET is a file of somebody else. */
#include "lglp_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <linux/close_range.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

static char let_through[4000];

static void tried(const char *name, int was_let) {
    if (!was_let) return;
    strcat(let_through, " ");
    strcat(let_through, name);
}

/* What says -1 where it is refused, with a reason of a sandbox. */
#define TRY(call) tried(#call, (call) != -1 || (errno != EPERM && errno != EACCES))

static int start(void) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    return child;
}

static void files(void) {
    TRY(open(SECRET, O_RDONLY));
    TRY(open(SECRET, O_WRONLY));
    TRY(open("/tmp/lglp-written-by-a-plugin", O_WRONLY | O_CREAT, 0600));
    TRY(chmod(SECRET, 0777));
    TRY(chown(SECRET, getuid(), getgid()));
    TRY(setxattr(SECRET, "user.of", "a plugin", 8, 0));
    TRY(removexattr(SECRET, "user.of"));
    TRY(utimensat(AT_FDCWD, SECRET, NULL, 0));
    TRY(truncate(SECRET, 0));
    TRY(unlink(SECRET));
    TRY(rename(SECRET, SECRET "-moved"));
    TRY(link(SECRET, SECRET "-linked"));
    TRY(mkdir(SECRET "-folder", 0700));
    int lglp = open("/proc/self/exe", O_RDONLY);
    TRY(flock(lglp, LOCK_EX));
    TRY(fchmod(lglp, 0777));
}

static void processes(void) {
    TRY(start());
    TRY(vfork());
    TRY(execl("/bin/true", "true", (char *)0));
    TRY(kill(getppid(), 0));
    TRY(kill(-1, 0));
    TRY(ptrace(PTRACE_ATTACH, getppid(), 0, 0));
    TRY(setpgid(0, getppid()));
    TRY(setsid());
    TRY(unshare(CLONE_NEWUSER));
    TRY(prctl(PR_SET_PDEATHSIG, 0));
    TRY(prctl(PR_SET_DUMPABLE, 1));
    struct rlimit none = {0, 0};
    TRY(prlimit(getppid(), RLIMIT_NOFILE, &none, NULL));
    struct rlimit all_of_it = {RLIM_INFINITY, RLIM_INFINITY};
    TRY(setrlimit(RLIMIT_STACK, &all_of_it));
    TRY(setrlimit(RLIMIT_DATA, &all_of_it));
    TRY(setpriority(PRIO_PROCESS, getppid(), 19));
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cmdline", getppid());
    TRY(open(path, O_RDONLY));
    tried("opendir /proc", opendir("/proc") != NULL);
}

static int thread_of_its_own_files(void *given) { return given != NULL; }

static void threads(void) {
    static char stack[1 << 16];
    int flags = CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    TRY(clone(thread_of_its_own_files, stack + sizeof stack, flags, NULL));
    TRY(syscall(SYS_close_range, 100, 100, CLOSE_RANGE_UNSHARE));
}

static void others(void) {
    int pair[2] = {-1, -1};
    TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(socket(AF_UNIX, SOCK_DGRAM, 0));
    TRY(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    struct sockaddr somebody = {.sa_family = AF_UNIX, .sa_data = "/tmp/a"};
    /* The socket to lglp is standard input. */
    TRY(sendto(0, "a", 1, MSG_NOSIGNAL, &somebody, sizeof somebody));
    struct msghdr nothing = {0};
    TRY(send(0, "a", 1, MSG_OOB));
    TRY(sendmsg(0, &nothing, MSG_NOSIGNAL));
    TRY(connect(0, &somebody, sizeof somebody));
    TRY(bind(0, &somebody, sizeof somebody));
    TRY(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
    TRY(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600));
    TRY(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
    TRY(mq_open("/lglp-of-a-plugin", O_CREAT | O_RDWR, 0600, NULL));
    TRY(inotify_init1(0));
}

static void memory(void) {
    int pipes[2];
    tried("no pipe", pipe(pipes) != 0);
    tried("a shared mapping of nobody", mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    tried("a mapping that grows",
          mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) != MAP_FAILED);
    TRY(fcntl(pipes[0], F_SETPIPE_SZ, 1 << 20));
    TRY(fcntl(pipes[0], F_SETOWN, getppid()));
    TRY(fcntl(pipes[0], F_SETSIG, SIGKILL));
    TRY(memfd_create("of a plugin", 0));
}

static void machine(void) {
    struct io_uring_params ring = {0};
    struct perf_event_attr event = {.size = sizeof event};
    TRY(syscall(SYS_io_uring_setup, 8, &ring));
    TRY(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
    TRY(syscall(SYS_userfaultfd, 0));
    TRY(syscall(SYS_bpf, 0, NULL, 0));
    TRY(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
    TRY(syscall(SYS_pidfd_open, getppid(), 0));
    TRY(syscall(SYS_personality, 0xffffffff));
    TRY(syscall(SYS_seccomp, 0, 0, NULL));
    TRY(syscall(100000));
}

static void *nothing(void *given) { return given; }

/* What is needed: threads, memory, time, to read of itself. */
static int works(void) {
    pthread_t thread;
    struct timespec now;
    char *taken = malloc(64 << 20);
    int worked = taken && pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
    free(taken);
    worked = worked && clock_gettime(CLOCK_MONOTONIC, &now) == 0 && sysconf(_SC_NPROCESSORS_ONLN) > 0;
    return worked && open("/proc/self/status", O_RDONLY) >= 0 && open("/proc/cpuinfo", O_RDONLY) >= 0;
}

__attribute__((constructor)) static void all(void) {
    files();
    processes();
    threads();
    others();
    memory();
    machine();
    fprintf(stderr, "works %d, token %d, let through:%s\n", works(), getenv("LGLP_TOKEN") != 0, let_through);
    abort();
}
