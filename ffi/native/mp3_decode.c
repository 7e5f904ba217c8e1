/* A translation unit of its own for dr_mp3: miniaudio's other parts stay out, its functions are private to this file, and its output is
 * float, which the whole library would have to agree on otherwise. */
#include "mp3_decode.h"

#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#endif
#define MA_API static
#define ma_atomic_global_lock lp_mp3_decode_lock /* the one thing that it does not keep to itself; nothing uses it here */
#define MA_NO_DEVICE_IO
#define MA_NO_THREADING
#define MA_NO_ENGINE
#define MA_NO_NODE_GRAPH
#define MA_NO_RESOURCE_MANAGER
#define MA_NO_GENERATION
#define MA_NO_ENCODING
#define MA_NO_WAV
#define MA_NO_FLAC
#define MA_DR_MP3_ONLY_MP3
#define MA_DR_MP3_FLOAT_OUTPUT
#define MA_IMPLEMENTATION /* by this name the build takes the file for ours, and compiles it for speed */
#include "miniaudio.h"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

struct lp_mp3_decode {
  ma_dr_mp3dec dec;
  uint8_t frame[MA_DR_MP3_MAX_FREE_FORMAT_FRAME_SIZE + 64]; /* its reader of bits looks a few bytes ahead */
};

lp_mp3_decode *lp_mp3_decode_create(void) { return calloc(1, sizeof(lp_mp3_decode)); }

void lp_mp3_decode_free(lp_mp3_decode *d) { free(d); }

void lp_mp3_decode_reset(lp_mp3_decode *d) { memset(&d->dec, 0, sizeof d->dec); }

int lp_mp3_decode_frame(lp_mp3_decode *d, const uint8_t *p, int bytes, float *out, int *channels) {
  if (bytes < 24 || bytes > MA_DR_MP3_MAX_FREE_FORMAT_FRAME_SIZE) return 0;
  memcpy(d->frame, p, (size_t)bytes);
  memset(d->frame + bytes, 0, sizeof d->frame - (size_t)bytes);
  /* The private bits of MPEG-1's side information (after 9 bits of main_data_begin) are for anybody's use; dr_mp3 takes them for scale factor
   * selection of the first granule, which would make a frame depend on all before it. */
  if ((d->frame[1] & 0x08) != 0) {
    uint8_t *side = d->frame + ((d->frame[1] & 1) ? 4 : 6);
    side[1] &= (d->frame[3] >> 6) == 3 ? 0x83 : 0x8F;
  }
  /* What it keeps from frame to frame besides: nothing may depend on it. */
  memset(&d->dec.scratch, 0, sizeof d->dec.scratch);
  ma_dr_mp3dec_frame_info info;
  memset(&info, 0, sizeof info);
  int samples = ma_dr_mp3dec_decode_frame(&d->dec, d->frame, bytes, out, &info);
  *channels = info.channels;
  return samples > 0 && samples <= LP_MP3_FRAME_SAMPLES && info.frame_bytes == bytes && info.layer == 3 ? samples : 0;
}
