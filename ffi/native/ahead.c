#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "ahead.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peaks.h"
#include "store_internal.h"

#if defined(__linux__)
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#endif
#if defined(__APPLE__)
#include <pthread/qos.h>
#endif

/* A part is long enough that finding its begin costs little, and short enough that several fit into memory. */
#if defined(LP_TEST_PART_FRAMES)
#define PART_FRAMES LP_TEST_PART_FRAMES
#else
#define PART_FRAMES (1 << 20)
#endif
#define LEAST_BUCKET_FRAMES 64 /* smaller ones make parts too large */
#define PIECE_FRAMES (PART_FRAMES / 16) /* what a thread decodes between two looks at the others */
#define MOST_THREADS 8
#define MOST_THREADS_OF_ALL 64 /* several files may be under way */
#define PATIENCE_NS 2000000ull

typedef struct part {
  /* Under the mutex: */
  uint32_t done; /* buckets */
  int error;     /* why there are no more, 0 or -errno */
  /* Written by its thread up to `done`, then constant until it is taken: */
  float *values;
  int64_t *invalid; /* a bucket each */
} part;

struct lp_ahead {
  /* Constant: */
  const lp_media *media;
  lp_pcm_format format;
  int fd;
  int64_t first;
  uint32_t bucket_frames, part_buckets, floats; /* floats: a bucket's */
  int64_t parts;
  uint32_t ring;
  uint32_t threads;
  /* The taker's: */
  int64_t part;   /* the one that it is at */
  uint32_t taken; /* buckets of it */
  /* Shared: */
  pthread_mutex_t mutex;
  pthread_cond_t more; /* a part has grown */
  pthread_cond_t room; /* a part was taken to its end, or all is over */
  /* Under the mutex: */
  int64_t next;   /* the part that nobody has begun */
  int64_t oldest; /* the part that the taker is at */
  bool closing;
  part slots[2 * MOST_THREADS];
  pthread_t thread[MOST_THREADS];
};

static _Atomic uint32_t threads_of_all;

/* Cores that this process may use. */
static uint32_t cores(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return (uint32_t)CPU_COUNT(&set);
#endif
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? (uint32_t)n : 1;
}

/* Below the callback and the main thread, level with the fill pool, whose short reads the system wakes first. */
static void lower_priority(void) {
#if defined(__linux__)
  (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5); /* what the system refuses is left as it is */
  (void)pthread_setname_np(pthread_self(), "lp-ahead");
#elif defined(__APPLE__)
  (void)pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
  (void)pthread_setname_np("lp-ahead");
#endif
}

static int64_t part_first(const lp_ahead *a, int64_t index) { return a->first + index * a->part_buckets * (int64_t)a->bucket_frames; }

/* Frames and buckets of a part; the last bucket of the file may be partial. */
static int64_t part_frames(const lp_ahead *a, int64_t index) {
  int64_t left = a->format.frames - part_first(a, index), whole = (int64_t)a->part_buckets * a->bucket_frames;
  return left < whole ? left : whole;
}

static uint32_t part_buckets(const lp_ahead *a, int64_t index) {
  return (uint32_t)((part_frames(a, index) + a->bucket_frames - 1) / a->bucket_frames);
}

/* Buckets from `bucket` on of whole pieces: decodes n frames into raw and reduces them. 0 or -errno. */
static int reduce_piece(lp_ahead *a, lp_decoder *decoder, part *p, uint32_t bucket, int64_t n, uint8_t *raw) {
  int64_t got = 0;
  while (got < n) {
    uint32_t broken = 0;
    int64_t r = lp_decoder_read(decoder, a->fd, n - got, raw + got * a->format.frame_bytes, UINT64_MAX, &broken);
    if (r <= 0) return r < 0 ? (int)r : -EIO;
    got += r;
  }
  for (int64_t at = 0; at < n; at += a->bucket_frames, bucket++) {
    lp_peaks b;
    lp_peaks_reset(&b);
    lp_peaks_add(&b, &a->format, raw + at * a->format.frame_bytes, n - at < a->bucket_frames ? n - at : a->bucket_frames);
    lp_peaks_result(&b, &a->format, p->values + (size_t)bucket * a->floats);
    p->invalid[bucket] = b.invalid;
  }
  return 0;
}

/* Decodes one part, piece after piece. False: all is over. */
static bool run_part(lp_ahead *a, lp_decoder *decoder, int64_t index, uint8_t *raw) {
  part *p = &a->slots[index % a->ring];
  int64_t frames = part_frames(a, index), done = 0;
  int error = lp_decoder_seek(decoder, a->fd, part_first(a, index));
  int64_t piece = PIECE_FRAMES - PIECE_FRAMES % a->bucket_frames;
  bool goes_on = true;
  while (goes_on && error == 0 && done < frames) {
    int64_t n = frames - done < piece ? frames - done : piece;
    error = reduce_piece(a, decoder, p, (uint32_t)(done / a->bucket_frames), n, raw);
    done += n;
    pthread_mutex_lock(&a->mutex);
    if (error == 0) p->done = (uint32_t)((done + a->bucket_frames - 1) / a->bucket_frames);
    goes_on = !a->closing;
    if (index == a->oldest) pthread_cond_signal(&a->more);
    pthread_mutex_unlock(&a->mutex);
  }
  if (error != 0) {
    pthread_mutex_lock(&a->mutex);
    p->error = error;
    pthread_cond_signal(&a->more);
    pthread_mutex_unlock(&a->mutex);
  }
  return goes_on;
}

static void *thread_main(void *argument) {
  lp_ahead *a = argument;
  lower_priority();
  lp_decoder *decoder = lp_decoder_create(a->media);
  uint8_t *raw = malloc((size_t)PIECE_FRAMES * a->format.frame_bytes);
  bool goes_on = true;
  while (goes_on) {
    pthread_mutex_lock(&a->mutex);
    while (!a->closing && a->next < a->parts && a->next >= a->oldest + a->ring) pthread_cond_wait(&a->room, &a->mutex);
    goes_on = !a->closing && a->next < a->parts;
    int64_t index = a->next;
    if (goes_on) {
      part *p = &a->slots[index % a->ring];
      p->done = 0;
      p->error = decoder && raw ? 0 : -ENOMEM;
      if (p->error) pthread_cond_signal(&a->more);
      a->next++;
    }
    pthread_mutex_unlock(&a->mutex);
    if (goes_on && decoder && raw) goes_on = run_part(a, decoder, index, raw);
  }
  lp_decoder_free(decoder);
  free(raw);
  return NULL;
}

lp_ahead *lp_ahead_start(const lp_media *media, const lp_pcm_format *format, int fd, int64_t first, uint32_t frames_per_bucket) {
  if (frames_per_bucket < LEAST_BUCKET_FRAMES || frames_per_bucket > PIECE_FRAMES || format->frames - first < 2 * PART_FRAMES) return NULL;
  uint32_t threads = cores();
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  if (threads < 2) return NULL;
  /* Relaxed: a bound, nothing else hangs on it. */
  if (atomic_fetch_add_explicit(&threads_of_all, threads, memory_order_relaxed) + threads > MOST_THREADS_OF_ALL) {
    atomic_fetch_sub_explicit(&threads_of_all, threads, memory_order_relaxed);
    return NULL;
  }
  lp_ahead *a = calloc(1, sizeof *a);
  bool ok = a && pthread_mutex_init(&a->mutex, NULL) == 0;
  if (!ok) {
    free(a);
    atomic_fetch_sub_explicit(&threads_of_all, threads, memory_order_relaxed);
    return NULL;
  }
  a->media = media;
  a->format = *format;
  a->fd = fd;
  a->first = first;
  a->bucket_frames = frames_per_bucket;
  a->part_buckets = PART_FRAMES / frames_per_bucket;
  a->floats = 3 * lp_peaks_planes(format);
  int64_t whole = (int64_t)a->part_buckets * frames_per_bucket;
  a->parts = (format->frames - first + whole - 1) / whole;
  a->ring = 2 * threads;
  ok = lp_cond_init(&a->more) == 0 && lp_cond_init(&a->room) == 0;
  assert(ok); /* it cannot fail: a condition takes nothing from the system */
  for (uint32_t i = 0; i < a->ring && ok; i++) {
    a->slots[i].values = malloc((size_t)a->part_buckets * a->floats * sizeof(float));
    a->slots[i].invalid = malloc((size_t)a->part_buckets * sizeof(int64_t));
    ok = a->slots[i].values && a->slots[i].invalid;
  }
  while (ok && a->threads < threads && pthread_create(&a->thread[a->threads], NULL, thread_main, a) == 0) a->threads++;
  /* The bound is of those that run. */
  atomic_fetch_sub_explicit(&threads_of_all, threads - a->threads, memory_order_relaxed);
  if (a->threads > 0) return a;
  lp_ahead_free(a);
  return NULL;
}

int64_t lp_ahead_frame(const lp_ahead *a) {
  int64_t frame = part_first(a, a->part) + (int64_t)a->taken * a->bucket_frames;
  return frame < a->format.frames ? frame : a->format.frames;
}

uint32_t lp_ahead_bucket_frames(const lp_ahead *a) { return a->bucket_frames; }

int64_t lp_ahead_take(lp_ahead *a, uint32_t buckets, float *out, double *invalid) {
  uint64_t until = lp_monotonic_ns() + PATIENCE_NS;
  uint32_t got = 0;
  pthread_mutex_lock(&a->mutex);
  while (got < buckets && a->part < a->parts) {
    part *p = &a->slots[a->part % a->ring];
    /* Its slot is the part's own once somebody has begun it. */
    uint32_t ready = a->part < a->next ? p->done : 0;
    int error = a->part < a->next ? p->error : 0;
    if (ready == a->taken) {
      if (error != 0 && got == 0) {
        pthread_mutex_unlock(&a->mutex);
        return error;
      }
      uint64_t now = lp_monotonic_ns();
      if (error != 0 || (got > 0 && now >= until)) break;
      lp_wait(&a->more, &a->mutex, got > 0 ? until - now : UINT64_MAX);
      continue;
    }
    uint32_t n = ready - a->taken;
    if (n > buckets - got) n = buckets - got;
    memcpy(out + (size_t)got * a->floats, p->values + (size_t)a->taken * a->floats, (size_t)n * a->floats * sizeof *out);
    for (uint32_t i = 0; i < n; i++) *invalid += (double)p->invalid[a->taken + i];
    got += n;
    a->taken += n;
    if (a->taken == part_buckets(a, a->part)) {
      a->part++;
      a->taken = 0;
      a->oldest = a->part;
      pthread_cond_broadcast(&a->room);
    }
  }
  pthread_mutex_unlock(&a->mutex);
  return got;
}

void lp_ahead_free(lp_ahead *a) {
  if (!a) return;
  pthread_mutex_lock(&a->mutex);
  a->closing = true;
  pthread_cond_broadcast(&a->room);
  pthread_mutex_unlock(&a->mutex);
  for (uint32_t i = 0; i < a->threads; i++) pthread_join(a->thread[i], NULL);
  atomic_fetch_sub_explicit(&threads_of_all, a->threads, memory_order_relaxed);
  for (uint32_t i = 0; i < a->ring; i++) {
    free(a->slots[i].values);
    free(a->slots[i].invalid);
  }
  pthread_cond_destroy(&a->more);
  pthread_cond_destroy(&a->room);
  pthread_mutex_destroy(&a->mutex);
  free(a);
}
