/* The rendering half under everything at once: render_stress_main <seed> <milliseconds> [rounds]. Each round opens an engine with fill threads and a live
 * renderer that a thread of its own drives by lp_render, while another opens the null device on it, at the engine's rate or another, and closes it again,
 * one more makes it vanish and asks how it does, and then at random: publishes edits of every kind, seeks, loops, plays, pauses, stops, taps, opens and closes sources, pairs them with proxies and parts them, makes reads fail, and renders offline on another thread, while one
 * more thread reads all that may be read from any thread. It ends at a random moment, in any state. Sanitizers look for races and for what is not its own; the
 * program for what must hold at any moment. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "device.h"
#include "engine.h"
#include "engine_internal.h"
#include "packer.h"
#include "store_support.h"

enum { FILES = 6, FRAMES = 60000, SOURCES = 24, GAPS = 1 << 14 };

static sound files[FILES];

/* ---- what several threads of a round share -------------------------------------------------------------------------- */

typedef struct round_of_play {
  uint32_t engine, renderer;
  _Atomic bool stop;
  _Atomic uint64_t opened; /* a source that the opener made, 0 none: handle */
} round_of_play;

static uint32_t whole(uint64_t *random, uint32_t n) { return (uint32_t)((uint64_t)next_random(random) * n >> 32); }

static int32_t open_file(uint32_t engine, const char *path) {
  lp_source_info info;
  return lp_source_open(engine, (const uint8_t *)path, (uint32_t)strlen(path), (uint8_t *)&info, sizeof info);
}

static void check_sound(const float *out, uint32_t frames, const char *who) {
  for (uint32_t i = 0; i < frames * 2; i++) CHECK(isfinite(out[i]) && fabsf(out[i]) < 1000.0f, "%s: sample %u of %u is %g", who, i, frames * 2, (double)out[i]);
}

/* Things that only grow, seen by one thread. */
typedef struct watch {
  double revision, taken, rendered, counters[32];
} watch;

static void look_at_position(uint32_t renderer, watch *w, double p[16]) {
  CHECK(lp_position(renderer, p, 16) == LP_OK, "position");
  for (int i = 0; i < 16; i++) CHECK(isfinite(p[i]), "field %d of the position is %g", i, p[i]);
  CHECK(p[4] >= w->revision, "revision %g after %g", p[4], w->revision);
  CHECK(p[10] >= w->taken && p[10] <= p[11], "publication %g after %g, of %g", p[10], w->taken, p[11]);
  CHECK(p[9] >= w->rendered, "%g frames rendered after %g", p[9], w->rendered);
  CHECK(p[0] >= 0 && p[2] >= 0 && p[12] >= 0, "position %g, audible %g, origin %g", p[0], p[2], p[12]);
  CHECK(p[3] == 0 || p[3] == 1 || p[3] == 2, "state %g", p[3]);
  CHECK(p[5] == 0 || p[7] - p[6] >= 1, "a loop from %g to %g", p[6], p[7]);
  CHECK(p[13] >= 0 && p[13] <= 720, "%g frames of a fade left", p[13]);
  w->revision = p[4];
  w->taken = p[10];
  w->rendered = p[9];
}

static void look_at_counters(uint32_t renderer, watch *w) {
  double c[32];
  CHECK(lp_counters(renderer, c, 32) == 32, "counters");
  for (int i = 0; i < 32; i++) {
    CHECK(i == 24 || c[i] >= w->counters[i], "counter %d: %g after %g", i, c[i], w->counters[i]);
    w->counters[i] = c[i];
  }
}

/* [its own thread] */
static void *render_main(void *context) {
  round_of_play *y = context;
  uint64_t random = y->engine * 77u + 5;
  static __thread float out[1024 * 2];
  while (!atomic_load(&y->stop)) {
    uint32_t frames = whole(&random, 1025);
    int32_t result = lp_render(y->renderer, out, frames);
    CHECK(result == LP_OK || result == LP_E_STATE, "lp_render: %d", result);
    if (result == LP_OK) check_sound(out, frames, "rendered");
    if (whole(&random, 3) == 0) sleep_ms(1);
  }
  return NULL;
}

/* [its own thread] Leaves the device open or closed, as it happens. */
static void *device_main(void *context) {
  round_of_play *y = context;
  uint64_t random = y->engine * 55u + 1;
  bool open = false;
  while (!atomic_load(&y->stop)) {
    sleep_ms(whole(&random, 4) ? whole(&random, 4) : whole(&random, 150));
    if (open) {
      CHECK(lp_device_close(y->renderer) == LP_OK, "closing the device");
      open = false;
    } else {
      const uint32_t rates[] = { 0, 0, 44100, 96000, 48001, 8000 };
      lp_device_config config = { .backend = LP_BACKEND_NULL, .period_frames = 64 << whole(&random, 5), .sample_rate = rates[whole(&random, 6)] };
      const uint32_t rate = config.sample_rate ? config.sample_rate : RATE;
      int32_t result = lp_device_open(y->renderer, (uint8_t *)&config, sizeof config);
      CHECK(result == LP_OK || result == LP_E_STATE, "opening the device: %d", result);
      open = result == LP_OK;
      if (open) CHECK(config.sample_rate == rate, "it runs at %u, not %u", config.sample_rate, rate);
    }
  }
  return NULL;
}

/* [its own thread] Asks about the device at any moment, and now and then makes it vanish as the audio system would. */
static void *vanish_main(void *context) {
  round_of_play *y = context;
  uint64_t random = y->engine * 41u + 7;
  lp_renderer *r = lp_handle_get(y->renderer, LP_KIND_RENDERER);
  while (!atomic_load(&y->stop)) {
    sleep_ms(whole(&random, 6));
    int32_t told = lp_device_measure(y->renderer);
    CHECK(told == 0 || told == LP_E_STATE, "measuring: %d", told);
    lp_device_entry entry;
    CHECK(lp_device_list(y->renderer, LP_BACKEND_NULL, (uint8_t *)&entry, sizeof entry) == 1, "the list");
    if (whole(&random, 8)) continue;
    lp_device *d = lp_device_use(r);
    if (!d) continue;
    ma_device_stop(&d->device);
    lp_device_leave(d);
  }
  return NULL;
}

/* [its own thread] */
static void *read_main(void *context) {
  round_of_play *y = context;
  uint64_t random = y->engine * 99u + 3;
  watch w = { 0 };
  while (!atomic_load(&y->stop)) {
    double p[16], few[2], store[16], status[LP_DEVICE_STATUS];
    look_at_position(y->renderer, &w, p);
    look_at_counters(y->renderer, &w);
    CHECK(lp_track_counters(y->renderer, whole(&random, LP_MAX_TRACKS), few, 2) == 2, "track counters");
    CHECK(lp_store_counters(y->engine, store, 16) == 16, "store counters");
    CHECK(lp_device_status(y->renderer, status, LP_DEVICE_STATUS) == LP_DEVICE_STATUS, "device status");
    double run = lp_source_resident(y->engine, 1 + whole(&random, 8), (double)whole(&random, FRAMES), 5000);
    CHECK(run == LP_E_HANDLE || (run >= 0 && run <= 5000), "resident: %g", run);
    if (whole(&random, 4) == 0) sleep_ms(1);
  }
  return NULL;
}

/* [its own thread] Opens files, good ones and one that is not there. */
static void *open_main(void *context) {
  round_of_play *y = context;
  uint64_t random = y->engine * 31u + 9;
  while (!atomic_load(&y->stop)) {
    if (atomic_load(&y->opened) == 0) {
      uint32_t which = whole(&random, FILES + 1);
      int32_t handle = open_file(y->engine, which < FILES ? files[which].path : "/nowhere/at/all.wav");
      CHECK(which < FILES ? handle > 0 : handle == LP_E_ABSENT, "opening file %u: %d", which, handle);
      if (handle > 0) atomic_store(&y->opened, (uint64_t)handle);
    }
    sleep_ms(1 + whole(&random, 4));
  }
  return NULL;
}

/* ---- offline ----------------------------------------------------------------------------------------------------------- */

typedef struct offline {
  pthread_t thread;
  uint32_t renderer;
  bool runs;
  _Atomic bool stop, done;
} offline;

/* [its own thread] */
static void *offline_main(void *context) {
  offline *o = context;
  static __thread float out[3000 * 2];
  for (int i = 0; i < 20 && !atomic_load(&o->stop); i++) {
    int32_t result = lp_render_wait(o->renderer, out, 3000, 40);
    CHECK(result == LP_E_TIMEOUT || (result > 0 && result <= 3000), "lp_render_wait: %d", result);
    if (result > 0) check_sound(out, (uint32_t)result, "offline");
    /* What does not come is left out. */
    else CHECK(lp_render(o->renderer, out, 512) == LP_OK, "left out");
  }
  atomic_store(&o->done, true);
  return NULL;
}

static void offline_end(offline *o) {
  if (!o->runs) return;
  atomic_store(&o->stop, true);
  pthread_join(o->thread, NULL);
  CHECK(lp_renderer_close(o->renderer) == LP_OK, "closing the offline renderer");
  o->runs = false;
}

static void offline_begin(offline *o, const round_of_play *y, mix_model *like, packed *p) {
  offline_end(o);
  int32_t r = lp_renderer_create(y->engine, LP_RENDERER_OFFLINE);
  CHECK(r > 0, "an offline renderer: %d", r);
  static mix_model m;
  m = *like;
  m.next_id += 1000000;
  mix_full(&m, p);
  CHECK(lp_publish((uint32_t)r, p->bytes, (uint32_t)p->count) == LP_OK, "publishing offline");
  CHECK(lp_transport_play((uint32_t)r, (double)m.around, NAN) == LP_OK, "playing offline");
  *o = (offline){ .renderer = (uint32_t)r, .runs = true };
  CHECK(pthread_create(&o->thread, NULL, offline_main, o) == 0, "a thread");
}

/* ---- sides -------------------------------------------------------------------------------------------------------------- */

#define SIDES 3

static void side_publish(uint32_t side, const mix_model *like, packed *p) {
  static mix_model m;
  static uint32_t turn;
  m = *like;
  m.next_id += 100000 * (1 + turn++ % 30000); /* blocks that it never had */
  mix_full(&m, p);
  CHECK(lp_publish(side, p->bytes, (uint32_t)p->count) == LP_OK, "publishing beside");
}

/* Begins one, changes it or ends it, whatever drives its host at the moment. */
static void side_step(uint32_t *side, const round_of_play *y, const mix_model *like, packed *p, uint64_t *random) {
  if (!*side) {
    int32_t made = lp_renderer_create(y->engine, 0);
    CHECK(made > 0, "a side: %d", made);
    *side = (uint32_t)made;
    if (whole(random, 2)) side_publish(*side, like, p);
    CHECK(lp_side_attach(y->renderer, *side) == LP_OK, "attaching");
    CHECK(lp_side_attach(y->renderer, *side) == LP_E_STATE, "attached twice");
    CHECK(lp_transport_play(*side, (double)like->around, NAN) == LP_OK, "playing beside");
    return;
  }
  double p16[16];
  CHECK(lp_position(*side, p16, 16) == LP_OK, "where it stands");
  switch (whole(random, 5)) {
    case 0:
      CHECK(lp_renderer_close(*side) == LP_OK, "closing a side");
      *side = 0;
      break;
    case 1: lp_transport_pause(*side); break;
    case 2: lp_transport_play(*side, (double)like->around, NAN); break;
    case 3: lp_transport_seek(*side, (double)(like->around + whole(random, 50000))); break;
    default: side_publish(*side, like, p); break;
  }
}

/* ---- events ------------------------------------------------------------------------------------------------------------- */

/* Gaps that stand open, by track, clip and source, and what the ended ones say. */
typedef struct ledger {
  uint64_t open[GAPS];
  double lost, swaps, explained, revision;
} ledger;

static uint64_t *gap_place(ledger *l, const lp_event *e) {
  uint64_t key = ((uint64_t)e->track << 44 | (uint64_t)e->source << 32 | e->clip) + 1;
  uint32_t i = (uint32_t)(key * 0x9E3779B97F4A7C15ull >> 50) & (GAPS - 1), empty = GAPS;
  for (uint32_t n = 0; n < GAPS; n++, i = (i + 1) & (GAPS - 1)) {
    if (l->open[i] == key) return &l->open[i];
    if (l->open[i] == 1 && empty == GAPS) empty = i; /* was one */
    if (!l->open[i]) break;
  }
  if (empty == GAPS) empty = i;
  return &l->open[empty];
}

static void take_events(uint32_t renderer, ledger *l) {
  static lp_event events[300];
  for (;;) {
    int32_t n = lp_events(renderer, (uint8_t *)events, sizeof events);
    CHECK(n >= 0, "events: %d", n);
    for (int32_t i = 0; i < n; i++) {
      const lp_event *e = &events[i];
      uint64_t *gap = gap_place(l, e), key = ((uint64_t)e->track << 44 | (uint64_t)e->source << 32 | e->clip) + 1;
      switch (e->kind) {
        case LP_EV_SWAP:
          CHECK(e->value >= l->revision, "revision %g is taken after %g", e->value, l->revision);
          l->revision = e->value;
          l->swaps++;
          break;
        case LP_EV_GAP_BEGIN:
          CHECK(l->lost > 0 || *gap != key, "a gap of clip %u on slot %u begins twice", e->clip, e->track);
          *gap = key;
          break;
        case LP_EV_GAP_END:
          CHECK(l->lost > 0 || *gap == key, "a gap of clip %u on slot %u ends that never began", e->clip, e->track);
          if (*gap == key) *gap = 1;
          CHECK(e->b >= 1 || l->lost > 0, "a gap of %g frames", e->b);
          if (e->filled_by == LP_FILLED_BY_SILENCE) l->explained += e->b;
          break;
        case LP_EV_LOST:
          CHECK(e->value >= 1, "%g events were lost", e->value);
          l->lost += e->value;
          break;
        case LP_EV_WRAP: CHECK(e->b < e->a, "a wrap from %g to %g", e->a, e->b); break;
        case LP_EV_END:
        case LP_EV_LOOP_OFF:
        case LP_EV_STATE: break;
        default: CHECK(false, "event of kind %u", e->kind);
      }
    }
    if (n < 300) return;
  }
}

/* ---- a round --------------------------------------------------------------------------------------------------------------- */

static void publish(uint32_t renderer, const packed *p) {
  int32_t result = lp_publish(renderer, p->bytes, (uint32_t)p->count);
  CHECK(result == LP_OK, "publishing %zu bytes: %d", p->count, result);
}

static void take_meters(uint32_t renderer, double *revision) {
  static uint8_t bytes[32 + 16 * (1 + LP_MAX_TRACKS)];
  int32_t slots = lp_meters(renderer, bytes, sizeof bytes);
  if (slots == LP_E_STATE) return;
  CHECK(slots == (int32_t)LP_MAX_TRACKS, "meters: %d", slots);
  double head[4];
  memcpy(head, bytes, sizeof head);
  CHECK(head[2] >= *revision && head[3] > 0, "meters of revision %g after %g, %g frames", head[2], *revision, head[3]);
  *revision = head[2];
  for (int i = 0; i < (1 + (int)LP_MAX_TRACKS) * 4; i++) {
    float v;
    memcpy(&v, bytes + 32 + i * 4, sizeof v);
    CHECK(isfinite(v) && v >= 0, "meter %d is %g", i, (double)v);
  }
}

/* A seek and nothing after it: the head stands where it was sent, or as far beyond as was rendered since. */
static void seek_exactly(round_of_play *y, watch *w, uint64_t *random) {
  double p[16], to = (double)whole(random, 200000);
  lp_transport_loop(y->renderer, 0, 0, 0);
  lp_transport_pause(y->renderer);
  lp_transport_seek(y->renderer, to);
  bool plays = whole(random, 2);
  if (plays) lp_transport_play(y->renderer, NAN, NAN);
  look_at_position(y->renderer, w, p);
  double rendered = p[9], number = p[11];
  for (int i = 0; i < 60; i++) {
    look_at_position(y->renderer, w, p);
    CHECK(p[11] == number, "somebody else publishes");
    if (p[10] == number) {
      CHECK(p[0] >= to && p[0] - to <= p[9] - rendered + 70000, "sought %g, stands at %g, %g frames later", to, p[0], p[9] - rendered);
      CHECK(plays ? p[3] == 2 : p[0] == to && p[3] != 2, "sought %g, stands at %g in state %g", to, p[0], p[3]);
      return;
    }
    sleep_ms(1);
  }
}

/* One source becomes another's proxy, or is it no more. */
static void pair_sources(uint32_t engine, const mix_model *m, uint64_t *random) {
  uint32_t source = m->sources[whole(random, m->source_count)], proxy = whole(random, 4) ? m->sources[whole(random, m->source_count)] : 0;
  int32_t result = lp_source_set_proxy(engine, source, proxy);
  CHECK(result == LP_OK || (proxy && (result == LP_E_ARGUMENT || result == LP_E_STATE)), "proxy %u of %u: %d", proxy, source, result);
  CHECK(proxy != source || result == LP_E_ARGUMENT, "its own proxy");
}

static double proxied; /* frames in all rounds, for people */

static void play_round(uint64_t seed) {
  uint64_t random = seed * 0x9E3779B97F4A7C15ull + 1;
  const double slabs[] = { 65536, 400e3, 3e6, 24e6 };
  round_of_play *y = calloc(1, sizeof *y);
  CHECK(y, "no memory");
  int32_t made = lp_engine_create(RATE, slabs[whole(&random, 4)], 1 + whole(&random, 4), 0);
  CHECK(made > 0, "engine: %d", made);
  y->engine = (uint32_t)made;
  made = lp_renderer_create(y->engine, 0);
  CHECK(made > 0, "renderer: %d", made);
  y->renderer = (uint32_t)made;

  static mix_model model;
  mix_init(&model, seed);
  model.source_frames = FRAMES;
  if (whole(&random, 4) == 0) model.around = 1ll << 40;
  for (int i = 0; i < FILES; i++) {
    int32_t handle = open_file(y->engine, files[i].path);
    CHECK(handle > 0, "%s: %d", files[i].path, handle);
    model.sources[model.source_count++] = (uint32_t)handle;
  }
  /* Some stand for others from the start. */
  for (int i = 0; i < FILES; i++) {
    int32_t handle = open_file(y->engine, files[i].path);
    CHECK(handle > 0, "%s: %d", files[i].path, handle);
    model.sources[model.source_count++] = (uint32_t)handle;
    if (whole(&random, 2)) CHECK(lp_source_set_proxy(y->engine, model.sources[i], (uint32_t)handle) == LP_OK, "a proxy");
  }
  packed p = { 0 };
  mix_full(&model, &p);
  publish(y->renderer, &p);
  lp_transport_play(y->renderer, (double)model.around, NAN);

  /* By hand, by the device, or by both in turn as each finds the other away. */
  const uint32_t drivers = 1 + whole(&random, 3);
  pthread_t renderer, device, vanisher, reader, opener;
  if (drivers & 1) CHECK(pthread_create(&renderer, NULL, render_main, y) == 0, "a thread");
  if (drivers & 2) CHECK(pthread_create(&device, NULL, device_main, y) == 0 && pthread_create(&vanisher, NULL, vanish_main, y) == 0, "threads");
  CHECK(pthread_create(&reader, NULL, read_main, y) == 0 && pthread_create(&opener, NULL, open_main, y) == 0, "threads");

  watch w = { 0 };
  ledger *l = calloc(1, sizeof *l);
  CHECK(l, "no memory");
  offline o = { 0 };
  uint32_t sides[SIDES] = { 0 };
  double position[16], meters = 0;
  float *tap = NULL;
  uint32_t tap_frames = 0;
  static float device_tap[5000 * 2];
  bool device_tapped = false;
  uint32_t actions = 30 + whole(&random, 250);
  for (uint32_t action = 0; action < actions; action++) {
    double near = (double)(model.around + whole(&random, 90000));
    switch (whole(&random, 37)) {
      case 0: lp_transport_pause(y->renderer); break;
      case 1: lp_transport_stop(y->renderer); break;
      case 2: lp_transport_play(y->renderer, near, whole(&random, 3) ? NAN : near + whole(&random, 3000)); break;
      case 3:
      case 4: lp_transport_play(y->renderer, NAN, NAN); break;
      case 5:
      case 6: lp_transport_seek(y->renderer, near); break;
      case 7: lp_transport_loop(y->renderer, whole(&random, 3) != 0, near, near + 1 + whole(&random, whole(&random, 2) ? 400 : 30000)); break;
      case 8: seek_exactly(y, &w, &random); break;
      case 9: { /* a source goes; another comes in its place */
        uint64_t fresh = atomic_exchange(&y->opened, 0);
        if (!fresh) break;
        uint32_t i = whole(&random, SOURCES);
        if (i < model.source_count) CHECK(lp_source_close(y->engine, model.sources[i]) == LP_OK, "closing source %u", model.sources[i]);
        else i = model.source_count++;
        model.sources[i] = (uint32_t)fresh;
        break;
      }
      case 10: lp_source_prefetch(y->engine, model.sources[whole(&random, model.source_count)], 0, whole(&random, FRAMES)); break;
      case 11:
        if (tap) {
          double written = -1;
          CHECK(lp_tap_stop(y->renderer, &written) == LP_OK && written >= 0 && written <= tap_frames, "tapped %g of %u", written, tap_frames);
          check_sound(tap, (uint32_t)written, "tapped");
          free(tap);
          tap = NULL;
        } else {
          tap_frames = 1 + whole(&random, 40000);
          tap = malloc(tap_frames * 2 * sizeof *tap);
          CHECK(tap && lp_tap_start(y->renderer, tap, tap_frames) == LP_OK, "tap");
        }
        break;
      case 20:
        if (device_tapped) {
          double written = -1;
          CHECK(lp_device_tap_stop(y->renderer, &written) == LP_OK && written >= 0 && written <= 5000, "tapped %g", written);
          check_sound(device_tap, (uint32_t)written, "the device got");
        } else {
          CHECK(lp_device_tap_start(y->renderer, device_tap, 5000) == LP_OK, "tap of the device");
        }
        device_tapped = !device_tapped;
        break;
      case 12:
        if (o.runs && whole(&random, 2)) offline_end(&o);
        else offline_begin(&o, y, &model, &p);
        break;
      case 13: lp_gate_set(y->engine, whole(&random, 4) == 0); break;
      case 14: lp_gate_release(y->engine, whole(&random, 3)); break;
      case 15: atomic_store(&read_fault, whole(&random, 3) ? 0 : whole(&random, 2) ? -EIO : -ENOENT); break;
      case 16: lp_store_drop(y->engine); break;
      case 17:
      case 18: sleep_ms(whole(&random, 40)); break;
      case 30:
      case 31:
      case 32:
      case 33: side_step(&sides[whole(&random, SIDES)], y, &model, &p, &random); break;
      case 34:
      case 35:
      case 36:
        for (int i = 0; i < 12; i++) pair_sources(y->engine, &model, &random);
        break;
      case 19:
        for (int i = 0; i < 30; i++) { /* a storm */
          mix_any(&model, &p);
          publish(y->renderer, &p);
          sleep_ms(whole(&random, 4));
        }
        break;
      default:
        mix_any(&model, &p);
        publish(y->renderer, &p);
        break;
    }
    look_at_position(y->renderer, &w, position);
    look_at_counters(y->renderer, &w);
    if (whole(&random, 3) == 0) take_meters(y->renderer, &meters);
    if (whole(&random, 3) == 0) take_events(y->renderer, l);
    if (whole(&random, 2)) sleep_ms(whole(&random, 6));
  }

  atomic_store(&y->stop, true);
  pthread_join(reader, NULL);
  pthread_join(opener, NULL);
  if (drivers & 1) pthread_join(renderer, NULL);
  if (drivers & 2) {
    pthread_join(device, NULL);
    pthread_join(vanisher, NULL);
  }
  atomic_store(&read_fault, 0);
  proxied += w.counters[25];
  /* Every second round is counted up; the others end as they stand. */
  if (whole(&random, 2)) {
    static float out[720 * 4 * 2];
    lp_device_close(y->renderer);
    take_events(y->renderer, l);
    for (int i = 0; i < 2; i++) {
      lp_transport_stop(y->renderer);
      CHECK(lp_render(y->renderer, out, 720 * 4) == LP_OK, "the last of it");
      take_events(y->renderer, l);
    }
    look_at_position(y->renderer, &w, position);
    look_at_counters(y->renderer, &w);
    CHECK(position[10] == position[11] && position[4] == model.revision && position[3] == 0, "revision %g sounds, %g was published", position[4],
          model.revision);
    CHECK(w.counters[23] == l->lost, "%g events lost, %g told", w.counters[23], l->lost);
    CHECK(l->lost > 0 || l->swaps == w.counters[18], "%g swaps told of %g", l->swaps, w.counters[18]);
    CHECK(l->lost > 0 || l->explained == w.counters[2], "%g missing frames, %g explained", w.counters[2], l->explained);
    for (int i = 0; i < GAPS; i++) CHECK(l->lost > 0 || l->open[i] <= 1, "a gap stands open");
  }
  if (tap) {
    double written;
    lp_tap_stop(y->renderer, &written);
    free(tap);
  }
  if (device_tapped) {
    double written;
    lp_device_tap_stop(y->renderer, &written);
  }
  if (o.runs) {
    atomic_store(&o.stop, true);
    pthread_join(o.thread, NULL);
    o.runs = false;
  }
  if (sides[0]) CHECK(lp_renderer_close(sides[0]) == LP_OK, "closing a side");
  if (whole(&random, 2)) CHECK(lp_renderer_close(y->renderer) == LP_OK, "closing the renderer");
  CHECK(lp_engine_close(y->engine) == 0, "threads left");
  free(p.bytes);
  free(l);
  free(y);
}

int main(int argc, char **argv) {
  atexit(end_files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
  uint64_t until = real_now(NULL) + (argc > 2 ? strtoull(argv[2], NULL, 10) : 5000) * 1000000ull;
  uint64_t most = argc > 3 ? strtoull(argv[3], NULL, 10) : UINT64_MAX;
  for (uint32_t i = 0; i < FILES; i++) {
    files[i] = (sound){ .kind = (enum kind)(i % 3), .seed = i + 1, .channels = 1 + i % 4, .frames = FRAMES - i * 7000 };
    char name[32];
    snprintf(name, sizeof name, "stress%u", i);
    make_sound(&files[i], name);
  }
  uint64_t rounds = 0;
  for (; rounds < most && (rounds == 0 || real_now(NULL) < until); rounds++) {
    if (getenv("VERBOSE")) printf("round %llu\n", (unsigned long long)(seed + rounds));
    play_round(seed + rounds);
  }
  printf("ok %llu rounds, %g frames from proxies\n", (unsigned long long)rounds, proxied);
  return 0;
}
