#include "flac_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "disk_wait.h"

#define CHUNK_BYTES 65536
#define MOST_FRAME_BYTES (3u << 20) /* eight channels of 65,535 samples of 33 bits are 2.2 MiB */
#define MOST_METADATA 4096          /* blocks */
#define MOST_SEEK_POINTS 1000000u
#define POINT_SPACING 32768 /* samples between points of the index: its frames between are found by walking headers */
#define OGG_PAGE_BYTES 65307

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* [pool, blocking] Up to n bytes at offset, fewer at the end of the file; or -errno. */
static int64_t read_at(int fd, uint8_t *out, int64_t n, int64_t offset) {
  int64_t done = 0;
  while (done < n) {
    lp_disk_wait_begin();
    ssize_t got = pread(fd, out + done, (size_t)(n - done), (off_t)(offset + done));
    lp_disk_read_end(got);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) break;
    done += got;
  }
  return done;
}

/* ---- bytes of frames, one after another --------------------------------------------------------------------- */

/* A window over the bytes of frames: the file's own, or in Ogg those of our pages with the pages' heads taken away. */
typedef struct reader {
  const lp_flac_file *f;
  int fd;
  uint8_t *buf; /* room + LP_FLAC_PADDING bytes */
  size_t room, at, have;
  int64_t next; /* offset in the file of what follows the window; Ogg: of the next page */
  bool ended;
  bool skip_continued; /* Ogg: begin with the first packet that begins */
  uint8_t *raw;        /* Ogg: the file as it lies, from raw_offset on */
  int64_t raw_offset;
  size_t raw_have;
} reader;

static void reader_free(reader *r) {
  free(r->buf);
  free(r->raw);
}

static void reader_start(reader *r, int64_t offset) {
  r->at = r->have = 0;
  r->next = offset;
  r->ended = false;
  r->skip_continued = true;
}

/* Native only: where the byte at buf[at] lies. */
static int64_t reader_offset(const reader *r, size_t at) { return r->next - (int64_t)(r->have - at); }

/* Ogg: n ≤ 65,307 bytes at offset, or NULL: *error is 0 at the end of the file, else -errno. */
static const uint8_t *ogg_raw(reader *r, int64_t offset, size_t n, int *error) {
  *error = 0;
  if (offset < r->raw_offset || offset + (int64_t)n > r->raw_offset + (int64_t)r->raw_have) {
    if (!r->raw && !(r->raw = malloc(2 * CHUNK_BYTES))) {
      *error = -ENOMEM;
      return NULL;
    }
    int64_t want = r->f->end_offset - offset;
    if (want < (int64_t)n) return NULL;
    int64_t got = read_at(r->fd, r->raw, want < 2 * CHUNK_BYTES ? want : 2 * CHUNK_BYTES, offset);
    r->raw_offset = offset;
    r->raw_have = got > 0 ? (size_t)got : 0;
    if (got < (int64_t)n) {
      *error = got < 0 ? (int)got : 0;
      return NULL;
    }
  }
  return r->raw + (offset - r->raw_offset);
}

typedef struct ogg_page {
  uint8_t flags;
  uint32_t serial;
  int64_t granule;
  uint32_t head, body;  /* bytes */
  uint32_t first_packet; /* into the body: where the first packet that begins here begins; = body: none does */
  const uint8_t *bytes;
} ogg_page;

static uint32_t crc32_table[4][256];
static pthread_once_t crc32_once = PTHREAD_ONCE_INIT;

static void make_crc32(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i << 24;
    for (int bit = 0; bit < 8; bit++) c = c << 1 ^ (c & 0x80000000u ? 0x04C11DB7u : 0);
    crc32_table[0][i] = c;
  }
  for (int k = 1; k < 4; k++)
    for (uint32_t i = 0; i < 256; i++) crc32_table[k][i] = crc32_table[k - 1][i] << 8 ^ crc32_table[0][crc32_table[k - 1][i] >> 24];
}

static uint32_t ogg_crc(uint32_t c, const uint8_t *p, size_t n) {
  for (; n >= 4; n -= 4, p += 4) {
    c ^= lp_be32(p);
    c = crc32_table[3][c >> 24] ^ crc32_table[2][c >> 16 & 0xFF] ^ crc32_table[1][c >> 8 & 0xFF] ^ crc32_table[0][c & 0xFF];
  }
  for (size_t i = 0; i < n; i++) c = c << 8 ^ crc32_table[0][c >> 24 ^ p[i]];
  return c;
}

/* 1: a whole page is at offset, its checksum right; 0: none; or -errno. What a page is does not depend on those before it: so all who
 * read see the same ones. */
static int ogg_page_at(reader *r, int64_t offset, ogg_page *page) {
  int error;
  const uint8_t *p = ogg_raw(r, offset, 27, &error);
  if (!p) return error;
  if (memcmp(p, "OggS", 4) != 0 || p[4] != 0) return 0;
  uint32_t segments = p[26];
  p = ogg_raw(r, offset, 27 + segments, &error);
  if (!p) return error;
  page->flags = p[5];
  page->granule = (int64_t)lp_le64(p + 6);
  page->serial = lp_le32(p + 14);
  page->head = 27 + segments;
  page->body = 0;
  page->first_packet = 0;
  bool begun = !(page->flags & 1);
  for (uint32_t i = 0; i < segments; i++) {
    page->body += p[27 + i];
    if (!begun && p[27 + i] < 255) {
      begun = true;
      page->first_packet = page->body;
    }
  }
  if (!begun) page->first_packet = page->body;
  p = ogg_raw(r, offset, page->head + page->body, &error);
  if (!p) return error;
  page->bytes = p + page->head;
  static const uint8_t none[4] = {0};
  pthread_once(&crc32_once, make_crc32);
  uint32_t crc = ogg_crc(ogg_crc(ogg_crc(0, p, 22), none, 4), p + 26, page->head + page->body - 26);
  return crc == lp_le32(p + 22);
}

/* The next offset ≥ from where "OggS" stands, before `limit`; -1: none, or -errno below -1 … (never EPERM from a read). */
static int64_t ogg_find(reader *r, int64_t from, int64_t limit, int *error) {
  *error = 0;
  while (from + 27 <= limit) {
    size_t n = (size_t)(limit - from < CHUNK_BYTES ? limit - from : CHUNK_BYTES);
    const uint8_t *p = ogg_raw(r, from, n, error);
    if (!p) return -1;
    const uint8_t *hit = memmem(p, n, "OggS", 4);
    if (hit) return from + (hit - p);
    from += (int64_t)n - 3;
  }
  return -1;
}

/* Brings n more bytes of room to buf[have …]. */
static bool reader_room(reader *r, size_t n) {
  if (r->have + n <= r->room) return true;
  if (r->at > 0) {
    memmove(r->buf, r->buf + r->at, r->have - r->at);
    r->have -= r->at;
    r->at = 0;
    if (r->have + n <= r->room) return true;
  }
  size_t room = r->room ? r->room : 2 * CHUNK_BYTES;
  while (room < r->have + n) room *= 2;
  uint8_t *more = realloc(r->buf, room + LP_FLAC_PADDING);
  if (!more) return false;
  memset(more + r->have, 0, room + LP_FLAC_PADDING - r->have); /* the padding must be readable, also to a checker */
  r->buf = more;
  r->room = room;
  return true;
}

/* Reads on. 0 or -errno; at the end r->ended is set. */
static int reader_more(reader *r) {
  if (!r->f->ogg) {
    int64_t want = r->f->end_offset - r->next;
    if (want > CHUNK_BYTES) want = CHUNK_BYTES;
    if (want <= 0) {
      r->ended = true;
      return 0;
    }
    if (!reader_room(r, (size_t)want)) return -ENOMEM;
    int64_t got = read_at(r->fd, r->buf + r->have, want, r->next);
    if (got < 0) return (int)got;
    r->have += (size_t)got;
    r->next += got;
    if (got < want) r->ended = true;
    return 0;
  }
  ogg_page page;
  int there = ogg_page_at(r, r->next, &page);
  if (there < 0) return there;
  if (there == 0) {
    int error;
    int64_t found = ogg_find(r, r->next + 1, r->f->end_offset, &error);
    if (error < 0) return error;
    if (found < 0)
      r->ended = true;
    else
      r->next = found;
    return 0;
  }
  r->next += page.head + page.body;
  if (page.serial != r->f->serial) return 0;
  uint32_t from = r->skip_continued ? page.first_packet : 0;
  if (from == page.body) return 0;
  r->skip_continued = false;
  if (!reader_room(r, page.body - from)) return -ENOMEM;
  memcpy(r->buf + r->have, page.bytes + from, page.body - from);
  r->have += page.body - from;
  return 0;
}

/* Makes n bytes available from r->at on, if there are so many. 0 or -errno. */
static int reader_need(reader *r, size_t n) {
  while (r->have - r->at < n && !r->ended) {
    int e = reader_more(r);
    if (e < 0) return e;
  }
  return 0;
}

/* ---- decoding ----------------------------------------------------------------------------------------------- */

struct lp_flac_decoder {
  const lp_flac_file *f;
  reader r;
  int32_t *planes[8];
  int64_t *wide;
  int64_t pos;               /* the next frame to give */
  int64_t due;               /* the first sample that is not decoded yet: what r stands before, or searches for */
  int64_t block_first;       /* the block in the planes */
  uint32_t block;            /* its length, 0: none */
  bool searching;            /* the stream was lost: look for a frame */
  int64_t silent_from;       /* [silent_from, silent_to) is silence, before the block */
  int64_t silent_to;
};

lp_flac_decoder *lp_flac_decoder_create(const lp_flac_file *f) {
  lp_flac_decoder *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->f = f;
  d->r.f = f;
  d->pos = -1;
  size_t block = f->stream.max_block ? f->stream.max_block : LP_FLAC_MAX_BLOCK;
  bool ok = true;
  for (uint32_t c = 0; c < f->stream.channels; c++) ok = (d->planes[c] = malloc(block * sizeof **d->planes)) && ok;
  if (f->stream.bits == 32) ok = (d->wide = malloc(block * sizeof *d->wide)) && ok;
  if (ok) return d;
  lp_flac_decoder_free(d);
  return NULL;
}

void lp_flac_decoder_free(lp_flac_decoder *d) {
  if (!d) return;
  for (int c = 0; c < 8; c++) free(d->planes[c]);
  free(d->wide);
  reader_free(&d->r);
  free(d);
}

/* A frame is at r->at with header h: decodes it. Its bytes, LP_FLAC_BROKEN (also where the file ends in it), or -errno below -1. */
static int64_t decode_here(lp_flac_decoder *d, const lp_flac_header *h) {
  reader *r = &d->r;
  size_t need = d->f->stream.max_frame_bytes ? d->f->stream.max_frame_bytes : CHUNK_BYTES / 2;
  if (need > MOST_FRAME_BYTES) need = MOST_FRAME_BYTES;
  for (;;) {
    int e = reader_need(r, need);
    if (e < 0) return e == -1 ? -EIO : e; /* -1 says something else here */
    int64_t n = lp_flac_decode(&d->f->stream, h, r->buf + r->at, r->have - r->at, d->planes, d->wide);
    if (n != LP_FLAC_SHORT) return n;
    if (r->ended || need >= MOST_FRAME_BYTES) return LP_FLAC_BROKEN;
    need = (r->have - r->at > need ? r->have - r->at : need) * 2;
  }
}

/* The next frame from where the reader stands into the planes. 1; 0: the file has no more; -EAGAIN: the deadline has passed; or -errno. */
static int next_block(lp_flac_decoder *d, uint64_t deadline_ns) {
  reader *r = &d->r;
  for (;;) {
    int e = reader_need(r, LP_FLAC_HEADER_BYTES);
    if (e < 0) return e;
    if (r->at >= r->have) return 0;
    lp_flac_header h;
    uint32_t head = lp_flac_parse_header(&d->f->stream, r->buf + r->at, r->have - r->at, &h);
    if (!head || h.first < d->due) {
      /* On to the next place that may be one. */
      d->searching = true;
      size_t from = r->at + 1;
      const uint8_t *hit = from < r->have ? memchr(r->buf + from, 0xFF, r->have - from) : NULL;
      r->at = hit ? (size_t)(hit - r->buf) : r->have;
      if (!hit && now_ns() >= deadline_ns) return -EAGAIN;
      continue;
    }
    int64_t n = decode_here(d, &h);
    if (n < 0) return (int)n;
    if (n == LP_FLAC_BROKEN) {
      d->searching = true;
      r->at++;
      if (now_ns() >= deadline_ns) return -EAGAIN;
      continue;
    }
    if (!d->f->ogg && !d->searching && h.first == d->due)
      lp_seek_index_add(d->f->index, (lp_seek_point){h.first, reader_offset(r, r->at)},
                        (lp_seek_point){h.first + h.block, reader_offset(r, r->at + (size_t)n)});
    r->at += (size_t)n;
    d->searching = false;
    d->block_first = h.first;
    d->block = h.block;
    d->silent_from = d->due;
    d->silent_to = h.first;
    d->due = h.first + h.block;
    return 1;
  }
}

static void interleave16(const lp_flac_decoder *d, uint32_t from, int64_t n, int16_t *restrict out) {
  uint32_t channels = d->f->stream.channels, shift = 16 - d->f->stream.bits;
  if (channels == 2) {
    const int32_t *a = d->planes[0] + from, *b = d->planes[1] + from;
    for (int64_t i = 0; i < n; i++) {
      out[2 * i] = (int16_t)((uint32_t)a[i] << shift);
      out[2 * i + 1] = (int16_t)((uint32_t)b[i] << shift);
    }
    return;
  }
  for (uint32_t c = 0; c < channels; c++) {
    const int32_t *a = d->planes[c] + from;
    for (int64_t i = 0; i < n; i++) out[i * channels + c] = (int16_t)((uint32_t)a[i] << shift);
  }
}

static void interleave32(const lp_flac_decoder *d, uint32_t from, int64_t n, int32_t *restrict out) {
  uint32_t channels = d->f->stream.channels, shift = 32 - d->f->stream.bits;
  if (channels == 2) {
    const int32_t *a = d->planes[0] + from, *b = d->planes[1] + from;
    for (int64_t i = 0; i < n; i++) {
      out[2 * i] = (int32_t)((uint32_t)a[i] << shift);
      out[2 * i + 1] = (int32_t)((uint32_t)b[i] << shift);
    }
    return;
  }
  for (uint32_t c = 0; c < channels; c++) {
    const int32_t *a = d->planes[c] + from;
    for (int64_t i = 0; i < n; i++) out[i * channels + c] = (int32_t)((uint32_t)a[i] << shift);
  }
}

int64_t lp_flac_decoder_read(lp_flac_decoder *d, int fd, int64_t frames, uint8_t *out, uint64_t deadline_ns, uint32_t *broken) {
  const lp_flac_file *f = d->f;
  d->r.fd = fd;
  bool narrow = f->stream.bits <= 16;
  size_t frame_bytes = (narrow ? 2 : 4) * (size_t)f->stream.channels;
  if (frames > f->frames - d->pos) frames = f->frames - d->pos;
  int64_t done = 0;
  while (done < frames) {
    uint8_t *to = out + (size_t)done * frame_bytes;
    int64_t n = frames - done;
    if (d->pos < d->silent_to) {
      if (n > d->silent_to - d->pos) n = d->silent_to - d->pos;
      memset(to, 0, (size_t)n * frame_bytes);
      *broken += lp_seek_index_note_broken(f->index, d->silent_from, d->silent_to < f->frames ? d->silent_to : f->frames);
    } else if (d->pos >= d->block_first && d->pos < d->block_first + d->block) {
      uint32_t from = (uint32_t)(d->pos - d->block_first);
      if (n > d->block - from) n = d->block - from;
      if (narrow)
        interleave16(d, from, n, (int16_t *)(void *)to);
      else
        interleave32(d, from, n, (int32_t *)(void *)to);
    } else {
      if (now_ns() >= deadline_ns && done > 0) return done;
      int r = next_block(d, deadline_ns);
      if (r == -EAGAIN) return done;
      if (r < 0) return r;
      if (r == 0) {
        d->silent_from = d->due;
        d->silent_to = d->due = f->frames;
        d->block = 0;
      }
      continue;
    }
    done += n;
    d->pos += n;
  }
  return done;
}

/* ---- finding a place ---------------------------------------------------------------------------------------- */

/* [pool, blocking] The first frame that begins in [from, limit) of a native file and that another follows, or that is the last. 1, 0 or -errno. */
static int probe_native(const lp_flac_file *f, int fd, int64_t from, int64_t limit, lp_seek_point *found) {
  size_t room = f->stream.max_frame_bytes ? 3 * (size_t)f->stream.max_frame_bytes : CHUNK_BYTES;
  if (room < 16384) room = 16384;
  int result = 0;
  while (result == 0 && room <= 2u << 20) {
    uint8_t *buf = malloc(room);
    if (!buf) return -ENOMEM;
    int64_t want = f->end_offset - from;
    int64_t n = read_at(fd, buf, want < (int64_t)room ? want : (int64_t)room, from);
    if (n < 0) result = (int)n;
    lp_flac_header a, b;
    for (int64_t at = 0; result == 0 && n > 0 && (at = lp_flac_find_header(&f->stream, buf, (size_t)n, (size_t)at, &a)) >= 0; at++) {
      if (from + at >= limit) break;
      if (a.first >= f->frames) continue;
      bool follows = a.first + a.block >= f->frames;
      for (int64_t next = at + a.bytes; !follows && (next = lp_flac_find_header(&f->stream, buf, (size_t)n, (size_t)next, &b)) >= 0; next++)
        follows = b.first == a.first + a.block;
      if (!follows) continue;
      *found = (lp_seek_point){a.first, from + at};
      result = 1;
    }
    free(buf);
    if (n < (int64_t)room) break; /* there is no more */
    room *= 4;
  }
  return result;
}

/* The same in Ogg: the first page in which a frame begins. */
static int probe_ogg(reader *r, int64_t from, int64_t limit, lp_seek_point *found) {
  const lp_flac_file *f = r->f;
  int error;
  for (int64_t at = from; (at = ogg_find(r, at, f->end_offset, &error)) >= 0 && at < limit; at++) {
    ogg_page page;
    int there = ogg_page_at(r, at, &page);
    if (there < 0) return there;
    if (there == 0 || page.serial != f->serial || page.first_packet == page.body) continue;
    lp_flac_header h;
    if (!lp_flac_parse_header(&f->stream, page.bytes + page.first_packet, page.body - page.first_packet, &h) || h.first >= f->frames) continue;
    *found = (lp_seek_point){h.first, at};
    return 1;
  }
  return error;
}

static int probe(reader *r, int64_t from, int64_t limit, lp_seek_point *found) {
  return r->f->ogg ? probe_ogg(r, from, limit, found) : probe_native(r->f, r->fd, from, limit, found);
}

/* The last known point at or before `frame`. */
static lp_seek_point known_point(const lp_flac_file *f, int fd, int64_t frame) {
  lp_seek_point best = lp_seek_index_find(f->index, frame);
  uint32_t lo = 0, hi = f->table_count;
  while (lo < hi) {
    uint32_t middle = lo + (hi - lo) / 2;
    if (f->table[middle].first <= frame)
      lo = middle + 1;
    else
      hi = middle;
  }
  for (int tries = 0; lo > 0 && tries < 2; lo--, tries++) {
    lp_seek_point point = f->table[lo - 1];
    if (point.first <= best.first) break;
    uint8_t head[LP_FLAC_HEADER_BYTES];
    lp_flac_header h;
    int64_t n = read_at(fd, head, sizeof head, point.offset);
    /* What the table says is believed when it is so. */
    if (n > 0 && lp_flac_parse_header(&f->stream, head, (size_t)n, &h) && h.first == point.first) return point;
  }
  return best;
}

/* [pool, blocking] Narrows [lo, …) down to a point near before `frame`, by probes of headers. 0 or -errno. */
static int bisect(reader *r, int64_t frame, lp_seek_point *lo) {
  const lp_flac_file *f = r->f;
  lp_seek_point hi = {f->frames, f->end_offset};
  int64_t near = 4 * (int64_t)(f->stream.max_block ? f->stream.max_block : 4096);
  for (int i = 0; i < 48 && hi.offset - lo->offset > CHUNK_BYTES / 2 && frame - lo->first > near; i++) {
    /* Where it would be if all frames were alike, less two frames, so that the first found is at or before it; every third time the middle, since
     * files are not. */
    double share = (double)(frame - lo->first - near / 2) / (double)(hi.first - lo->first);
    int64_t guess = i % 3 == 2 ? lo->offset + (hi.offset - lo->offset) / 2 : lo->offset + (int64_t)((double)(hi.offset - lo->offset) * share);
    if (guess <= lo->offset) guess = lo->offset + 1;
    if (guess >= hi.offset) guess = hi.offset - 1;
    lp_seek_point found;
    int there = probe(r, guess, hi.offset, &found);
    if (there < 0) return there;
    if (there && found.first <= frame && found.first > lo->first)
      *lo = found;
    else if (there && found.first > frame && found.first < hi.first)
      hi = (lp_seek_point){found.first, guess};
    else
      hi.offset = guess; /* nothing begins between here and there that helps */
  }
  return 0;
}

/* Passes frames that end at or before `frame` by their headers alone. */
static int walk(lp_flac_decoder *d, int64_t frame) {
  reader *r = &d->r;
  lp_flac_header h, next;
  int e = reader_need(r, LP_FLAC_HEADER_BYTES);
  if (e < 0) return e;
  if (!lp_flac_parse_header(&d->f->stream, r->buf + r->at, r->have - r->at, &h) || h.first != d->due) return 0;
  while (h.first + h.block <= frame) {
    size_t at = r->at + h.bytes;
    for (;;) {
      int64_t hit = lp_flac_find_header(&d->f->stream, r->buf, r->have, at, &next);
      /* One cut off by the window's end is looked at again when there is more. */
      if (hit >= 0 && next.first == h.first + h.block && (r->ended || r->have - (size_t)hit >= LP_FLAC_HEADER_BYTES)) {
        at = (size_t)hit;
        break;
      }
      if (hit >= 0 && r->have - (size_t)hit >= LP_FLAC_HEADER_BYTES) {
        at = (size_t)hit + 1;
        continue;
      }
      if (r->ended || r->have - r->at > MOST_FRAME_BYTES) return 0; /* broken here: decoding will say how */
      size_t seen = r->have - r->at; /* the window moves */
      e = reader_more(r);
      if (e < 0) return e;
      at = r->at + (seen > LP_FLAC_HEADER_BYTES + h.bytes ? seen - LP_FLAC_HEADER_BYTES : h.bytes);
    }
    r->at = at;
    d->due = next.first;
    h = next;
  }
  return 0;
}

int lp_flac_decoder_seek(lp_flac_decoder *d, int fd, int64_t frame) {
  const lp_flac_file *f = d->f;
  d->r.fd = fd;
  if (d->pos >= 0 && frame >= d->block_first && frame < d->block_first + d->block && d->due == d->block_first + d->block) {
    d->pos = frame; /* it is in the planes */
    return 0;
  }
  /* A little ahead is nearer by reading on. */
  bool ahead = d->pos >= 0 && !d->searching && frame >= d->due && frame - d->due < POINT_SPACING;
  if (!ahead) {
    lp_seek_point point = known_point(f, fd, frame);
    d->pos = -1;
    if (frame - point.first > 2 * POINT_SPACING) {
      int e = bisect(&d->r, frame, &point);
      if (e < 0) return e;
    }
    reader_start(&d->r, point.offset);
    d->due = point.first;
    d->searching = false;
  }
  d->block = 0;
  d->block_first = 0;
  d->silent_from = d->silent_to = 0;
  int e = walk(d, frame);
  if (e < 0) {
    d->pos = -1;
    return e;
  }
  d->pos = frame;
  return 0;
}

/* ---- the index ---------------------------------------------------------------------------------------------- */

static int index_ogg(const lp_flac_file *f, int fd, uint64_t deadline_ns) {
  reader r = {.f = f, .fd = fd};
  int result = 1;
  while (result == 1) {
    bool complete;
    lp_seek_point at = lp_seek_index_frontier(f->index, &complete), next;
    if (complete) {
      result = 0;
      break;
    }
    int there = probe_ogg(&r, at.offset + 1, f->end_offset, &next);
    if (there < 0)
      result = there;
    else if (there == 0)
      lp_seek_index_end(f->index, at);
    else
      lp_seek_index_add(f->index, at, next.first > at.first ? next : (lp_seek_point){at.first + 1, next.offset});
    if (result == 1 && now_ns() >= deadline_ns) break;
  }
  reader_free(&r);
  return result;
}

int lp_flac_index_step(const lp_flac_file *f, int fd, uint64_t deadline_ns) {
  if (f->ogg) return index_ogg(f, fd, deadline_ns);
  bool complete;
  lp_seek_point at = lp_seek_index_frontier(f->index, &complete);
  if (complete) return 0;
  size_t room = 4 * CHUNK_BYTES;
  if (room < 2 * (size_t)f->stream.max_frame_bytes) room = 2 * (size_t)f->stream.max_frame_bytes;
  if (room > 2 * MOST_FRAME_BYTES) room = 2 * MOST_FRAME_BYTES;
  uint8_t *buf = malloc(room);
  if (!buf) return -ENOMEM;
  int result = 1;
  do {
    int64_t want = f->end_offset - at.offset;
    int64_t n = read_at(fd, buf, want < (int64_t)room ? want : (int64_t)room, at.offset);
    if (n < 0) {
      result = (int)n;
      break;
    }
    lp_seek_point begun = at;
    int64_t base = at.offset;
    lp_flac_header h, next;
    size_t here = 0;
    if (n == 0 || !lp_flac_parse_header(&f->stream, buf, (size_t)n, &h) || h.first != at.first) {
      /* The frontier is where a frame begins, unless what stood there is broken: then past it. */
      lp_seek_point found;
      int there = probe_native(f, fd, at.offset + 1, f->end_offset, &found);
      if (there < 0) {
        result = there;
        break;
      }
      if (there == 0 || found.first <= at.first) {
        lp_seek_index_end(f->index, at);
        result = 0;
        break;
      }
      lp_seek_index_add(f->index, at, found);
      at = found;
      continue;
    }
    for (;;) {
      int64_t hit = (int64_t)here + h.bytes - 1;
      do
        hit = lp_flac_find_header(&f->stream, buf, (size_t)n, (size_t)hit + 1, &next);
      while (hit >= 0 && next.first != at.first + h.block);
      if (hit < 0) break;
      lp_seek_point to = {next.first, base + hit};
      lp_seek_index_add(f->index, at, to);
      at = to;
      here = (size_t)hit;
      h = next;
    }
    if (at.offset == begun.offset) {
      if (base + n >= f->end_offset) {
        lp_seek_index_end(f->index, at); /* the last frame */
        result = 0;
        break;
      }
      /* The frame after it is broken. */
      lp_seek_point found;
      int there = probe_native(f, fd, at.offset + 1, f->end_offset, &found);
      if (there <= 0 || found.first <= at.first) {
        result = there < 0 ? there : 0;
        if (result == 0) lp_seek_index_end(f->index, at);
        break;
      }
      lp_seek_index_add(f->index, at, found);
      at = found;
    }
  } while (now_ns() < deadline_ns);
  free(buf);
  return result;
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

static int parse_streaminfo(lp_header *h, const uint8_t *p, lp_flac_stream *s) {
  s->min_block = lp_be16(p);
  s->max_block = lp_be16(p + 2);
  s->min_frame_bytes = lp_be32(p + 3) & 0xFFFFFF;
  s->max_frame_bytes = lp_be32(p + 6) & 0xFFFFFF;
  uint64_t packed = lp_be64(p + 10);
  s->sample_rate = (uint32_t)(packed >> 44);
  s->channels = (uint32_t)(packed >> 41 & 7) + 1;
  s->bits = (uint32_t)(packed >> 36 & 31) + 1;
  s->total = (int64_t)(packed & 0xFFFFFFFFFull);
  memcpy(s->md5, p + 18, 16);
  if (s->sample_rate == 0 || s->sample_rate > 768000) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_RATE, s->sample_rate);
  if (s->bits < 4) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_BITS, s->bits);
  if (s->max_block < 16 || s->min_block > s->max_block) s->min_block = s->max_block = 0; /* not to be believed */
  if (s->min_block == s->max_block) s->fixed_block = s->max_block;
  if (s->max_frame_bytes > MOST_FRAME_BYTES || s->min_frame_bytes > s->max_frame_bytes) s->min_frame_bytes = s->max_frame_bytes = 0;
  return LP_OK;
}

static void fill_format(lp_header *h, const lp_flac_file *f) {
  /* RFC 9639, 9.1.3: the speakers of 3 to 8 channels. */
  static const uint32_t MASKS[9] = {0, 0, 0, 0x7, 0x33, 0x37, 0x3F, 0x70F, 0x63F};
  lp_pcm_format *p = h->format;
  p->sample_rate = f->stream.sample_rate;
  p->channels = f->stream.channels;
  p->bits = f->stream.bits;
  p->sample_bytes = f->stream.bits <= 16 ? 2 : 4;
  p->frame_bytes = p->sample_bytes * p->channels;
  p->encoding = f->stream.bits <= 16 ? LP_ENC_S16 : LP_ENC_S32;
  p->container = f->ogg ? LP_CON_OGG_FLAC : LP_CON_FLAC;
  if (!p->channel_mask) p->channel_mask = MASKS[p->channels];
  p->data_offset = f->audio_offset;
}

/* A speaker mask among the comments, as flac's own tools write it. */
static void parse_comments(lp_header *h, int64_t offset, uint32_t bytes) {
  static const char KEY[] = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x";
  uint8_t text[8192 + 1] = {0};
  uint32_t n = bytes < sizeof text - 1 ? bytes : (uint32_t)sizeof text - 1;
  if (lp_header_bytes(h, offset, n, text) < 0) return;
  const char *hit = memmem(text, n, KEY, sizeof KEY - 1);
  if (!hit) return;
  unsigned long mask = strtoul(hit + sizeof KEY - 1, NULL, 16);
  uint32_t speakers = mask <= 0x3FFFF ? (uint32_t)__builtin_popcountl(mask) : 0;
  h->format->channel_mask = speakers ? (uint32_t)mask : 0;
}

static int parse_seek_table(lp_header *h, lp_flac_file *f, int64_t offset, uint32_t bytes) {
  uint32_t count = bytes / 18;
  if (count == 0 || count > MOST_SEEK_POINTS || f->table) return LP_OK;
  uint8_t *raw = malloc((size_t)count * 18);
  f->table = malloc((size_t)count * sizeof *f->table);
  if (!raw || !f->table) {
    free(raw);
    return LP_E_MEMORY;
  }
  int r = lp_header_bytes(h, offset, count * 18, raw);
  int64_t last = -1;
  for (uint32_t i = 0; r == LP_OK && i < count; i++) {
    uint64_t first = lp_be64(raw + 18 * i), at = lp_be64(raw + 18 * i + 8);
    /* Placeholders, and what is out of order, do not help. */
    if (first >= 1ull << 36 || at > (uint64_t)h->size_bytes || (int64_t)first <= last) continue;
    last = (int64_t)first;
    f->table[f->table_count++] = (lp_seek_point){(int64_t)first, (int64_t)at};
  }
  free(raw);
  return r;
}

static int parse_metadata(lp_header *h, lp_flac_file *f, int64_t at) {
  bool have_info = false;
  at += 4;
  for (int i = 0; i < MOST_METADATA; i++) {
    uint8_t head[4];
    int r = lp_header_bytes(h, at, 4, head);
    if (r < 0) return r;
    uint32_t type = head[0] & 0x7F, bytes = lp_be32(head) & 0xFFFFFF;
    if (type == 127) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_FORMAT, 127);
    if (type == 0 && !have_info) {
      uint8_t info[34];
      if (bytes < 34) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_FORMAT, bytes);
      r = lp_header_bytes(h, at + 4, 34, info);
      if (r == LP_OK) r = parse_streaminfo(h, info, &f->stream);
      have_info = true;
    } else if (!have_info) {
      return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_FORMAT, type);
    } else if (type == 3) {
      r = parse_seek_table(h, f, at + 4, bytes);
    } else if (type == 4) {
      parse_comments(h, at + 4, bytes);
    }
    if (r < 0) return r;
    at += 4 + (int64_t)bytes;
    if (head[0] & 0x80) {
      f->audio_offset = at;
      return LP_OK;
    }
  }
  return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, 0);
}

/* What a first page's packet is of. */
static uint32_t ogg_codec(const ogg_page *page) {
  static const struct {
    const char *magic;
    uint32_t bytes, codec;
  } KNOWN[] = {{"\x01vorbis", 7, LP_OGG_VORBIS}, {"OpusHead", 8, LP_OGG_OPUS}, {"Speex   ", 8, LP_OGG_SPEEX}, {"\x80theora", 7, LP_OGG_VIDEO}};
  for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
    if (page->body >= KNOWN[i].bytes && memcmp(page->bytes, KNOWN[i].magic, KNOWN[i].bytes) == 0) return KNOWN[i].codec;
  return LP_OGG_OTHER;
}

/* Ogg: the first packet is 0x7F "FLAC", versions, a count of header packets, then "fLaC" and STREAMINFO; the next ones are metadata blocks. */
static int parse_ogg(lp_header *h, lp_flac_file *f, reader *r, int64_t at) {
  ogg_page page;
  int there = ogg_page_at(r, at, &page);
  if (there < 0) return lp_header_fail(h, LP_E_IO, LP_WHY_NONE, -there);
  uint32_t codec = LP_OGG_OTHER;
  /* The first pages of a file with several streams begin them all. */
  for (int i = 0; there == 1 && i < 64 && !(page.body >= 51 && memcmp(page.bytes, "\x7F" "FLAC", 5) == 0); i++) {
    uint32_t named = ogg_codec(&page);
    if (codec == LP_OGG_OTHER || codec == LP_OGG_VIDEO) codec = named ? named : codec; /* what sounds is what is missed */
    at += page.head + page.body;
    there = page.flags & 2 ? ogg_page_at(r, at, &page) : 0;
  }
  if (there != 1 || !(page.flags & 2) || memcmp(page.bytes + 9, "fLaC", 4) != 0)
    return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_OGG_CODEC, codec);
  f->serial = page.serial;
  int result = parse_streaminfo(h, page.bytes + 17, &f->stream);
  if (result < 0) return result;
  /* The frames begin with the first packet that begins with a frame's header. */
  at += page.head + page.body;
  for (int i = 0; i < 65536; i++) {
    there = ogg_page_at(r, at, &page);
    if (there < 0) return lp_header_fail(h, LP_E_IO, LP_WHY_NONE, -there);
    if (there == 0) break;
    if (page.serial == f->serial && page.first_packet < page.body && page.bytes[page.first_packet] == 0xFF) {
      f->audio_offset = at;
      return LP_OK;
    }
    at += page.head + page.body;
  }
  return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, 0);
}

/* The end of the last whole frame, by looking from the file's end: 0 if there is none. Negative: -errno. */
static int64_t last_sample(lp_flac_decoder *d) {
  const lp_flac_file *f = d->f;
  if (f->ogg) {
    /* Pages near the end; the last of ours with a granule says how many samples end with it. */
    for (int64_t span = 2 * OGG_PAGE_BYTES;; span *= 8) {
      int64_t from = f->end_offset - span > f->audio_offset ? f->end_offset - span : f->audio_offset, last = 0;
      int error;
      for (int64_t at = from; (at = ogg_find(&d->r, at, f->end_offset, &error)) >= 0; at++) {
        ogg_page page;
        int there = ogg_page_at(&d->r, at, &page);
        if (there < 0) return there;
        if (there && page.serial == f->serial && page.granule > 0 && page.granule < 1ll << 40 && page.granule - f->stream.origin > last)
          last = page.granule - f->stream.origin;
        if (there) at += page.head + page.body - 1;
      }
      if (error < 0) return error;
      if (last > 0 || from == f->audio_offset) return last;
    }
  }
  for (int64_t span = CHUNK_BYTES; span <= 8 << 20; span *= 8) {
    int64_t from = f->end_offset - span > f->audio_offset ? f->end_offset - span : f->audio_offset;
    reader_start(&d->r, from);
    int e = reader_need(&d->r, (size_t)(f->end_offset - from));
    if (e < 0) return e;
    /* From the back: the first that decodes. */
    enum { KEPT = 1024 };
    static const size_t step = KEPT;
    size_t *places = malloc(KEPT * sizeof *places);
    if (!places) return -ENOMEM;
    size_t count = 0;
    lp_flac_header h;
    for (int64_t at = 0; (at = lp_flac_find_header(&f->stream, d->r.buf, d->r.have, (size_t)at, &h)) >= 0; at++) places[count++ % step] = (size_t)at;
    int64_t last = 0;
    for (size_t i = 0; last == 0 && i < (count < step ? count : step); i++) {
      d->r.at = places[(count - 1 - i) % step];
      if (lp_flac_parse_header(&f->stream, d->r.buf + d->r.at, d->r.have - d->r.at, &h) && decode_here(d, &h) > 0) last = h.first + h.block;
    }
    free(places);
    if (last > 0 || from == f->audio_offset) return last;
  }
  return 0;
}

/* [pool, blocking] What the metadata does not say, or says wrongly. */
static int measure(lp_header *h, lp_flac_file *f) {
  lp_flac_decoder *d = lp_flac_decoder_create(f);
  if (!d) return LP_E_MEMORY;
  d->r.fd = h->fd;
  int result = LP_OK;
  /* The first frame: where, its number, its size. */
  reader_start(&d->r, f->audio_offset);
  int e = reader_need(&d->r, CHUNK_BYTES);
  lp_flac_header first;
  int64_t at = e < 0 ? -1 : lp_flac_find_header(&f->stream, d->r.buf, d->r.have, 0, &first);
  if (e < 0) {
    result = lp_header_fail(h, LP_E_IO, LP_WHY_NONE, -e);
  } else if (at < 0) {
    result = lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, 0);
  } else {
    if (!f->ogg) f->audio_offset += at;
    if (!first.variable && !f->stream.fixed_block) {
      f->stream.fixed_block = first.block;
      (void)lp_flac_parse_header(&f->stream, d->r.buf + at, d->r.have - (size_t)at, &first); /* its number by that size: it parsed before */
    }
    f->stream.origin = first.first;
    int64_t last = last_sample(d);
    if (last < 0)
      result = lp_header_fail(h, LP_E_IO, LP_WHY_NONE, (double)-last);
    else if (last == 0)
      result = lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, 0);
    f->frames = f->stream.total && f->stream.total < last ? f->stream.total : last;
    h->format->length_lied = f->stream.total && f->stream.total > last;
    h->format->frames = f->frames;
  }
  lp_flac_decoder_free(d);
  return result;
}

int lp_flac_open(lp_header *h, const lp_identity *identity, int64_t at, lp_flac_file **out) {
  lp_flac_file *f = calloc(1, sizeof *f);
  if (!f) return LP_E_MEMORY;
  f->end_offset = h->size_bytes;
  uint8_t magic[4];
  int r = lp_header_bytes(h, at, 4, magic);
  if (r == LP_OK) {
    f->ogg = memcmp(magic, "OggS", 4) == 0;
    if (f->ogg) {
      reader pages = {.f = f, .fd = h->fd};
      r = parse_ogg(h, f, &pages, at);
      reader_free(&pages);
    } else {
      r = parse_metadata(h, f, at);
    }
  }
  if (r == LP_OK) {
    int64_t after_metadata = f->audio_offset;
    r = measure(h, f);
    for (uint32_t i = 0; i < f->table_count; i++) {
      f->table[i].first -= f->stream.origin;
      f->table[i].offset += after_metadata;
    }
  }
  if (r == LP_OK) {
    fill_format(h, f);
    f->index = lp_seek_index_get(identity, f->audio_offset, POINT_SPACING);
    if (!f->index) r = LP_E_MEMORY;
  }
  if (r < 0) {
    lp_flac_close(f);
    return r;
  }
  *out = f;
  return LP_OK;
}

void lp_flac_close(lp_flac_file *f) {
  if (!f) return;
  lp_seek_index_put(f->index);
  free(f->table);
  free(f);
}
