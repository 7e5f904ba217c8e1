#include "store_support.h"

#include "disk_wait.h"
#include "volumes.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- files ------------------------------------------------------------------------------------------------- */

static char root[128];

const char *folder(void) {
  if (!root[0]) {
    const char *base = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/lp-store-XXXXXX", base && strlen(base) < 100 ? base : "/tmp");
    CHECK(mkdtemp(root), "no temporary folder");
  }
  return root;
}

void end_files(void) {
  if (!root[0]) return;
  DIR *d = opendir(root);
  for (struct dirent *e; d && (e = readdir(d));) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, e->d_name);
    unlink(path);
  }
  if (d) closedir(d);
  rmdir(root);
}

static int32_t sample_of(const sound *s, int64_t frame, uint32_t channel) {
  uint64_t x = ((uint64_t)frame << 8 | channel) * 0x9e3779b97f4a7c15ull ^ (uint64_t)s->seed * 0xbf58476d1ce4e5b9ull;
  x ^= x >> 29;
  x *= 0x94d049bb133111ebull;
  int32_t v = (int32_t)(x >> 32);
  if (s->kind == S16) return v >> 16 ? v >> 16 : 1; /* never silence: a hole must show */
  return v >> 8 ? v >> 8 : 1;
}

float expected(const sound *s, int64_t frame, uint32_t channel) {
  if (frame < 0 || frame >= s->frames) return 0;
  int32_t v = sample_of(s, frame, channel);
  return s->kind == S16 ? (float)v / 32768.0f : (float)v / 8388608.0f;
}

uint64_t expected_hash(const sound *s, int64_t page) {
  int64_t length = s->kind == S16 ? LP_S16_PAGE_FRAMES : LP_F32_PAGE_FRAMES;
  int64_t first = page * length, end = first + length < s->frames ? first + length : s->frames;
  uint64_t h = 0xcbf29ce484222325ull;
  for (uint32_t c = 0; c < s->channels; c++) {
    for (int64_t f = first; f < end; f++) {
      unsigned char bytes[4];
      size_t n = s->kind == S16 ? 2 : 4;
      float x = expected(s, f, c);
      int16_t v = (int16_t)sample_of(s, f, c);
      if (s->kind == S16)
        memcpy(bytes, &v, 2);
      else
        memcpy(bytes, &x, 4);
      for (size_t i = 0; i < n; i++) h = (h ^ bytes[i]) * 0x100000001b3ull;
    }
  }
  return h;
}

static void put(FILE *f, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) fputc((int)(value >> (8 * i) & 0xff), f);
}

void make_sound(sound *s, const char *name) {
  if (name) snprintf(s->path, sizeof s->path, "%s/%s.wav", folder(), name);
  FILE *f = fopen(s->path, "wb");
  CHECK(f, "cannot write %s", s->path);
  uint32_t bytes = s->kind == S16 ? 2 : s->kind == S24 ? 3 : 4;
  uint64_t data = (uint64_t)s->frames * bytes * s->channels;
  fwrite("RIFF", 1, 4, f);
  put(f, 36 + data, 4);
  fwrite("WAVEfmt ", 1, 8, f);
  put(f, 16, 4);
  put(f, s->kind == F32 ? 3 : 1, 2);
  put(f, s->channels, 2);
  uint32_t rate = s->rate ? s->rate : RATE;
  put(f, rate, 4);
  put(f, (uint64_t)rate * bytes * s->channels, 4);
  put(f, bytes * s->channels, 2);
  put(f, bytes * 8, 2);
  fwrite("data", 1, 4, f);
  put(f, data, 4);
  if (s->silent) {
    fflush(f);
    CHECK(ftruncate(fileno(f), (off_t)(44 + data)) == 0, "cannot extend %s", s->path);
  }
  for (int64_t i = 0; i < s->frames && !s->silent; i++) {
    for (uint32_t c = 0; c < s->channels; c++) {
      if (s->kind == F32) {
        float x = expected(s, i, c);
        fwrite(&x, 4, 1, f);
      } else {
        put(f, (uint32_t)sample_of(s, i, c), (int)bytes);
      }
    }
  }
  CHECK(fclose(f) == 0, "cannot write %s", s->path);
}

/* ---- odds and ends ------------------------------------------------------------------------------------------- */

uint32_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005ull + 1442695040888963407ull;
  uint64_t x = *state;
  return (uint32_t)((x >> 22 ^ x) >> (22 + (x >> 61)));
}

_Atomic bool clock_is_gone;

uint64_t real_now(void *context) {
  (void)context;
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

uint64_t set_now(void *context) { return atomic_load((_Atomic uint64_t *)context); }

void sleep_ms(unsigned ms) {
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

static uint64_t engine_now(void *context) {
  CHECK(!atomic_load(&clock_is_gone), "the clock is asked after the store was destroyed");
  return real_now(context);
}

static void engine_filled(void *context) { (void)engine_now(context); }

lp_store *make_store(double slab_bytes, uint32_t threads) {
  lp_store_config c = {.sample_rate = RATE, .slab_bytes = slab_bytes, .threads = threads, .now_ns = engine_now, .filled = engine_filled};
  lp_store *st = lp_store_create(&c);
  CHECK(st, "no store");
  return st;
}

lp_store *make_stepped(double slab_bytes, _Atomic uint64_t *clock) {
  lp_store_config c = {.sample_rate = RATE, .slab_bytes = slab_bytes, .single_step = true, .now_ns = set_now, .context = clock};
  lp_store *st = lp_store_create(&c);
  CHECK(st, "no store");
  return st;
}

lp_source *open_sound(lp_store *st, const sound *s) {
  lp_source *out;
  lp_source_info info;
  int r = lp_store_open_source(st, s->path, 1, &out, &info);
  CHECK(r == LP_OK, "%s: %d, why %u (%g)", s->path, r, info.why, info.why_value);
  CHECK(out->frames == s->frames && out->channels == s->channels && out->s16 == (s->kind == S16), "%s: wrong format", s->path);
  return out;
}

double counter_of(lp_store *st, uint32_t index) {
  double all[19];
  CHECK(lp_store_counters_read(st, all, 19) == 19, "counters");
  return all[index];
}

void want(lp_store *st, lp_origin *o, lp_source *s, int64_t page, uint8_t tier, uint64_t deadline_ns) {
  lp_want w = {.source = s, .page = page, .tier = tier, .deadline_ns = deadline_ns};
  lp_store_want(st, o, &w, 1, NULL);
}

static int64_t page_end(const lp_source *s, int64_t page) {
  int64_t end = (page + 1) * s->page_frames;
  return end < s->frames ? end : s->frames;
}

bool is_resident(const lp_source *s, int64_t page) {
  int64_t first = page * s->page_frames, n = page_end(s, page) - first;
  return lp_source_run(s, first, n, NULL) == n;
}

uint32_t cause_at(const lp_source *s, int64_t page) {
  uint32_t cause = 99;
  (void)lp_source_run(s, page * s->page_frames, 1, &cause);
  return cause;
}

/* The limit ends a test that is broken; a machine may be slow. */
void await_page(lp_store *st, lp_source *s, int64_t page) {
  uint64_t seen = lp_store_fill_count(st);
  uint64_t until = real_now(NULL) + 300000000000ull;
  while (!is_resident(s, page) && real_now(NULL) < until) seen = lp_store_wait_fill(st, seen, 50000000ull);
  CHECK(is_resident(s, page), "page %lld did not come, cause %u", (long long)page, cause_at(s, page));
}

/* ---- faults -------------------------------------------------------------------------------------------------- */

_Atomic int read_fault;
_Atomic bool reads_hang, reads_hang_if_odd, volumes_by_size;
_Atomic int reads_hanging;
_Atomic uint64_t reads_begun;
_Atomic int64_t read_shortfall;
_Atomic int64_t bad_frame = -1;
_Atomic uint64_t *_Atomic read_clock;
_Atomic uint64_t read_takes_ns;
_Atomic unsigned read_delay_ms;
_Atomic uint64_t faulty_inodes[FAULTY_FILES];

static bool is_faulty(int fd) {
  if (!atomic_load(&faulty_inodes[0])) return true;
  struct stat st;
  if (fstat(fd, &st)) return false;
  for (int i = 0; i < FAULTY_FILES; i++)
    if (atomic_load(&faulty_inodes[i]) == st.st_ino) return true;
  return false;
}

int64_t __real_lp_pcm_read(int fd, const lp_pcm_format *format, int64_t first, int64_t frames, uint8_t *raw);
int64_t __wrap_lp_pcm_read(int fd, const lp_pcm_format *format, int64_t first, int64_t frames, uint8_t *raw);

int64_t __wrap_lp_pcm_read(int fd, const lp_pcm_format *format, int64_t first, int64_t frames, uint8_t *raw) {
  atomic_fetch_add(&reads_begun, 1);
  if (!is_faulty(fd)) return __real_lp_pcm_read(fd, format, first, frames, raw);
  const unsigned delay_ms = atomic_load(&read_delay_ms);
  if (delay_ms) {
    lp_disk_wait_begin();
    sleep_ms(delay_ms);
    lp_disk_wait_end();
  }
  if (atomic_load(&reads_hang) && (!atomic_load(&reads_hang_if_odd) || format->channels % 2)) {
    atomic_fetch_add(&reads_hanging, 1);
    lp_disk_wait_begin();
    while (atomic_load(&reads_hang)) sleep_ms(1);
    lp_disk_wait_end();
    atomic_fetch_sub(&reads_hanging, 1);
  }
  _Atomic uint64_t *clock = atomic_load(&read_clock);
  if (clock) atomic_fetch_add(clock, atomic_load(&read_takes_ns));
  int fault = atomic_load(&read_fault);
  if (fault) return fault;
  int64_t bad = atomic_load(&bad_frame);
  if (bad >= first && bad < first + frames) return -EIO;
  int64_t n = __real_lp_pcm_read(fd, format, first, frames, raw);
  int64_t less = atomic_load(&read_shortfall);
  return n > less ? n - less : n;
}

uint64_t __real_lp_volume_id(const lp_identity *identity);
uint64_t __wrap_lp_volume_id(const lp_identity *identity);

uint64_t __wrap_lp_volume_id(const lp_identity *identity) {
  return atomic_load(&volumes_by_size) ? (uint64_t)identity->size_bytes : __real_lp_volume_id(identity);
}

int run_tests(const char *usage, const test *tests, unsigned count, int argc, char **argv) {
  int run = 0;
  for (unsigned i = 0; i < count; i++) {
    bool named = false;
    for (int a = 1; a < argc; a++) named = named || strcmp(argv[a], "all") == 0 || strcmp(argv[a], tests[i].name) == 0;
    if (!named) continue;
    const uint64_t begun = real_now(NULL);
    tests[i].run();
    printf("ok %s (%llu ms)\n", tests[i].name, (unsigned long long)((real_now(NULL) - begun) / MS));
    run++;
  }
  if (!run) fprintf(stderr, "usage: %s all | <test> ...\n", usage);
  return run ? 0 : 2;
}
