/* RIFF and its relatives: WAV, RIFX (big-endian), RF64 and BW64 (64-bit sizes in a ds64 chunk, EBU Tech 3306), and Sony Wave64
 * (GUIDs and 64-bit sizes throughout). Lengths: a data chunk of 0 or of all ones was left by a writer that streamed and
 * reaches to the end of the file; one that reaches beyond is clamped; a shorter one is honoured. */
#include <string.h>

#include "pcm_header.h"

enum { TAG_PCM = 1, TAG_FLOAT = 3, TAG_EXTENSIBLE = 0xFFFE };

/* The last 14 bytes of the sub-format GUIDs whose first two are a format tag: Microsoft's, and the one for ambisonic files. */
static const uint8_t GUID_MEDIA[14] = {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71};
static const uint8_t GUID_AMBISONIC[14] = {0x00, 0x00, 0x21, 0x07, 0xD3, 0x11, 0x86, 0x44, 0xC8, 0xC1, 0xCA, 0x00, 0x00, 0x00};

typedef struct byte_order {
  uint32_t (*u16)(const uint8_t *);
  uint32_t (*u32)(const uint8_t *);
} byte_order;

static uint32_t le16(const uint8_t *p) { return lp_le16(p); }
static uint32_t le32(const uint8_t *p) { return lp_le32(p); }
static uint32_t be16(const uint8_t *p) { return lp_be16(p); }
static uint32_t be32(const uint8_t *p) { return lp_be32(p); }

/* [pool, blocking] A WAVEFORMAT(EX|EXTENSIBLE) of `bytes` bytes at offset. */
static int parse_fmt(lp_header *h, int64_t offset, int64_t bytes, const byte_order *order) {
  if (bytes < 16) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_FORMAT, (double)bytes);
  uint8_t fmt[40] = {0};
  uint32_t n = bytes < 40 ? (uint32_t)bytes : 40;
  int r = lp_header_bytes(h, offset, n, fmt);
  if (r < 0) return r;
  uint32_t tag = order->u16(fmt), channels = order->u16(fmt + 2), rate = order->u32(fmt + 4);
  uint32_t block = order->u16(fmt + 12), bits = order->u16(fmt + 14);
  /* In a plain format the container is the least number of bytes that holds the bits; samples stand at its top. */
  uint32_t container_bits = (bits + 7) / 8 * 8;
  if (tag == TAG_EXTENSIBLE) {
    if (n < 40) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_FORMAT, (double)bytes);
    uint32_t valid = order->u16(fmt + 18);
    h->format->channel_mask = order->u32(fmt + 20);
    tag = order->u16(fmt + 24);
    if (memcmp(fmt + 26, GUID_MEDIA, 14) != 0 && memcmp(fmt + 26, GUID_AMBISONIC, 14) != 0)
      return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_ENCODING, TAG_EXTENSIBLE);
    if (valid != 0) bits = valid;
  }
  if (tag != TAG_PCM && tag != TAG_FLOAT) return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_ENCODING, tag);
  r = lp_header_samples(h, tag == TAG_FLOAT, channels, rate, bits, container_bits, true);
  if (r < 0) return r;
  if (block != h->format->frame_bytes) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_BLOCK, block);
  return LP_OK;
}

/* ---- RIFF, RIFX, RF64, BW64 ------------------------------------------------------------------------------ */

static bool known_chunk(uint32_t id) {
  switch (id) {
    case LP_ID('f', 'm', 't', ' '):
    case LP_ID('d', 'a', 't', 'a'):
    case LP_ID('d', 's', '6', '4'):
    case LP_ID('f', 'a', 'c', 't'):
    case LP_ID('L', 'I', 'S', 'T'):
    case LP_ID('b', 'e', 'x', 't'):
    case LP_ID('i', 'X', 'M', 'L'):
    case LP_ID('c', 'u', 'e', ' '):
    case LP_ID('s', 'm', 'p', 'l'):
    case LP_ID('i', 'd', '3', ' '):
    case LP_ID('P', 'E', 'A', 'K'):
    case LP_ID('J', 'U', 'N', 'K'): return true;
    default: return false;
  }
}

/* [pool, blocking] Whether known chunks follow each other from offset exactly to the end of the file. Then a data chunk of length 0 before
 * them is an empty recording, and not one whose writer never came back to fill in the length. */
static bool chunks_to_end(lp_header *h, int64_t offset, const byte_order *order) {
  lp_header look = *h; /* its reasons are not ours */
  for (int i = 0; i < 64 && offset < h->size_bytes; i++) {
    uint8_t head[8];
    if (lp_header_bytes(&look, offset, 8, head) < 0 || !known_chunk(lp_be32(head))) return false;
    int64_t bytes = order->u32(head + 4);
    if (bytes > h->size_bytes - offset - 8) return false;
    offset = lp_header_next(&look, offset + 8, bytes, known_chunk);
    if (offset >= h->size_bytes) return true; /* a missing last pad byte is forgiven */
  }
  return false;
}

/* 64-bit lengths of a ds64 chunk: the data chunk's. The table of other chunks' lengths is not kept: chunks of 4 GiB before the
 * samples do not occur, and one after them does not matter. */
static int parse_ds64(lp_header *h, int64_t offset, int64_t bytes, uint64_t *data_bytes) {
  uint8_t ds64[24];
  if (bytes < 24) return LP_OK; /* as if it were not there: the samples then reach to the end of the file */
  int r = lp_header_bytes(h, offset, 24, ds64);
  if (r == LP_OK) *data_bytes = lp_le64(ds64 + 8);
  return r;
}

int lp_header_riff(lp_header *h, const uint8_t *head) {
  static const byte_order little = {le16, le32}, big = {be16, be32};
  uint32_t magic = lp_be32(head);
  bool wide = magic == LP_ID('R', 'F', '6', '4') || magic == LP_ID('B', 'W', '6', '4');
  const byte_order *order = magic == LP_ID('R', 'I', 'F', 'X') ? &big : &little;
  h->format->container = wide ? LP_CON_RF64 : LP_CON_WAV;
  h->format->big_endian = order == &big;
  bool have_fmt = false;
  uint64_t data64 = 0;
  int64_t at = 12;
  for (int i = 0; i < LP_HEADER_MAX_CHUNKS && at < h->size_bytes; i++) {
    uint8_t chunk[8];
    if (h->size_bytes - at < 8) break; /* less than a chunk's head: trailing bytes */
    int r = lp_header_bytes(h, at, 8, chunk);
    if (r < 0) return r;
    uint32_t id = lp_be32(chunk);
    int64_t bytes = order->u32(chunk + 4), body = at + 8;
    if (id == LP_ID('d', 'a', 't', 'a')) {
      if (!have_fmt) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_FORMAT, 0);
      if (bytes == 0xFFFFFFFF) {
        if (wide && data64 != 0 && data64 <= INT64_MAX) return lp_header_data(h, body, (int64_t)data64);
        return lp_header_data(h, body, -1);
      }
      if (bytes == 0) {
        if (body >= h->size_bytes || chunks_to_end(h, body, order)) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, 0);
        return lp_header_data(h, body, -1);
      }
      return lp_header_data(h, body, bytes);
    }
    if (id == LP_ID('f', 'm', 't', ' ') && !have_fmt) {
      r = parse_fmt(h, body, bytes, order);
      if (r < 0) return r;
      have_fmt = true;
    } else if (id == LP_ID('d', 's', '6', '4') && wide) {
      r = parse_ds64(h, body, bytes, &data64);
      if (r < 0) return r;
    }
    if (bytes > h->size_bytes - body) break;
    at = lp_header_next(h, body, bytes, known_chunk);
  }
  if (!have_fmt && h->size_bytes < 12 + 8 + 16 + 8) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_TRUNCATED_HEADER, (double)h->size_bytes);
  return lp_header_fail(h, LP_E_UNREADABLE, have_fmt ? LP_WHY_NO_DATA : LP_WHY_NO_FORMAT, 0);
}

/* ---- Wave64 ---------------------------------------------------------------------------------------------- */

static const uint8_t W64_RIFF[16] = {'r', 'i', 'f', 'f', 0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00};
static const uint8_t W64_WAVE[16] = {'w', 'a', 'v', 'e', 0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A};
static const uint8_t W64_FMT[16] = {'f', 'm', 't', ' ', 0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A};
static const uint8_t W64_DATA[16] = {'d', 'a', 't', 'a', 0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A};

int lp_header_w64(lp_header *h) {
  static const byte_order little = {le16, le32};
  uint8_t head[40];
  h->format->container = LP_CON_W64;
  int r = lp_header_bytes(h, 0, 40, head);
  if (r < 0) return r;
  if (memcmp(head, W64_RIFF, 16) != 0 || memcmp(head + 24, W64_WAVE, 16) != 0)
    return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_UNKNOWN_CONTAINER, 0);
  bool have_fmt = false;
  int64_t at = 40;
  for (int i = 0; i < LP_HEADER_MAX_CHUNKS && h->size_bytes - at >= 24; i++) {
    uint8_t chunk[24];
    r = lp_header_bytes(h, at, 24, chunk);
    if (r < 0) return r;
    uint64_t with_head = lp_le64(chunk + 16); /* counts its own 24 bytes */
    int64_t body = at + 24;
    bool streamed = with_head == 0 || with_head == 24 || with_head > INT64_MAX;
    if (memcmp(chunk, W64_DATA, 16) == 0) {
      if (!have_fmt) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_FORMAT, 0);
      if (!streamed && with_head < 24) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, (double)with_head);
      return lp_header_data(h, body, streamed ? -1 : (int64_t)with_head - 24);
    }
    if (with_head < 24 || with_head > (uint64_t)(h->size_bytes - at)) {
      if (memcmp(chunk, W64_FMT, 16) == 0) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_TRUNCATED_HEADER, (double)h->size_bytes);
      break;
    }
    if (memcmp(chunk, W64_FMT, 16) == 0 && !have_fmt) {
      r = parse_fmt(h, body, (int64_t)with_head - 24, &little);
      if (r < 0) return r;
      have_fmt = true;
    }
    at += ((int64_t)with_head + 7) / 8 * 8; /* cannot overflow: at most the file's size, which the file system keeps far below 2^63 */
  }
  return lp_header_fail(h, LP_E_UNREADABLE, have_fmt ? LP_WHY_NO_DATA : LP_WHY_NO_FORMAT, 0);
}
