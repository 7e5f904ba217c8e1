/* Renderers: life, transport, what they report, and the two drivers that are callers (manual and offline). */
#include "renderer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine_internal.h"
#include "float_mode.h"

static void *floats(size_t n) { return calloc(n, sizeof(float)); }

void lp_renderer_free(lp_renderer *r) {
  for (lp_publication *p = r->oldest; p;) {
    lp_publication *next = p->next;
    lp_snapshot_unref(p->snapshot);
    free(p);
    p = next;
  }
  lp_block_index_free(&r->blocks);
  free(r->voices);
  free(r->old_voices);
  free(r->steady);
  free(r->cursors);
  for (int i = 0; i < 2; i++) {
    free(r->mix[i]);
    free(r->old_mix[i]);
    free(r->track[i]);
  }
  for (int i = 0; i < LP_MAX_CHANNELS; i++) free(r->scratch[i]);
  for (int i = 0; i < 2; i++) free(r->folded[i]);
  free(r->envelope);
  free(r->side_out);
  free(r->presence);
  for (int i = 0; i < 2; i++) free(r->meter_pages[i]);
  free(r->pending);
  pthread_mutex_destroy(&r->lock);
  free(r);
}

static bool allocate(lp_renderer *r) {
  bool ok = true;
  ok = ok && (r->voices = calloc(1, sizeof *r->voices));
  ok = ok && (r->old_voices = calloc(1, sizeof *r->old_voices));
  ok = ok && (r->steady = calloc(LP_MAX_TRACKS, sizeof *r->steady));
  ok = ok && (r->cursors = calloc(LP_MAX_TRACKS, sizeof *r->cursors));
  for (int i = 0; i < 2; i++) {
    ok = ok && (r->mix[i] = floats(LP_BLOCK));
    ok = ok && (r->old_mix[i] = floats(LP_BLOCK));
    ok = ok && (r->track[i] = floats(LP_BLOCK));
  }
  const size_t read = LP_READING_FRAMES + LP_SPEED_MAX_TAPS + 2;
  for (int i = 0; i < LP_MAX_CHANNELS; i++) ok = ok && (r->scratch[i] = floats(read));
  for (int i = 0; i < 2; i++) ok = ok && (r->folded[i] = floats(read));
  ok = ok && (r->side_out = floats(2 * LP_BLOCK));
  ok = ok && (r->envelope = floats(LP_BLOCK)) && (r->presence = floats(LP_BLOCK));
  for (int i = 0; i < 2; i++) ok = ok && (r->meter_pages[i] = calloc(1, sizeof(lp_meter_page)));
  lp_publication *first = ok ? calloc(1, sizeof *first) : NULL;
  ok = ok && first && (first->snapshot = lp_snapshot_empty());
  if (!ok) {
    free(first);
    return false;
  }
  r->oldest = r->newest = first;
  r->current = first;
  r->meter_active = r->meter_pages[0];
  atomic_store(&r->meter_spare, r->meter_pages[1]);
  return true;
}

int32_t lp_renderer_create(uint32_t engine, uint32_t flags) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  lp_renderer *r = calloc(1, sizeof *r);
  if (!r) return LP_E_MEMORY;
  pthread_mutex_init(&r->lock, NULL);
  r->engine = e;
  r->flags = flags;
  r->rate = e->sample_rate;
  r->fade_frames = (int32_t)lrint(LP_FADE_MS * r->rate / 1000);
  r->head = (lp_head){ .to_frame = LP_NO_FRAME };
  r->kernel = lp_mix_kernel_best();
  r->speed = lp_speed_kernel_best();
  if (!allocate(r) || !(r->handle = lp_handle_make(LP_KIND_RENDERER, r))) {
    lp_renderer_free(r);
    return LP_E_MEMORY;
  }
  if (lp_store_add_epoch(e->store, &r->epoch)) {
    lp_handle_free(r->handle);
    lp_renderer_free(r);
    return LP_E_MEMORY;
  }
  lp_record_write(r, lp_engine_now_ns(e));
  pthread_mutex_lock(&e->lock);
  r->next = e->renderers;
  e->renderers = r;
  pthread_mutex_unlock(&e->lock);
  return (int32_t)r->handle;
}

int32_t lp_renderer_close(uint32_t handle) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  lp_handle_free(handle);
  lp_engine *e = r->engine;
  atomic_store_explicit(&r->closing, true, memory_order_relaxed);
  lp_side_leave(r);
  lp_sides_leave(r);
  for (;;) {
    pthread_mutex_lock(&r->lock);
    bool busy = r->busy, device = r->device != NULL;
    pthread_mutex_unlock(&r->lock);
    if (!busy && !device) break;
    struct timespec pause = { 0, 500000 };
    if (busy) nanosleep(&pause, NULL);
    else lp_device_shutdown(r);
  }
  /* The follower is out of it when it is off the list. */
  pthread_mutex_lock(&e->pass_lock);
  pthread_mutex_lock(&e->lock);
  for (lp_renderer **link = &e->renderers; *link; link = &(*link)->next)
    if (*link == r) {
      *link = r->next;
      break;
    }
  pthread_mutex_unlock(&e->lock);
  pthread_mutex_unlock(&e->pass_lock);
  if (r->candidate) atomic_fetch_sub(&e->gates, 1);
  lp_store_remove_epoch(e->store, &r->epoch);
  /* Queued requests and marks on pages name them. */
  lp_store_remove_origin(e->store, &r->origin);
  lp_store_remove_origin(e->store, &r->candidate_origin);
  lp_renderer_free(r);
  return LP_OK;
}

/* ---- publishing and transport ---- */

static lp_source *lookup_source(void *context, uint32_t handle) {
  /* The handle's reference keeps it: handles are closed on this thread alone. */
  return lp_engine_source(context, handle);
}

int32_t lp_publish(uint32_t handle, const uint8_t *packed, uint32_t packed_bytes) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  lp_snapshot *snapshot = NULL;
  lp_map_step *map = NULL;
  uint32_t count = 0;
  pthread_mutex_lock(&r->lock);
  pthread_mutex_lock(&r->engine->source_lock);
  int result = lp_snapshot_unpack(packed, packed_bytes, r->newest->snapshot, &r->blocks, lookup_source, r->engine, &snapshot, &map, &count);
  pthread_mutex_unlock(&r->engine->source_lock);
  pthread_mutex_unlock(&r->lock);
  if (result) return result;
  lp_step *steps = count ? calloc(count, sizeof *steps) : NULL;
  if (count && !steps) {
    pthread_mutex_lock(&r->lock);
    lp_snapshot_unref(snapshot);
    pthread_mutex_unlock(&r->lock);
    free(map);
    return LP_E_MEMORY;
  }
  for (uint32_t i = 0; i < count; i++) steps[i] = (lp_step){ .kind = LP_STEP_MAP, .a = map[i].at, .b = map[i].remove, .c = map[i].insert };
  result = lp_renderer_publish(r, snapshot, steps, count);
  free(steps);
  free(map);
  return result;
}

static int32_t transport(uint32_t handle, lp_step step) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  return lp_renderer_publish(r, NULL, &step, 1);
}

static bool frame_ok(double f) { return f >= 0 && f <= 9007199254740992.0; }

int32_t lp_transport_play(uint32_t renderer, double from_frame, double to_frame) {
  if ((!isnan(from_frame) && !frame_ok(from_frame)) || (!isnan(to_frame) && !frame_ok(to_frame))) return LP_E_ARGUMENT;
  return transport(renderer, (lp_step){ .kind = LP_STEP_PLAY,
                                        .a = isnan(from_frame) ? LP_NO_FRAME : (int64_t)from_frame,
                                        .b = isnan(to_frame) ? LP_NO_FRAME : (int64_t)to_frame });
}
int32_t lp_transport_pause(uint32_t renderer) { return transport(renderer, (lp_step){ .kind = LP_STEP_PAUSE }); }
int32_t lp_transport_stop(uint32_t renderer) { return transport(renderer, (lp_step){ .kind = LP_STEP_STOP }); }
int32_t lp_transport_seek(uint32_t renderer, double position_frame) {
  if (!frame_ok(position_frame)) return LP_E_ARGUMENT;
  return transport(renderer, (lp_step){ .kind = LP_STEP_SEEK, .a = (int64_t)position_frame });
}
int32_t lp_transport_loop(uint32_t renderer, uint32_t enabled, double start_frame, double end_frame) {
  if (!frame_ok(start_frame) || !frame_ok(end_frame) || (enabled && end_frame - start_frame < 1)) return LP_E_ARGUMENT;
  return transport(renderer, (lp_step){ .kind = LP_STEP_LOOP, .flag = enabled != 0, .a = (int64_t)start_frame, .b = (int64_t)end_frame });
}

/* ---- reports ---- */

int32_t lp_position(uint32_t handle, double *out, uint32_t count) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  if (count < 16) return LP_E_ARGUMENT;
  lp_record_read(r, out);
  /* Relaxed: a publication seen in the record was numbered before. */
  out[11] = (double)atomic_load_explicit(&r->last_number, memory_order_relaxed);
  out[15] = atomic_load_explicit(&r->gate_waits, memory_order_relaxed);
  return LP_OK;
}

int32_t lp_events(uint32_t handle, uint8_t *out, uint32_t out_bytes) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  uint32_t n = 0, room = out_bytes / (uint32_t)sizeof(lp_event);
  uint32_t tail = atomic_load_explicit(&r->event_tail, memory_order_relaxed);
  /* Acquire: events before head are whole. */
  uint32_t head = atomic_load_explicit(&r->event_head, memory_order_acquire);
  for (; tail != head && n < room; tail++, n++) memcpy(out + n * sizeof(lp_event), &r->events[tail & (LP_EVENTS - 1)], sizeof(lp_event));
  /* Release: slots are read before they are given back. */
  atomic_store_explicit(&r->event_tail, tail, memory_order_release);
  return (int32_t)n;
}

int32_t lp_meters(uint32_t handle, uint8_t *out, uint32_t out_bytes) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  if (out_bytes < 32 + 16) return LP_E_ARGUMENT;
  lp_meter_page *page = atomic_load_explicit(&r->meter_ready, memory_order_acquire);
  if (!page) return LP_E_STATE;
  double head[4] = { page->audible, page->time_ms, page->revision, page->frames };
  memcpy(out, head, sizeof head);
  uint32_t slots = (out_bytes - 32) / 16 - 1;
  if (slots > LP_MAX_TRACKS) slots = LP_MAX_TRACKS;
  double frames = page->frames > 0 ? page->frames : 1;
  for (uint32_t i = 0; i <= slots; i++) {
    const lp_meter *m = i ? &page->tracks[i - 1] : &page->master;
    if (i > page->slots) {
      memset(out + 32 + i * 16, 0, ((size_t)slots + 1 - i) * 16);
      break;
    }
    float v[4] = { m->peak[0], m->peak[1], (float)sqrt(m->square[0] / frames), (float)sqrt(m->square[1] / frames) };
    memcpy(out + 32 + i * 16, v, sizeof v);
  }
  memset(page, 0, offsetof(lp_meter_page, tracks) + page->slots * sizeof *page->tracks);
  /* Release: the page is empty when the callback takes it. */
  atomic_store_explicit(&r->meter_spare, page, memory_order_release);
  atomic_store_explicit(&r->meter_ready, NULL, memory_order_release);
  return (int32_t)slots;
}

static double load(_Atomic uint64_t *v) { return (double)atomic_load_explicit(v, memory_order_relaxed); }

int32_t lp_counters(uint32_t handle, double *out, uint32_t count) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  lp_counts *c = &r->counts;
  double v[35] = { load(&c->callbacks), load(&c->frames) };
  for (int i = 0; i < LP_CAUSES; i++) {
    v[4 + i] = load(&c->missing[i]);
    v[10 + i] = load(&c->faded[i]);
    v[26 + i] = load(&c->proxied[i]);
    v[2] += v[4 + i];
    v[3] += v[10 + i];
    v[25] += v[26 + i];
  }
  v[16] = load(&c->longest_ns);
  v[17] = load(&c->late);
  v[18] = load(&c->taken);
  v[19] = load(&c->displaced);
  v[20] = load(&c->by_deadline);
  v[21] = load(&c->crossfades);
  v[22] = load(&c->sum_ns);
  v[23] = load(&c->events_lost);
  v[24] = load(&c->old_frames);
  v[32] = load(&c->hits);
  v[33] = load(&c->misses);
  v[34] = load(&c->gap_frames_lost);
  uint32_t n = count < 35 ? count : 35;
  memcpy(out, v, n * sizeof *v);
  return (int32_t)n;
}

int32_t lp_track_counters(uint32_t handle, uint32_t slot, double *out, uint32_t count) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  if (slot >= LP_MAX_TRACKS || count < 2) return LP_E_ARGUMENT;
  double v[3 + 2 * LP_CAUSES] = { [2] = load(&r->counts.track_proxied[slot]) };
  for (int i = 0; i < LP_CAUSES; i++) {
    v[0] += v[3 + i] = load(&r->counts.track_missing[slot][i]);
    v[1] += v[3 + LP_CAUSES + i] = load(&r->counts.track_faded[slot][i]);
  }
  if (count > sizeof v / sizeof *v) count = sizeof v / sizeof *v;
  memcpy(out, v, count * sizeof *v);
  return (int32_t)count;
}

int32_t lp_renderer_histogram(uint32_t handle, uint32_t which, double *out, uint32_t count) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  return which < LP_RENDER_HISTOGRAMS ? (int32_t)lp_histogram_read(&r->histograms[which], out, count) : LP_E_ARGUMENT;
}

int32_t lp_overruns_since(uint32_t handle, double since, double *out, uint32_t count) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  return r ? (int32_t)lp_overruns_read(&r->overruns, since, out, count) : LP_E_HANDLE;
}

/* ---- callers as drivers ---- */

static int drive(lp_renderer *r) {
  pthread_mutex_lock(&r->lock);
  int result = r->driver == LP_DRIVER_DEVICE || r->driver == LP_DRIVER_SIDE || r->busy ? LP_E_STATE : LP_OK;
  if (!result) {
    r->driver = LP_DRIVER_CALLER;
    r->busy = true;
  }
  pthread_mutex_unlock(&r->lock);
  return result;
}

static void undrive(lp_renderer *r) {
  pthread_mutex_lock(&r->lock);
  r->busy = false;
  pthread_mutex_unlock(&r->lock);
}

int32_t lp_render(uint32_t handle, float *out, uint32_t frames) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  int result = drive(r);
  if (result) return result;
  uint64_t mode = lp_float_mode_flush();
  if (frames) lp_renderer_process(r, out, frames);
  lp_float_mode_restore(mode);
  undrive(r);
  return LP_OK;
}

#define WAIT_PART_MS 20.0

/* Waits until the next n frames (and one fade beyond) are resident or cannot be had. Only frames of these that come are progress: reads that fail, and
 * pages of others, must not make it wait for ever. */
static int wait_for_pages(lp_renderer *r, uint32_t n, double timeout_ms) {
  lp_engine *e = r->engine;
  int64_t least = INT64_MAX;
  /* Waited in parts: of a standstill of the machine, in which no page could come, little counts. */
  double waited_ms = 0;
  uint64_t looked = lp_monotonic_ns();
  uint32_t idle = 0; /* single step: steps without work */
  for (;;) {
    const uint64_t seen = lp_store_fill_count(e->store);
    pthread_mutex_lock(&r->lock);
    lp_gate_try(r);
    lp_snapshot *s = r->newest->snapshot;
    lp_snapshot_ref(s);
    lp_head head = lp_head_predict(r, r->newest);
    pthread_mutex_unlock(&r->lock);
    int64_t missing = head.state == LP_PLAYING ? lp_span_missing(s, head, (int64_t)n + r->fade_frames, INT64_MAX) : 0;
    pthread_mutex_lock(&r->lock);
    lp_snapshot_unref(s);
    pthread_mutex_unlock(&r->lock);
    if (missing == 0) return LP_OK;
    if (atomic_load_explicit(&r->closing, memory_order_relaxed)) return LP_E_CLOSING; /* a flag alone: no order needed */
    if (missing < least) {
      least = missing;
      waited_ms = 0;
      looked = lp_monotonic_ns();
      idle = 0;
    }
    if (e->flags & LP_ENGINE_SINGLE_STEP) {
      lp_follow_pass(e->follow);
      lp_store_step(e->store);
      if (++idle > timeout_ms) return LP_E_TIMEOUT;
      continue;
    }
    const uint64_t now = lp_monotonic_ns();
    const double part_ms = (double)(now - looked) / 1e6;
    looked = now;
    waited_ms += part_ms < 2 * WAIT_PART_MS ? part_ms : 2 * WAIT_PART_MS;
    if (waited_ms > timeout_ms) return LP_E_TIMEOUT;
    lp_engine_wake(e);
    const double rest_ms = timeout_ms - waited_ms;
    lp_store_wait_fill(e->store, seen, rest_ms < WAIT_PART_MS ? (uint64_t)(rest_ms * 1e6) + 1 : (uint64_t)(WAIT_PART_MS * 1e6));
  }
}

int32_t lp_render_wait(uint32_t handle, float *out, uint32_t frames, double timeout_ms) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  if (!(timeout_ms >= 0)) return LP_E_ARGUMENT;
  int result = drive(r);
  if (result) return result;
  uint64_t mode = lp_float_mode_flush();
  uint32_t done = 0;
  while (done < frames && !result) {
    uint32_t n = frames - done < LP_BLOCK ? frames - done : LP_BLOCK;
    result = wait_for_pages(r, n, timeout_ms);
    if (result) break;
    lp_renderer_process(r, out + (size_t)done * 2, n);
    done += n;
  }
  lp_float_mode_restore(mode);
  undrive(r);
  return done ? (int32_t)done : result;
}

static int32_t begin_tap(uint32_t handle, bool of_device, float *buffer, double frames) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  return r ? lp_tap_begin(of_device ? &r->device_tap : &r->tap, buffer, frames) : LP_E_HANDLE;
}

static int32_t end_tap(uint32_t handle, bool of_device, double *out) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  out[0] = (double)lp_tap_end(of_device ? &r->device_tap : &r->tap);
  return LP_OK;
}

int32_t lp_tap_start(uint32_t handle, float *buffer, double frames) { return begin_tap(handle, false, buffer, frames); }
int32_t lp_tap_stop(uint32_t handle, double *out) { return end_tap(handle, false, out); }
int32_t lp_device_tap_start(uint32_t handle, float *buffer, double frames) { return begin_tap(handle, true, buffer, frames); }
int32_t lp_device_tap_stop(uint32_t handle, double *out) { return end_tap(handle, true, out); }
