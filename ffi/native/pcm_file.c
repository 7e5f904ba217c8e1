/* Uncompressed files: opening, identity and reading. The headers are in pcm_header_*.c, the samples in pcm_convert.c. */
#include "pcm_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_wait.h"
#include "pcm_header.h"

_Thread_local _Atomic uint64_t *lp_disk_wait_since;
_Thread_local uint64_t lp_disk_waited_ns, lp_disk_bytes, lp_disk_wait_begun;

#define MAX_RATE 768000
#define MAX_CHANNELS 8

/* ---- what the parsers share ---------------------------------------------------------------------------- */

int lp_header_fail(lp_header *h, int result, uint32_t why, double value) {
  h->why = why;
  h->why_value = value;
  return result;
}

/* [pool, blocking] pread until n bytes are there. Returns the bytes read (fewer at the end of the file) or -errno. */
static int64_t read_at(int fd, uint8_t *out, int64_t n, int64_t offset) {
  int64_t done = 0;
  while (done < n) {
    int64_t part = n - done;
    if (part > 1 << 30) part = 1 << 30; /* Linux returns at most 2 GiB a call */
    lp_disk_wait_begin();
    ssize_t got = pread(fd, out + done, (size_t)part, (off_t)(offset + done));
    lp_disk_read_end(got);
    if (got < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    if (got == 0) break;
    done += got;
  }
  return done;
}

int lp_header_bytes(lp_header *h, int64_t offset, uint32_t n, uint8_t *out) {
  if (offset < 0 || offset > h->size_bytes || (int64_t)n > h->size_bytes - offset)
    return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_TRUNCATED_HEADER, (double)h->size_bytes);
  int64_t got = read_at(h->fd, out, n, offset);
  if (got < 0) return lp_header_fail(h, LP_E_IO, LP_WHY_NONE, (double)-got);
  /* Fewer only if the file shrank since fstat. */
  if (got < (int64_t)n) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_TRUNCATED_HEADER, (double)(offset + got));
  return LP_OK;
}

int lp_header_samples(lp_header *h, bool is_float, uint32_t channels, double rate, uint32_t bits, uint32_t container_bits, bool unsigned8) {
  lp_pcm_format *f = h->format;
  if (channels == 0) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_CHANNELS, 0);
  if (channels > MAX_CHANNELS) return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_CHANNELS, channels);
  /* Written so that a NaN fails too. */
  if (!(rate >= 1 && rate <= MAX_RATE)) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_RATE, rate);
  if (bits == 0 || bits > container_bits) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_BITS, bits);
  if (is_float ? container_bits != 32 && container_bits != 64 : container_bits > 32)
    return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_BITS, container_bits);
  f->channels = channels;
  f->sample_rate = (uint32_t)(rate + 0.5);
  f->bits = is_float ? container_bits : bits;
  f->sample_bytes = container_bits / 8;
  f->frame_bytes = f->sample_bytes * channels;
  static const uint8_t integer[5] = {0, LP_ENC_S8, LP_ENC_S16, LP_ENC_S24, LP_ENC_S32};
  if (is_float)
    f->encoding = container_bits == 32 ? LP_ENC_F32 : LP_ENC_F64;
  else
    f->encoding = f->sample_bytes == 1 && unsigned8 ? LP_ENC_U8 : integer[f->sample_bytes];
  return LP_OK;
}

int lp_header_data(lp_header *h, int64_t offset, int64_t claimed_bytes) {
  lp_pcm_format *f = h->format;
  int64_t there = h->size_bytes > offset ? h->size_bytes - offset : 0;
  int64_t bytes = claimed_bytes;
  if (claimed_bytes < 0 || claimed_bytes > there) {
    bytes = there;
    f->length_lied = true;
  }
  f->data_offset = offset;
  f->frames = bytes / f->frame_bytes;
  if (f->frames == 0) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, (double)bytes);
  return LP_OK;
}

int64_t lp_header_next(lp_header *h, int64_t offset, int64_t n, bool (*known)(uint32_t id)) {
  int64_t end = offset + n;
  if ((n & 1) == 0) return end;
  uint8_t id[4];
  uint32_t why = h->why;
  double value = h->why_value;
  /* A pad byte is 0 and no identifier starts with that, so a known one here was written without padding. */
  if (lp_header_bytes(h, end, 4, id) == LP_OK && known(lp_be32(id))) return end;
  h->why = why; /* the look ahead may fail: that is no reason */
  h->why_value = value;
  return end + 1;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

/* [pool, blocking] Reads the first bytes and hands over to the parser of what they announce. */
static int parse(lp_header *h) {
  if (h->size_bytes == 0) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_EMPTY, 0);
  uint8_t head[16] = {0};
  uint32_t n = h->size_bytes < 16 ? (uint32_t)h->size_bytes : 16;
  int r = lp_header_bytes(h, 0, n, head);
  if (r < 0) return r;
  uint32_t id = n >= 4 ? lp_be32(head) : 0;
  uint32_t form = lp_be32(head + 8);
  bool riff = id == LP_ID('R', 'I', 'F', 'F') || id == LP_ID('R', 'I', 'F', 'X') || id == LP_ID('R', 'F', '6', '4') || id == LP_ID('B', 'W', '6', '4');
  bool w64 = id == LP_ID('r', 'i', 'f', 'f');
  bool aiff = id == LP_ID('F', 'O', 'R', 'M');
  if ((riff || aiff || w64) && n < 12) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_TRUNCATED_HEADER, n);
  if (riff && form == LP_ID('W', 'A', 'V', 'E')) return lp_header_riff(h, head);
  if (aiff && (form == LP_ID('A', 'I', 'F', 'F') || form == LP_ID('A', 'I', 'F', 'C'))) return lp_header_aiff(h, head);
  if (w64) return lp_header_w64(h);
  return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_UNKNOWN_CONTAINER, 0);
}

static void identity_of(const struct stat *s, lp_identity *identity) {
  *identity = (lp_identity){
    .device = (uint64_t)s->st_dev,
    .inode = (uint64_t)s->st_ino,
    .size_bytes = (int64_t)s->st_size,
    .mtime_s = (int64_t)s->st_mtim.tv_sec,
    .mtime_ns = (int64_t)s->st_mtim.tv_nsec,
    .ctime_s = (int64_t)s->st_ctim.tv_sec,
    .ctime_ns = (int64_t)s->st_ctim.tv_nsec,
  };
}

static int refused(int error, uint32_t *why, double *why_value) {
  *why_value = error;
  switch (error) {
    case ENOENT:
    case ENOTDIR: return LP_E_ABSENT;
    case EACCES:
    case EPERM: *why = LP_WHY_PERMISSION; return LP_E_IO;
    case ENXIO: /* a socket, or a device without its hardware */
    case ENODEV:
    case EISDIR: *why = LP_WHY_NOT_A_FILE; return LP_E_UNSUPPORTED;
    case ENOMEM: return LP_E_MEMORY;
    default: return LP_E_IO;
  }
}

int lp_file_open(const char *path, int *fd, lp_identity *identity, uint32_t *why, double *why_value) {
  *fd = -1;
  *why = LP_WHY_NONE;
  *why_value = 0;
  memset(identity, 0, sizeof *identity);
  /* O_NONBLOCK: a FIFO without a writer would hold the thread for ever. */
  int f;
  do f = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  while (f < 0 && errno == EINTR);
  if (f < 0) return refused(errno, why, why_value);
  struct stat s;
  int r = LP_OK;
  if (fstat(f, &s) < 0) {
    r = refused(errno, why, why_value);
  } else if (!S_ISREG(s.st_mode)) {
    *why = LP_WHY_NOT_A_FILE;
    r = LP_E_UNSUPPORTED;
  }
  if (r < 0) {
    (void)close(f); /* read only: nothing can be lost */
    return r;
  }
  identity_of(&s, identity);
  /* A regular file ignores it on Linux, a FUSE server may not. Cannot fail on a descriptor that we hold. */
  (void)fcntl(f, F_SETFL, 0);
  *fd = f;
  return LP_OK;
}

int lp_pcm_parse(int fd, int64_t size_bytes, lp_pcm_format *format, uint32_t *why, double *why_value) {
  memset(format, 0, sizeof *format);
  lp_header h = {.fd = fd, .size_bytes = size_bytes, .format = format};
  int r = parse(&h);
  *why = r < 0 ? h.why : (uint32_t)LP_WHY_NONE;
  *why_value = r < 0 ? h.why_value : 0;
  if (r < 0) memset(format, 0, sizeof *format);
  return r;
}

int lp_pcm_open(const char *path, int *fd, lp_pcm_format *format, lp_identity *identity, uint32_t *why, double *why_value) {
  memset(format, 0, sizeof *format);
  int r = lp_file_open(path, fd, identity, why, why_value);
  if (r < 0) return r;
  r = lp_pcm_parse(*fd, identity->size_bytes, format, why, why_value);
  if (r < 0) {
    (void)close(*fd);
    *fd = -1;
  }
  return r;
}

/* ---- open files ---------------------------------------------------------------------------------------- */

int lp_pcm_identity(int fd, lp_identity *identity) {
  struct stat s;
  lp_disk_wait_begin();
  int r = fstat(fd, &s);
  lp_disk_wait_end();
  if (r < 0) return -errno;
  identity_of(&s, identity);
  return 0;
}

bool lp_identity_equal(const lp_identity *a, const lp_identity *b) {
  return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes && a->mtime_s == b->mtime_s &&
         a->mtime_ns == b->mtime_ns && a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns;
}

int64_t lp_pcm_read(int fd, const lp_pcm_format *format, int64_t first, int64_t frames, uint8_t *raw) {
  if (first < 0 || frames < 0) return -EINVAL;
  if (first >= format->frames) return 0;
  if (frames > format->frames - first) frames = format->frames - first;
  int64_t got = read_at(fd, raw, frames * format->frame_bytes, format->data_offset + first * format->frame_bytes);
  return got < 0 ? got : got / format->frame_bytes;
}

void lp_pcm_info(const lp_pcm_format *format, const lp_identity *identity, lp_source_info *info) {
  memset(info, 0, sizeof *info);
  info->frames = (double)format->frames;
  info->data_offset = (double)format->data_offset;
  info->file_bytes = (double)identity->size_bytes;
  info->device = (double)identity->device;
  info->inode = (double)identity->inode;
  info->mtime_ns_hi = (double)identity->mtime_s;
  info->mtime_ns_lo = (double)identity->mtime_ns;
  info->ctime_ns_hi = (double)identity->ctime_s;
  info->ctime_ns_lo = (double)identity->ctime_ns;
  info->sample_rate = format->sample_rate;
  info->channels = format->channels;
  info->bits = format->bits;
  info->encoding = format->encoding;
  info->container = format->container;
  info->channel_mask = format->channel_mask;
  info->length_lied = format->length_lied;
}
