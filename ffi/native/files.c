#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "disk_wait.h"

#define MOST_OPEN_FILES 1024u
/* Idle cursors kept a source: one a head is usual, two cover a head and its look-ahead. */
#define IDLE_CURSORS 2

#define FIRST_BACKOFF_NS 100000000ull
#define LAST_BACKOFF_NS 2000000000ull
#define FAILURES_OF_A_FILE 3

/* ---- PCM: a cursor without state ------------------------------------------------------------------------ */

static int64_t pcm_capacity(const lp_source *s, uint32_t bytes) { return bytes / s->format.frame_bytes; }

static int pcm_seek(lp_cursor *c, int fd, int64_t frame) {
  (void)fd;
  c->frame = frame;
  return 0;
}

static int64_t pcm_fetch(lp_cursor *c, int fd, int64_t frames, uint8_t *scratch, int64_t at) {
  const lp_pcm_format *format = &c->source->format;
  int64_t n = lp_pcm_read(fd, format, c->frame, frames, scratch + at * format->frame_bytes);
  c->bytes = n > 0 ? (uint64_t)n * format->frame_bytes : 0;
  if (n > 0) c->frame += n;
  return n;
}

/* NaN and infinity of a float file never reach a mix: one of them would silence all that follows in a filter, or a speaker. Found by bits,
 * as the peaks count them. */
static void silence_nonfinite(float *samples, int32_t n) {
  for (int32_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &samples[i], sizeof bits);
    if ((bits & 0x7F800000u) == 0x7F800000u) bits = 0;
    memcpy(&samples[i], &bits, sizeof bits);
  }
}

static void pcm_deliver(const lp_cursor *c, const uint8_t *scratch, int64_t from, int32_t n, uint8_t *const *planes, int32_t at) {
  const lp_source *s = c->source;
  const uint8_t *raw = scratch + from * s->format.frame_bytes;
  if (s->s16) {
    int16_t *out[LP_MAX_CHANNELS];
    for (uint32_t i = 0; i < s->channels; i++) out[i] = (int16_t *)(void *)planes[i] + at;
    lp_pcm_to_s16(&s->format, raw, n, out);
  } else {
    float *out[LP_MAX_CHANNELS];
    for (uint32_t i = 0; i < s->channels; i++) out[i] = (float *)(void *)planes[i] + at;
    lp_pcm_to_f32(&s->format, raw, n, out);
    if (s->format.encoding == LP_ENC_F32 || s->format.encoding == LP_ENC_F64)
      for (uint32_t i = 0; i < s->channels; i++) silence_nonfinite(out[i], n);
  }
}

static void pcm_close(lp_cursor *c) { (void)c; }

const lp_cursor_ops lp_pcm_cursor = {
    .capacity = pcm_capacity, .seek = pcm_seek, .fetch = pcm_fetch, .deliver = pcm_deliver, .close = pcm_close};

/* ---- compressed files: a cursor with a decoder ------------------------------------------------------------ */

/* What a step decodes at most, in time: reading and converting come on top of it. */
#define DECODE_STEP_NS 1500000ull

static int media_seek(lp_cursor *c, int fd, int64_t frame) {
  if (!c->state) c->state = lp_decoder_create(c->source->media);
  if (!c->state) return -ENOMEM;
  int r = lp_decoder_seek(c->state, fd, frame);
  if (r == 0) c->frame = frame;
  return r;
}

static int64_t media_fetch(lp_cursor *c, int fd, int64_t frames, uint8_t *scratch, int64_t at) {
  const uint32_t frame_bytes = c->source->format.frame_bytes;
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  uint64_t deadline_ns = (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec + DECODE_STEP_NS;
  c->broken = 0;
  int64_t n = lp_decoder_read(c->state, fd, frames, scratch + at * frame_bytes, deadline_ns, &c->broken);
  c->paused = n >= 0 && n < frames;
  c->bytes = n > 0 ? (uint64_t)n * frame_bytes : 0;
  if (n > 0) c->frame += n;
  return n;
}

static void media_close(lp_cursor *c) { lp_decoder_free(c->state); }

const lp_cursor_ops lp_media_cursor = {
    .capacity = pcm_capacity, .seek = media_seek, .fetch = media_fetch, .deliver = pcm_deliver, .close = media_close};

/* ---- open files ----------------------------------------------------------------------------------------- */

void lp_files_init(lp_files *f) {
  struct rlimit limit;
  rlim_t most = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 256;
  if (most == RLIM_INFINITY || most / 2 > MOST_OPEN_FILES) most = (rlim_t)MOST_OPEN_FILES * 2;
  memset(f, 0, sizeof *f);
  f->limit = most / 2 < 1 ? 1 : (uint32_t)(most / 2);
}

/* One writer at a time (the mutex), readers want a number: relaxed. */
static uint32_t open_files(const lp_files *f) { return atomic_load_explicit(&f->open, memory_order_relaxed); }
static void set_open_files(lp_files *f, uint32_t n) { atomic_store_explicit(&f->open, n, memory_order_relaxed); }

static void unlist(lp_files *f, lp_file *file) {
  if (file->prev)
    file->prev->next = file->next;
  else
    f->head = file->next;
  if (file->next)
    file->next->prev = file->prev;
  else
    f->tail = file->prev;
  file->prev = file->next = NULL;
}

static void append(lp_files *f, lp_file *file) {
  file->prev = f->tail;
  file->next = NULL;
  if (f->tail)
    f->tail->next = file;
  else
    f->head = file;
  f->tail = file;
}

static int take_fd(lp_files *f, lp_file *file) {
  int fd = file->fd;
  if (fd < 0) return -1;
  unlist(f, file);
  file->fd = -1;
  file->condemned = false;
  return fd;
}

bool lp_files_place(lp_files *f, int *close_fd) {
  *close_fd = -1;
  if (open_files(f) < f->limit) {
    set_open_files(f, open_files(f) + 1);
    return true;
  }
  lp_file *file = f->head;
  while (file && file->leases) file = file->next;
  if (!file) return false;
  *close_fd = take_fd(f, file); /* its place passes on */
  return true;
}

void lp_files_closed(lp_files *f) { set_open_files(f, open_files(f) - 1); }

int lp_files_shrink(lp_files *f) {
  uint32_t open = open_files(f);
  if (open > 1 && open <= f->limit) f->limit = open - 1;
  lp_file *file = f->head;
  while (file && file->leases) file = file->next;
  return file ? take_fd(f, file) : -1;
}

lp_file *lp_file_create(lp_files *f, int fd, const lp_cursor_ops *ops) {
  lp_file *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->fd = fd;
  file->ops = ops;
  if (fd >= 0) append(f, file);
  return file;
}

static void end_cursor(lp_cursor *c) {
  c->ops->close(c);
  free(c);
}

static void end_idle_cursors(lp_file *file) {
  while (file->idle) {
    lp_cursor *c = file->idle;
    file->idle = c->next;
    end_cursor(c);
  }
}

int lp_file_destroy(lp_files *f, lp_file *file) {
  end_idle_cursors(file);
  int fd = take_fd(f, file);
  free(file);
  return fd;
}

/* ---- failures ------------------------------------------------------------------------------------------- */

static void back_off(lp_backoff *b, uint64_t now_ns) {
  b->wait_ns = b->wait_ns == 0 ? FIRST_BACKOFF_NS : b->wait_ns * 2 > LAST_BACKOFF_NS ? LAST_BACKOFF_NS : b->wait_ns * 2;
  b->retry_ns = now_ns + b->wait_ns;
}

bool lp_file_may_try(const lp_file *file, int64_t page, uint64_t now_ns) {
  if (now_ns < file->backoff.retry_ns) return false;
  for (int i = 0; i < LP_BAD_PAGES; i++) {
    const lp_bad_page *bad = &file->bad[i];
    if (bad->page == page && bad->backoff.wait_ns && now_ns < bad->backoff.retry_ns) return false;
  }
  return true;
}

void lp_file_failed(lp_file *file, int64_t page, uint8_t cause, uint64_t now_ns) {
  file->cause = cause;
  bool again = false;
  if (page >= 0) {
    lp_bad_page *bad = NULL;
    for (int i = 0; i < LP_BAD_PAGES && !bad; i++) {
      if (file->bad[i].page == page && file->bad[i].backoff.wait_ns) bad = &file->bad[i];
    }
    if (!bad) {
      bad = &file->bad[file->next_bad++ % LP_BAD_PAGES];
      *bad = (lp_bad_page){.page = page};
    }
    again = bad->backoff.wait_ns != 0;
    back_off(&bad->backoff, now_ns);
  }
  /* One bad spot that is tried again and again says nothing of the rest. */
  if (!again) file->failures++;
  if (page < 0 || file->failures >= FAILURES_OF_A_FILE) back_off(&file->backoff, now_ns);
}

void lp_file_succeeded(lp_file *file, int64_t first_page, uint32_t count) {
  file->failures = 0;
  file->backoff = (lp_backoff){0};
  for (int i = 0; i < LP_BAD_PAGES; i++) {
    if (file->bad[i].page >= first_page && file->bad[i].page < first_page + count) file->bad[i].backoff = (lp_backoff){0};
  }
}

/* ---- leases --------------------------------------------------------------------------------------------- */

/* The idle cursor that stands at the frame; else a new one, so that what another head has read so far is kept; else, where there are enough, the one
 * that has not been used for longest. */
static lp_cursor *lease_cursor(lp_source *s, int64_t frame) {
  lp_cursor **at = NULL, **last = NULL;
  int idle = 0;
  for (lp_cursor **i = &s->file->idle; *i; i = &(*i)->next, idle++) {
    if ((*i)->frame == frame) at = i;
    last = i;
  }
  if (!at && idle >= IDLE_CURSORS) at = last;
  if (at) {
    lp_cursor *c = *at;
    *at = c->next;
    return c;
  }
  lp_cursor *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->ops = s->file->ops;
  c->source = s;
  c->frame = -1;
  return c;
}

bool lp_lease_begin(lp_files *f, lp_source *s, int64_t frame, lp_lease *lease) {
  lp_cursor *cursor = lease_cursor(s, frame);
  if (!cursor) return false;
  bool begun = lp_lease_begin_bare(f, s, lease);
  lease->cursor = cursor;
  if (begun) return true;
  cursor->next = s->file->idle;
  s->file->idle = cursor;
  return false;
}

bool lp_lease_begin_bare(lp_files *f, lp_source *s, lp_lease *lease) {
  lp_file *file = s->file;
  *lease = (lp_lease){.source = s, .fd = -1, .close_fd = -1};
  if (file->fd >= 0 && !file->condemned) {
    lease->fd = file->fd;
    file->leases++;
    unlist(f, file);
    append(f, file);
    return true;
  }
  lease->opening = true;
  return lp_files_place(f, &lease->close_fd);
}

int lp_lease_open(lp_lease *lease) {
  lp_disk_wait_begin();
  if (lease->close_fd >= 0) (void)close(lease->close_fd); /* read only: nothing can be lost */
  lp_disk_wait_end();
  lease->close_fd = -1;
  if (!lease->opening) return 0;
  /* O_NONBLOCK: should a pipe stand there by now, opening it must not wait for a writer. Regular files ignore it. */
  lp_disk_wait_begin();
  do {
    lease->fd = open(lease->source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (lease->fd < 0 && errno == EINTR);
  lp_disk_wait_end();
  return lease->fd < 0 ? -errno : lp_lease_check(lease);
}

int lp_lease_check(const lp_lease *lease) {
  lp_identity now;
  int r = lp_pcm_identity(lease->fd, &now);
  if (r < 0) return r;
  bool same = lp_identity_equal(&now, &lease->source->identity);
  atomic_store_explicit(&lease->source->stale, !same, memory_order_relaxed);
  return same ? 0 : -ESTALE;
}

int lp_lease_end(lp_files *f, lp_lease *lease, bool failed) {
  lp_file *file = lease->source->file;
  if (failed) {
    if (lease->cursor) end_cursor(lease->cursor);
    end_idle_cursors(file); /* they may stand in what is no more */
  } else if (lease->cursor) {
    int kept = 0;
    for (lp_cursor *c = file->idle; c; c = c->next) kept++;
    if (kept >= IDLE_CURSORS) {
      end_cursor(lease->cursor);
    } else {
      lease->cursor->next = file->idle;
      file->idle = lease->cursor;
    }
  }
  lease->cursor = NULL;
  if (lease->opening) {
    if (lease->fd < 0) {
      lp_files_closed(f);
      return -1;
    }
    /* Another thread may have opened it meanwhile, or its descriptor waits for its last lease to end. */
    if (failed || file->fd >= 0) return lease->fd;
    file->fd = lease->fd;
    append(f, file);
    return -1;
  }
  file->leases--;
  if (failed) file->condemned = true;
  return file->condemned && file->leases == 0 ? take_fd(f, file) : -1;
}
