/* One MP3 frame's bytes to samples: the door to miniaudio's dr_mp3. */
#ifndef LP_MP3_DECODE_H
#define LP_MP3_DECODE_H

#include <stdint.h>

#define LP_MP3_FRAME_SAMPLES 1152 /* a channel, at most */

typedef struct lp_mp3_decode lp_mp3_decode;

/* [pool] NULL: no memory. */
lp_mp3_decode *lp_mp3_decode_create(void);
void lp_mp3_decode_free(lp_mp3_decode *d);
/* [pool] As if nothing had been decoded yet. */
void lp_mp3_decode_reset(lp_mp3_decode *d);
/* [pool] Decodes the one frame that is `bytes` long at p, into interleaved floats (room for 2 × LP_MP3_FRAME_SAMPLES). Returns samples a channel, or 0: it
 * is broken, or needs bytes of frames before that were not given. *channels: of this frame. */
int lp_mp3_decode_frame(lp_mp3_decode *d, const uint8_t *p, int bytes, float *out, int *channels);

#endif
