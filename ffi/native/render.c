/* The one render function. [callback] throughout: nothing here allocates, locks, waits or calls the system, save the clock,
 * which Linux answers without entering the kernel. */
#include <math.h>
#include <string.h>

#include "engine_internal.h"
#include "steady.h"

static void add(_Atomic uint64_t *counter, uint64_t n) {
  /* Relaxed: read for people, each by itself; the callback is the only writer. */
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

bool lp_event_push(lp_renderer *r, const lp_event *e) {
  uint32_t head = atomic_load_explicit(&r->event_head, memory_order_relaxed);
  /* Acquire: the slot's reader is done with it before it is written again. */
  const uint32_t room = LP_EVENTS - (head - atomic_load_explicit(&r->event_tail, memory_order_acquire));
  if (room < (r->events_unsaid ? 2 : 1)) {
    r->events_unsaid++;
    add(&r->counts.events_lost, 1);
    return false;
  }
  const double now_ms = (double)lp_engine_now_ns(r->engine) / 1e6;
  if (r->events_unsaid) {
    r->events[head++ & (LP_EVENTS - 1)] = (lp_event){ .kind = LP_EV_LOST, .time_ms = now_ms, .value = r->events_unsaid };
    r->events_unsaid = 0;
  }
  lp_event *slot = &r->events[head++ & (LP_EVENTS - 1)];
  *slot = *e;
  slot->time_ms = now_ms;
  /* Release: the events are whole before they are seen. */
  atomic_store_explicit(&r->event_head, head, memory_order_release);
  return true;
}

static void event(lp_renderer *r, uint32_t kind, int64_t a, int64_t b, double value) {
  lp_event e = { .kind = kind, .a = (double)a, .b = (double)b, .value = value };
  lp_event_push(r, &e);
}

/* ---- where the sound stands ---- */

/* From output frame at_frames on, the head stands where it stands now. */
static void history_push(lp_renderer *r, uint64_t at_frames) {
  lp_history *h = &r->history[r->history_count++ & (LP_HISTORY - 1)];
  *h = (lp_history){ at_frames, r->head.position, r->head.state == LP_PLAYING };
}

/* The frame that stood `latency` frames of output ago. */
static int64_t audible_frame(const lp_renderer *r, uint64_t latency) {
  uint64_t at = r->rendered > latency ? r->rendered - latency : 0;
  uint32_t n = r->history_count < LP_HISTORY ? (uint32_t)r->history_count : LP_HISTORY;
  for (uint32_t i = 1; i <= n; i++) {
    const lp_history *h = &r->history[(r->history_count - i) & (LP_HISTORY - 1)];
    if (h->at_frames <= at || i == n) return h->position + (h->moving && at > h->at_frames ? (int64_t)(at - h->at_frames) : 0);
  }
  return r->head.position;
}

static void put(lp_record *record, int i, double v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  atomic_store_explicit(&record->fields[i], bits, memory_order_relaxed);
}

void lp_record_write(lp_renderer *r, uint64_t time_ns) {
  lp_record *w = &r->record;
  uint32_t latency = atomic_load_explicit(&r->latency_frames, memory_order_relaxed);
  uint32_t s = atomic_load_explicit(&w->sequence, memory_order_relaxed);
  /* A reader that sees any new field also sees the odd sequence (the fence), one that sees the even sequence sees all fields (release). */
  atomic_store_explicit(&w->sequence, s + 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  put(w, 0, (double)r->head.position);
  put(w, 1, (double)time_ns / 1e6);
  put(w, 2, (double)audible_frame(r, latency));
  put(w, 3, r->head.state);
  put(w, 4, r->current->snapshot->revision);
  put(w, 5, r->head.loop);
  put(w, 6, (double)r->head.loop_start);
  put(w, 7, (double)r->head.loop_end);
  put(w, 8, latency);
  put(w, 9, (double)r->rendered);
  put(w, 10, (double)r->current->number);
  put(w, 11, r->fading && r->old_head.state == LP_PLAYING ? (double)r->old_head.position : -1);
  put(w, 12, (double)r->head.origin);
  put(w, 13, r->fade_left);
  put(w, 14, r->head.state == LP_PLAYING ? 1 : 0);
  put(w, 15, r->head.to_frame == LP_NO_FRAME ? -1 : (double)r->head.to_frame);
  atomic_store_explicit(&w->sequence, s + 2, memory_order_release);
}

void lp_record_read(lp_renderer *r, double out[16]) {
  for (;;) {
    uint32_t before = atomic_load_explicit(&r->record.sequence, memory_order_acquire);
    if (before & 1) continue;
    for (int i = 0; i < 16; i++) {
      uint64_t bits = atomic_load_explicit(&r->record.fields[i], memory_order_relaxed);
      memcpy(&out[i], &bits, sizeof bits);
    }
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&r->record.sequence, memory_order_relaxed) == before) return;
  }
}

/* ---- taking a publication ---- */

/* Where the tracks of the snapshot to be taken stand; where the last one's stood is kept. */
static void note_places(lp_renderer *r, const lp_snapshot *s) {
  r->place ^= 1;
  uint16_t *places = r->places[r->place];
  memset(places, 0, r->slots * sizeof *places);
  for (uint32_t i = 0; i < s->count; i++) {
    const uint32_t slot = s->tracks[i].slot;
    places[slot] = (uint16_t)(i + 1);
    if (slot >= r->slots) r->slots = slot + 1;
  }
}

static const lp_track *old_track(const lp_renderer *r, const lp_snapshot *old, uint32_t slot) {
  uint32_t place = r->places[r->place ^ 1][slot];
  return place ? &old->tracks[place - 1] : NULL;
}

/* Of a track whose content is another one nothing is known: one that has gone may have left its address to it. */
static void forget_changed(lp_renderer *r, const lp_snapshot *old, const lp_snapshot *now) {
  for (uint32_t i = 0; i < now->count; i++) {
    const lp_track *t = &now->tracks[i], *o = old_track(r, old, t->slot);
    if (!o || o->content != t->content) lp_steady_forget(r, t->slot);
  }
}

/* Aims the gains at the snapshot's; those of tracks that were not there before, and all of them with snap, are there at once. */
static void aim_gains(lp_renderer *r, const lp_snapshot *old, const lp_snapshot *now, bool snap) {
  for (uint32_t i = 0; i < now->count; i++) {
    const lp_track *t = &now->tracks[i];
    bool fresh = snap || !old_track(r, old, t->slot);
    for (int side = 0; side < 2; side++) {
      lp_ramp *g = &r->ramps[t->slot][side];
      if (fresh) {
        *g = (lp_ramp){ t->gain[side], t->gain[side], t->gain[side], 0 };
      } else if (g->target != t->gain[side]) {
        g->from = g->current;
        g->target = t->gain[side];
        g->left = r->fade_frames;
      }
    }
  }
}

/* Ends the gaps of a snapshot's tracks, of the shared ones too or not. */
static void end_gaps(lp_renderer *r, const lp_snapshot *s, int64_t position, bool but_shared) {
  for (uint32_t i = 0; i < s->count && r->gaps; i++)
    if (!but_shared || r->part[s->tracks[i].slot] != LP_PART_SHARED) lp_track_end_gaps(r, s->tracks[i].slot, position);
}

/* Takes p: executes its steps, makes it current, starts a fade where the sound would jump. */
static void take(lp_renderer *r, const lp_publication *p, bool may_fade) {
  const lp_publication *old = r->current;
  const lp_head old_head = r->head;
  lp_step_result did = lp_head_run(&r->head, p->steps, p->step_count, old->number);
  bool was = old_head.state == LP_PLAYING, is = r->head.state == LP_PLAYING;
  r->current = p;
  note_places(r, p->snapshot);
  forget_changed(r, old->snapshot, p->snapshot);
  aim_gains(r, old->snapshot, p->snapshot, !was || (r->flags & LP_RENDERER_OFFLINE));

  bool fade = false;
  if (was) {
    memset(r->part, LP_PART_OWN, r->slots);
    bool moved = !is || r->head.position != old_head.position;
    uint32_t same = 0;
    if (!moved)
      for (uint32_t i = 0; i < p->snapshot->count; i++) {
        const lp_track *t = &p->snapshot->tracks[i];
        const lp_track *o = old_track(r, old->snapshot, t->slot);
        if (o && o->content == t->content) {
          r->part[t->slot] = LP_PART_SHARED;
          same++;
        }
      }
    for (uint32_t i = 0; i < old->snapshot->count; i++) {
      const uint32_t slot = old->snapshot->tracks[i].slot;
      if (!r->places[r->place][slot]) r->part[slot] = LP_PART_GONE;
    }
    fade = may_fade && (moved || same != p->snapshot->count || same != old->snapshot->count);
    end_gaps(r, old->snapshot, old_head.position, true);
  }
  if (fade) {
    r->fading = old;
    r->old_head = old_head;
    r->old_head.to_frame = LP_NO_FRAME; /* it sinks away, and is not cut off on its way */
    lp_voices *v = r->old_voices;
    r->old_voices = r->voices;
    r->voices = v;
    memcpy(r->voices, r->old_voices, r->slots * sizeof *r->voices->of);
    r->fade_left = r->fade_frames;
    add(&r->counts.crossfades, 1);
  } else if (!was && is) {
    memset(r->voices, 0, r->slots * sizeof *r->voices->of);
  }
  add(&r->counts.taken, 1);
  atomic_store_explicit(&r->counts.old_frames, r->rendered - p->made_at_frames, memory_order_relaxed);
  /* Release: the publisher frees older publications only after the callback has let go of them. */
  atomic_store_explicit(&r->oldest_in_use, r->fading ? r->fading->number : p->number, memory_order_release);
  history_push(r, r->rendered);
  /* The publisher learns from the record how the head stands at this publication; it must be whole before the number is seen. */
  lp_record_write(r, lp_engine_now_ns(r->engine));
  atomic_store_explicit(&r->acknowledged, p->number, memory_order_release);
  event(r, LP_EV_SWAP, old_head.position, r->head.position, p->snapshot->revision);
  if (did.loop_off) event(r, LP_EV_LOOP_OFF, r->head.loop_start, r->head.loop_end, 0);
}

static void finish_fade(lp_renderer *r) {
  r->fading = NULL;
  r->fade_left = 0;
  /* Release: nothing of the old publication is read after this. */
  atomic_store_explicit(&r->oldest_in_use, r->current->number, memory_order_release);
}

void lp_renderer_take_inline(lp_renderer *r, lp_publication *p) {
  /* Nothing sounds: a fade that a device left behind when it vanished is over. */
  if (r->fading) finish_fade(r);
  take(r, p, false);
}

/* ---- rendering ---- */

static float ramp_peek_step(lp_ramp *g, int32_t fade) {
  g->left--;
  g->current = g->left > 0 ? g->from + (g->target - g->from) * ((float)(fade - g->left) / (float)fade) : g->target;
  return g->current;
}

/* Adds a track's sides to the mix through its gains and gathers its meters. */
static void mix_track(lp_renderer *r, uint32_t slot, float *const in[2], float *const out[2], int32_t n, bool meter) {
  for (int side = 0; side < 2; side++) {
    lp_ramp *g = &r->ramps[slot][side];
    float *t = in[side], *o = out[side];
    int32_t i = 0;
    for (; i < n && g->left > 0; i++) t[i] *= ramp_peek_step(g, r->fade_frames);
    const float gain = g->current;
    for (; i < n; i++) t[i] *= gain;
    for (i = 0; i < n; i++) o[i] += t[i];
    if (!meter) continue;
    lp_meter *m = &r->meter_active->tracks[slot];
    r->kernel->measure(t, n, &m->peak[side], &m->square[side]);
  }
}

static bool silent(const lp_renderer *r, uint32_t slot) {
  const lp_ramp *g = r->ramps[slot];
  return g[0].left <= 0 && g[1].left <= 0 && g[0].current == 0.0f && g[1].current == 0.0f;
}

enum which { WHICH_ALL, WHICH_SHARED, WHICH_OWN };

/* Adds one track at the head's position to out. */
static void mix_long(lp_renderer *r, const lp_track *t, const lp_head *head, lp_voices *voices, int32_t n, int64_t limit, bool count, float *const out[2]) {
  memset(r->track[0], 0, (size_t)n * sizeof(float));
  memset(r->track[1], 0, (size_t)n * sizeof(float));
  lp_track_render(r, t->content, t->slot, voices, head->position, n, limit, count, r->track[0], r->track[1]);
  /* In a fade a track sounds twice; its gains must be stepped once: by the new, or by the old if no new sounds. Its meters do not count what
   * sinks away. */
  const lp_ramp keep[2] = { r->ramps[t->slot][0], r->ramps[t->slot][1] };
  mix_track(r, t->slot, r->track, out, n, count);
  if (!count && r->head.state == LP_PLAYING && r->part[t->slot] != LP_PART_GONE) memcpy(r->ramps[t->slot], keep, sizeof keep);
}

/* Adds a snapshot's tracks at the head's position to out; n does not cross a jump of the head. */
static void mix_snapshot(lp_renderer *r, const lp_snapshot *s, const lp_head *head, lp_voices *voices, int32_t n, enum which which, bool count,
                         float *const out[2]) {
  int64_t limit = lp_head_span(head, INT32_MAX);
  /* What sinks away is not heard beyond its fade: a hole there is none. */
  if (!count && r->fade_left < limit) limit = r->fade_left;
  lp_steady_block looks[LP_STEADY_AHEAD];
  uint64_t steady = 0; /* voices with all of their frames there */
  for (uint32_t i = 0; i < s->count; i++) {
    /* What sinks away goes the long way: `steady` is of what is current. */
    if (count && i % LP_STEADY_AHEAD == 0)
      for (uint32_t k = 0; k < LP_STEADY_AHEAD && i + k < s->count; k++) lp_steady_look(r, &s->tracks[i + k], head->position, n, limit, &looks[k]);
    const lp_track *t = &s->tracks[i];
    if (which != WHICH_ALL && (which == WHICH_SHARED) != (r->part[t->slot] == LP_PART_SHARED)) continue;
    if (silent(r, t->slot)) {
      if (count && r->gaps) lp_track_end_gaps(r, t->slot, head->position);
      continue;
    }
    if (count && looks[i % LP_STEADY_AHEAD].plane[0]) {
      lp_steady_mix(r, t->slot, &looks[i % LP_STEADY_AHEAD], n, out);
      steady++;
      continue;
    }
    if (count && lp_track_rests(r, t, head->position, n)) continue;
    mix_long(r, t, head, voices, n, limit, count, out);
    if (count) lp_steady_note(r, t, head->position + n);
  }
  if (steady) add(&r->counts.hits, steady);
}

/* Executes what stands at the end of a span: wrap or end. */
static enum lp_jump advance(lp_renderer *r, int32_t n) {
  if (r->head.state != LP_PLAYING) return LP_JUMP_NONE;
  int64_t before = r->head.position + n;
  enum lp_jump jump = lp_head_advance(&r->head, n);
  if (jump == LP_JUMP_NONE) return jump;
  history_push(r, r->rendered + (uint64_t)n);
  end_gaps(r, r->current->snapshot, before, false);
  if (jump == LP_JUMP_WRAP) event(r, LP_EV_WRAP, before, r->head.position, 0);
  else event(r, LP_EV_END, before, r->head.position, r->head.state);
  return jump;
}

/* Renders one span of at most LP_BLOCK frames into r->mix. Returns its length. */
static int32_t render_span(lp_renderer *r, uint32_t most) {
  if (!r->fading) {
    /* Acquire: the publication is whole. */
    lp_publication *p = atomic_exchange_explicit(&r->mailbox, NULL, memory_order_acq_rel);
    if (p) take(r, p, true);
  }
  int64_t span = most < LP_BLOCK ? most : LP_BLOCK;
  const bool playing = r->head.state == LP_PLAYING;
  if (playing) span = lp_head_span(&r->head, span);
  if (r->fading) {
    if (span > r->fade_left) span = r->fade_left;
    span = lp_head_span(&r->old_head, span);
  }
  int32_t n = (int32_t)span;
  for (int side = 0; side < 2; side++) memset(r->mix[side], 0, (size_t)n * sizeof(float));

  if (r->fading) {
    for (int side = 0; side < 2; side++) memset(r->old_mix[side], 0, (size_t)n * sizeof(float));
    mix_snapshot(r, r->fading->snapshot, &r->old_head, r->old_voices, n, WHICH_OWN, false, r->old_mix);
    if (playing) mix_snapshot(r, r->current->snapshot, &r->head, r->voices, n, WHICH_OWN, true, r->mix);
    /* Linear: old and new are mostly the same signal. */
    const float length = (float)r->fade_frames;
    for (int side = 0; side < 2; side++)
      for (int32_t i = 0; i < n; i++) {
        float w = ((float)(r->fade_frames - r->fade_left + i) + 0.5f) / length;
        r->mix[side][i] = r->mix[side][i] * w + r->old_mix[side][i] * (1.0f - w);
      }
    if (playing) mix_snapshot(r, r->current->snapshot, &r->head, r->voices, n, WHICH_SHARED, true, r->mix);
  } else if (playing) {
    mix_snapshot(r, r->current->snapshot, &r->head, r->voices, n, WHICH_ALL, true, r->mix);
  }

  const bool ended = advance(r, n) == LP_JUMP_END;
  if (r->fading) {
    lp_head_advance(&r->old_head, n);
    r->fade_left -= n;
    /* Playing to a frame ends there, with all that sounds. */
    if (r->fade_left <= 0 || ended) finish_fade(r);
  }
  return n;
}

static void meter_master(lp_renderer *r, int32_t n) {
  lp_meter *m = &r->meter_active->master;
  for (int side = 0; side < 2; side++) r->kernel->measure(r->mix[side], n, &m->peak[side], &m->square[side]);
  r->meter_active->frames += n;
}

/* Hands the meters over when the reader has emptied the last page and given a spare one. */
static void meter_flip(lp_renderer *r, uint64_t end_ns) {
  if (atomic_load_explicit(&r->meter_ready, memory_order_relaxed)) return;
  lp_meter_page *spare = atomic_exchange_explicit(&r->meter_spare, NULL, memory_order_acq_rel);
  if (!spare) return;
  r->meter_active->audible = (double)audible_frame(r, atomic_load_explicit(&r->latency_frames, memory_order_relaxed));
  r->meter_active->time_ms = (double)end_ns / 1e6;
  r->meter_active->slots = r->slots;
  r->meter_active->revision = r->current->snapshot->revision;
  /* Release: the page is whole when it is seen. */
  atomic_store_explicit(&r->meter_ready, r->meter_active, memory_order_release);
  r->meter_active = spare;
}

/* While the device closes: this is the last period that sounds, faded out over one fade length or what there is of it. */
static void fade_out(const lp_renderer *r, float *out, uint32_t frames) {
  const uint32_t length = frames < (uint32_t)r->fade_frames ? frames : (uint32_t)r->fade_frames;
  for (uint32_t i = 0; i < frames; i++) {
    float w = i < length ? (float)(length - i) / (float)(length + 1) : 0.0f;
    out[i * 2] *= w;
    out[i * 2 + 1] *= w;
  }
}

void lp_renderer_process(lp_renderer *r, float *out, uint32_t frames) {
  lp_renderer_process_at(r, out, frames, lp_engine_now_ns(r->engine));
}

void lp_renderer_process_at(lp_renderer *r, float *out, uint32_t frames, uint64_t began) {
  const uint64_t started = lp_monotonic_ns();
  uint32_t quiet = atomic_load_explicit(&r->quiesce, memory_order_acquire);
  if (quiet == 2) {
    memset(out, 0, (size_t)frames * 2 * sizeof(float));
    return;
  }
  lp_epoch_enter(&r->epoch);
  lp_record_write(r, began);
  uint32_t done = 0;
  while (done < frames) {
    int32_t n = render_span(r, frames - done);
    meter_master(r, n);
    for (int32_t i = 0; i < n; i++) {
      out[(done + (uint32_t)i) * 2] = r->mix[0][i];
      out[(done + (uint32_t)i) * 2 + 1] = r->mix[1][i];
    }
    r->rendered += (uint64_t)n;
    done += (uint32_t)n;
  }
  lp_sides_render(r, out, frames, began);
  if (quiet == 1) {
    if (r->fading) finish_fade(r);
    fade_out(r, out, frames);
    /* Release: the closer sees all that this callback wrote. */
    atomic_store_explicit(&r->quiesce, 2, memory_order_release);
  }
  lp_tap_pass(&r->tap, out, frames);
  lp_epoch_exit(&r->epoch);
  if (r->engine->flags & LP_ENGINE_MANUAL_CLOCK) {
    if (r->driver == LP_DRIVER_CALLER && !(r->flags & LP_RENDERER_OFFLINE))
      atomic_fetch_add_explicit(&r->engine->manual_ns, (uint64_t)((double)frames * 1e9 / r->rate), memory_order_relaxed);
  }
  /* The end of this block is reached one block's length after its begin: so a record holds a frame and the time it belongs to. */
  const uint64_t ends = began + (uint64_t)((double)frames * 1e9 / r->rate);
  meter_flip(r, ends);
  lp_record_write(r, ends);
  const uint64_t took = lp_monotonic_ns() - started;
  add(&r->counts.callbacks, 1);
  add(&r->counts.frames, frames);
  add(&r->counts.sum_ns, took);
  if (took > atomic_load_explicit(&r->counts.longest_ns, memory_order_relaxed)) atomic_store_explicit(&r->counts.longest_ns, took, memory_order_relaxed);
  const double period = (double)frames * 1e9 / r->rate;
  lp_histogram_add(&r->histograms[LP_RENDER_CALLBACK], took);
  lp_histogram_add(&r->histograms[LP_RENDER_SHARE], (uint64_t)((double)took / period * 1e9));
  if ((double)took <= period) return;
  add(&r->counts.late, 1);
  if (!(r->flags & LP_RENDERER_OFFLINE)) lp_overruns_note(&r->overruns, began, took, (uint64_t)period);
}
