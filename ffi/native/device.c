/* Devices: miniaudio's playback devices as drivers of a renderer.
 *
 * A device is opened with f32, two channels and its own rate. Where that is not the project's, the mix goes through master_rate.h on its way;
 * miniaudio never resamples. Its data callback renders and nothing else. PulseAudio, ALSA, JACK and null have been tried; CoreAudio and WASAPI go
 * the same way, unverified. */
#include "device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine_internal.h"
#include "float_mode.h"

#if defined(__linux__)
#include <dlfcn.h>
#endif

#define DEFAULT_PERIOD 256u
#define DEFAULT_PERIODS 2u
/* Callbacks between two answers about the latency that count: a stream that stands still tells of its standing. */
#define LIVELY 8u

/* ---- [callback] ---- */

static void render(void *context, float *out, uint32_t frames, uint64_t begins_ns) LP_NONBLOCKING {
  lp_device *d = context;
  const bool manual = d->renderer->engine->flags & LP_ENGINE_MANUAL_CLOCK;
  lp_renderer_process_at(d->renderer, out, frames, manual ? lp_engine_now_ns(d->renderer->engine) : begins_ns);
}

static void mark(lp_device *d, uint64_t now) {
  lp_device_mark *m = &d->mark;
  const uint32_t s = atomic_load_explicit(&m->sequence, memory_order_relaxed);
  /* Fence and release: as lp_record_write. */
  atomic_store_explicit(&m->sequence, s + 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  if (!atomic_load_explicit(&m->first_ns, memory_order_relaxed)) atomic_store_explicit(&m->first_ns, now, memory_order_relaxed);
  atomic_store_explicit(&m->last_ns, now, memory_order_relaxed);
  atomic_store_explicit(&m->given, d->given, memory_order_relaxed);
  atomic_store_explicit(&m->origin_ns, d->clock.origin_ns, memory_order_relaxed);
  atomic_store_explicit(&m->lines, d->clock.lines, memory_order_relaxed);
  atomic_store_explicit(&m->callbacks, atomic_load_explicit(&m->callbacks, memory_order_relaxed) + 1, memory_order_relaxed);
  atomic_store_explicit(&m->sequence, s + 2, memory_order_release);
}

#define LOSES_NS 200000000ull /* as much as a null device makes up for */

/* The null device follows the clock: for the time that the machine stood still it would call as often at once, however long that was, and
 * the head would run away from what is fetched. A real device loses that time, and so does this one. */
static void lose_time(lp_device *d, uint64_t now, uint32_t frames) {
  if (d->due_ns && now > d->due_ns + LOSES_NS) {
    const uint64_t lost_frames = (uint64_t)((double)(now - d->due_ns) * d->rate / 1e9);
    d->device.null_device.lastProcessedFramePlayback += lost_frames; /* this thread alone reads and writes it */
    d->due_ns = now;
  }
  d->due_ns = (d->due_ns ? d->due_ns : now) + (uint64_t)(frames * 1e9 / d->rate);
}

/* Around each callback, where somebody watches what it does (tests/native/interposer.c, preloaded): nobody else defines them. */
#if defined(__linux__)
__attribute__((weak, visibility("default"))) void lp_callback_begins(void) LP_NONBLOCKING;
__attribute__((weak, visibility("default"))) void lp_callback_ends(void) LP_NONBLOCKING;
static void say_begins(void) { if (lp_callback_begins) lp_callback_begins(); }
static void say_ends(void) { if (lp_callback_ends) lp_callback_ends(); }
#else
static void say_begins(void) {}
static void say_ends(void) {}
#endif

static void on_data(ma_device *device, void *output, const void *input, ma_uint32 frames) LP_NONBLOCKING {
  (void)input;
  say_begins();
  lp_device *d = device->pUserData;
  if (!d->flushed) {
    d->flushed = true;
    (void)lp_float_mode_flush();
  }
  const uint64_t now = lp_monotonic_ns(), due = lp_device_clock_hear(&d->clock, d->given, now);
  if (d->backend == LP_BACKEND_NULL) lose_time(d, now, frames);
  if (d->front) lp_master_rate_pull(d->front, output, frames, due);
  else render(d, output, frames, due);
  lp_tap_pass(&d->renderer->device_tap, output, frames);
  d->given += frames;
  mark(d, now);
  say_ends();
}

/* A thread of the audio system, not always the callback's. */
static void on_notice(const ma_device_notification *notice) {
  lp_device *d = notice->pDevice->pUserData;
  if (notice->type == ma_device_notification_type_stopped && !atomic_load(&d->stopping)) atomic_store(&d->lost, true);
}

/* ---- opening ---- */

static bool find_device(ma_context *context, uint32_t backend, const uint8_t *id, uint32_t id_bytes, ma_device_id *out) {
  ma_device_info *infos = NULL;
  ma_uint32 count = 0;
  if (ma_context_get_devices(context, &infos, &count, NULL, NULL) != MA_SUCCESS) return false;
  for (ma_uint32 i = 0; i < count; i++) {
    char text[256];
    lp_backend_id_text(backend, &infos[i].id, text, sizeof text);
    if (strlen(text) == id_bytes && !memcmp(text, id, id_bytes)) {
      *out = infos[i].id;
      return true;
    }
  }
  return false;
}

static int init_device(lp_device *d, const lp_device_config *config, const ma_device_id *id, uint32_t rate) {
  ma_device_config c = ma_device_config_init(ma_device_type_playback);
  c.playback.pDeviceID = id;
  c.playback.format = ma_format_f32;
  c.playback.channels = 2;
  c.playback.channelMixMode = ma_channel_mix_mode_simple; /* outputs beyond the second stay silent */
  c.sampleRate = rate;
  c.periodSizeInFrames = config->period_frames;
  c.periods = config->periods;
  /* PulseAudio's buffer is one period of miniaudio's; the server parts it as it likes. */
  if (d->backend == LP_BACKEND_PULSEAUDIO) c.periodSizeInFrames *= config->periods;
  c.performanceProfile = ma_performance_profile_low_latency;
  c.noPreSilencedOutputBuffer = MA_TRUE;
  c.noClip = MA_TRUE;
  c.noDisableDenormals = MA_TRUE;   /* ours is set once on its thread */
  c.noFixedSizedCallback = MA_TRUE; /* whatever the system asks for, without a buffer between */
  c.alsa.noAutoResample = MA_TRUE;
  c.dataCallback = on_data;
  c.notificationCallback = on_notice;
  c.pUserData = d;
  c.pulse.pStreamNamePlayback = "Loophole";
  return ma_device_init(&d->context, &c, &d->device) == MA_SUCCESS ? LP_OK : LP_E_DEVICE;
}

/* The rate that is asked for at first; 0: the device's own. A card behind ALSA runs at many rates, and so does nothing: at the project's if it can. */
static uint32_t first_rate(uint32_t backend, uint32_t project) { return backend == LP_BACKEND_ALSA || backend == LP_BACKEND_NULL ? project : 0; }

/* Makes the device and what stands between it and the mix. */
static int prepare(lp_device *d, lp_device_config *config, const ma_device_id *id) {
  const uint32_t project = (uint32_t)d->renderer->rate;
  uint32_t asked = config->sample_rate ? config->sample_rate : first_rate(d->backend, project);
  int result = init_device(d, config, id, asked);
  if (result) return result;
  d->rate = d->device.playback.internalSampleRate;
  if (asked && d->rate != asked) {
    /* It cannot: then as it can, and the rate is converted here. */
    asked = d->rate;
    ma_device_uninit(&d->device);
    result = init_device(d, config, id, asked);
    if (result) return result;
  }
  result = LP_E_DEVICE;
  if (d->device.sampleRate == d->rate && d->device.playback.internalSampleRate == d->rate && !d->device.playback.converter.hasResampler)
    result = lp_master_rate_make(project, d->rate, render, d, &d->front);
  if (result) {
    ma_device_uninit(&d->device);
    return result == LP_E_ARGUMENT ? LP_E_DEVICE : result; /* a rate beyond those that can be converted */
  }
  d->period = d->backend == LP_BACKEND_PULSEAUDIO ? config->period_frames : d->device.playback.internalPeriodSizeInFrames;
  d->periods = d->backend == LP_BACKEND_PULSEAUDIO ? config->periods : d->device.playback.internalPeriods;
  d->clock = lp_device_clock_make(d->rate, d->period * d->periods);
  /* A callback finds the buffer full, but for what PulseAudio asks for: about a quarter. */
  d->queued = d->period * d->periods;
  if (d->backend == LP_BACKEND_PULSEAUDIO) d->queued -= d->queued / 4;
#if defined(__linux__)
  if (d->backend == LP_BACKEND_PULSEAUDIO) {
    typedef uint32_t (*index_of)(void *);
    index_of index = (index_of)(uintptr_t)dlsym(d->context.pulse.pulseSO, "pa_stream_get_index");
    d->stream = index ? index(d->device.pulse.pStreamPlayback) : UINT32_MAX;
  }
#endif
  return LP_OK;
}

/* What is heard lags behind what is rendered by so many frames of the project. */
static uint32_t latency_of(const lp_device *d, double device_frames) {
  const double frames = device_frames * d->renderer->rate / d->rate + lp_master_rate_delay(d->front);
  return frames > 0 ? (uint32_t)lrint(fmin(frames, 1e9)) : 0;
}

static lp_device *create(lp_renderer *r, uint32_t backend) {
  lp_device *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->renderer = r;
  d->backend = backend;
  pthread_mutex_init(&d->context_lock, NULL);
  return d;
}

/* After its device and its context. */
static void destroy(lp_device *d) {
  lp_master_rate_free(d->front);
  pthread_mutex_destroy(&d->context_lock);
  free(d);
}

/* Takes a device, whose thread may run, away from its renderer, which is left without a driver. */
static void end_device(lp_renderer *r, lp_device *d);

static int open_on(lp_renderer *r, const lp_backend_entry *b, lp_device_config *config) {
  lp_device *d = create(r, b->lp);
  if (!d) return LP_E_MEMORY;
  if (!lp_backend_open(&d->context, b)) {
    destroy(d);
    return LP_E_DEVICE;
  }
  ma_device_id id;
  int result = LP_OK;
  if (config->id_bytes && !find_device(&d->context, b->lp, config->id, config->id_bytes, &id)) result = LP_E_ABSENT;
  if (!result) result = prepare(d, config, config->id_bytes ? &id : NULL);
  if (result) {
    lp_backend_close(&d->context);
    destroy(d);
    return result;
  }
  pthread_mutex_lock(&r->lock);
  r->driver = LP_DRIVER_DEVICE;
  pthread_mutex_unlock(&r->lock);
  atomic_store(&r->latency_frames, latency_of(d, d->queued));
  if (ma_device_start(&d->device) != MA_SUCCESS) {
    end_device(r, d);
    return LP_E_DEVICE;
  }
  pthread_mutex_lock(&r->lock);
  r->device = d;
  pthread_mutex_unlock(&r->lock);
  config->backend = b->lp;
  config->sample_rate = d->rate;
  config->period_frames = d->period;
  config->periods = d->periods;
  config->latency_frames = latency_of(d, d->queued);
  config->name_bytes = lp_backend_copy_text(config->name, sizeof config->name, d->device.playback.name);
  return LP_OK;
}

int32_t lp_device_open(uint32_t handle, uint8_t *bytes, uint32_t config_bytes) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  lp_device_config config;
  if (config_bytes < sizeof config) return LP_E_ARGUMENT;
  memcpy(&config, bytes, sizeof config);
  if (config.id_bytes > sizeof config.id || config.period_frames > 65536 || config.periods > 16 || config.sample_rate > 768000) return LP_E_ARGUMENT;
  if (r->flags & LP_RENDERER_OFFLINE) return LP_E_STATE;
  if (!config.period_frames) config.period_frames = DEFAULT_PERIOD;
  if (!config.periods) config.periods = DEFAULT_PERIODS;
  pthread_mutex_lock(&r->lock);
  bool free_to = !r->busy && r->driver != LP_DRIVER_DEVICE && r->driver != LP_DRIVER_SIDE;
  if (free_to) r->busy = true;
  pthread_mutex_unlock(&r->lock);
  if (!free_to) return LP_E_STATE;
  int result = LP_E_DEVICE;
  for (size_t b = 0; b < LP_BACKENDS; b++) {
    /* AUTO never takes the null backend by itself: the caller decides to fall to it, and says so. */
    if (config.backend == LP_BACKEND_AUTO ? lp_backends[b].lp == LP_BACKEND_NULL : config.backend != lp_backends[b].lp) continue;
    lp_device_config attempt = config;
    result = open_on(r, &lp_backends[b], &attempt);
    if (result == LP_OK) {
      config = attempt;
      break;
    }
  }
  pthread_mutex_lock(&r->lock);
  r->busy = false;
  pthread_mutex_unlock(&r->lock);
  if (result == LP_OK) memcpy(bytes, &config, sizeof config);
  return result;
}

/* ---- closing ---- */

static void end_device(lp_renderer *r, lp_device *d) {
  /* Fade out: the callback answers by 2. A device that no longer calls is not waited for. */
  if (!atomic_load(&d->lost) && ma_device_get_state(&d->device) == ma_device_state_started) {
    atomic_store(&r->quiesce, 1);
    for (int i = 0; i < 2000 && atomic_load(&r->quiesce) != 2; i++) {
      struct timespec pause = { 0, 500000 };
      nanosleep(&pause, NULL);
    }
    long latency_ns = (long)((double)atomic_load(&r->latency_frames) / r->rate * 1e9);
    struct timespec played = { 0, latency_ns < 200000000 ? latency_ns : 200000000 };
    nanosleep(&played, NULL);
  }
  atomic_store(&d->stopping, true);
  /* Stopped first: that wakes a thread that waits for a server which is no more, as uninit alone does not. */
  if (ma_device_get_state(&d->device) == ma_device_state_started) ma_device_stop(&d->device);
  ma_device_uninit(&d->device);
  lp_backend_close(&d->context);
  pthread_mutex_lock(&r->lock);
  atomic_store(&r->quiesce, 0);
  atomic_store(&r->latency_frames, 0);
  r->driver = LP_DRIVER_NONE;
  /* What was on its way to the callback is taken here. */
  lp_publication *p = atomic_exchange(&r->mailbox, NULL);
  if (p) lp_renderer_take_inline(r, p);
  lp_gate_try(r);
  lp_publications_collect(r);
  lp_record_write(r, lp_engine_now_ns(r->engine));
  pthread_mutex_unlock(&r->lock);
  destroy(d);
}

/* Waits until nobody asks the device anything, which nobody can begin to any more. */
static void wait_unused(lp_renderer *r, lp_device *d) {
  for (;;) {
    pthread_mutex_lock(&r->lock);
    const uint32_t users = d->users;
    pthread_mutex_unlock(&r->lock);
    if (!users) return;
    struct timespec pause = { 0, 500000 };
    nanosleep(&pause, NULL);
  }
}

int lp_device_shutdown(lp_renderer *r) {
  pthread_mutex_lock(&r->lock);
  lp_device *d = r->busy ? NULL : r->device;
  if (d) {
    r->busy = true;
    r->device = NULL; /* nobody asks it anything while it goes */
  }
  pthread_mutex_unlock(&r->lock);
  if (!d) return LP_E_STATE;
  wait_unused(r, d);
  end_device(r, d);
  pthread_mutex_lock(&r->lock);
  r->busy = false;
  pthread_mutex_unlock(&r->lock);
  return LP_OK;
}

int32_t lp_device_close(uint32_t handle) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  return r ? lp_device_shutdown(r) : LP_E_HANDLE;
}

/* ---- asking ---- */

lp_device *lp_device_use(lp_renderer *r) {
  pthread_mutex_lock(&r->lock);
  lp_device *d = r->device;
  if (d) d->users++;
  pthread_mutex_unlock(&r->lock);
  return d;
}

void lp_device_leave(lp_device *d) {
  lp_renderer *r = d->renderer;
  pthread_mutex_lock(&r->lock);
  d->users--;
  pthread_mutex_unlock(&r->lock);
}

static int smaller(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Takes an answer; a single odd one changes nothing, nor does a small difference. Answers from before the clock's line began anew are about another. */
static void note_latency(lp_renderer *r, lp_device *d, double device_frames, uint32_t line) {
  if (line != d->latency_line) d->latency_count = 0;
  d->latency_line = line;
  d->latencies[d->latency_count++ % LP_LATENCIES] = device_frames;
  const uint32_t n = d->latency_count < LP_LATENCIES ? d->latency_count : LP_LATENCIES;
  double sorted[LP_LATENCIES];
  memcpy(sorted, d->latencies, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, smaller);
  const uint32_t now = latency_of(d, sorted[n / 2]), was = atomic_load(&r->latency_frames);
  const uint32_t off = now > was ? now - was : was - now;
  if (n == 1 || off > d->period / 8) atomic_store(&r->latency_frames, now);
}

int32_t lp_device_measure(uint32_t handle) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  lp_device *d = lp_device_use(r);
  if (!d) return LP_E_STATE;
  pthread_mutex_lock(&d->context_lock);
  double latency = 0;
  const enum lp_asked asked = lp_device_ask(d, &latency);
  if (asked == LP_ASKED_GONE) atomic_store(&d->lost, true);
  const lp_device_place place = lp_device_place_of(d);
  if (asked == LP_ASKED_LATENCY && place.callbacks >= d->asked_at + LIVELY) {
    d->asked_at = place.callbacks;
    note_latency(r, d, latency, place.lines);
  }
  const uint32_t count = d->latency_count;
  pthread_mutex_unlock(&d->context_lock);
  lp_device_leave(d);
  return count > INT32_MAX ? INT32_MAX : (int32_t)count;
}

int32_t lp_device_status(uint32_t handle, double *out, uint32_t count) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  if (count < LP_DEVICE_STATUS) return LP_E_ARGUMENT;
  memset(out, 0, LP_DEVICE_STATUS * sizeof *out);
  pthread_mutex_lock(&r->lock);
  lp_device *d = r->device;
  if (d) {
    const lp_device_place p = lp_device_place_of(d);
    out[0] = ma_device_get_state(&d->device) == ma_device_state_started;
    out[1] = atomic_load(&d->lost);
    out[2] = p.last_ns > p.first_ns ? (double)p.given * 1e9 / (double)(p.last_ns - p.first_ns) : 0;
    out[3] = d->period;
    out[4] = atomic_load(&r->latency_frames);
    out[5] = d->rate;
    out[6] = (double)p.given;
    out[7] = (double)p.last_ns / 1e6;
    out[8] = lp_master_rate_delay(d->front);
  }
  pthread_mutex_unlock(&r->lock);
  return LP_DEVICE_STATUS;
}
