#include "fold.h"

#define HALF_POWER 0.70710678118654752440f

/* By bit of the WAVE speaker mask, in its order: FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR. BS.775 knows the
 * first eleven (front centres as front); what hangs above counts as what stands below. */
static const float SPEAKER[18][2] = {
    {1, 0},          {0, 1},          {HALF_POWER, HALF_POWER}, {0, 0},          {HALF_POWER, 0}, {0, HALF_POWER},
    {1, 0},          {0, 1},          {0.5f, 0.5f},             {HALF_POWER, 0}, {0, HALF_POWER}, {0.5f, 0.5f},
    {HALF_POWER, 0}, {0.5f, 0.5f},    {0, HALF_POWER},          {HALF_POWER, 0}, {0.5f, 0.5f},    {0, HALF_POWER},
};

/* 3.0, quad, 5.0, 5.1, 6.1, 7.1. */
static const uint32_t USUAL[9] = {0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f};

static uint32_t bits_set(uint32_t mask) {
  uint32_t n = 0;
  for (; mask; mask &= mask - 1) n++;
  return n;
}

void lp_fold_default(uint32_t channels, uint32_t channel_mask, float (*coefficients)[2]) {
  if (channels == 1) {
    coefficients[0][0] = coefficients[0][1] = 1;
    return;
  }
  if (channels == 2) {
    coefficients[0][0] = coefficients[1][1] = 1;
    coefficients[0][1] = coefficients[1][0] = 0;
    return;
  }
  uint32_t mask = channel_mask & 0x3ffff;
  if (bits_set(mask) != channels) mask = channels <= 8 ? USUAL[channels] : 0;
  uint32_t bit = 0;
  for (uint32_t c = 0; c < channels; c++) {
    while (bit < 18 && !(mask >> bit & 1)) bit++;
    coefficients[c][0] = bit < 18 ? SPEAKER[bit][0] : 0;
    coefficients[c][1] = bit < 18 ? SPEAKER[bit][1] : 0;
    bit++;
  }
}
