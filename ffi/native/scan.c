/* Scans: one file read away from the page store, for analysis. Handles are slots of a table under one mutex, which is never held during I/O;
 * each scan has a mutex of its own, so that two threads on one handle take turns and a close waits for who is inside. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ahead.h"
#include "engine.h"
#include "media_file.h"
#include "peaks.h"
#include "seek_index.h"
#include "store_internal.h"

#define MAX_SCANS 4096          /* open files are the scarcer thing */
#define MAX_PATH_BYTES 32768
#define AHEAD_BUCKETS 16 /* asked for in one call */
#define WINDOW_FRAMES 256
#define WINDOW_BYTES (256 << 10) /* one read; small enough to stay in the second-level cache until it is reduced */

typedef struct scan {
  int fd;
  lp_pcm_format format;
  lp_media *media;     /* NULL: not compressed */
  lp_decoder *decoder; /* of media */
  int64_t decoder_at;  /* the frame that it stands at */
  pthread_mutex_t mutex; /* guards what follows, and the file */
  lp_ahead *ahead;       /* NULL: peaks are not asked for in order, or are not worth it */
  int64_t peaks_end;     /* the frame at which the last peaks ended, 0: none */
  uint8_t *window;       /* whole frames of the file from window_first on */
  int64_t window_first;
  int64_t window_frames; /* valid */
  int64_t window_room;
  /* Under the table's mutex: */
  uint32_t users; /* the handle and each call inside */
} scan;

static pthread_mutex_t table_mutex = PTHREAD_MUTEX_INITIALIZER;
static scan *table[MAX_SCANS];
static uint16_t generation[MAX_SCANS]; /* in the handle's upper half, so that a stale one is noticed */

/* ---- handles -------------------------------------------------------------------------------------------- */

static void scan_free(scan *s) {
  lp_ahead_free(s->ahead);
  (void)close(s->fd); /* read only: nothing can be lost */
  lp_decoder_free(s->decoder);
  lp_media_free(s->media);
  pthread_mutex_destroy(&s->mutex);
  free(s->window);
  free(s);
}

/* Positive as an i32, never 0: generations run from 1 to 0x7FFF. */
static int32_t table_add(scan *s) {
  int32_t handle = LP_E_LIMIT;
  pthread_mutex_lock(&table_mutex);
  for (uint32_t i = 0; i < MAX_SCANS; i++) {
    if (table[i] != NULL) continue;
    generation[i] = (uint16_t)(generation[i] % 0x7FFF + 1);
    table[i] = s;
    handle = (int32_t)((uint32_t)generation[i] << 16 | i);
    break;
  }
  pthread_mutex_unlock(&table_mutex);
  return handle;
}

/* The slot of a live handle, or NULL. Under the table's mutex. */
static scan **slot_of(uint32_t handle) {
  uint32_t i = handle & 0xFFFF;
  if (i >= MAX_SCANS || table[i] == NULL || generation[i] != handle >> 16) return NULL;
  return &table[i];
}

/* Keeps the scan alive until scan_leave. */
static scan *scan_enter(uint32_t handle) {
  pthread_mutex_lock(&table_mutex);
  scan **slot = slot_of(handle);
  scan *s = slot ? *slot : NULL;
  if (s) s->users++;
  pthread_mutex_unlock(&table_mutex);
  if (s) pthread_mutex_lock(&s->mutex);
  return s;
}

static void drop_user(scan *s) {
  pthread_mutex_lock(&table_mutex);
  bool last = --s->users == 0;
  pthread_mutex_unlock(&table_mutex);
  if (last) scan_free(s);
}

static void scan_leave(scan *s) {
  pthread_mutex_unlock(&s->mutex);
  drop_user(s);
}

/* ---- reading -------------------------------------------------------------------------------------------- */

/* Frames [first, first + n) of the file into the window. Returns how many, or -errno. */
static int64_t scan_fetch(scan *s, int64_t first, int64_t n) {
  if (!s->media) return lp_pcm_read(s->fd, &s->format, first, n, s->window);
  if (first >= s->format.frames) return 0;
  if (s->decoder_at != first) {
    int r = lp_decoder_seek(s->decoder, s->fd, first);
    if (r < 0) return r;
  }
  uint32_t broken = 0;
  int64_t got = lp_decoder_read(s->decoder, s->fd, n, s->window, UINT64_MAX, &broken);
  s->decoder_at = got < 0 ? -1 : first + got;
  return got;
}

/* The file's bytes from frame `first` on, at most `frames` frames of them, at least one; *got says how many. NULL if the system refused or
 * the file has become shorter than its header had it when it was opened. Small steps forward are served from one larger read. */
static const uint8_t *scan_bytes(scan *s, int64_t first, int64_t frames, int64_t *got) {
  if (first < s->window_first || first >= s->window_first + s->window_frames) {
    /* A lone small read (one column of a drawing) takes no more than it needs; one that goes on takes the whole window. */
    bool goes_on = s->window_frames > 0 && first == s->window_first + s->window_frames;
    int64_t want = goes_on || frames > s->window_room ? s->window_room : frames;
    int64_t n = scan_fetch(s, first, want);
    s->window_first = first;
    s->window_frames = n > 0 ? n : 0;
    if (n <= 0) return NULL;
  }
  int64_t in = first - s->window_first, left = s->window_frames - in;
  *got = frames < left ? frames : left;
  return s->window + in * s->format.frame_bytes;
}

/* A frame position as an integer, or -1 if it is none. */
static int64_t frame_of(double x) { return x >= 0 && x <= 0x1p53 && x == floor(x) ? (int64_t)x : -1; }

/* ---- the surface ---------------------------------------------------------------------------------------- */

int32_t lp_scan_open(const uint8_t *path, uint32_t path_bytes, uint8_t *info_out, uint32_t info_bytes) {
  if (info_out == NULL || info_bytes < sizeof(lp_source_info)) return LP_E_ARGUMENT;
  lp_source_info info;
  memset(&info, 0, sizeof info);
  memcpy(info_out, &info, sizeof info);
  if (path == NULL || path_bytes == 0 || path_bytes > MAX_PATH_BYTES || memchr(path, 0, path_bytes)) return LP_E_ARGUMENT;
  char *name = malloc((size_t)path_bytes + 1);
  scan *s = calloc(1, sizeof *s);
  if (name == NULL || s == NULL) {
    free(name);
    free(s);
    return LP_E_MEMORY;
  }
  memcpy(name, path, path_bytes);
  name[path_bytes] = 0;
  lp_identity identity;
  int32_t r = lp_media_open(name, &s->fd, &s->format, &s->media, &identity, &info.why, &info.why_value);
  free(name);
  if (r < 0) {
    free(s);
    memcpy(info_out, &info, sizeof info);
    return r;
  }
  lp_pcm_info(&s->format, &identity, &info);
  memcpy(info_out, &info, sizeof info);
  s->users = 1;
  /* Whole buckets of the peaks' finest level: a sum that is taken in two parts may round otherwise. */
  s->window_room = WINDOW_BYTES / s->format.frame_bytes / WINDOW_FRAMES * WINDOW_FRAMES;
  s->window = malloc(WINDOW_BYTES);
  s->decoder = s->media ? lp_decoder_create(s->media) : NULL;
  s->decoder_at = -1;
  if (s->window == NULL || (s->media && s->decoder == NULL) || pthread_mutex_init(&s->mutex, NULL) != 0) {
    (void)close(s->fd);
    lp_decoder_free(s->decoder);
    lp_media_free(s->media);
    free(s->window);
    free(s);
    return LP_E_MEMORY;
  }
  int32_t handle = table_add(s);
  if (handle < 0) scan_free(s);
  return handle;
}

int32_t lp_scan_close(uint32_t handle) {
  pthread_mutex_lock(&table_mutex);
  scan **slot = slot_of(handle);
  scan *s = slot ? *slot : NULL;
  if (slot) *slot = NULL;
  pthread_mutex_unlock(&table_mutex);
  if (s == NULL) return LP_E_HANDLE;
  drop_user(s);
  return LP_OK;
}

/* Whoever asks for peaks in order, of a file that is dear to decode, gets them from several threads. */
static bool goes_ahead(scan *s, int64_t first, uint32_t frames_per_bucket, uint32_t buckets) {
  if (s->ahead && (lp_ahead_frame(s->ahead) != first || lp_ahead_bucket_frames(s->ahead) != frames_per_bucket)) {
    lp_ahead_free(s->ahead);
    s->ahead = NULL;
  }
  /* Not at once: the first of an import is to be there first. Nor for the columns of a drawing, one by one. */
  if (!s->ahead && s->media && buckets >= AHEAD_BUCKETS && first > 0 && first == s->peaks_end)
    s->ahead = lp_ahead_start(s->media, &s->format, s->fd, first, frames_per_bucket);
  return s->ahead != NULL;
}

/* Reduces [first, first + frames) into one bucket. */
static int32_t reduce(scan *s, int64_t first, int64_t frames, lp_peaks *bucket) {
  lp_peaks_reset(bucket);
  while (frames > 0) {
    int64_t got;
    const uint8_t *raw = scan_bytes(s, first, frames, &got);
    if (raw == NULL) return LP_E_IO;
    lp_peaks_add(bucket, &s->format, raw, got);
    first += got;
    frames -= got;
  }
  return LP_OK;
}

int32_t lp_scan_peaks(uint32_t handle, double start_frame, uint32_t frames_per_bucket, uint32_t buckets, float *out, uint32_t out_floats, double *invalid) {
  int64_t first = frame_of(start_frame);
  if (first < 0 || frames_per_bucket == 0 || buckets > INT32_MAX || out == NULL || invalid == NULL) return LP_E_ARGUMENT;
  scan *s = scan_enter(handle);
  if (s == NULL) return LP_E_HANDLE;
  int32_t done = 0;
  uint32_t floats = 3 * lp_peaks_planes(&s->format);
  if ((uint64_t)buckets * floats > out_floats) {
    done = LP_E_ARGUMENT;
  } else if (goes_ahead(s, first, frames_per_bucket, buckets)) {
    int64_t got = lp_ahead_take(s->ahead, buckets, out, invalid);
    done = got < 0 ? LP_E_IO : (int32_t)got;
    s->peaks_end = lp_ahead_frame(s->ahead);
  } else {
    for (uint32_t i = 0; i < buckets && first < s->format.frames; i++) {
      int64_t n = s->format.frames - first;
      if (n > frames_per_bucket) n = frames_per_bucket;
      /* Tell the reader how far this call goes on, not only this bucket. */
      if (first >= s->window_first + s->window_frames || first < s->window_first) {
        int64_t all = (int64_t)frames_per_bucket * (buckets - i), got;
        if (scan_bytes(s, first, all < s->format.frames - first ? all : s->format.frames - first, &got) == NULL) {
          done = LP_E_IO;
          break;
        }
      }
      lp_peaks bucket;
      int32_t r = reduce(s, first, n, &bucket);
      if (r < 0) {
        done = r;
        break;
      }
      lp_peaks_result(&bucket, &s->format, out + (uint64_t)i * floats);
      *invalid += (double)bucket.invalid;
      first += n;
      done++;
    }
    s->peaks_end = first;
  }
  scan_leave(s);
  return done;
}

int32_t lp_scan_read(uint32_t handle, double start_frame, uint32_t frames, float *out, uint32_t out_floats) {
  int64_t first = frame_of(start_frame);
  if (first < 0 || frames > INT32_MAX || out == NULL) return LP_E_ARGUMENT;
  scan *s = scan_enter(handle);
  if (s == NULL) return LP_E_HANDLE;
  int64_t done = 0;
  int32_t failure = LP_OK;
  if ((uint64_t)frames * s->format.channels > out_floats) {
    failure = LP_E_ARGUMENT;
  } else {
    int64_t end = s->format.frames < first ? first : s->format.frames;
    int64_t want = frames < end - first ? frames : end - first;
    while (done < want) {
      int64_t got;
      const uint8_t *raw = scan_bytes(s, first + done, want - done, &got);
      if (raw == NULL) {
        failure = LP_E_IO;
        break;
      }
      float *planes[8];
      for (uint32_t c = 0; c < s->format.channels; c++) planes[c] = out + (uint64_t)c * frames + done;
      lp_pcm_to_f32(&s->format, raw, got, planes);
      done += got;
    }
  }
  scan_leave(s);
  return failure < 0 ? failure : (int32_t)done;
}

/* ---- indexes -------------------------------------------------------------------------------------------- */

int32_t lp_scan_index_step(uint32_t handle, double budget_ms) {
  if (!(budget_ms >= 0 && budget_ms <= 1000)) return LP_E_ARGUMENT;
  scan *s = scan_enter(handle);
  if (s == NULL) return LP_E_HANDLE;
  int r = lp_media_needs_index(s->media) ? lp_media_index_step(s->media, s->fd, lp_monotonic_ns() + (uint64_t)(budget_ms * 1e6)) : 0;
  scan_leave(s);
  return r < 0 ? LP_E_IO : r;
}

int32_t lp_scan_index_take(uint32_t handle, uint8_t *out, uint32_t out_bytes) {
  if (out == NULL && out_bytes > 0) return LP_E_ARGUMENT;
  scan *s = scan_enter(handle);
  if (s == NULL) return LP_E_HANDLE;
  uint64_t bytes = s->media ? lp_seek_index_pack(lp_media_index(s->media), out, out_bytes) : 0;
  scan_leave(s);
  return bytes > INT32_MAX ? LP_E_LIMIT : (int32_t)bytes;
}

int32_t lp_index_give(const uint8_t *bytes, uint32_t bytes_count) { return bytes == NULL ? LP_E_ARGUMENT : lp_seek_index_unpack(bytes, bytes_count); }
