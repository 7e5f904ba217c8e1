/* Put beside a copy of the library's sources, with a call of lp_sin in its render function: on command the callback does, once, one thing that it must
 * not. All of them come to nothing: what they wait for is there, and what they open is not. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))
PUBLIC uint32_t lp_sin_names(char *out, uint32_t room);
PUBLIC void lp_sin_next(uint32_t index);
PUBLIC uint32_t lp_sins_done(void);
void lp_sin(void);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static char byte;
static void *volatile kept; /* so that no compiler leaves an allocation out */

static void do_malloc(void) { kept = malloc(1); }
static void do_calloc(void) { kept = calloc(1, 1); }
static void do_realloc(void) { kept = realloc(kept, 2); }
static void do_aligned_alloc(void) { kept = aligned_alloc(64, 64); }
static void do_posix_memalign(void) {
  void *p = NULL;
  if (posix_memalign(&p, 64, 64) == 0) kept = p;
}
static void do_free(void) {
  free(kept);
  kept = NULL;
}
static void do_pthread_mutex_lock(void) { pthread_mutex_lock(&mutex); }
static void do_pthread_mutex_trylock(void) { kept = pthread_mutex_trylock(&mutex) ? &mutex : NULL; }
static void do_pthread_mutex_unlock(void) { pthread_mutex_unlock(&mutex); }
static void do_pthread_rwlock_rdlock(void) { pthread_rwlock_rdlock(&shared); }
static void do_pthread_cond_timedwait(void) { pthread_cond_timedwait(&cond, &mutex, &(struct timespec){ 0, 0 }); }
static void do_pthread_cond_signal(void) { pthread_cond_signal(&cond); }
static void do_sem_wait(void) {
  sem_init(&semaphore, 0, 1);
  sem_wait(&semaphore);
}
static void do_sem_post(void) { sem_post(&semaphore); }
static void do_poll(void) { kept = poll(NULL, 0, 0) ? &byte : NULL; }
static void do_select(void) { kept = select(0, NULL, NULL, NULL, &(struct timeval){ 0, 0 }) ? &byte : NULL; }
static void do_read(void) { kept = read(-1, &byte, 1) < 0 ? &byte : NULL; }
static void do_pread(void) { kept = pread(-1, &byte, 1, 0) < 0 ? &byte : NULL; }
static void do_readv(void) { kept = readv(-1, &(struct iovec){ &byte, 1 }, 1) < 0 ? &byte : NULL; }
static void do_write(void) { kept = write(-1, &byte, 1) < 0 ? &byte : NULL; }
static void do_open(void) { kept = open("/nowhere/at/all", O_RDONLY) < 0 ? &byte : NULL; }
static void do_openat(void) { kept = openat(AT_FDCWD, "/nowhere/at/all", O_RDONLY) < 0 ? &byte : NULL; }
static void do_fopen(void) { kept = fopen("/nowhere/at/all", "r"); }
static void do_vfprintf(void) { fprintf(stderr, "%.*s", 0, (const char *)&byte); }
static void do_close(void) { close(-1); }
static void do_nanosleep(void) { nanosleep(&(struct timespec){ 0, 1 }, NULL); }
static void do_clock_nanosleep(void) { clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 1 }, NULL); }
static void do_usleep(void) { usleep(1); }
static void do_mmap(void) { kept = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static void do_munmap(void) { munmap(kept, 4096); }
static void do_ioctl(void) { kept = ioctl(-1, 0) ? &byte : NULL; }
static void do_syscall(void) { kept = syscall(SYS_getpid) ? &byte : NULL; }

static const struct sin {
  const char *name;
  void (*act)(void);
} sins[] = {
#define SIN(name) { #name, do_##name }
    SIN(malloc), SIN(realloc), SIN(free), SIN(calloc), SIN(aligned_alloc), SIN(posix_memalign),
    SIN(pthread_mutex_lock), SIN(pthread_cond_timedwait), SIN(pthread_mutex_unlock), SIN(pthread_mutex_trylock), SIN(pthread_rwlock_rdlock),
    SIN(pthread_cond_signal), SIN(sem_wait), SIN(sem_post), SIN(poll), SIN(select),
    SIN(read), SIN(pread), SIN(readv), SIN(write), SIN(open), SIN(openat), SIN(fopen), SIN(vfprintf), SIN(close),
    SIN(nanosleep), SIN(clock_nanosleep), SIN(usleep), SIN(mmap), SIN(munmap), SIN(ioctl), SIN(syscall),
};

/* The names, joined by commas. They are to be done in this order, each once: some need what those before them left. Returns how many bytes they have. */
uint32_t lp_sin_names(char *out, uint32_t room) {
  uint32_t at = 0;
  for (uint32_t i = 0; i < sizeof sins / sizeof *sins; i++) {
    const int n = snprintf(out + at, room - at, "%s%s", i ? "," : "", sins[i].name);
    if (n < 0 || (uint32_t)n >= room - at) return 0;
    at += (uint32_t)n;
  }
  return at;
}

static _Atomic(const struct sin *) next;
static _Atomic uint32_t done;

void lp_sin_next(uint32_t index) { atomic_store(&next, &sins[index]); }
uint32_t lp_sins_done(void) { return atomic_load(&done); }

/* [callback] */
void lp_sin(void) {
  const struct sin *sin = atomic_exchange(&next, NULL);
  if (!sin) return;
  sin->act();
  atomic_fetch_add(&done, 1);
}
