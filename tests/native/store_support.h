/* For the tests of the page store: files whose samples are a formula, a clock, and reads that fail or hang on command. */
#ifndef STORE_SUPPORT_H
#define STORE_SUPPORT_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "store.h"

#define CHECK(condition, ...)                                                    \
  do {                                                                           \
    if (!(condition)) {                                                          \
      fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);            \
      fprintf(stderr, __VA_ARGS__);                                              \
      fputc('\n', stderr);                                                       \
      exit(1);                                                                   \
    }                                                                            \
  } while (0)

#define RATE 48000u
#define MIB 1048576.0
#define MS 1000000ull /* in ns */

/* Under a sanitizer, which makes everything several times as slow. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define QUICK true
#else
#define QUICK false
#endif

enum kind { S16, S24, F32 };
typedef struct sound {
  char path[256];
  enum kind kind;
  uint32_t seed, channels;
  uint32_t rate; /* 0: RATE */
  int64_t frames;
  bool silent; /* a hole in the file instead of samples, where only the number of pages matters */
} sound;

/* Where test files lie; made on first use, removed by end_files. */
const char *folder(void);
void end_files(void);

/* Writes the WAV file that `s` describes at s->path, or at <folder>/<name>.wav if it has none yet. */
void make_sound(sound *s, const char *name);
/* What the file says at a frame, as the float that must be heard. */
float expected(const sound *s, int64_t frame, uint32_t channel);
/* FNV-1a of a page as the store should hold it. */
uint64_t expected_hash(const sound *s, int64_t page);

uint32_t next_random(uint64_t *state);
uint64_t real_now(void *context);
/* A clock that stands unless moved: context is an _Atomic uint64_t. */
uint64_t set_now(void *context);
void sleep_ms(unsigned ms);

typedef struct test {
  const char *name;
  void (*run)(void);
} test;

/* Runs the tests that the arguments name, or with "all" each of them, and says how long each took. Returns what main returns; where none is named it
 * prints the usage, what the program takes besides, if anything, in front. */
int run_tests(const char *usage, const test *tests, unsigned count, int argc, char **argv);

lp_store *make_store(double slab_bytes, uint32_t threads);
lp_store *make_stepped(double slab_bytes, _Atomic uint64_t *clock);
lp_source *open_sound(lp_store *st, const sound *s);
double counter_of(lp_store *st, uint32_t index);

/* One want, deadline in ns of the engine's clock. */
void want(lp_store *st, lp_origin *o, lp_source *s, int64_t page, uint8_t tier, uint64_t deadline_ns);
/* Waits until the page is whole. */
void await_page(lp_store *st, lp_source *s, int64_t page);
bool is_resident(const lp_source *s, int64_t page);
uint32_t cause_at(const lp_source *s, int64_t page);

/* What lp_pcm_read does instead of reading (linked with --wrap). 0: it reads. A negative number: that error. */
extern _Atomic int read_fault;
/* Reads wait while this is set; how many wait; how many were begun in all. */
extern _Atomic bool reads_hang;
/* If set, only reads of files with an odd number of channels do. */
extern _Atomic bool reads_hang_if_odd;
/* Files of different sizes lie on different volumes while this is set. */
extern _Atomic bool volumes_by_size;
extern _Atomic int reads_hanging;
extern _Atomic uint64_t reads_begun;
/* The store must not ask its clock any more, nor tell what it filled. */
extern _Atomic bool clock_is_gone;
/* A read that touches this frame gives EIO; < 0: none does. */
extern _Atomic int64_t bad_frame;
/* A read takes so much longer. */
extern _Atomic unsigned read_delay_ms;
/* If the first is not 0: the files that all this is about, and no others. */
#define FAULTY_FILES 16
extern _Atomic uint64_t faulty_inodes[FAULTY_FILES];
/* If set, each read moves this clock on by so many ns. */
extern _Atomic uint64_t *_Atomic read_clock;
extern _Atomic uint64_t read_takes_ns;
/* Frames that a read is short by. */
extern _Atomic int64_t read_shortfall;

#endif
