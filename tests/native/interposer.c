/* Preloaded (LD_PRELOAD) into a program that plays: stands before what may block, and writes down whoever calls it between the begin and the end of a
 * device's callback, on its thread. Outside of it calls are counted, so that a test can see that they come by here at all, and pass through.
 *
 * It cannot see what the C library does within itself; each of its doors that may block stands here by its own name. */
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))
/* In the block of the thread itself: reading it never allocates. */
#define OF_THREAD static __thread __attribute__((tls_model("initial-exec")))

/* ---- who is where ---------------------------------------------------------------------------------------------------- */

OF_THREAD int inside;
static _Atomic uint64_t callbacks;

PUBLIC void lp_callback_begins(void) {
  /* Relaxed: read for people. */
  atomic_fetch_add_explicit(&callbacks, 1, memory_order_relaxed);
  inside = 1;
}
PUBLIC void lp_callback_ends(void) { inside = 0; }

/* ---- what was seen ----------------------------------------------------------------------------------------------------- */

enum { FINDINGS = 64, DEPTH = 12 };

enum door { ALLOCATE, FREE, LOCK, WAIT, READ, WRITE, OPEN, CLOSE, SLEEP, MAP, CONTROL, SYSCALL, DOORS };
static const char *const names[DOORS] = {"allocate", "free", "lock", "wait", "read", "write", "open", "close", "sleep", "map", "control", "syscall"};

static _Atomic uint64_t passed[DOORS];
static _Atomic uint32_t found;
static struct finding {
  const char *call;
  enum door door;
  int depth;
  void *stack[DEPTH];
} findings[FINDINGS];

static void __attribute__((noinline)) write_down(enum door door, const char *call) {
  inside = 0; /* what this does itself is no finding */
  const uint32_t i = atomic_fetch_add(&found, 1);
  if (i < FINDINGS) {
    findings[i].call = call;
    findings[i].door = door;
    findings[i].depth = backtrace(findings[i].stack, DEPTH);
  }
  inside = 1;
}

static inline void pass(enum door door, const char *call) {
  if (__builtin_expect(inside, 0)) write_down(door, call);
  else atomic_fetch_add_explicit(&passed[door], 1, memory_order_relaxed);
}

/* ---- for the test, by FFI ------------------------------------------------------------------------------------------------- */

PUBLIC uint64_t interposer_callbacks(void) { return atomic_load(&callbacks); }
PUBLIC uint64_t interposer_found(void) { return atomic_load(&found); }

/* As JSON: how often each door was passed outside of callbacks, and what was found inside. Returns the text's bytes, at most `room`. */
PUBLIC uint32_t interposer_report(char *out, uint32_t room) {
  uint32_t at = 0;
#define SAY(...) (at += (uint32_t)snprintf(out + (at < room ? at : room), at < room ? room - at : 0, __VA_ARGS__))
  SAY("{\"callbacks\":%llu,\"passed\":{", (unsigned long long)atomic_load(&callbacks));
  for (int d = 0; d < DOORS; d++) SAY("%s\"%s\":%llu", d ? "," : "", names[d], (unsigned long long)atomic_load(&passed[d]));
  const uint32_t n = atomic_load(&found);
  SAY("},\"found\":%u,\"findings\":[", n);
  for (uint32_t i = 0; i < n && i < FINDINGS; i++) {
    SAY("%s{\"door\":\"%s\",\"call\":\"%s\",\"stack\":[", i ? "," : "", names[findings[i].door], findings[i].call);
    for (int k = 0; k < findings[i].depth; k++) {
      Dl_info info;
      if (!dladdr(findings[i].stack[k], &info)) info = (Dl_info){.dli_fname = "?"};
      const char *file = strrchr(info.dli_fname, '/');
      SAY("%s\"%s+0x%zx %s\"", k ? "," : "", file ? file + 1 : info.dli_fname, (size_t)((char *)findings[i].stack[k] - (char *)info.dli_fbase),
          info.dli_sname ? info.dli_sname : "");
    }
    SAY("]}");
  }
  SAY("]}");
#undef SAY
  return at < room ? at : room;
}

/* ---- the doors of memory: the C library's own names, since looking others up allocates --------------------------------------- */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

PUBLIC void *malloc(size_t n) {
  pass(ALLOCATE, "malloc");
  return __libc_malloc(n);
}
PUBLIC void *calloc(size_t n, size_t each) {
  pass(ALLOCATE, "calloc");
  return __libc_calloc(n, each);
}
PUBLIC void *realloc(void *p, size_t n) {
  pass(ALLOCATE, "realloc");
  return __libc_realloc(p, n);
}
PUBLIC void *aligned_alloc(size_t alignment, size_t n) {
  pass(ALLOCATE, "aligned_alloc");
  return __libc_memalign(alignment, n);
}
PUBLIC void *memalign(size_t alignment, size_t n) {
  pass(ALLOCATE, "memalign");
  return __libc_memalign(alignment, n);
}
PUBLIC int posix_memalign(void **out, size_t alignment, size_t n) {
  pass(ALLOCATE, "posix_memalign");
  void *p = __libc_memalign(alignment, n);
  if (!p) return 12; /* ENOMEM */
  *out = p;
  return 0;
}
PUBLIC void free(void *p) {
  pass(FREE, "free");
  __libc_free(p);
}

/* ---- the others -------------------------------------------------------------------------------------------------------------- */

/* The next definition of a name, with the version that programs of today are linked with where there are several. */
static void *next(const char *name) {
  const int was = inside;
  inside = 0;
  void *p = NULL;
#if defined(__x86_64__)
  if (!strncmp(name, "pthread_cond_", 13)) p = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
#endif
  if (!p) p = dlsym(RTLD_NEXT, name);
  inside = was;
  return p;
}

#define DOOR(door, result, name, parameters, arguments)            \
  PUBLIC result name parameters {                                  \
    static result(*_Atomic real) parameters;                       \
    result(*call) parameters = atomic_load_explicit(&real, memory_order_acquire); \
    if (!call) atomic_store(&real, call = (result(*) parameters)(uintptr_t)next(#name)); \
    pass(door, #name);                                             \
    return call arguments;                                         \
  }

DOOR(LOCK, int, pthread_mutex_lock, (pthread_mutex_t * m), (m))
DOOR(LOCK, int, pthread_mutex_trylock, (pthread_mutex_t * m), (m))
DOOR(LOCK, int, pthread_mutex_timedlock, (pthread_mutex_t *restrict m, const struct timespec *restrict t), (m, t))
DOOR(LOCK, int, pthread_mutex_unlock, (pthread_mutex_t * m), (m))
DOOR(LOCK, int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
DOOR(LOCK, int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
DOOR(LOCK, int, pthread_rwlock_tryrdlock, (pthread_rwlock_t * l), (l))
DOOR(LOCK, int, pthread_rwlock_trywrlock, (pthread_rwlock_t * l), (l))
DOOR(LOCK, int, pthread_spin_lock, (pthread_spinlock_t * l), (l))
DOOR(WAIT, int, pthread_cond_wait, (pthread_cond_t *restrict c, pthread_mutex_t *restrict m), (c, m))
DOOR(WAIT, int, pthread_cond_timedwait, (pthread_cond_t *restrict c, pthread_mutex_t *restrict m, const struct timespec *restrict t), (c, m, t))
DOOR(WAIT, int, pthread_cond_signal, (pthread_cond_t * c), (c))
DOOR(WAIT, int, pthread_cond_broadcast, (pthread_cond_t * c), (c))
DOOR(WAIT, int, pthread_join, (pthread_t t, void **out), (t, out))
DOOR(WAIT, int, pthread_create, (pthread_t *restrict t, const pthread_attr_t *restrict a, void *(*f)(void *), void *restrict c), (t, a, f, c))
DOOR(WAIT, int, sem_wait, (sem_t * s), (s))
DOOR(WAIT, int, sem_timedwait, (sem_t *restrict s, const struct timespec *restrict t), (s, t))
DOOR(WAIT, int, sem_post, (sem_t * s), (s))
DOOR(WAIT, int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
DOOR(WAIT, int, ppoll, (struct pollfd * fds, nfds_t n, const struct timespec *t, const sigset_t *m), (fds, n, t, m))
DOOR(WAIT, int, select, (int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict e, struct timeval *restrict t), (n, r, w, e, t))
DOOR(WAIT, int, epoll_wait, (int fd, struct epoll_event *events, int most, int ms), (fd, events, most, ms))
DOOR(READ, ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
DOOR(READ, ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
DOOR(READ, ssize_t, pread64, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at))
DOOR(READ, ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n))
DOOR(READ, ssize_t, preadv, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
DOOR(READ, ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
DOOR(READ, ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
DOOR(READ, size_t, fread, (void *restrict p, size_t each, size_t n, FILE *restrict f), (p, each, n, f))
DOOR(WRITE, ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
DOOR(WRITE, ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
DOOR(WRITE, ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
DOOR(WRITE, ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
DOOR(WRITE, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
DOOR(WRITE, size_t, fwrite, (const void *restrict p, size_t each, size_t n, FILE *restrict f), (p, each, n, f))
DOOR(WRITE, int, vfprintf, (FILE *restrict f, const char *restrict format, va_list a), (f, format, a))
DOOR(WRITE, int, puts, (const char *text), (text))
DOOR(WRITE, int, fputs, (const char *restrict text, FILE *restrict f), (text, f))
DOOR(WRITE, int, fflush, (FILE * f), (f))
PUBLIC int printf(const char *restrict format, ...) {
  va_list a;
  va_start(a, format);
  const int n = vfprintf(stdout, format, a); /* by that door */
  va_end(a);
  return n;
}
PUBLIC int fprintf(FILE *restrict f, const char *restrict format, ...) {
  va_list a;
  va_start(a, format);
  const int n = vfprintf(f, format, a);
  va_end(a);
  return n;
}
DOOR(OPEN, FILE *, fopen, (const char *restrict path, const char *restrict mode), (path, mode))
DOOR(OPEN, FILE *, fopen64, (const char *restrict path, const char *restrict mode), (path, mode))
DOOR(OPEN, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
DOOR(CLOSE, int, close, (int fd), (fd))
DOOR(CLOSE, int, fclose, (FILE * f), (f))
DOOR(SLEEP, int, nanosleep, (const struct timespec *t, struct timespec *rest), (t, rest))
DOOR(SLEEP, int, clock_nanosleep, (clockid_t c, int flags, const struct timespec *t, struct timespec *rest), (c, flags, t, rest))
DOOR(SLEEP, int, usleep, (useconds_t us), (us))
DOOR(SLEEP, unsigned, sleep, (unsigned s), (s))
DOOR(SLEEP, int, sched_yield, (void), ())
DOOR(MAP, void *, mmap, (void *p, size_t n, int access, int flags, int fd, off_t at), (p, n, access, flags, fd, at))
DOOR(MAP, void *, mmap64, (void *p, size_t n, int access, int flags, int fd, off64_t at), (p, n, access, flags, fd, at))
DOOR(MAP, int, munmap, (void *p, size_t n), (p, n))
DOOR(MAP, int, madvise, (void *p, size_t n, int advice), (p, n, advice))
DOOR(MAP, int, mprotect, (void *p, size_t n, int access), (p, n, access))
DOOR(CONTROL, void *, dlopen, (const char *file, int flags), (file, flags))

/* Those with as many arguments as the first ones ask for. */
#define OPEN_DOOR(name, parameters, ...)                                                        \
  PUBLIC int name parameters {                                                                  \
    static int(*_Atomic real) parameters;                                                       \
    int(*call) parameters = atomic_load_explicit(&real, memory_order_acquire);                  \
    if (!call) atomic_store(&real, call = (int(*) parameters)(uintptr_t)next(#name));           \
    mode_t mode = 0;                                                                            \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                        \
      va_list a;                                                                                \
      va_start(a, flags);                                                                       \
      mode = va_arg(a, mode_t);                                                                 \
      va_end(a);                                                                                \
    }                                                                                           \
    pass(OPEN, #name);                                                                          \
    return call(__VA_ARGS__, flags, mode);                                                      \
  }
OPEN_DOOR(open, (const char *path, int flags, ...), path)
OPEN_DOOR(open64, (const char *path, int flags, ...), path)
OPEN_DOOR(openat, (int at, const char *path, int flags, ...), at, path)
OPEN_DOOR(openat64, (int at, const char *path, int flags, ...), at, path)

/* With as many words as a call of the system can have; those that the caller did not give are not looked at. */
#define WORD_DOOR(door, result, name, parameters, last, ...)                                    \
  PUBLIC result name parameters {                                                               \
    static result(*_Atomic real) parameters;                                                    \
    result(*call) parameters = atomic_load_explicit(&real, memory_order_acquire);               \
    if (!call) atomic_store(&real, call = (result(*) parameters)(uintptr_t)next(#name));        \
    va_list a;                                                                                  \
    va_start(a, last);                                                                          \
    long w[6];                                                                                  \
    for (int i = 0; i < 6; i++) w[i] = va_arg(a, long);                                         \
    va_end(a);                                                                                  \
    pass(door, #name);                                                                          \
    return call(__VA_ARGS__, w[0], w[1], w[2], w[3], w[4], w[5]);                               \
  }
WORD_DOOR(SYSCALL, long, syscall, (long number, ...), number, number)
WORD_DOOR(CONTROL, int, ioctl, (int fd, unsigned long request, ...), request, fd, request)
WORD_DOOR(CONTROL, int, fcntl, (int fd, int command, ...), command, fd, command)
WORD_DOOR(CONTROL, int, fcntl64, (int fd, int command, ...), command, fd, command)

/* The first of backtrace() loads a library. */
__attribute__((constructor)) static void begin(void) {
  void *stack[DEPTH];
  (void)backtrace(stack, DEPTH);
}
