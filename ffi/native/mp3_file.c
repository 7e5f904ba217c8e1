#include "mp3_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "disk_wait.h"
#include "float_mode.h"
#include "mp3_decode.h"


#define WINDOW_BYTES 65536
#define MOST_JUNK (4 << 20)  /* between two frames */
#define MOST_LEAD (1 << 20)  /* before the first one */
#define POINT_SPACING 16     /* frames between points of the index */
#define WARM_MOST 96         /* frames */
#define WARM_LEAST 10
#define WARM_AFTER 4         /* frames after the reservoir is full */
#define RUN_FRAMES 256
#define DECODER_DELAY 529

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* ---- the file's bytes ----------------------------------------------------------------------------------------- */

typedef struct window {
  int fd;
  int error; /* -errno of the last read */
  int64_t end;
  int64_t at;
  int64_t have;
  uint8_t *bytes; /* WINDOW_BYTES */
} window;

/* n ≤ WINDOW_BYTES bytes at offset; NULL beyond the end, or where a read failed (error). */
static const uint8_t *look(window *w, int64_t offset, int64_t n) {
  if (n > w->end - offset || offset < 0) return NULL;
  if (offset < w->at || offset + n > w->at + w->have) {
    int64_t want = w->end - offset < WINDOW_BYTES ? w->end - offset : WINDOW_BYTES, done = 0;
    while (done < want) {
      lp_disk_wait_begin();
      ssize_t got = pread(w->fd, w->bytes + done, (size_t)(want - done), (off_t)(offset + done));
      lp_disk_read_end(got);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) {
        w->error = -errno;
        w->have = 0;
        return NULL;
      }
      if (got == 0) break; /* the file has become shorter */
      done += got;
    }
    w->at = offset;
    w->have = done;
    if (done < n) return NULL;
  }
  return w->bytes + (offset - w->at);
}

/* ---- headers -------------------------------------------------------------------------------------------------- */

typedef struct mpeg_header {
  uint32_t layer, rate, channels, samples;
  uint32_t bytes; /* of the frame, 0: free format */
  uint32_t side;  /* bytes of header, checksum and side information */
} mpeg_header;

static bool parse(const uint8_t *p, mpeg_header *h) {
  static const uint16_t KBPS[5][15] = {
    {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448}, /* MPEG-1 layer I */
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},    /* II */
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},     /* III */
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},    /* MPEG-2 layer I */
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},         /* II, III */
  };
  static const uint32_t HZ[3] = {44100, 48000, 32000};
  if (p[0] != 0xFF || (p[1] & 0xE0) != 0xE0) return false;
  uint32_t version = p[1] >> 3 & 3, layer = 4 - (p[1] >> 1 & 3), kbps = p[2] >> 4, rate = p[2] >> 2 & 3, pad = p[2] >> 1 & 1;
  if (version == 1 || layer == 4 || kbps == 15 || rate == 3) return false;
  bool mpeg1 = version == 3;
  if (version == 0 && layer != 3) return false; /* MPEG-2.5 has layer III alone */
  h->layer = layer;
  h->rate = HZ[rate] >> (mpeg1 ? 0 : version == 2 ? 1 : 2);
  h->channels = p[3] >> 6 == 3 ? 1 : 2;
  h->samples = layer == 1 ? 384 : layer == 3 && !mpeg1 ? 576 : 1152;
  uint32_t bits = KBPS[mpeg1 ? layer - 1 : layer == 1 ? 3 : 4][kbps] * 1000u;
  h->bytes = bits == 0 ? 0 : layer == 1 ? (12 * bits / h->rate + pad) * 4 : h->samples / 8 * bits / h->rate + pad;
  h->side = 4 + (p[1] & 1 ? 0 : 2) + (mpeg1 ? h->channels == 1 ? 17 : 32 : h->channels == 1 ? 9 : 17);
  if (h->bytes && layer == 3 && h->bytes < h->side) return false;
  return true;
}

static bool is_like(const uint8_t *a, const uint8_t *p) { return p[0] == 0xFF && (p[1] & 0xFE) == (a[1] & 0xFE) && (p[2] & 0x0C) == (a[2] & 0x0C); }

/* The bytes of an ID3v2 tag at p (10 bytes), or 0. */
static int64_t id3v2_bytes(const uint8_t *p) {
  if (memcmp(p, "ID3", 3) != 0 || p[3] == 0xFF || p[4] == 0xFF || ((p[6] | p[7] | p[8] | p[9]) & 0x80)) return 0;
  return 10 + ((int64_t)p[6] << 21 | p[7] << 14 | p[8] << 7 | p[9]) + (p[5] & 0x10 ? 10 : 0);
}

typedef struct frame_place {
  int64_t offset;
  mpeg_header header;
} frame_place;

/* A whole frame like `like` at offset. */
static bool frame_at(window *w, const uint8_t *like, int64_t offset, mpeg_header *h) {
  const uint8_t *p = look(w, offset, 4);
  return p && is_like(like, p) && parse(p, h) && h->bytes && h->bytes <= w->end - offset;
}

/* Whether what stands at offset may come after a frame. */
static bool may_follow(window *w, const uint8_t *like, int64_t offset) {
  if (offset >= w->end) return true;
  mpeg_header h;
  return frame_at(w, like, offset, &h);
}

/* The first frame at or after offset. 1, 0: none, or -errno. */
static int next_frame(window *w, const uint8_t *like, int64_t offset, frame_place *place) {
  w->error = 0;
  place->offset = offset;
  if (frame_at(w, like, offset, &place->header)) return 1;
  int64_t most = offset + MOST_JUNK < w->end ? offset + MOST_JUNK : w->end;
  while (offset < most) {
    const uint8_t *p = look(w, offset, 10);
    if (w->error) return w->error;
    if (!p) break;
    int64_t tag = id3v2_bytes(p);
    if (tag && tag <= w->end - offset) {
      offset += tag;
      most = offset + MOST_JUNK < w->end ? offset + MOST_JUNK : w->end;
      if (frame_at(w, like, offset, &place->header)) {
        place->offset = offset;
        return 1;
      }
      continue;
    }
    place->offset = offset;
    if (frame_at(w, like, offset, &place->header) && may_follow(w, like, offset + place->header.bytes)) return 1;
    if (w->error) return w->error;
    offset++;
    /* To the next byte that may begin a header or a tag. */
    const uint8_t *rest = look(w, offset, 1);
    if (!rest) break;
    int64_t n = w->at + w->have - offset;
    const uint8_t *sync = memchr(rest, 0xFF, (size_t)n), *id3 = memchr(rest, 'I', (size_t)n);
    const uint8_t *hit = !sync ? id3 : !id3 || sync < id3 ? sync : id3;
    offset = hit ? offset + (hit - rest) : offset + n;
  }
  return w->error;
}

/* ---- the index ------------------------------------------------------------------------------------------------ */

/* Walks one frame on from the frontier. 1, 0: there is none, or -errno. */
static int index_one(const lp_mp3_file *f, window *w, lp_seek_point *frontier) {
  frame_place place;
  int there = next_frame(w, f->like, frontier->offset, &place);
  if (there == 0) lp_seek_index_end(f->index, *frontier);
  if (there <= 0) return there;
  lp_seek_point next = {frontier->first + 1, place.offset + place.header.bytes};
  lp_seek_index_add(f->index, *frontier, next);
  *frontier = next;
  return 1;
}

/* 1: `frame` is known or known not to be (frames beyond the end); -EAGAIN; -errno. */
static int index_until(const lp_mp3_file *f, window *w, int64_t frame, uint64_t deadline_ns) {
  bool complete;
  lp_seek_point frontier = lp_seek_index_frontier(f->index, &complete);
  for (int i = 1; !complete && frontier.first <= frame; i++) {
    int r = index_one(f, w, &frontier);
    if (r < 0) return r;
    if (r == 0) break;
    if (i % 64 == 0 && now_ns() >= deadline_ns) return -EAGAIN;
  }
  return 1;
}

int lp_mp3_index_step(const lp_mp3_file *f, int fd, uint64_t deadline_ns) {
  window w = {.fd = fd, .end = f->end_offset, .bytes = malloc(WINDOW_BYTES)};
  if (!w.bytes) return -ENOMEM;
  int r = index_until(f, &w, INT64_MAX - 1, deadline_ns);
  free(w.bytes);
  return r == 1 ? 0 : r == -EAGAIN ? 1 : r;
}

/* ---- decoding ------------------------------------------------------------------------------------------------- */

struct lp_mp3_decoder {
  const lp_mp3_file *f;
  window w;
  lp_mp3_decode *decode;
  int64_t pos;           /* the next sample to give, -1: none */
  bool running;          /* the decoder has what came before `next`, at `next_offset` */
  int64_t begun_for;     /* the frame that the warm-up was begun for: those before it would come out otherwise */
  bool whole_run;        /* it began where the contents are defined to begin */
  int64_t base;          /* the multiple of RUN_FRAMES that it was begun for, or -1 */
  int64_t next;          /* frame */
  int64_t next_offset;
  int64_t warm_until;    /* failures before this frame are expected: the reservoir was not full */
  int64_t last_failure;  /* frame, -1: none since the run began */
  int64_t ready;         /* the frame in pcm, -1: none */
  int64_t goal;          /* the frame that the run is on its way to */
  float pcm[2 * LP_MP3_FRAME_SAMPLES];
};

lp_mp3_decoder *lp_mp3_decoder_create(const lp_mp3_file *f) {
  lp_mp3_decoder *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->f = f;
  d->pos = d->ready = d->last_failure = d->goal = -1;
  d->w = (window){.fd = -1, .end = f->end_offset, .bytes = malloc(WINDOW_BYTES)};
  d->decode = lp_mp3_decode_create();
  if (d->w.bytes && d->decode) return d;
  lp_mp3_decoder_free(d);
  return NULL;
}

void lp_mp3_decoder_free(lp_mp3_decoder *d) {
  if (!d) return;
  free(d->w.bytes);
  lp_mp3_decode_free(d->decode);
  free(d);
}

/* MPEG-1 has 9 bits for how far back a frame's data begin, the others 8. */
static uint32_t reservoir_bytes(const lp_mp3_file *f) { return f->like[1] & 0x08 ? 511 : 255; }

/* Prepares to decode `frame` with its canonical warm-up before it. 0, -EAGAIN or -errno. */
static int start(lp_mp3_decoder *d, int64_t frame, uint64_t deadline_ns) {
  const lp_mp3_file *f = d->f;
  d->running = false;
  int r = index_until(f, &d->w, frame, deadline_ns);
  if (r < 0) return r;
  int64_t earliest = frame > WARM_MOST ? frame - WARM_MOST : 0;
  lp_seek_point point = lp_seek_index_find(f->index, earliest);
  int64_t offsets[WARM_MOST + 1];
  uint32_t main_bytes[WARM_MOST + 1];
  int64_t at = point.first, offset = point.offset;
  for (; at < frame; at++) {
    frame_place place;
    r = next_frame(&d->w, f->like, offset, &place);
    if (r < 0) return r;
    if (r == 0) break; /* the file has fewer frames: nothing to decode there */
    if (at >= earliest) {
      offsets[at - earliest] = offset;
      main_bytes[at - earliest] = place.header.bytes - place.header.side;
    }
    offset = place.offset + place.header.bytes;
  }
  int64_t begin = frame, full = frame; /* frames from `full` on have a full reservoir before them */
  if (at < frame) {
    begin = full = at;
  } else {
    uint32_t bytes = 0, after = 0, reservoir = reservoir_bytes(f);
    while (begin > earliest && (frame - begin < WARM_LEAST || bytes < reservoir)) {
      /* The four frames next to `frame` are decoded with a full reservoir: their own bytes do not fill it. */
      if (after < WARM_AFTER)
        after++;
      else
        bytes += main_bytes[begin - 1 - earliest];
      begin--;
    }
    full = begin;
    for (uint32_t filled = 0; full < frame && filled < reservoir; full++) filled += main_bytes[full - earliest];
    if (begin == 0) full = frame; /* what the first frames lack is in no file */
    offset = begin < frame ? offsets[begin - earliest] : offset;
  }
  lp_mp3_decode_reset(d->decode);
  d->running = true;
  d->begun_for = frame;
  d->whole_run = begin == 0 || frame % RUN_FRAMES == 0;
  d->base = frame % RUN_FRAMES == 0 ? frame : -1;
  d->next = begin;
  d->next_offset = offset;
  d->warm_until = full;
  d->last_failure = -1;
  d->ready = -1;
  return 0;
}

/* Decodes frame d->next. 1, 0: the file has no more, or -errno. */
static int decode_one(lp_mp3_decoder *d) {
  const lp_mp3_file *f = d->f;
  frame_place place;
  int r = next_frame(&d->w, f->like, d->next_offset, &place);
  lp_seek_point here = {d->next, d->next_offset};
  if (r == 0) lp_seek_index_end(f->index, here);
  if (r <= 0) return r;
  const uint8_t *p = look(&d->w, place.offset, place.header.bytes);
  if (!p) return d->w.error ? d->w.error : 0;
  int channels;
  int samples = lp_mp3_decode_frame(d->decode, p, (int)place.header.bytes, d->pcm, &channels);
  if (samples != (int)f->frame_samples) {
    memset(d->pcm, 0, sizeof d->pcm);
    if (d->next >= d->warm_until) d->last_failure = d->next;
  } else if (channels == 1 && f->channels == 2) {
    for (int i = samples - 1; i >= 0; i--) d->pcm[2 * i] = d->pcm[2 * i + 1] = d->pcm[i];
  } else if (channels == 2 && f->channels == 1) {
    for (int i = 0; i < samples; i++) d->pcm[i] = 0.5f * (d->pcm[2 * i] + d->pcm[2 * i + 1]);
  }
  d->ready = d->next;
  d->next++;
  d->next_offset = place.offset + place.header.bytes;
  lp_seek_index_add(f->index, here, (lp_seek_point){d->next, d->next_offset});
  return 1;
}

/* Makes d->ready the frame. 1, 0: the file has no such frame, -EAGAIN or -errno. */
static int make_ready(lp_mp3_decoder *d, int64_t frame, uint64_t deadline_ns) {
  if (d->ready == frame && frame >= d->begun_for) return 1;
  bool on_the_way = d->goal == frame;
  d->goal = frame;
  /* Far ahead, a warm-up is the shorter way. One that was paused is of no use to a frame within it. */
  if (!d->running || d->next > frame || frame < d->begun_for || (!on_the_way && frame - d->next > WARM_LEAST + WARM_AFTER)) {
    int r = start(d, frame, deadline_ns);
    if (r < 0) return r;
  }
  for (;;) {
    bool damaged = d->last_failure >= 0 && d->next - d->last_failure <= WARM_MOST;
    int64_t begin = d->next % RUN_FRAMES == 0 ? d->next : d->next == frame && !d->whole_run ? frame - frame % RUN_FRAMES : -1;
    if (damaged && begin >= 0 && begin != d->base) {
      int r = start(d, begin, deadline_ns);
      if (r < 0) return r;
      continue;
    }
    int r = decode_one(d);
    if (r <= 0) {
      if (r < 0) d->running = false;
      return r;
    }
    if (d->ready == frame) return 1;
    if (now_ns() >= deadline_ns) return -EAGAIN;
  }
}

int lp_mp3_decoder_seek(lp_mp3_decoder *d, int fd, int64_t frame) {
  d->w.fd = fd;
  d->pos = frame; /* reading finds the way */
  return 0;
}

/* Samples of the file, from those of its frames. */
static int64_t sample_of(const lp_mp3_file *f, int64_t frame) {
  int64_t sample = frame * f->frame_samples - f->skip;
  return sample < 0 ? 0 : sample > f->frames ? f->frames : sample;
}

/* Whether a frame may need data from before the file's first one: it was cut off, which is no damage. */
static bool may_lack_begin(lp_mp3_decoder *d, int64_t frame) {
  if (frame < WARM_LEAST) return true;
  if (frame >= WARM_MOST) return false;
  uint32_t bytes = 0;
  lp_seek_point first = lp_seek_index_find(d->f->index, 0);
  int64_t offset = first.offset;
  for (int64_t at = 0; at < frame && bytes < reservoir_bytes(d->f); at++) {
    frame_place place;
    if (next_frame(&d->w, d->f->like, offset, &place) <= 0) return true;
    bytes += place.header.bytes - place.header.side;
    offset = place.offset + place.header.bytes;
  }
  return bytes < reservoir_bytes(d->f);
}

static bool note_frame(const lp_mp3_file *f, int64_t frame) {
  return lp_seek_index_note_broken(f->index, sample_of(f, frame), sample_of(f, frame + 1));
}

/* The file has fewer frames than its header says. */
static bool note_end(const lp_mp3_file *f) {
  bool complete;
  lp_seek_point end = lp_seek_index_frontier(f->index, &complete);
  return complete && lp_seek_index_note_broken(f->index, sample_of(f, end.first), f->frames);
}

int64_t lp_mp3_decoder_read(lp_mp3_decoder *d, int fd, int64_t frames, uint8_t *out, uint64_t deadline_ns, uint32_t *broken) {
  const lp_mp3_file *f = d->f;
  d->w.fd = fd;
  size_t frame_bytes = sizeof(float) * f->channels;
  if (frames > f->frames - d->pos) frames = f->frames - d->pos;
  uint64_t mode = lp_float_mode_flush(); /* the same bits in every thread */
  int64_t done = 0, result = 0;
  while (done < frames) {
    int64_t sample = d->pos + f->skip, frame = sample / f->frame_samples, in = sample % f->frame_samples;
    int64_t n = f->frame_samples - in;
    if (n > frames - done) n = frames - done;
    int r = make_ready(d, frame, deadline_ns);
    if (r == -EAGAIN) break;
    if (r < 0) {
      result = r;
      break;
    }
    if (r == 0) {
      memset(out + (size_t)done * frame_bytes, 0, (size_t)n * frame_bytes);
      *broken += note_end(f);
    } else {
      memcpy(out + (size_t)done * frame_bytes, d->pcm + (size_t)in * f->channels, (size_t)n * frame_bytes);
      if (d->last_failure == frame && !may_lack_begin(d, frame)) *broken += note_frame(f, frame);
    }
    done += n;
    d->pos += n;
    if (done < frames && now_ns() >= deadline_ns) break;
  }
  lp_float_mode_restore(mode);
  return done > 0 ? done : result;
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

/* Where tags at the end begin: ID3v1, APEv1/2, Lyrics3 in any order, as they nest. */
static int64_t without_tags(lp_header *h, int64_t begin) {
  int64_t end = h->size_bytes;
  for (int i = 0; i < 8; i++) {
    uint8_t p[128];
    int64_t was = end;
    if (end - begin >= 128 && lp_header_bytes(h, end - 128, 128, p) == LP_OK && memcmp(p, "TAG", 3) == 0) {
      end -= 128;
    } else if (end - begin >= 32 && lp_header_bytes(h, end - 32, 32, p) == LP_OK && memcmp(p, "APETAGEX", 8) == 0) {
      int64_t bytes = lp_le32(p + 12);
      if (lp_le32(p + 20) & 0x80000000u) bytes += 32;
      if (bytes >= 32 && bytes <= end - begin) end -= bytes;
    } else if (end - begin >= 15 && lp_header_bytes(h, end - 15, 15, p) == LP_OK && memcmp(p + 6, "LYRICS200", 9) == 0) {
      int64_t bytes = 15;
      for (int k = 0; k < 6; k++) bytes += p[k] >= '0' && p[k] <= '9' ? (p[k] - '0') * (int64_t[]){100000, 10000, 1000, 100, 10, 1}[k] : INT32_MAX;
      if (bytes <= end - begin) end -= bytes;
    }
    if (end == was) break;
  }
  return end;
}

/* A chain of frames of any layer that begins at offset: how many follow each other, at most `most`. complete: it reaches the end. */
static int chain(window *w, int64_t offset, int most, mpeg_header *first, bool *complete) {
  uint8_t like[4];
  const uint8_t *p = look(w, offset, 4);
  *complete = false;
  if (!p || !parse(p, first) || !first->bytes || first->bytes > w->end - offset) return 0;
  memcpy(like, p, 4);
  int n = 0;
  mpeg_header h;
  while (n < most && frame_at(w, like, offset, &h)) {
    offset += h.bytes;
    n++;
  }
  *complete = offset >= w->end;
  return n;
}

/* Frames without a bit rate are as long as the distance to the next one: three at equal distances (but for padding). */
static bool is_free_format(window *w, int64_t offset) {
  const uint8_t *p = look(w, offset, 4);
  mpeg_header h;
  if (!p || !parse(p, &h) || h.bytes) return false;
  int64_t n = w->end - offset < 3 * 2881 + 4 ? w->end - offset : 3 * 2881 + 4;
  p = look(w, offset, n);
  if (!p) return false;
  for (int64_t k = 24; k < 2881 && 2 * k + 5 < n; k++) {
    if (!is_like(p, p + k) || (p[k + 2] >> 4) != 0) continue;
    for (int64_t j = 2 * k - 1; j <= 2 * k + 1; j++) {
      if (is_like(p, p + j) && (p[j + 2] >> 4) == 0) return true;
    }
  }
  return false;
}

/* What an encoder says of the whole file in a first frame without sound. */
typedef struct info_frame {
  bool there;
  int64_t frames; /* -1: it does not say */
  int64_t bytes;  /* from the first byte of this frame on, -1 */
  uint32_t delay, padding;
  bool has_delay;
} info_frame;

static info_frame parse_info(const uint8_t *p, const mpeg_header *h) {
  info_frame info = {.frames = -1, .bytes = -1};
  uint32_t n = h->bytes, places[2] = {h->side, h->side - (p[1] & 1 ? 0 : 2)}; /* some writers forget the checksum's two bytes */
  for (int i = 0; i < 2 && !info.there; i++) {
    uint32_t at = places[i];
    if (at + 8 > n || (memcmp(p + at, "Xing", 4) != 0 && memcmp(p + at, "Info", 4) != 0)) continue;
    info.there = true;
    uint32_t flags = lp_be32(p + at + 4);
    at += 8;
    if ((flags & 1) && at + 4 <= n) info.frames = lp_be32(p + at);
    if (flags & 1) at += 4;
    if ((flags & 2) && at + 4 <= n) info.bytes = lp_be32(p + at);
    if (flags & 2) at += 4;
    if (flags & 4) at += 100;
    if (flags & 8) at += 4;
    if (at + 24 <= n && (memcmp(p + at, "LAME", 4) == 0 || memcmp(p + at, "Lavf", 4) == 0 || memcmp(p + at, "Lavc", 4) == 0 ||
                         memcmp(p + at, "GOGO", 4) == 0 || memcmp(p + at, "L3.", 3) == 0)) {
      info.delay = (uint32_t)p[at + 21] << 4 | p[at + 22] >> 4;
      info.padding = (uint32_t)(p[at + 22] & 15) << 8 | p[at + 23];
      info.has_delay = true;
    }
  }
  if (!info.there && n >= 4 + 32 + 26 && memcmp(p + 36, "VBRI", 4) == 0) {
    info.there = true;
    info.bytes = lp_be32(p + 36 + 10);
    info.frames = lp_be32(p + 36 + 14);
  }
  return info;
}

static int find_first(lp_header *h, window *w, int64_t from, int64_t *offset, mpeg_header *first) {
  int64_t most = from + MOST_LEAD < w->end ? from + MOST_LEAD : w->end;
  uint32_t other_layer = 0;
  bool free_format = false;
  for (int64_t at = from; at + 4 <= most;) {
    const uint8_t *p = look(w, at, 4);
    if (!p) break;
    bool complete;
    int n = chain(w, at, 5, first, &complete);
    /* Five in a row are no accident; nor are fewer that are all there is. */
    bool sure = n >= 5 || (complete && (n >= 2 || (n == 1 && at == from)));
    if (sure && first->layer == 3) {
      *offset = at;
      return LP_OK;
    }
    if (sure) {
      other_layer = first->layer;
      break;
    }
    if (n == 0 && at == from && is_free_format(w, at)) {
      free_format = true;
      break;
    }
    at++;
    const uint8_t *rest = look(w, at, 1);
    if (!rest) break;
    int64_t left = w->at + w->have - at;
    const uint8_t *sync = memchr(rest, 0xFF, (size_t)left);
    at += sync ? sync - rest : left;
  }
  if (w->error) return lp_header_fail(h, LP_E_IO, LP_WHY_NONE, -w->error);
  if (other_layer) return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_MPEG_LAYER, other_layer);
  if (free_format) return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_FREE_FORMAT, 0);
  return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_UNKNOWN_CONTAINER, 0);
}

/* [pool, blocking] Tags, first frame, the encoder's header, length. */
static int measure(lp_header *h, const lp_identity *identity, lp_mp3_file *f, window *w, int64_t at) {
  mpeg_header first;
  int r = find_first(h, w, at, &at, &first);
  if (r < 0) return r;
  const uint8_t *p = look(w, at, first.bytes);
  if (!p) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, 0);
  memcpy(f->like, p, 4);
  f->sample_rate = first.rate;
  f->channels = first.channels;
  f->frame_samples = first.samples;
  info_frame info = parse_info(p, &first);
  f->first_offset = info.there ? at + first.bytes : at;
  if (info.has_delay) f->skip = info.delay + DECODER_DELAY;
  f->index = lp_seek_index_get(identity, f->first_offset, POINT_SPACING);
  if (!f->index) return LP_E_MEMORY;
  /* The encoder's count is believed where its bytes are those that are there. Encoders that give no delay do not agree on whether the first frame,
   * the one without sound, counts. */
  int64_t there = f->end_offset - at, count = info.frames;
  bool agrees = info.has_delay && count > 0 && info.bytes > 0 && info.bytes <= there + 4096 && info.bytes >= there - 4096 && count <= there / 20;
  if (!agrees) {
    r = index_until(f, w, INT64_MAX - 1, UINT64_MAX);
    if (r < 0) return lp_header_fail(h, LP_E_IO, LP_WHY_NONE, -r);
    bool complete;
    int64_t found = lp_seek_index_frontier(f->index, &complete).first;
    h->format->length_lied = count > 0 && count != found && (info.has_delay || count != found + 1);
    count = found;
  }
  int64_t all = count * f->frame_samples, end = all;
  if (info.has_delay && !h->format->length_lied && info.padding > DECODER_DELAY) end -= info.padding - DECODER_DELAY;
  f->frames = end - f->skip;
  return f->frames > 0 ? LP_OK : lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, 0);
}

int lp_mp3_open(lp_header *h, const lp_identity *identity, int64_t at, lp_mp3_file **out) {
  lp_mp3_file *f = calloc(1, sizeof *f);
  uint8_t *bytes = malloc(WINDOW_BYTES);
  int r = f && bytes ? LP_OK : LP_E_MEMORY;
  if (r == LP_OK) {
    f->end_offset = without_tags(h, at);
    h->why = LP_WHY_NONE;
    h->why_value = 0;
    window w = {.fd = h->fd, .end = f->end_offset, .bytes = bytes};
    r = measure(h, identity, f, &w, at);
  }
  free(bytes);
  if (r < 0) {
    lp_mp3_close(f);
    return r;
  }
  lp_pcm_format *format = h->format;
  format->frames = f->frames;
  format->data_offset = f->first_offset;
  format->sample_rate = f->sample_rate;
  format->channels = f->channels;
  format->bits = 32;
  format->sample_bytes = 4;
  format->frame_bytes = 4 * f->channels;
  format->encoding = LP_ENC_F32;
  format->container = LP_CON_MP3;
  *out = f;
  return LP_OK;
}

void lp_mp3_close(lp_mp3_file *f) {
  if (!f) return;
  lp_seek_index_put(f->index);
  free(f);
}
