/* AIFF and AIFC (Apple, Audio Interchange File Format 1.3 and AIFF-C draft 08/26/91): big-endian chunks, COMM with an 80-bit extended
 * rate, SSND with the samples. COMM may stand behind SSND. */
#include <math.h>

#include "pcm_header.h"

static bool known_chunk(uint32_t id) {
  switch (id) {
    case LP_ID('C', 'O', 'M', 'M'):
    case LP_ID('S', 'S', 'N', 'D'):
    case LP_ID('F', 'V', 'E', 'R'):
    case LP_ID('M', 'A', 'R', 'K'):
    case LP_ID('I', 'N', 'S', 'T'):
    case LP_ID('N', 'A', 'M', 'E'):
    case LP_ID('A', 'U', 'T', 'H'):
    case LP_ID('A', 'N', 'N', 'O'):
    case LP_ID('A', 'P', 'P', 'L'):
    case LP_ID('I', 'D', '3', ' '): return true;
    default: return false;
  }
}

/* An 80-bit extended number as a double: sign and exponent (bias 16383) in 16 bits, then the mantissa in 64 with its leading 1
 * written out. */
static double extended(const uint8_t *p) {
  uint32_t exponent = lp_be16(p) & 0x7FFF;
  uint64_t mantissa = lp_be64(p + 2);
  double value = exponent == 0x7FFF ? (double)INFINITY : ldexp((double)mantissa, (int)exponent - 16383 - 63);
  return p[0] & 0x80 ? -value : value;
}

/* [pool, blocking] The common chunk. claimed_frames: what it says. */
static int parse_comm(lp_header *h, int64_t offset, int64_t bytes, bool aifc, uint32_t *claimed_frames) {
  uint8_t comm[22] = {0};
  uint32_t n = aifc ? 22 : 18;
  if (bytes < (int64_t)n) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_FORMAT, (double)bytes);
  int r = lp_header_bytes(h, offset, n, comm);
  if (r < 0) return r;
  *claimed_frames = lp_be32(comm + 2);
  uint32_t bits = lp_be16(comm + 6);
  uint32_t type = aifc ? lp_be32(comm + 18) : LP_ID('N', 'O', 'N', 'E');
  bool is_float = false, unsigned8 = false;
  h->format->big_endian = true;
  switch (type) {
    case LP_ID('N', 'O', 'N', 'E'):
    case LP_ID('t', 'w', 'o', 's'): break;
    case LP_ID('s', 'o', 'w', 't'): h->format->big_endian = false; break;
    case LP_ID('r', 'a', 'w', ' '):
      unsigned8 = true;
      if (bits > 8) return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_BITS, bits);
      break;
    /* The kind fixes the size: writers disagree on what to put in the field. */
    case LP_ID('i', 'n', '2', '4'): bits = 24; break;
    case LP_ID('i', 'n', '3', '2'): bits = 32; break;
    case LP_ID('4', '2', 'n', 'i'): bits = 24; h->format->big_endian = false; break;
    case LP_ID('2', '3', 'n', 'i'): bits = 32; h->format->big_endian = false; break;
    case LP_ID('f', 'l', '3', '2'):
    case LP_ID('F', 'L', '3', '2'): is_float = true; bits = 32; break;
    case LP_ID('f', 'l', '6', '4'):
    case LP_ID('F', 'L', '6', '4'): is_float = true; bits = 64; break;
    default: return lp_header_fail(h, LP_E_UNSUPPORTED, LP_WHY_ENCODING, type);
  }
  return lp_header_samples(h, is_float, lp_be16(comm), extended(comm + 8), bits, (bits + 7) / 8 * 8, unsigned8);
}

int lp_header_aiff(lp_header *h, const uint8_t *head) {
  bool aifc = lp_be32(head + 8) == LP_ID('A', 'I', 'F', 'C');
  h->format->container = aifc ? LP_CON_AIFC : LP_CON_AIFF;
  bool have_comm = false, empty = false;
  uint32_t claimed_frames = 0;
  int64_t samples_at = -1, samples_bytes = 0;
  int64_t at = 12;
  for (int i = 0; i < LP_HEADER_MAX_CHUNKS && h->size_bytes - at >= 8 && !(have_comm && samples_at >= 0); i++) {
    uint8_t chunk[16];
    int r = lp_header_bytes(h, at, 8, chunk);
    if (r < 0) return r;
    uint32_t id = lp_be32(chunk);
    int64_t bytes = lp_be32(chunk + 4), body = at + 8;
    if (id == LP_ID('C', 'O', 'M', 'M') && !have_comm) {
      r = parse_comm(h, body, bytes, aifc, &claimed_frames);
      if (r < 0) return r;
      have_comm = true;
    } else if (id == LP_ID('S', 'S', 'N', 'D') && samples_at < 0) {
      r = lp_header_bytes(h, body, 8, chunk + 8); /* offset and block size: how many bytes to skip before the first frame */
      if (r < 0) return r;
      uint32_t skip = lp_be32(chunk + 8);
      bool streamed = bytes <= 8 || bytes == 0xFFFFFFFF;
      empty = bytes == 8;
      if (!streamed && skip > bytes - 8) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, skip);
      samples_at = body + 8 + skip;
      samples_bytes = streamed ? -1 : bytes - 8 - skip;
    }
    if (bytes > h->size_bytes - body) break;
    at = lp_header_next(h, body, bytes, known_chunk);
  }
  if (!have_comm) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_FORMAT, 0);
  if (samples_at < 0) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, 0);
  /* Both agree that there is nothing: an empty recording, not one whose writer never came back. */
  if (empty && claimed_frames == 0) return lp_header_fail(h, LP_E_UNREADABLE, LP_WHY_NO_DATA, 0);
  /* COMM's count of frames and SSND's length ought to agree; the shorter holds, and 0 or all ones in one means: see the other. */
  lp_pcm_format *f = h->format;
  bool count_known = claimed_frames != 0 && claimed_frames != 0xFFFFFFFF;
  int64_t count_bytes = (int64_t)claimed_frames * f->frame_bytes;
  bool differ = !count_known || samples_bytes < 0 || count_bytes != samples_bytes / f->frame_bytes * f->frame_bytes;
  int64_t claimed = samples_bytes;
  if (count_known && (claimed < 0 || count_bytes < claimed)) claimed = count_bytes;
  int r = lp_header_data(h, samples_at, claimed);
  if (r == LP_OK && differ) f->length_lied = true;
  return r;
}
