/* What the audio system itself says of how far behind the sound is. miniaudio does not ask; the libraries that it has loaded do, over the context's
 * connection, which is another than the stream's: the callback's thread notices nothing.
 *
 * PulseAudio tells what lies in the stream's buffer and in the sink at a moment; JACK what stands between a port and the card. ALSA could tell by
 * snd_pcm_delay, but that takes a lock which the thread of the callback needs as well: there the size of the buffer has to do. */
#include <string.h>
#include <time.h>

#include "device.h"
#include "engine_internal.h"

#if defined(__linux__)
#include <dlfcn.h>
#endif

lp_device_place lp_device_place_of(lp_device *d) {
  lp_device_mark *m = &d->mark;
  for (;;) {
    /* Acquire, fence: as lp_record_read. */
    const uint32_t before = atomic_load_explicit(&m->sequence, memory_order_acquire);
    if (before & 1) continue;
    lp_device_place p = { .given = atomic_load_explicit(&m->given, memory_order_relaxed),
                          .first_ns = atomic_load_explicit(&m->first_ns, memory_order_relaxed),
                          .last_ns = atomic_load_explicit(&m->last_ns, memory_order_relaxed),
                          .callbacks = atomic_load_explicit(&m->callbacks, memory_order_relaxed),
                          .lines = atomic_load_explicit(&m->lines, memory_order_relaxed),
                          .origin_ns = atomic_load_explicit(&m->origin_ns, memory_order_relaxed) };
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&m->sequence, memory_order_relaxed) == before) return p;
  }
}

#if defined(__linux__)

static void *symbol(ma_handle library, const char *name) { return library ? dlsym(library, name) : NULL; }

/* ---- PulseAudio ---- */

#define PULSE_PATIENCE_NS 1000000000u
#define PULSE_TRIES 6
enum { PULSE_READY = 4, PULSE_FAILED = 5, PULSE_RUNNING = 0, PULSE_NO_ENTITY = 5 }; /* pa_context_state, pa_operation_state, pa_error_code */

/* pa_sink_input_info as far as it is read; the library may append, never change. */
typedef struct pulse_input {
  uint32_t index;
  const char *name;
  uint32_t owner, client, sink;
  struct { int format; uint32_t rate; uint8_t channels; } spec;
  struct { uint8_t channels; int map[32]; } channel_map;
  struct { uint8_t channels; uint32_t values[32]; } volume;
  uint64_t buffer_us, sink_us;
} pulse_input;

typedef struct pulse_answer {
  bool came, gone;
  uint64_t us;
} pulse_answer;

typedef void *(*pulse_ask)(void *context, uint32_t index, void (*)(void *, const pulse_input *, int, void *), void *);
typedef int (*pulse_of_pointer)(void *);
typedef int (*pulse_iterate)(void *loop, int block, int *result);
typedef void (*pulse_end)(void *);

static void on_input(void *context, const pulse_input *i, int end, void *user) {
  (void)context;
  pulse_answer *a = user;
  if (end < 0) a->gone = true; /* only an unknown stream is refused */
  if (end != 0) return;
  a->came = true;
  a->us = i->buffer_us + i->sink_us;
}

static void short_pause(void) {
  struct timespec pause = { 0, 200000 };
  nanosleep(&pause, NULL);
}

/* One question. False: no answer in time. */
static bool pulse_question(ma_context *c, uint32_t stream, pulse_answer *a) {
  pulse_ask ask = (pulse_ask)(uintptr_t)symbol(c->pulse.pulseSO, "pa_context_get_sink_input_info");
  pulse_end cancel = (pulse_end)(uintptr_t)symbol(c->pulse.pulseSO, "pa_operation_cancel");
  pulse_of_pointer state_of = (pulse_of_pointer)(uintptr_t)c->pulse.pa_operation_get_state;
  pulse_iterate iterate = (pulse_iterate)(uintptr_t)c->pulse.pa_mainloop_iterate;
  *a = (pulse_answer){ 0 };
  if (!ask || !cancel) return false;
  void *operation = ask(c->pulse.pPulseContext, stream, on_input, a);
  if (!operation) return false;
  const uint64_t until = lp_monotonic_ns() + PULSE_PATIENCE_NS;
  while (state_of(operation) == PULSE_RUNNING && lp_monotonic_ns() < until) {
    const int did = iterate(c->pulse.pMainLoop, 0, NULL);
    if (did < 0) break;
    if (did == 0) short_pause();
  }
  if (state_of(operation) == PULSE_RUNNING) cancel(operation); /* its answer would be written to what is no more */
  ((pulse_end)(uintptr_t)c->pulse.pa_operation_unref)(operation);
  return a->came || a->gone;
}

static bool pulse_connected(ma_context *c) {
  /* What came in meanwhile: the end of the connection is noticed here. */
  while (((pulse_iterate)(uintptr_t)c->pulse.pa_mainloop_iterate)(c->pulse.pMainLoop, 0, NULL) > 0) continue;
  return ((pulse_of_pointer)(uintptr_t)c->pulse.pa_context_get_state)(c->pulse.pPulseContext) == PULSE_READY;
}

/* What lies in the buffers at a moment, and how far the clock of the callbacks is at that moment. */
static enum lp_asked ask_pulse(lp_device *d, double *out) {
  ma_context *c = &d->context;
  if (!pulse_connected(c)) return LP_ASKED_GONE;
  uint64_t best = UINT64_MAX;
  for (int i = 0; i < PULSE_TRIES; i++) {
    const lp_device_place before = lp_device_place_of(d);
    const uint64_t asked = lp_monotonic_ns();
    pulse_answer a;
    if (!pulse_question(c, d->stream, &a)) return pulse_connected(c) ? LP_ASKED_NOTHING : LP_ASKED_GONE;
    if (a.gone) return LP_ASKED_GONE;
    const uint64_t answered = lp_monotonic_ns();
    const lp_device_place after = lp_device_place_of(d);
    /* Between two callbacks it is known what the server had been given. */
    if (before.callbacks != after.callbacks || answered - asked >= best) continue;
    best = answered - asked;
    const double moment = (double)(int64_t)((asked + answered) / 2 - (uint64_t)after.origin_ns) * d->rate / 1e9;
    *out = moment - (double)after.given + (double)a.us * d->rate / 1e6;
  }
  return best == UINT64_MAX ? LP_ASKED_NOTHING : LP_ASKED_LATENCY;
}

/* ---- JACK ---- */

typedef struct jack_range {
  uint32_t min, max;
} jack_range;
typedef void (*jack_range_of)(void *port, int mode, jack_range *range);

static enum lp_asked ask_jack(lp_device *d, double *out) {
  jack_range_of range_of = (jack_range_of)(uintptr_t)symbol(d->context.jack.jackSO, "jack_port_get_latency_range");
  if (!range_of || !d->device.jack.ppPortsPlayback) return LP_ASKED_NOTHING;
  jack_range range = { 0, 0 };
  range_of(d->device.jack.ppPortsPlayback[0], 1 /* JackPlaybackLatency */, &range);
  *out = range.max;
  return LP_ASKED_LATENCY;
}

#endif

enum lp_asked lp_device_ask(lp_device *d, double *out) {
#if defined(__linux__)
  if (d->backend == LP_BACKEND_PULSEAUDIO) return ask_pulse(d, out);
  if (d->backend == LP_BACKEND_JACK) return ask_jack(d, out);
#endif
  (void)d, (void)out;
  return LP_ASKED_NOTHING;
}
