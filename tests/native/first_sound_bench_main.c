/* The peer of the bench of first sounds: miniaudio's own engine with one streaming ma_sound, and a caller in the place of its device that takes each period when
 * it is due. It plays in the silence that a file begins with, is told to seek into the sound that follows, and what is timed ends with the period in which something
 * is heard.
 *
 *   first_sound_bench_main <file> <period> <frames of silence> <frames> <seeks>
 *
 * The file is taken out of the page cache before each seek. Prints milliseconds, a line a seek. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MA_API static
#define MINIAUDIO_IMPLEMENTATION
#include "miniaudio.h"

#define RATE 48000u
#define HEARD 1e-3f
#define BEFORE 20 /* periods in silence before a seek */

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void fail(const char *what, const char *of) {
  fprintf(stderr, "%s: %s\n", what, of);
  exit(1);
}

static void pause_ms(double ms) {
  struct timespec t = {.tv_sec = (time_t)(ms / 1e3), .tv_nsec = (long)((ms - 1e3 * (double)(time_t)(ms / 1e3)) * 1e6)};
  while (nanosleep(&t, &t)) continue;
}

static float out[2 * 4096];

/* Takes a period. Whether something is heard in it. */
static bool play(ma_engine *engine, ma_uint32 period) {
  if (ma_engine_read_pcm_frames(engine, out, period, NULL) != MA_SUCCESS) fail("it does not play", "a period");
  for (ma_uint32 i = 0; i < 2 * period; i++)
    if (out[i] > HEARD || out[i] < -HEARD) return true;
  return false;
}

/* Plays period after period, each when it is due, and seeks in the midst. */
static double first_sound(ma_engine *engine, ma_sound *sound, ma_uint32 period, ma_uint64 to) {
  const double period_ms = period * 1e3 / RATE, begun = now_ms(), seek_at = begun + (BEFORE + rand() / (1.0 + RAND_MAX)) * period_ms;
  double sought = 0;
  for (int n = 1;; n++) {
    for (double now = now_ms(); now < begun + n * period_ms; now = now_ms()) {
      if (now < seek_at || sought > 0) continue;
      sought = now_ms();
      ma_sound_seek_to_pcm_frame(sound, to);
    }
    const bool heard = play(engine, period);
    if (sought > 0 && heard) return now_ms() - sought;
    if (sought > 0 && now_ms() - sought > 20000) fail("nothing was heard", "20 s");
  }
}

int main(int argc, char **argv) {
  if (argc != 6) fail("usage", "first_sound_bench_main <file> <period> <frames of silence> <frames> <seeks>");
  const ma_uint64 quiet = strtoull(argv[3], NULL, 10), frames = strtoull(argv[4], NULL, 10);
  const ma_uint32 period = (ma_uint32)atoi(argv[2]);
  if (period < 1 || period > 4096) fail("no period", argv[2]);
  ma_engine_config config = ma_engine_config_init();
  config.noDevice = MA_TRUE;
  config.channels = 2;
  config.sampleRate = RATE;
  static ma_engine engine;
  static ma_sound sound;
  if (ma_engine_init(&config, &engine) != MA_SUCCESS) fail("no engine", "without a device");
  const ma_uint32 flags = MA_SOUND_FLAG_STREAM | MA_SOUND_FLAG_NO_SPATIALIZATION | MA_SOUND_FLAG_NO_PITCH;
  if (ma_sound_init_from_file(&engine, argv[1], flags, NULL, NULL, &sound) != MA_SUCCESS) fail("cannot open", argv[1]);
  if (ma_sound_start(&sound) != MA_SUCCESS) fail("cannot start", argv[1]);
  const int fd = open(argv[1], O_RDONLY);
  if (fd < 0) fail("cannot open", argv[1]);
  srand(7);
  for (int i = 0; i < atoi(argv[5]); i++) {
    /* Back to the silence, until the job that reads it is done. */
    ma_sound_seek_to_pcm_frame(&sound, 0);
    ma_uint64 at = frames;
    for (int silent = 0; silent < 20 || at > quiet;) {
      silent = play(&engine, period) ? 0 : silent + 1;
      pause_ms(5);
      ma_sound_get_cursor_in_pcm_frames(&sound, &at);
    }
    const ma_uint64 to = quiet + RATE + (ma_uint64)rand() % (frames - quiet - 5 * RATE);
    if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)) fail("cannot take out of the page cache", argv[1]);
    printf("%.3f\n", first_sound(&engine, &sound, period, to));
  }
  fflush(stdout);
  _Exit(0);
}
