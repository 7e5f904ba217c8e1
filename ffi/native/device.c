/* Devices: miniaudio's playback devices as drivers of a renderer, and their listing.
 *
 * The device is opened with f32, two channels and the engine's rate. Its data callback is lp_renderer_process and nothing else.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine_internal.h"
#include "float_mode.h"

#define MA_NO_ENGINE
#define MA_NO_NODE_GRAPH
#define MA_NO_RESOURCE_MANAGER
#define MA_NO_GENERATION
#define MA_NO_ENCODING
#include "miniaudio.h"

struct lp_device {
  ma_context context;
  ma_device device;
  lp_renderer *renderer;
  uint32_t backend; /* lp_backend */
  uint32_t period;
  uint32_t latency;
  uint32_t rate;    /* what it runs at */
  bool flushed;     /* [callback] denormals are off on its thread */
  uint64_t due_ns;  /* [callback] null device: when its next callback is due */
  _Atomic bool stopping; /* a stop notice is ours */
  _Atomic bool lost;
  _Atomic uint64_t frames, first_ns, last_ns;
};

typedef struct backend_name {
  uint32_t lp;
  ma_backend ma;
} backend_name;

static const backend_name backends[] = {
  { LP_BACKEND_COREAUDIO, ma_backend_coreaudio }, { LP_BACKEND_WASAPI, ma_backend_wasapi }, { LP_BACKEND_PULSEAUDIO, ma_backend_pulseaudio },
  { LP_BACKEND_ALSA, ma_backend_alsa },           { LP_BACKEND_JACK, ma_backend_jack },     { LP_BACKEND_NULL, ma_backend_null },
};
#define BACKENDS (sizeof backends / sizeof *backends)

static bool context_open(ma_context *context, const backend_name *b) {
  ma_context_config config = ma_context_config_init();
  config.threadPriority = ma_thread_priority_realtime;
  config.pulse.pApplicationName = "Loophole";
  config.pulse.tryAutoSpawn = MA_FALSE; /* starting a sound server is the user's business */
  config.jack.pClientName = "Loophole";
  return ma_context_init(&b->ma, 1, &config, context) == MA_SUCCESS;
}

/* Copies text, cut to fit between characters of UTF-8. Returns its bytes. */
static uint32_t copy_text(uint8_t *out, size_t room, const char *text) {
  size_t n = strlen(text);
  if (n >= room) {
    n = room - 1;
    while (n && ((uint8_t)text[n] & 0xC0) == 0x80) n--;
  }
  memset(out, 0, room);
  memcpy(out, text, n);
  return (uint32_t)n;
}

/* ---- ids: text within a backend ---- */

static void id_text(uint32_t backend, const ma_device_id *id, char *out, size_t room) {
  switch (backend) {
    case LP_BACKEND_PULSEAUDIO: snprintf(out, room, "%s", id->pulse); break;
    case LP_BACKEND_ALSA: snprintf(out, room, "%s", id->alsa); break;
    case LP_BACKEND_JACK: snprintf(out, room, "%d", id->jack); break;
    case LP_BACKEND_NULL: snprintf(out, room, "%d", id->nullbackend); break;
    case LP_BACKEND_COREAUDIO: snprintf(out, room, "%s", id->coreaudio); break;
    default: { /* wide or binary: hex, without trailing zeros */
      const uint8_t *bytes = (const uint8_t *)id;
      size_t n = sizeof *id, at = 0;
      while (n && !bytes[n - 1]) n--;
      if (n > (room - 1) / 2) n = (room - 1) / 2;
      for (size_t i = 0; i < n; i++) at += (size_t)snprintf(out + at, room - at, "%02x", bytes[i]);
      out[at] = 0;
    }
  }
}

int32_t lp_device_list(uint32_t backend, uint8_t *out, uint32_t out_bytes) {
  uint32_t total = 0, room = out_bytes / (uint32_t)sizeof(lp_device_entry);
  for (size_t b = 0; b < BACKENDS; b++) {
    if (backend != LP_BACKEND_AUTO && backend != backends[b].lp) continue;
    ma_context *context = malloc(sizeof *context);
    if (!context) return LP_E_MEMORY;
    if (!context_open(context, &backends[b])) {
      free(context);
      continue;
    }
    ma_device_info *infos = NULL;
    ma_uint32 count = 0;
    if (ma_context_get_devices(context, &infos, &count, NULL, NULL) == MA_SUCCESS) {
      for (ma_uint32 i = 0; i < count; i++, total++) {
        if (total >= room) continue;
        lp_device_entry e;
        memset(&e, 0, sizeof e);
        e.backend = backends[b].lp;
        e.is_default = infos[i].isDefault ? 1 : 0;
        e.index = i;
        if (infos[i].nativeDataFormatCount) {
          e.sample_rate = infos[i].nativeDataFormats[0].sampleRate;
          e.channels = infos[i].nativeDataFormats[0].channels;
        }
        id_text(backends[b].lp, &infos[i].id, (char *)e.id, sizeof e.id);
        e.id_bytes = (uint32_t)strlen((const char *)e.id);
        e.name_bytes = copy_text(e.name, sizeof e.name, infos[i].name);
        memcpy(out + (size_t)total * sizeof e, &e, sizeof e);
      }
    }
    ma_context_uninit(context);
    free(context);
  }
  return (int32_t)total;
}

/* ---- callbacks ---- */

#define LOSES_NS 200000000ull /* as much as a null device makes up for */

/* [callback] The null device follows the clock: for the time that the machine stood still it would call as often at once, however long that was, and
 * the head would run away from what is fetched. A real device loses that time, and so does this one. */
static void lose_time(lp_device *d, uint64_t now, uint32_t frames) {
  if (d->due_ns && now > d->due_ns + LOSES_NS) {
    const uint64_t lost_frames = (uint64_t)((double)(now - d->due_ns) * d->rate / 1e9);
    d->device.null_device.lastProcessedFramePlayback += lost_frames; /* this thread alone reads and writes it */
    d->due_ns = now;
  }
  d->due_ns = (d->due_ns ? d->due_ns : now) + (uint64_t)(frames * 1e9 / d->rate);
}

/* [callback] */
static void on_data(ma_device *device, void *output, const void *input, ma_uint32 frames) {
  (void)input;
  lp_device *d = device->pUserData;
  if (!d->flushed) {
    d->flushed = true;
    (void)lp_float_mode_flush();
  }
  uint64_t now = lp_engine_now_ns(d->renderer->engine);
  /* Relaxed: one writer, read for a measure. */
  if (!atomic_load_explicit(&d->first_ns, memory_order_relaxed)) atomic_store_explicit(&d->first_ns, now, memory_order_relaxed);
  else atomic_store_explicit(&d->frames, atomic_load_explicit(&d->frames, memory_order_relaxed) + frames, memory_order_relaxed);
  atomic_store_explicit(&d->last_ns, now, memory_order_relaxed);
  if (d->backend == LP_BACKEND_NULL) lose_time(d, now, frames);
  lp_renderer_process(d->renderer, output, frames);
}

/* A thread of the audio system, not the callback's. */
static void on_notice(const ma_device_notification *notice) {
  lp_device *d = notice->pDevice->pUserData;
  if (notice->type == ma_device_notification_type_stopped && !atomic_load(&d->stopping)) atomic_store(&d->lost, true);
}

/* ---- opening and closing ---- */

static bool find_device(ma_context *context, uint32_t backend, const uint8_t *id, uint32_t id_bytes, ma_device_id *out) {
  ma_device_info *infos = NULL;
  ma_uint32 count = 0;
  if (ma_context_get_devices(context, &infos, &count, NULL, NULL) != MA_SUCCESS) return false;
  for (ma_uint32 i = 0; i < count; i++) {
    char text[256];
    id_text(backend, &infos[i].id, text, sizeof text);
    if (strlen(text) == id_bytes && !memcmp(text, id, id_bytes)) {
      *out = infos[i].id;
      return true;
    }
  }
  return false;
}

/* Takes a device, whose thread may run, away from its renderer, which is left without a driver. */
static void end_device(lp_renderer *r, lp_device *d);

static int open_on(lp_renderer *r, const backend_name *b, lp_device_config *config) {
  lp_device *d = calloc(1, sizeof *d);
  if (!d) return LP_E_MEMORY;
  d->renderer = r;
  d->backend = b->lp;
  if (!context_open(&d->context, b)) {
    free(d);
    return LP_E_DEVICE;
  }
  ma_device_id id;
  if (config->id_bytes && !find_device(&d->context, b->lp, config->id, config->id_bytes, &id)) {
    ma_context_uninit(&d->context);
    free(d);
    return LP_E_ABSENT;
  }
  ma_device_config c = ma_device_config_init(ma_device_type_playback);
  c.playback.pDeviceID = config->id_bytes ? &id : NULL;
  c.playback.format = ma_format_f32;
  c.playback.channels = 2;
  c.sampleRate = (ma_uint32)r->rate;
  c.periodSizeInFrames = config->period_frames;
  c.periods = config->periods ? config->periods : 2;
  c.performanceProfile = ma_performance_profile_low_latency;
  c.noPreSilencedOutputBuffer = MA_TRUE;
  c.noClip = MA_TRUE;
  c.noDisableDenormals = MA_TRUE; /* ours is set once on its thread */
  c.dataCallback = on_data;
  c.notificationCallback = on_notice;
  c.pUserData = d;
  c.pulse.pStreamNamePlayback = "Loophole";
  if (ma_device_init(&d->context, &c, &d->device) != MA_SUCCESS) {
    ma_context_uninit(&d->context);
    free(d);
    return LP_E_DEVICE;
  }
  d->period = d->device.playback.internalPeriodSizeInFrames;
  uint32_t periods = d->device.playback.internalPeriods;
  uint32_t internal_rate = d->device.playback.internalSampleRate;
  d->rate = internal_rate;
  double scale = internal_rate ? r->rate / internal_rate : 1;
  d->latency = (uint32_t)lrint((double)d->period * periods * scale);

  pthread_mutex_lock(&r->lock);
  r->driver = LP_DRIVER_DEVICE;
  pthread_mutex_unlock(&r->lock);
  atomic_store(&r->latency_frames, d->latency);
  if (ma_device_start(&d->device) != MA_SUCCESS) {
    end_device(r, d);
    return LP_E_DEVICE;
  }
  pthread_mutex_lock(&r->lock);
  r->device = d;
  pthread_mutex_unlock(&r->lock);
  config->backend = b->lp;
  config->sample_rate = internal_rate ? internal_rate : (uint32_t)r->rate;
  config->period_frames = d->period;
  config->periods = periods;
  config->latency_frames = d->latency;
  config->name_bytes = copy_text(config->name, sizeof config->name, d->device.playback.name);
  return LP_OK;
}

int32_t lp_device_open(uint32_t handle, uint8_t *bytes, uint32_t config_bytes) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  lp_device_config config;
  if (config_bytes < sizeof config) return LP_E_ARGUMENT;
  memcpy(&config, bytes, sizeof config);
  if (config.id_bytes > sizeof config.id || config.period_frames > 65536) return LP_E_ARGUMENT;
  if (r->flags & LP_RENDERER_OFFLINE) return LP_E_STATE;
  pthread_mutex_lock(&r->lock);
  bool free_to = !r->busy && r->driver != LP_DRIVER_DEVICE;
  if (free_to) r->busy = true;
  pthread_mutex_unlock(&r->lock);
  if (!free_to) return LP_E_STATE;
  int result = LP_E_DEVICE;
  for (size_t b = 0; b < BACKENDS; b++) {
    /* AUTO never takes the null backend by itself: the caller decides to fall to it, and says so. */
    if (config.backend == LP_BACKEND_AUTO ? backends[b].lp == LP_BACKEND_NULL : config.backend != backends[b].lp) continue;
    result = open_on(r, &backends[b], &config);
    if (result == LP_OK) break;
  }
  pthread_mutex_lock(&r->lock);
  r->busy = false;
  pthread_mutex_unlock(&r->lock);
  if (result == LP_OK) memcpy(bytes, &config, sizeof config);
  return result;
}

static void end_device(lp_renderer *r, lp_device *d) {
  /* Fade out: the callback answers by 2. A device that no longer calls is not waited for. */
  if (!atomic_load(&d->lost) && ma_device_get_state(&d->device) == ma_device_state_started) {
    atomic_store(&r->quiesce, 1);
    for (int i = 0; i < 400 && atomic_load(&r->quiesce) != 2; i++) {
      struct timespec pause = { 0, 500000 };
      nanosleep(&pause, NULL);
    }
    long latency_ns = (long)((double)d->latency / r->rate * 1e9);
    struct timespec played = { 0, latency_ns < 200000000 ? latency_ns : 200000000 };
    nanosleep(&played, NULL);
  }
  atomic_store(&d->stopping, true);
  ma_device_uninit(&d->device);
  ma_context_uninit(&d->context);
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
  free(d);
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

int32_t lp_device_status(uint32_t handle, double *out, uint32_t count) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  if (count < 6) return LP_E_ARGUMENT;
  memset(out, 0, 6 * sizeof *out);
  pthread_mutex_lock(&r->lock);
  lp_device *d = r->device;
  if (d) {
    uint64_t first = atomic_load_explicit(&d->first_ns, memory_order_relaxed), last = atomic_load_explicit(&d->last_ns, memory_order_relaxed);
    out[0] = ma_device_get_state(&d->device) == ma_device_state_started;
    out[1] = atomic_load(&d->lost);
    out[2] = last > first ? (double)atomic_load_explicit(&d->frames, memory_order_relaxed) * 1e9 / (double)(last - first) : 0;
    out[3] = d->period;
    out[4] = d->latency;
    out[5] = d->rate;
  }
  pthread_mutex_unlock(&r->lock);
  return 6;
}
