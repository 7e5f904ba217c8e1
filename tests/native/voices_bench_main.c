/* The peer of the bench of voices: miniaudio's own engine, one ma_sound with MA_SOUND_FLAG_STREAM a voice, each of a file of its own.
 *
 *   voices_bench_main <file with a path a line> <voices> <rate> <period> <linear|soxr> <warm-up s> <measured s>
 *
 * Plays in real time on the null device. A file of another rate is converted where miniaudio decodes it, on its job thread: by its own linear
 * resampler, or by libsoxr VHQ behind its table of functions for custom resamplers.
 *
 * The engine does not count what is missing. A sound whose next page has not been decoded yet puts out silence and stays where it is, so the
 * frames that the engine has rendered less those that a sound has moved on are the frames that it lacked; no sound is at its end while it is measured.
 *
 * Prints one line: µs of processor time (all threads) while it was measured, frames rendered meanwhile, frames missing of all voices, voices that lack
 * any, resident KiB, KiB before the first sound. */
#include <soxr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#define MA_API static
#define MINIAUDIO_IMPLEMENTATION
#include "miniaudio.h"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static void fail(const char *what, const char *of) {
  fprintf(stderr, "%s: %s\n", what, of);
  exit(1);
}

/* ---- libsoxr as miniaudio's resampler ---------------------------------------------------------------------------- */

static ma_result soxr_heap_size(void *user, const ma_resampler_config *config, size_t *bytes) {
  (void)user;
  (void)config;
  *bytes = 0;
  return MA_SUCCESS;
}

static ma_result soxr_begin(void *user, const ma_resampler_config *config, void *heap, ma_resampling_backend **out) {
  (void)user;
  (void)heap;
  if (config->format != ma_format_f32) return MA_FORMAT_NOT_SUPPORTED;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  soxr_error_t error;
  *out = soxr_create(config->sampleRateIn, config->sampleRateOut, config->channels, &error, &io, &quality, &runtime);
  return error ? MA_ERROR : MA_SUCCESS;
}

static void soxr_end(void *user, ma_resampling_backend *s, const ma_allocation_callbacks *allocation) {
  (void)user;
  (void)allocation;
  soxr_delete(s);
}

static ma_result soxr_run(void *user, ma_resampling_backend *s, const void *in, ma_uint64 *in_frames, void *out, ma_uint64 *out_frames) {
  (void)user;
  size_t taken = 0, made = 0;
  /* No input means that there is none now, not that there will be none. */
  if (!in || *in_frames == 0) {
    *in_frames = *out_frames = 0;
    return MA_SUCCESS;
  }
  if (soxr_process(s, in, (size_t)*in_frames, &taken, out, (size_t)*out_frames, &made)) return MA_ERROR;
  *in_frames = taken;
  *out_frames = made;
  return MA_SUCCESS;
}

static ma_result soxr_again(void *user, ma_resampling_backend *s) {
  (void)user;
  return soxr_clear(s) ? MA_ERROR : MA_SUCCESS;
}

static ma_resampling_backend_vtable soxr_functions = {
    .onGetHeapSize = soxr_heap_size, .onInit = soxr_begin, .onUninit = soxr_end, .onProcess = soxr_run, .onReset = soxr_again};

/* ---- what is measured ---------------------------------------------------------------------------------------- */

static double cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static long resident_kib(void) {
  char line[256];
  long kib = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
  if (f) fclose(f);
  return kib;
}

static void pause_s(double s) {
  struct timespec t = {.tv_sec = (time_t)s, .tv_nsec = (long)((s - (double)(time_t)s) * 1e9)};
  while (nanosleep(&t, &t)) continue;
}

static ma_uint64 cursor_of(ma_sound *s) {
  ma_uint64 at = 0;
  ma_sound_get_cursor_in_pcm_frames(s, &at);
  return at;
}

int main(int argc, char **argv) {
  if (argc != 8) fail("usage", "voices_bench_main <list> <voices> <rate> <period> <linear|soxr> <warm-up s> <measured s>");
  const int voices = atoi(argv[2]);
  const double warm = atof(argv[6]), measured = atof(argv[7]);

  ma_context context;
  const ma_backend null = ma_backend_null;
  if (ma_context_init(&null, 1, NULL, &context) != MA_SUCCESS) fail("no context", "null");
  ma_engine_config config = ma_engine_config_init();
  config.pContext = &context;
  config.channels = 2;
  config.sampleRate = (ma_uint32)atoi(argv[3]);
  config.periodSizeInFrames = (ma_uint32)atoi(argv[4]);
  /* As the engine would make it, but for its queue of jobs: of 1,024 as it is, sounds beyond would never get their next page. */
  ma_resource_manager_config files = ma_resource_manager_config_init();
  files.decodedFormat = ma_format_f32;
  files.decodedSampleRate = config.sampleRate;
  files.jobQueueCapacity = 1024 + 4 * (ma_uint32)voices;
  files.resampling = config.resourceManagerResampling;
  if (!strcmp(argv[5], "soxr")) {
    files.resampling.algorithm = ma_resample_algorithm_custom;
    files.resampling.pBackendVTable = &soxr_functions;
  }
  static ma_resource_manager manager;
  if (ma_resource_manager_init(&files, &manager) != MA_SUCCESS) fail("no resource manager", argv[5]);
  config.pResourceManager = &manager;
  static ma_engine engine;
  if (ma_engine_init(&config, &engine) != MA_SUCCESS) fail("no engine", argv[5]);

  const long before_kib = resident_kib();
  ma_sound *sounds = calloc((size_t)voices, sizeof *sounds);
  ma_uint64 *begun = calloc((size_t)voices, sizeof *begun);
  FILE *list = fopen(argv[1], "r");
  if (!sounds || !begun || !list) fail("cannot read", argv[1]);
  char path[4096];
  for (int i = 0; i < voices; i++) {
    if (!fgets(path, sizeof path, list)) fail("too few files", argv[1]);
    path[strcspn(path, "\n")] = 0;
    /* What a mixer of a timeline has: no place in space, no change of pitch. */
    if (ma_sound_init_from_file(&engine, path, MA_SOUND_FLAG_STREAM | MA_SOUND_FLAG_NO_SPATIALIZATION | MA_SOUND_FLAG_NO_PITCH, NULL, NULL, &sounds[i]) != MA_SUCCESS)
      fail("cannot open", path);
    ma_sound_set_volume(&sounds[i], 1.0f / (float)voices);
  }
  fclose(list);
  /* All of them begin with one period. */
  const ma_uint64 start = ma_engine_get_time_in_pcm_frames(&engine) + config.sampleRate / 4;
  for (int i = 0; i < voices; i++) {
    ma_sound_set_start_time_in_pcm_frames(&sounds[i], start);
    if (ma_sound_start(&sounds[i]) != MA_SUCCESS) fail("cannot start a sound", argv[1]);
  }
  pause_s(warm);

  const double cpu = cpu_us();
  const ma_uint64 from = ma_engine_get_time_in_pcm_frames(&engine);
  for (int i = 0; i < voices; i++) begun[i] = cursor_of(&sounds[i]);
  pause_s(measured);
  const double spent = cpu_us() - cpu;
  const ma_uint64 to = ma_engine_get_time_in_pcm_frames(&engine);
  /* Two periods: the cursors are read while it plays. */
  const ma_uint64 slack = 2 * config.periodSizeInFrames, frames = to - from;
  ma_uint64 missing = 0;
  int lacking = 0;
  for (int i = 0; i < voices; i++) {
    const ma_uint64 now = cursor_of(&sounds[i]), moved = now > begun[i] ? now - begun[i] : 0;
    if (moved + slack >= frames) continue;
    missing += frames - moved;
    lacking++;
  }
  printf("%.0f %llu %llu %d %ld %ld\n", spent, (unsigned long long)frames, (unsigned long long)missing, lacking, resident_kib(), before_kib);
  fflush(stdout);
  _Exit(0);
}
