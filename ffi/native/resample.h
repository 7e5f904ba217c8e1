/* Rate conversion: any rate from 8 to 384 kHz into any other. Knows nothing of pages, files or engines.
 *
 * Output frame n stands at exactly n · M / L input frames, where L/M is the ratio of the rates in lowest terms: the position is an integer frame and an
 * integer phase, computed from n anew each time, exact for |n| < 2^53. What an output frame is depends on n, on the rates and on the input frames that
 * its filter reaches; never on what else is computed with it, before it, or by which vectors. Kernels that have fused multiply-add
 * give the same bits (LP_RESAMPLE_PLAIN on x86-64 has not: it differs by at most 2^-22 of the input's peak).
 *
 * Input before the first frame of the material and from its end on counts as 0, and so do NaN and infinity. Equal rates give the
 * input itself. resample_table.h describes the filter: -0.1 dB at 0.934 of the lower Nyquist frequency, -170 dB from there on. */
#ifndef LP_RESAMPLE_H
#define LP_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nonblocking.h"

#define LP_RESAMPLE_MIN_RATE 8000
#define LP_RESAMPLE_MAX_RATE 384000

/* Which inner loops. */
typedef enum lp_resample_kind {
  LP_RESAMPLE_BEST,  /* the fastest that the machine has */
  LP_RESAMPLE_PLAIN, /* what every machine of this architecture has */
  LP_RESAMPLE_AVX2,
  LP_RESAMPLE_AVX512
} lp_resample_kind;

/* A pair of rates: constant once it is there, used by any number of threads. Its tables are shared between all that convert by the same ratio. */
typedef struct lp_resampler {
  uint32_t up, down;           /* L, M */
  uint32_t taps;               /* input frames that one output depends on */
  int32_t before;              /* of them, how many lie before the input frame at or before the output's position */
  size_t scratch_bytes;        /* what lp_resample needs */
  const char *kernel;          /* the inner loops' name */
  struct lp_resample_plan *own; /* not for callers */
} lp_resampler;

/* [blocking] LP_OK with *out set; LP_E_ARGUMENT: a rate out of range; LP_E_UNSUPPORTED: the machine has no such kernel; LP_E_MEMORY. The first
 * for a ratio computes its tables, which takes about 2 ms for the usual ones and at most some 30; another waits for it. At most 3 MiB a ratio. */
int lp_resampler_open(uint32_t in_rate, uint32_t out_rate, const lp_resampler **out);
/* [blocking] The same with the kernel to use. */
int lp_resampler_open_kind(uint32_t in_rate, uint32_t out_rate, lp_resample_kind kind, const lp_resampler **out);
/* [control, pool] Tables go with the last that uses them. NULL is nothing. */
void lp_resampler_close(const lp_resampler *r);

/* [any] ceil(in_frames · L / M): output frames of material of so many input frames. in_frames in [0, 2^53]. */
int64_t lp_resampled_frames(const lp_resampler *r, int64_t in_frames);

/* [any] Position of an output frame: *in_frame + *phase / L. out_frame in (-2^53, 2^53). */
void lp_resample_position(const lp_resampler *r, int64_t out_frame, int64_t *in_frame, uint32_t *phase);

/* [any] The input frames that [out_first, out_first + out_frames) depends on; *in_first may be negative, and the end beyond the material. */
void lp_resample_span(const lp_resampler *r, int64_t out_first, int64_t out_frames, int64_t *in_first, int64_t *in_frames) LP_NONBLOCKING;

/* [any] Output frames [0, result) depend on no input frame from in_end on: what can be had of a stream so far. in_end in [0, 2^53]. */
int64_t lp_resample_ready(const lp_resampler *r, int64_t in_end);

/* [any] One channel: `in` holds the frames that lp_resample_span tells, with 0 for those outside the material. scratch: scratch_bytes, aligned to 64, of
 * this thread alone; nothing in it needs to be kept. Neither allocates nor locks nor calls the system. in and out may not overlap. */
void lp_resample(const lp_resampler *r, int64_t out_first, int64_t out_frames, const float *restrict in, float *restrict out, void *restrict scratch) LP_NONBLOCKING;

/* [any] The filter as it is used: the factor of input frame (position - before + tap) for an output at this phase; phase in [0, L), tap in
 * [0, taps). Slow; for meters and for tables of other kernels. */
double lp_resample_coefficient(const lp_resampler *r, uint32_t phase, uint32_t tap);

#endif
