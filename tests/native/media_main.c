/* Pages of compressed files: media_main <file> … For each: whatever the order, the number of threads and what was resident before, every page has the
 * hash of a linear decode; and peaks that threads make ahead are those of one thread; and
 * indexes survive being packed. Ends with 1 at the first failure. */
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ahead.h"
#include "flac_lpc.h"
#include "media_file.h"
#include "peaks.h"
#include "seek_index.h"
#include "residency.h"
#include "store_support.h"

/* The hashes of a linear decode, in the steps of one call. */
static uint64_t *linear_hashes(const char *path, lp_pcm_format *f) {
  lp_media *m;
  lp_identity identity;
  int fd;
  uint32_t why, broken = 0;
  double value;
  int r = lp_media_open(path, &fd, f, &m, &identity, &why, &value);
  CHECK(r == LP_OK, "%s: %d, why %u", path, r, why);
  CHECK(m, "%s is not compressed", path);
  lp_decoder *d = lp_decoder_create(m);
  uint8_t *all = malloc((size_t)f->frames * f->frame_bytes);
  CHECK(d && all && lp_decoder_seek(d, fd, 0) == 0, "memory");
  for (int64_t at = 0; at < f->frames;) {
    int64_t n = lp_decoder_read(d, fd, f->frames - at, all + at * f->frame_bytes, UINT64_MAX, &broken);
    CHECK(n > 0, "%s: %lld at %lld", path, (long long)n, (long long)at);
    at += n;
  }
  bool s16 = lp_pcm_is_s16(f);
  int64_t length = s16 ? LP_S16_PAGE_FRAMES : LP_F32_PAGE_FRAMES, pages = (f->frames + length - 1) / length;
  uint64_t *hashes = malloc((size_t)pages * sizeof *hashes);
  static uint8_t samples[LP_MAX_CHANNELS][LP_UNIT_BYTES];
  void *planes[LP_MAX_CHANNELS];
  for (int c = 0; c < LP_MAX_CHANNELS; c++) planes[c] = samples[c];
  for (int64_t page = 0; page < pages; page++) {
    int64_t n = f->frames - page * length < length ? f->frames - page * length : length;
    const uint8_t *raw = all + page * length * f->frame_bytes;
    if (s16)
      lp_pcm_to_s16(f, raw, n, (int16_t *const *)(void *)planes);
    else
      lp_pcm_to_f32(f, raw, n, (float *const *)(void *)planes);
    uint64_t h = 0xcbf29ce484222325ull;
    for (uint32_t c = 0; c < f->channels; c++)
      for (int64_t i = 0; i < n * (s16 ? 2 : 4); i++) h = (h ^ samples[c][i]) * 0x100000001b3ull;
    hashes[page] = h;
  }
  lp_decoder_free(d);
  lp_media_free(m);
  close(fd);
  free(all);
  return hashes;
}

static lp_source *open_media(lp_store *st, const char *path) {
  lp_source *s;
  lp_source_info info;
  int r = lp_store_open_source(st, path, 1, &s, &info);
  CHECK(r == LP_OK, "%s: %d, why %u", path, r, info.why);
  return s;
}

static void check_pages(const char *path, const lp_pcm_format *f, const uint64_t *hashes, uint32_t threads, uint64_t *random) {
  lp_store_config config = {.sample_rate = f->sample_rate, .slab_bytes = 256.0 * 1048576, .threads = threads, .now_ns = real_now};
  lp_store *st = lp_store_create(&config);
  CHECK(st, "no store");
  lp_source *s = open_media(st, path);
  static lp_origin origin = {.sticky = true};
  for (int round = 0; round < 3; round++) {
    int64_t *order = malloc((size_t)s->pages * sizeof *order);
    for (int64_t i = 0; i < s->pages; i++) order[i] = i;
    for (int64_t i = s->pages - 1; i > 0 && round != 1; i--) {
      int64_t k = (int64_t)(next_random(random) % (uint64_t)(i + 1)), was = order[i];
      order[i] = order[k];
      order[k] = was;
    }
    for (int64_t i = 0; i < s->pages; i++) {
      /* In the middle of the page first, now and then, so that it fills in both directions. */
      lp_want w = {.source = s, .page = order[i], .tier = (uint8_t)(next_random(random) % 2), .deadline_ns = real_now(NULL) + next_random(random) % 1000000000u};
      if (next_random(random) % 3 == 0) w.first_frame = (int32_t)(next_random(random) % (uint32_t)lp_page_length(s, order[i]));
      lp_store_want(st, &origin, &w, 1, NULL);
      if (next_random(random) % 8 == 0) await_page(st, s, order[i]);
    }
    for (int64_t i = 0; i < s->pages; i++) {
      uint64_t hash;
      await_page(st, s, i);
      CHECK(lp_store_page_hash(st, s, i, &hash) == LP_OK && hash == hashes[i], "%s: page %lld of %lld, %u threads, round %d", path, (long long)i,
            (long long)s->pages, threads, round);
    }
    free(order);
    lp_store_drop_all(st);
  }
  CHECK(counter_of(st, 16) > 0, "no time was spent on decoding");
  lp_store_remove_origin(st, &origin);
  lp_source_unref(s);
  lp_store_destroy(st);
}

/* A decoder that is paused on its way somewhere and sent elsewhere gives what one gives that decodes from front to back. */
static void check_pauses(const char *path, uint64_t *random) {
  lp_media *m;
  lp_pcm_format f;
  lp_identity identity;
  int fd;
  uint32_t why, broken = 0;
  double value;
  CHECK(lp_media_open(path, &fd, &f, &m, &identity, &why, &value) == LP_OK, "%s", path);
  lp_decoder *linear = lp_decoder_create(m), *d = lp_decoder_create(m);
  uint8_t *all = malloc((size_t)f.frames * f.frame_bytes), *part = malloc((size_t)f.frame_bytes * 500);
  CHECK(linear && d && all && part && lp_decoder_seek(linear, fd, 0) == 0, "memory");
  for (int64_t at = 0; at < f.frames;) {
    const int64_t n = lp_decoder_read(linear, fd, f.frames - at, all + at * f.frame_bytes, UINT64_MAX, &broken);
    CHECK(n > 0, "%s: %lld at %lld", path, (long long)n, (long long)at);
    at += n;
  }
  for (int i = 0; i < 400; i++) {
    const int64_t goal = (int64_t)(next_random(random) % (uint64_t)f.frames);
    CHECK(lp_decoder_seek(d, fd, goal) == 0, "seek");
    for (uint64_t steps = next_random(random) % 12; steps > 0; steps--) CHECK(lp_decoder_read(d, fd, 1, part, 0, &broken) >= 0, "%s: read", path);
    int64_t at = goal - (int64_t)(next_random(random) % 20000);
    if (at < 0) at = 0;
    int64_t n = f.frames - at < 500 ? f.frames - at : 500;
    CHECK(lp_decoder_seek(d, fd, at) == 0, "seek");
    n = lp_decoder_read(d, fd, n, part, UINT64_MAX, &broken);
    CHECK(n > 0 && memcmp(part, all + at * f.frame_bytes, (size_t)n * f.frame_bytes) == 0, "%s: %lld frames at %lld, after a pause on the way to %lld", path, (long long)n,
          (long long)at, (long long)goal);
  }
  free(part);
  free(all);
  lp_decoder_free(d);
  lp_decoder_free(linear);
  lp_media_free(m);
  close(fd);
}

/* Processors that this process may use: with one alone nothing is decoded ahead. */
static int processors(void) {
  cpu_set_t ours;
  return sched_getaffinity(0, sizeof ours, &ours) == 0 ? CPU_COUNT(&ours) : 1;
}

/* Peaks from `first` on, taken in random helpings, are bit for bit those of a decode from front to back. Now and then the taker leaves early. */
static void check_ahead(const char *path, int64_t first, uint32_t bucket_frames, bool leave, uint64_t *random) {
  lp_media *m;
  lp_pcm_format f;
  lp_identity identity;
  int fd;
  uint32_t why, broken = 0;
  double value, invalid = 0;
  CHECK(lp_media_open(path, &fd, &f, &m, &identity, &why, &value) == LP_OK, "%s", path);
  lp_decoder *d = lp_decoder_create(m);
  uint8_t *raw = malloc((size_t)bucket_frames * f.frame_bytes);
  float expected[3 * LP_PEAKS_MAX_PLANES], *out = malloc(100 * sizeof expected);
  CHECK(d && raw && out && lp_decoder_seek(d, fd, first) == 0, "memory");
  lp_ahead *a = lp_ahead_start(m, &f, fd, first, bucket_frames);
  CHECK(a || processors() < 2 || f.frames - first < 2 * LP_TEST_PART_FRAMES, "%s: nothing is decoded ahead", path);
  uint32_t floats = 3 * lp_peaks_planes(&f);
  int64_t at = first;
  while (a && (!leave || at - first < f.frames / 3)) {
    CHECK(lp_ahead_frame(a) == at, "%s: at %lld", path, (long long)at);
    int64_t got = lp_ahead_take(a, 1 + (uint32_t)(next_random(random) % 100), out, &invalid);
    CHECK(got >= 0, "%s: %lld", path, (long long)got);
    if (got == 0) break;
    for (int64_t i = 0; i < got; i++) {
      int64_t n = f.frames - at < bucket_frames ? f.frames - at : bucket_frames;
      for (int64_t done = 0; done < n;) {
        int64_t r = lp_decoder_read(d, fd, n - done, raw + done * f.frame_bytes, UINT64_MAX, &broken);
        CHECK(r > 0, "%s: %lld at %lld", path, (long long)r, (long long)at);
        done += r;
      }
      lp_peaks b;
      lp_peaks_reset(&b);
      lp_peaks_add(&b, &f, raw, n);
      lp_peaks_result(&b, &f, expected);
      CHECK(memcmp(expected, out + i * floats, floats * sizeof *out) == 0, "%s: bucket at %lld", path, (long long)at);
      at += n;
    }
  }
  CHECK(!a || leave || at == f.frames, "%s: ended at %lld of %lld", path, (long long)at, (long long)f.frames);
  lp_ahead_free(a);
  free(out);
  free(raw);
  lp_decoder_free(d);
  lp_media_free(m);
  close(fd);
}

/* ---- indexes in the cold cache ------------------------------------------------------------------------------- */

static lp_identity made_up(uint64_t inode) { return (lp_identity){.device = 7, .inode = inode, .size_bytes = 1000000, .mtime_s = 5, .ctime_s = 6}; }

/* Until nobody knows the first one any more. */
static void forget_indexes(void) {
  for (uint64_t i = 0; i < 100; i++) {
    lp_identity other = made_up(1000 + i);
    lp_seek_index_put(lp_seek_index_get(&other, 0, 16));
  }
}

static void sign(uint8_t *bytes, uint64_t n) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (uint64_t i = 0; i < n - 8; i++) h = (h ^ bytes[i]) * 0x100000001b3ull;
  for (int i = 0; i < 8; i++) bytes[n - 8 + (uint64_t)i] = (uint8_t)(h >> 8 * i);
}

/* A complete index packed, forgotten and unpacked is what it was; bytes that are damaged are refused, with a true checksum too, or give an
 * index that is sound in itself. */
static void check_packed_index(uint64_t *random) {
  lp_identity identity = made_up(1);
  lp_seek_index *x = lp_seek_index_get(&identity, 100, 16);
  lp_seek_point at = {0, 100};
  while (at.first < 5000) {
    lp_seek_point next = {at.first + 1 + (int64_t)(next_random(random) % 9), at.offset + 1 + (int64_t)(next_random(random) % 300)};
    lp_seek_index_add(x, at, next);
    at = next;
  }
  uint8_t bytes[16384], again[16384], damaged[16384];
  CHECK(lp_seek_index_pack(x, bytes, sizeof bytes) == 0, "an index that is not complete was packed");
  lp_seek_index_end(x, at);
  uint64_t n = lp_seek_index_pack(x, bytes, sizeof bytes);
  CHECK(n > 1000 && n < sizeof bytes, "%llu bytes", (unsigned long long)n);
  CHECK(lp_seek_index_pack(x, damaged, 10) == n, "too little room");
  lp_seek_point found[500];
  for (int i = 0; i < 500; i++) found[i] = lp_seek_index_find(x, i * 11);
  lp_seek_index_put(x);
  forget_indexes();
  CHECK(lp_seek_index_unpack(bytes, n) == LP_E_ABSENT, "nobody holds it");
  x = lp_seek_index_get(&identity, 100, 16);
  bool complete;
  lp_seek_point end = lp_seek_index_frontier(x, &complete);
  CHECK(!complete && end.first == 0, "it was not forgotten");
  for (uint64_t i = 0; i < n; i++) {
    memcpy(damaged, bytes, n);
    damaged[i] ^= (uint8_t)(1 + next_random(random) % 255);
    CHECK(lp_seek_index_unpack(damaged, n) == LP_E_ARGUMENT, "byte %llu", (unsigned long long)i);
    CHECK(lp_seek_index_unpack(bytes, i) == LP_E_ARGUMENT, "%llu bytes of it", (unsigned long long)i);
  }
  CHECK(lp_seek_index_unpack(bytes, n) == LP_OK && lp_seek_index_unpack(bytes, n) == LP_OK, "refused");
  end = lp_seek_index_frontier(x, &complete);
  CHECK(complete && end.first == at.first && end.offset == at.offset, "another end");
  for (int i = 0; i < 500; i++) {
    lp_seek_point p = lp_seek_index_find(x, i * 11);
    CHECK(p.first == found[i].first && p.offset == found[i].offset, "another point for %d", i * 11);
  }
  CHECK(lp_seek_index_pack(x, again, sizeof again) == n && memcmp(bytes, again, n) == 0, "it packs differently");
  lp_seek_index_put(x);
  for (int round = 0; round < 3000; round++) {
    if (round % 50 == 0) forget_indexes();
    x = lp_seek_index_get(&identity, 100, 16);
    memcpy(damaged, bytes, n);
    for (uint64_t k = next_random(random) % 4; k < 4; k++) damaged[next_random(random) % n] = (uint8_t)next_random(random);
    uint64_t length = next_random(random) % 3 ? n : next_random(random) % (n + 1);
    if (length >= 8) sign(damaged, length);
    int r = lp_seek_index_unpack(damaged, length);
    CHECK(r == LP_OK || r == LP_E_ARGUMENT || r == LP_E_ABSENT, "%d", r);
    for (int i = 0; r == LP_OK && i < 50; i++) {
      int64_t first = (int64_t)(next_random(random) % 6000);
      lp_seek_point p = lp_seek_index_find(x, first);
      CHECK(p.first >= 0 && p.first <= first && p.offset >= 100 && p.offset <= identity.size_bytes, "a point at %lld", (long long)p.offset);
    }
    lp_seek_index_put(x);
  }
}

/* Channels predicted two at a time are what each gives by itself, and what the sum says. */
static void check_prediction(uint64_t *random) {
  enum { BLOCK = 700 };
  static int32_t residual[3][BLOCK], alone[3][BLOCK], paired[3][BLOCK];
  for (int round = 0; round < 3000; round++) {
    const uint32_t count = 1 + (uint32_t)(next_random(random) % 3), block = 33 + (uint32_t)(next_random(random) % (BLOCK - 33));
    lp_flac_lpc channels[3] = {0};
    for (uint32_t c = 0; c < count; c++) {
      lp_flac_lpc *l = &channels[c];
      l->order = 1 + (uint32_t)(next_random(random) % (round % 4 ? 12 : 32));
      l->shift = (int32_t)(next_random(random) % 16);
      l->wide = next_random(random) % 2;
      for (uint32_t j = 0; j < l->order; j++) l->c[j] = (int32_t)(next_random(random) % 65536) - 32768;
      for (uint32_t i = 0; i < block; i++) residual[c][i] = round % 3 ? (int32_t)next_random(random) >> 20 : (int32_t)next_random(random);
    }
    for (int vectors = 0; vectors < 2; vectors++) {
      for (uint32_t c = 0; c < count; c++) {
        channels[c].x = vectors ? paired[c] : alone[c];
        memcpy(channels[c].x, residual[c], block * sizeof **residual);
      }
      lp_flac_restore_by(channels, count, block, vectors);
    }
    for (uint32_t c = 0; c < count; c++) {
      const lp_flac_lpc *l = &channels[c];
      for (uint32_t i = 0; i < block; i++) {
        int64_t sum = 0;
        for (uint32_t j = 0; i >= l->order && j < l->order; j++) sum += (int64_t)l->c[j] * paired[c][i - 1 - j];
        const uint32_t other = (c ^ 1) < count ? c ^ 1 : c;
        if (!l->wide && !channels[other].wide) sum = (int32_t)(uint32_t)(uint64_t)sum;
        const int32_t said = i < l->order ? residual[c][i] : (int32_t)(uint32_t)(uint64_t)(residual[c][i] + (sum >> l->shift));
        CHECK(alone[c][i] == said && paired[c][i] == said, "channel %u of %u, order %u, %s, sample %u: %d, alone %d, in a pair %d", c, count, l->order,
              l->wide ? "wide" : "narrow", i, said, alone[c][i], paired[c][i]);
      }
    }
  }
}

int main(int argc, char **argv) {
  uint64_t random = 5;
  check_prediction(&random);
  check_packed_index(&random);
  for (int i = 1; i < argc; i++) {
    lp_pcm_format f;
    uint64_t *hashes = linear_hashes(argv[i], &f);
    check_pages(argv[i], &f, hashes, 1, &random);
    check_pages(argv[i], &f, hashes, 2, &random);
    check_pages(argv[i], &f, hashes, 8, &random);
    free(hashes);
    check_pauses(argv[i], &random);
    check_ahead(argv[i], 0, 256, false, &random);
    check_ahead(argv[i], 256, 640, false, &random);
    check_ahead(argv[i], 0, 256, true, &random);
  }
  return 0;
}
