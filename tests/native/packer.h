/* For tests in C of the renderer: a model of a mix, edits of it, and their packed form (layout in snapshot.h), written apart from engine/signal/pack.ts.
 *
 * A mix_model stands for what was last published. Each mix_* edit changes it and packs the change; where the library refuses what was packed, the
 * model has moved on and the next publication must be mix_full. */
#ifndef PACKER_H
#define PACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MIX_TRACKS = 12, MIX_BLOCKS = 8, MIX_CLIPS = 24 };

typedef struct packed {
  uint8_t *bytes; /* malloc'ed and grown by packed_*; free it in the end */
  size_t count, room;
} packed;

void packed_u32(packed *p, uint32_t v);
void packed_f32(packed *p, float v);
void packed_f64(packed *p, double v);

typedef struct mix_clip {
  uint32_t uid, source, shapes;
  int64_t at, length, first, fade_in, fade_out; /* at: from its block's start */
  double beyond, step; /* of `first`, part of a frame; its rate, below 0 backwards */
  float gain;
} mix_clip;

typedef struct mix_block {
  uint32_t id;
  int64_t start;
  uint32_t count;
  mix_clip clips[MIX_CLIPS];
} mix_block;

typedef struct mix_track {
  uint32_t slot;
  float gain[2];
  uint32_t count;
  mix_block blocks[MIX_BLOCKS];
} mix_track;

typedef struct mix_model {
  uint64_t random; /* state of next_random */
  double revision;
  uint32_t next_id, next_uid;
  uint32_t sources[32]; /* handles that clips are made of */
  uint32_t source_count;
  int64_t source_frames; /* of each, about */
  int64_t around;        /* clips are laid near this frame */
  int64_t spread;
  uint32_t odd; /* of a hundred clips: at other rates, backwards or from between two frames */
  uint32_t count;
  mix_track tracks[MIX_TRACKS];
} mix_model;

void mix_init(mix_model *m, uint64_t seed);

/* All anew: random tracks. */
void mix_full(mix_model *m, packed *out);
/* A few clips of one block give way to others; everything else is as it was. */
void mix_splice(mix_model *m, packed *out);
/* Time is removed from, or inserted into, all tracks at once, the playhead's map included. */
void mix_ripple(mix_model *m, packed *out);
/* Gains alone, some of them 0. */
void mix_gains(mix_model *m, packed *out);
/* A track goes, or comes under a slot that may have been another's. */
void mix_come_and_go(mix_model *m, packed *out);
/* One of the above. */
void mix_any(mix_model *m, packed *out);

#endif
