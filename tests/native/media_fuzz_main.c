/* Damaged FLAC and MP3 files: nothing outside its bounds is touched, every call ends, and what is decoded does not depend on where decoding
 * began. media_fuzz_main <rounds> <seed> <file> …: mutates each file in turn, `rounds` times in all. Ends with 1 at the first failure, after
 * keeping the file that caused it as media_fuzz_failed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "media_file.h"

#define MOST_BYTES (1 << 20)
#define MOST_FRAMES 400000

static uint64_t state;
static uint32_t next_random(void) {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(state >> 33);
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static size_t load(const char *path, uint8_t *out) {
  FILE *f = fopen(path, "rb");
  if (!f) {
    perror(path);
    exit(2);
  }
  size_t n = fread(out, 1, MOST_BYTES, f);
  fclose(f);
  return n;
}

static void store(const char *path, const uint8_t *bytes, size_t n) {
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
    perror(path);
    exit(2);
  }
}

/* Single bytes, runs, cuts, repeats; near the head more often than chance would. */
static size_t mutate(uint8_t *p, size_t n) {
  int changes = 1 + (int)(next_random() % 12);
  for (int i = 0; i < changes && n > 8; i++) {
    size_t within = next_random() % 3 == 0 ? (n < 256 ? n : 256) : n;
    size_t at = next_random() % within;
    switch (next_random() % 8) {
      case 0: p[at] = (uint8_t)next_random(); break;
      case 1: p[at] ^= (uint8_t)(1u << next_random() % 8); break;
      case 2: p[at] = next_random() & 1 ? 0xFF : 0; break;
      case 3: {
        size_t run = 1 + next_random() % 300;
        uint8_t with = (uint8_t)next_random();
        for (size_t k = at; k < at + run && k < n; k++) p[k] = next_random() & 1 ? with : (uint8_t)next_random();
        break;
      }
      case 4: { /* bytes lost */
        size_t run = 1 + next_random() % 2000;
        if (at + run < n) {
          memmove(p + at, p + at + run, n - at - run);
          n -= run;
        }
        break;
      }
      case 5: { /* bytes twice */
        size_t run = 1 + next_random() % 2000;
        if (n + run <= MOST_BYTES && at + run < n) {
          memmove(p + at + run, p + at, n - at);
          n += run;
        }
        break;
      }
      case 6:
        if (next_random() % 4 == 0) n = at + 1;
        break;
      default: p[at] = (uint8_t)(p[at] + (next_random() & 1 ? 1 : 255)); break;
    }
  }
  return n;
}

static const char *failure;

/* Reads `want` frames from `from`, in steps. False: it did not come to an end. */
static bool read_all(lp_decoder *d, int fd, const lp_pcm_format *f, int64_t from, int64_t want, uint8_t *out, uint64_t step_ns, uint32_t *broken) {
  uint64_t begun = now_ns();
  int r = lp_decoder_seek(d, fd, from);
  if (r < 0) {
    failure = "seek";
    return false;
  }
  for (int64_t done = 0; done < want;) {
    int64_t n = lp_decoder_read(d, fd, want - done, out + done * f->frame_bytes, now_ns() + step_ns, broken);
    if (n < 0 || n > want - done) {
      failure = "read";
      return false;
    }
    done += n;
    if (now_ns() - begun > 300000000000ull) {
      failure = "no end";
      return false;
    }
  }
  return true;
}

static bool check(const char *path) {
  lp_pcm_format f;
  lp_identity identity;
  lp_media *m;
  int fd;
  uint32_t why, broken = 0;
  double value;
  int r = lp_media_open(path, &fd, &f, &m, &identity, &why, &value);
  if (r < 0) return true;
  if (!m || f.frames > MOST_FRAMES) { /* as long as its header says, most of it silence */
    lp_media_free(m);
    close(fd);
    return true;
  }
  bool ok = f.channels >= 1 && f.channels <= 8 && f.frames > 0;
  uint8_t *all = malloc((size_t)f.frames * f.frame_bytes), *part = malloc((size_t)9000 * f.frame_bytes);
  lp_decoder *d = lp_decoder_create(m);
  if (!all || !part || !d) exit(2);
  ok = ok && read_all(d, fd, &f, 0, f.frames, all, UINT64_MAX / 4, &broken);
  for (int i = 0; ok && i < 12; i++) {
    if (next_random() % 2) {
      lp_decoder_free(d);
      d = lp_decoder_create(m);
      if (!d) exit(2);
    }
    if (next_random() % 8 == 0) (void)lp_media_index_step(m, fd, now_ns() + 300000);
    int64_t from = (int64_t)(((uint64_t)next_random() << 31 | next_random()) % (uint64_t)f.frames);
    int64_t want = 1 + next_random() % 9000;
    if (want > f.frames - from) want = f.frames - from;
    ok = read_all(d, fd, &f, from, want, part, next_random() % 3 == 0 ? 20000 : 2000000, &broken);
    if (ok && memcmp(part, all + from * f.frame_bytes, (size_t)want * f.frame_bytes) != 0) {
      int64_t at = 0;
      while (part[at] == all[from * f.frame_bytes + at]) at++;
      fprintf(stderr, "other samples from frame %lld on (read from %lld)\n", (long long)(from + at / f.frame_bytes), (long long)from);
      failure = "contents";
      ok = false;
    }
  }
  lp_decoder_free(d);
  free(all);
  free(part);
  lp_media_free(m);
  close(fd);
  return ok;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  long rounds = strtol(argv[1], NULL, 10);
  state = strtoull(argv[2], NULL, 10);
  static uint8_t original[MOST_BYTES], bytes[MOST_BYTES];
  char path[64];
  snprintf(path, sizeof path, "/tmp/lp_media_fuzz_%d", (int)getpid());
  for (long i = 0; i < rounds; i++) {
    const char *file = argv[3 + i % (argc - 3)];
    size_t n = load(file, original);
    memcpy(bytes, original, n);
    /* Short ones turn round faster. */
    size_t keep = next_random() % 4 ? 1000 + next_random() % 120000 : n;
    n = mutate(bytes, keep < n ? keep : n);
    (void)unlink(path); /* another file, another identity */
    store(path, bytes, n);
    if (!check(path)) {
      fprintf(stderr, "round %ld, %s: %s\n", i, file, failure ? failure : "format");
      store("media_fuzz_failed", bytes, n);
      unlink(path);
      return 1;
    }
  }
  unlink(path);
  printf("%ld rounds\n", rounds);
  return 0;
}
