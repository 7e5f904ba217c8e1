/* From asking for a random place of a long file, none of whose pages are resident, until the first 20 ms from there are: seek_bench_main <rounds>
 * <wav> <flac> <mp3>. Ours goes through the page store with its pool of threads; theirs is miniaudio's dr_wav, dr_flac and dr_mp3 in the same process:
 * a decoder that is open already seeks and reads 20 ms as floats. All take turns at the same places.
 *
 * "First touch": nobody has read the file in this state before, so there is no index yet (each round changes its modification time). What is timed
 * contains making a decoder, not the opening, while another thread begins the index. dr_mp3's table of 1,000 points is made before, and not timed.
 *
 * Prints a line a value: group, name, milliseconds. Where the formats are exact, what came is compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#define MA_API static
#define ma_atomic_global_lock seek_bench_lock
#define MA_NO_DEVICE_IO
#define MA_NO_THREADING
#define MA_NO_ENGINE
#define MA_NO_NODE_GRAPH
#define MA_NO_RESOURCE_MANAGER
#define MA_NO_GENERATION
#define MA_NO_ENCODING
#define MA_IMPLEMENTATION
#include "miniaudio.h"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include "media_file.h"
#include "store_internal.h"

#define RATE 48000u
#define FIRST 960 /* 20 ms */
#define THREADS 4

static void fail(const char *what, const char *path) {
  fprintf(stderr, "%s: %s\n", what, path);
  exit(1);
}

static uint64_t clock_ns(void *context) {
  (void)context;
  return lp_monotonic_ns();
}

static uint64_t random_state = 1;

static int64_t random_below(int64_t n) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (int64_t)(random_state % (uint64_t)n);
}

/* ---- ours --------------------------------------------------------------------------------------------------- */

typedef struct ours {
  lp_store *store;
  lp_source *source;
  const char *path;
} ours;

static lp_origin origin = {.sticky = true};

static ours open_ours(const char *path) {
  lp_store_config config = {.sample_rate = RATE, .slab_bytes = 64e6, .threads = THREADS, .now_ns = clock_ns};
  ours o = {.store = lp_store_create(&config), .path = path};
  lp_source_info info;
  if (!o.store || lp_store_open_source(o.store, path, 1, &o.source, &info) != LP_OK) fail("cannot open", path);
  return o;
}

static void close_ours(ours *o) {
  lp_store_remove_origin(o->store, &origin);
  lp_source_unref(o->source);
  lp_store_destroy(o->store);
}

static double seek_ours(ours *o, int64_t frame, float *left) {
  lp_source *s = o->source;
  lp_store_drop_all(o->store);
  uint64_t begun = lp_monotonic_ns();
  lp_want wants[2];
  uint32_t count = 0;
  for (int64_t page = frame >> s->page_shift; page <= (frame + FIRST - 1) >> s->page_shift; page++) {
    int64_t first = page << s->page_shift;
    wants[count++] = (lp_want){.source = s, .page = page, .first_frame = first < frame ? (int32_t)(frame - first) : 0, .tier = LP_TIER_REALTIME, .deadline_ns = begun};
  }
  uint64_t seen = lp_store_fill_count(o->store);
  lp_store_want(o->store, &origin, wants, count, NULL);
  uint32_t cause;
  while (lp_source_run(s, frame, FIRST, &cause) < FIRST) {
    if (lp_monotonic_ns() - begun > 60000000000ull) fail("nothing came", o->path);
    seen = lp_store_wait_fill(o->store, seen, 1000000000ull);
  }
  double ms = (double)(lp_monotonic_ns() - begun) / 1e6;
  float *planes[LP_MAX_CHANNELS];
  static float rest[LP_MAX_CHANNELS][FIRST];
  for (uint32_t c = 0; c < LP_MAX_CHANNELS; c++) planes[c] = c == 0 ? left : rest[c];
  lp_source_read(s, frame, FIRST, planes);
  return ms;
}

/* Another modification time: a state that nobody has seen. */
static void change_state(const char *path) {
  static long n;
  struct timespec times[2] = {{.tv_sec = 1000000000 + ++n}, {.tv_sec = 1000000000 + n, .tv_nsec = (long)(lp_monotonic_ns() % 1000000000u)}};
  if (utimensat(AT_FDCWD, path, times, 0) != 0) fail("cannot change the time of", path);
}

static double first_touch(const char *path, int64_t frame, float *left) {
  change_state(path);
  ours o = open_ours(path);
  double ms = seek_ours(&o, frame, left);
  close_ours(&o);
  return ms;
}

/* The index of the file as it is now, to its end. */
static void complete_index(const char *path) {
  lp_media *m;
  lp_pcm_format format;
  lp_identity identity;
  int fd;
  uint32_t why;
  double value;
  if (lp_media_open(path, &fd, &format, &m, &identity, &why, &value) != LP_OK) fail("cannot open", path);
  while (lp_media_index_step(m, fd, UINT64_MAX) == 1) continue;
  lp_media_free(m);
  close(fd);
}

/* ---- theirs ------------------------------------------------------------------------------------------------- */

static float theirs_out[2 * FIRST];

static double since(uint64_t begun) { return (double)(lp_monotonic_ns() - begun) / 1e6; }

static double seek_wav(ma_dr_wav *d, int64_t frame) {
  uint64_t begun = lp_monotonic_ns();
  if (!ma_dr_wav_seek_to_pcm_frame(d, (ma_uint64)frame) || ma_dr_wav_read_pcm_frames_f32(d, FIRST, theirs_out) != FIRST) fail("dr_wav", "");
  return since(begun);
}

static double seek_flac(ma_dr_flac *d, int64_t frame) {
  uint64_t begun = lp_monotonic_ns();
  if (!ma_dr_flac_seek_to_pcm_frame(d, (ma_uint64)frame) || ma_dr_flac_read_pcm_frames_f32(d, FIRST, theirs_out) != FIRST) fail("dr_flac", "");
  return since(begun);
}

static double seek_mp3(ma_dr_mp3 *d, int64_t frame) {
  uint64_t begun = lp_monotonic_ns();
  if (!ma_dr_mp3_seek_to_pcm_frame(d, (ma_uint64)frame) || ma_dr_mp3_read_pcm_frames_f32(d, FIRST, theirs_out) != FIRST) fail("dr_mp3", "");
  return since(begun);
}

/* ---- */

static void say(const char *group, const char *name, double ms) { printf("%s\t%s\t%.6f\n", group, name, ms); }

static void same(const char *path, int64_t frame, const float *left) {
  for (int i = 0; i < FIRST; i++) {
    if (left[i] != theirs_out[2 * i]) {
      fprintf(stderr, "%s: frame %lld: %g, not %g\n", path, (long long)frame + i, left[i], theirs_out[2 * i]);
      exit(1);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 5) fail("seek_bench_main <rounds> <wav> <flac> <mp3>", "");
  int rounds = atoi(argv[1]);
  const char *wav = argv[2], *flac = argv[3], *mp3 = argv[4];
  static ma_dr_wav their_wav;
  static ma_dr_mp3 their_mp3, with_table;
  ma_dr_flac *their_flac = ma_dr_flac_open_file(flac, NULL);
  if (!ma_dr_wav_init_file(&their_wav, wav, NULL) || !their_flac || !ma_dr_mp3_init_file(&their_mp3, mp3, NULL) ||
      !ma_dr_mp3_init_file(&with_table, mp3, NULL))
    fail("miniaudio cannot open", flac);
  ma_uint32 points = 1000;
  static ma_dr_mp3_seek_point table[1000];
  if (!ma_dr_mp3_calculate_seek_points(&with_table, &points, table) || !ma_dr_mp3_bind_seek_table(&with_table, points, table)) fail("no table", mp3);
  float left[FIRST];
  /* First touches by themselves: they need their own stores, and their index jobs would disturb the others. */
  for (int i = 0; i < rounds; i++) {
    int64_t frame = random_below(170000000);
    say("FLAC", "dr_flac", seek_flac(their_flac, frame));
    say("FLAC", "first touch, no index", first_touch(flac, frame, left));
    same(flac, frame, left);
    /* A walk from the file's begin takes hundreds of milliseconds. */
    if (i < 10) say("MP3", "dr_mp3", seek_mp3(&their_mp3, frame));
    say("MP3", "dr_mp3 with a table", seek_mp3(&with_table, frame));
    say("MP3", "first touch, no index", first_touch(mp3, frame, left));
  }
  complete_index(flac);
  complete_index(mp3);
  ours our_wav = open_ours(wav), our_flac = open_ours(flac), our_mp3 = open_ours(mp3);
  for (int i = 0; i < rounds; i++) {
    int64_t frame = random_below(170000000);
    say("WAV", "dr_wav", seek_wav(&their_wav, frame));
    say("WAV", "page store", seek_ours(&our_wav, frame, left));
    same(wav, frame, left);
    say("FLAC", "dr_flac", seek_flac(their_flac, frame));
    say("FLAC", "index complete", seek_ours(&our_flac, frame, left));
    same(flac, frame, left);
    say("MP3", "dr_mp3 with a table", seek_mp3(&with_table, frame));
    say("MP3", "index complete", seek_ours(&our_mp3, frame, left));
  }
  close_ours(&our_wav);
  close_ours(&our_flac);
  close_ours(&our_mp3);
  return 0;
}
