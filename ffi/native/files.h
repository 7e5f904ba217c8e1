/* Open files and decoder cursors. A source's file is opened when it is read and closed when others need its descriptor.
 *
 * A *lease* is the right of one thread to read a source: an open descriptor that nobody closes meanwhile, and a cursor that nobody else
 * moves. Opening and reading happen without the mutex; the bookkeeping on both sides of them under it. */
#ifndef LP_FILES_H
#define LP_FILES_H

#include "store.h"

/* A cursor is a decoder that stands somewhere in a file: the next page continues it without a seek, and gets the bits that a fresh
 * cursor would give. Reading is in two parts, so that a read that hangs holds nothing but the thread's own scratch: fetch
 * brings frames into the scratch, deliver converts them into pages. */
typedef struct lp_cursor lp_cursor;
typedef struct lp_cursor_ops {
  /* [pool] The most frames that one fetch of this source brings into `bytes` of scratch. */
  int64_t (*capacity)(const lp_source *s, uint32_t bytes);
  /* [pool, blocking] Makes the next fetch start at `frame`. 0 or -errno. */
  int (*seek)(lp_cursor *c, int fd, int64_t frame);
  /* [pool, blocking] Brings `frames` frames into scratch, behind the `at` frames that fetches of the same job have brought before, and stands after
   * them. Returns how many, or -errno. Fewer only where the file ends now, or if c->paused: then its step was over, none may have come, and the next
   * fetch goes on. */
  int64_t (*fetch)(lp_cursor *c, int fd, int64_t frames, uint8_t *scratch, int64_t at);
  /* [pool] Converts n frames, beginning `from` frames into what was fetched, to the planes of a page, `at` frames into it. */
  void (*deliver)(const lp_cursor *c, const uint8_t *scratch, int64_t from, int32_t n, uint8_t *const *planes, int32_t at);
  /* [pool] Ends it: frees what seek and fetch have made. */
  void (*close)(lp_cursor *c);
} lp_cursor_ops;

struct lp_cursor {
  const lp_cursor_ops *ops;
  const lp_source *source;
  int64_t frame; /* where it stands */
  int64_t begun; /* where the job began: what `at` and `from` count from */
  uint64_t bytes; /* that the last fetch brought, as the file's frames */
  void *state;   /* the decoder's, for formats that have one */
  bool paused;
  uint32_t broken; /* runs of frames found broken by the last fetch */
  lp_cursor *next;
};

extern const lp_cursor_ops lp_pcm_cursor;
extern const lp_cursor_ops lp_media_cursor; /* every compressed format */
extern const lp_cursor_ops lp_rate_cursor;  /* either, of a source with a resampler */

/* One read, at most. A quarter of a mebibyte costs well under 2 ms to read and convert where the disk is not what we wait
 * for, and is eight pages of 16-bit stereo: enough to make a seeking disk worth its seek. */
#define LP_READ_BYTES 262144u
/* Scratch of a worker, aligned to 64: one read as it lies in the file, what a resampler reads, and its own scratch. Of the last two only what is
 * used has memory. */
#define LP_WINDOW_BYTES 2097152u
#define LP_FILTER_BYTES 4194304u
#define LP_SCRATCH_BYTES (LP_READ_BYTES + LP_WINDOW_BYTES + LP_FILTER_BYTES)

/* [any] Whether the source's resampler makes do with that: it does for every pair of rates that there is. LP_OK or LP_E_UNSUPPORTED. */
int lp_rate_fits(const lp_source *s);

/* When to try again, on the engine's clock: 100 ms after the first failure, then longer, up to 2 s. */
typedef struct lp_backoff {
  uint64_t wait_ns, retry_ns;
} lp_backoff;

/* A page that could not be read, though its file can. */
#define LP_BAD_PAGES 8
typedef struct lp_bad_page {
  int64_t page;
  lp_backoff backoff; /* wait_ns 0: none */
} lp_bad_page;

typedef struct lp_file lp_file;
struct lp_file {
  int fd;          /* -1: closed */
  uint32_t leases; /* of this fd */
  bool condemned;  /* a read failed: no new lease on this fd */
  uint8_t cause;   /* lp_cause of the last failure */
  uint32_t failures; /* of reads, one after another */
  lp_backoff backoff; /* of the file as a whole */
  lp_bad_page bad[LP_BAD_PAGES];
  uint32_t next_bad;
  const lp_cursor_ops *ops;
  lp_cursor *idle; /* cursors not leased */
  lp_file *prev, *next; /* open files, least recently leased first */
};

typedef struct lp_files {
  uint32_t limit;
  _Atomic uint32_t open; /* descriptors open or about to be; read without the mutex, for show */
  lp_file *head, *tail;
} lp_files;

typedef struct lp_lease {
  lp_source *source;
  lp_cursor *cursor;
  int fd;
  int close_fd;  /* to be closed first: its place is ours */
  bool opening;  /* holds a place among the open files, fd is not shared yet */
} lp_lease;

/* [control] */
void lp_files_init(lp_files *f);

/* [under the mutex] NULL: no memory. Takes over fd (-1: none), which holds a place. */
lp_file *lp_file_create(lp_files *f, int fd, const lp_cursor_ops *ops);
/* [under the mutex] Frees a file without leases; returns its fd for the caller to close outside the mutex and give back with
 * lp_files_closed, or -1. */
int lp_file_destroy(lp_files *f, lp_file *file);

/* [under the mutex] Whether to try to read a page now; if not, file->cause says why. */
bool lp_file_may_try(const lp_file *file, int64_t page, uint64_t now_ns);
/* [under the mutex] A read of one page failed (page), or the file as a whole cannot be had (-1). One bad page does not make its neighbours wait;
 * three failures without a success between them are taken for the file's. */
void lp_file_failed(lp_file *file, int64_t page, uint8_t cause, uint64_t now_ns);
void lp_file_succeeded(lp_file *file, int64_t first_page, uint32_t count);

/* [under the mutex] A place for one more open file. False: all are leased. *close_fd: to be closed before (-1: none). */
bool lp_files_place(lp_files *f, int *close_fd);
/* [under the mutex] A place is given back, after its fd was closed. */
void lp_files_closed(lp_files *f);
/* [under the mutex] The system has no descriptor left: makes do with fewer. Returns one to close and give back, or -1. */
int lp_files_shrink(lp_files *f);

/* [under the mutex] False: no place for one more open file now, or no memory. */
bool lp_lease_begin(lp_files *f, lp_source *s, int64_t frame, lp_lease *lease);
/* [under the mutex] As lp_lease_begin for who reads the file without a cursor. */
bool lp_lease_begin_bare(lp_files *f, lp_source *s, lp_lease *lease);
/* [pool, blocking] Opens the file if it has to. 0; -errno; -ESTALE where the file at the path is not the one that was opened first. */
int lp_lease_open(lp_lease *lease);
/* [pool, blocking] After a read: 0 if the file still is what it was, -ESTALE if it changed, or -errno. */
int lp_lease_check(const lp_lease *lease);
/* [under the mutex] Ends it. failed: the descriptor and the cursor are not used again. Returns an fd to close outside the mutex (then
 * lp_files_closed), or -1. */
int lp_lease_end(lp_files *f, lp_lease *lease, bool failed);

#endif
