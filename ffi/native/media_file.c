#include "media_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flac_file.h"
#include "mp3_file.h"
#include "pcm_header.h"

struct lp_media {
  lp_flac_file *flac; /* one of them */
  lp_mp3_file *mp3;
};

struct lp_decoder {
  lp_flac_decoder *flac;
  lp_mp3_decoder *mp3;
};

/* Where ID3v2 tags in front end: they are put before FLAC too. */
static int64_t after_tags(lp_header *h) {
  int64_t at = 0;
  for (int i = 0; i < 16; i++) {
    uint8_t p[10];
    if (h->size_bytes - at < 10 || lp_header_bytes(h, at, 10, p) < 0 || memcmp(p, "ID3", 3) != 0 || ((p[6] | p[7] | p[8] | p[9]) & 0x80)) break;
    at += 10 + ((int64_t)p[6] << 21 | p[7] << 14 | p[8] << 7 | p[9]) + (p[5] & 0x10 ? 10 : 0);
  }
  return at < h->size_bytes ? at : 0;
}

/* The kind of a file that is not read, by its first bytes; 0 if they are of none that is known. */
static uint32_t foreign_kind(lp_header *h) {
  static const struct {
    uint32_t at, bytes;
    const char *magic;
    uint32_t kind;
  } KNOWN[] = {
    {4, 4, "ftyp", LP_FOREIGN_MP4},        {4, 4, "moov", LP_FOREIGN_MP4},           {4, 4, "mdat", LP_FOREIGN_MP4},
    {0, 4, "\x1A\x45\xDF\xA3", LP_FOREIGN_MATROSKA}, {0, 4, "\x30\x26\xB2\x75", LP_FOREIGN_ASF}, {0, 4, "caff", LP_FOREIGN_CAF},
    {0, 4, "wvpk", LP_FOREIGN_WAVPACK},    {0, 4, "MAC ", LP_FOREIGN_MONKEY},        {0, 3, "MP+", LP_FOREIGN_MUSEPACK},
    {0, 4, "MPCK", LP_FOREIGN_MUSEPACK},   {0, 4, "DSD ", LP_FOREIGN_DSD},           {0, 4, "FRM8", LP_FOREIGN_DSD},
    {0, 4, ".snd", LP_FOREIGN_AU},         {0, 4, "MThd", LP_FOREIGN_MIDI},          {0, 5, "#!AMR", LP_FOREIGN_AMR},
    {8, 4, "AVI ", LP_FOREIGN_AVI},        {0, 2, "\xFF\xF1", LP_FOREIGN_ADTS},      {0, 2, "\xFF\xF9", LP_FOREIGN_ADTS},
  };
  uint8_t first[12] = {0};
  if (h->size_bytes < (int64_t)sizeof first || lp_header_bytes(h, 0, sizeof first, first) < 0) return 0;
  for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
    if (memcmp(first + KNOWN[i].at, KNOWN[i].magic, KNOWN[i].bytes) == 0) return KNOWN[i].kind;
  return 0;
}

/* [pool, blocking] What lp_pcm_open does not know. */
static int open_compressed(lp_header *h, const lp_identity *identity, lp_media *m) {
  int64_t at = after_tags(h);
  uint8_t magic[4] = {0};
  int r = lp_header_bytes(h, at, h->size_bytes - at < 4 ? (uint32_t)(h->size_bytes - at) : 4, magic);
  if (r < 0) return r;
  h->why = LP_WHY_NONE;
  h->why_value = 0;
  if (memcmp(magic, "fLaC", 4) == 0 || memcmp(magic, "OggS", 4) == 0) return lp_flac_open(h, identity, at, &m->flac);
  r = lp_mp3_open(h, identity, at, &m->mp3);
  if (r != LP_E_UNSUPPORTED || h->why != LP_WHY_UNKNOWN_CONTAINER) return r;
  uint32_t kind = foreign_kind(h);
  return kind ? lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_FOREIGN, kind) : lp_header_fail(h, r, LP_WHY_UNKNOWN_CONTAINER, 0);
}

int lp_media_open(const char *path, int *fd, lp_pcm_format *format, lp_media **media, lp_identity *identity, uint32_t *why, double *why_value) {
  *media = NULL;
  int r = lp_file_open(path, fd, identity, why, why_value);
  if (r < 0) return r;
  r = lp_pcm_parse(*fd, identity->size_bytes, format, why, why_value);
  if (r == LP_E_UNSUPPORTED && *why == LP_WHY_UNKNOWN_CONTAINER) {
    lp_media *m = calloc(1, sizeof *m);
    lp_header h = {.fd = *fd, .size_bytes = identity->size_bytes, .format = format};
    memset(format, 0, sizeof *format);
    r = m ? open_compressed(&h, identity, m) : LP_E_MEMORY;
    *why = r < 0 ? h.why : (uint32_t)LP_WHY_NONE;
    *why_value = r < 0 ? h.why_value : 0;
    if (r == LP_OK)
      *media = m;
    else
      free(m);
  }
  if (r < 0) {
    (void)close(*fd); /* read only: nothing can be lost */
    *fd = -1;
    memset(format, 0, sizeof *format);
  }
  return r;
}

void lp_media_free(lp_media *m) {
  if (!m) return;
  lp_flac_close(m->flac);
  lp_mp3_close(m->mp3);
  free(m);
}

int lp_media_index_step(const lp_media *m, int fd, uint64_t deadline_ns) {
  if (!m) return 0;
  return m->flac ? lp_flac_index_step(m->flac, fd, deadline_ns) : lp_mp3_index_step(m->mp3, fd, deadline_ns);
}

lp_seek_index *lp_media_index(const lp_media *m) { return !m ? NULL : m->flac ? m->flac->index : m->mp3->index; }

bool lp_media_needs_index(const lp_media *m) {
  if (!m) return false;
  const lp_flac_file *f = m->flac;
  /* Flac's own tool writes a point every ten seconds; a minute between two is as good as none. */
  return !f || f->frames / (f->table_count + 1) > 60 * (int64_t)f->stream.sample_rate;
}

lp_decoder *lp_decoder_create(const lp_media *m) {
  lp_decoder *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  if (m->flac)
    d->flac = lp_flac_decoder_create(m->flac);
  else
    d->mp3 = lp_mp3_decoder_create(m->mp3);
  if (d->flac || d->mp3) return d;
  free(d);
  return NULL;
}

void lp_decoder_free(lp_decoder *d) {
  if (!d) return;
  lp_flac_decoder_free(d->flac);
  lp_mp3_decoder_free(d->mp3);
  free(d);
}

int lp_decoder_seek(lp_decoder *d, int fd, int64_t frame) {
  return d->flac ? lp_flac_decoder_seek(d->flac, fd, frame) : lp_mp3_decoder_seek(d->mp3, fd, frame);
}

int64_t lp_decoder_read(lp_decoder *d, int fd, int64_t frames, uint8_t *out, uint64_t deadline_ns, uint32_t *broken) {
  return d->flac ? lp_flac_decoder_read(d->flac, fd, frames, out, deadline_ns, broken)
                 : lp_mp3_decoder_read(d->mp3, fd, frames, out, deadline_ns, broken);
}
