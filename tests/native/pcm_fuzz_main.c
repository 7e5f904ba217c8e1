/* Fuzzes the header parsers, readers, converters and the peak kernel, to be built with the address and undefined-behaviour sanitizers:
 *
 *   pcm_fuzz SEED ITERATIONS FILE…
 *
 * Each round takes one of the files (honest ones, small), damages it and opens it. Whatever opens is read through buffers of exactly the
 * promised size. Ends with 0 if every promise of pcm_file.h held. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../ffi/native/pcm_file.h"
#include "../../ffi/native/peaks.h"

static uint64_t state;

/* splitmix64 */
static uint64_t next_random(void) {
  uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static uint64_t below(uint64_t n) { return next_random() % n; }

static void fail(const char *promise, uint64_t round, const char *file) {
  fprintf(stderr, "round %llu, %s: %s\n", (unsigned long long)round, file, promise);
  exit(1);
}

/* Damages size bytes at data; may shorten. Returns the new size. */
static size_t damage(uint8_t *data, size_t size) {
  static const uint8_t extremes[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
  int times = 1 + (int)below(6);
  for (int i = 0; i < times && size > 0; i++) {
    size_t head = size < 160 ? size : 160; /* where the headers are */
    size_t at = below(4) == 0 ? below(size) : below(head);
    switch (below(7)) {
      case 0: data[at] = (uint8_t)next_random(); break;
      case 1: data[at] ^= (uint8_t)(1u << below(8)); break;
      case 2: data[at] = extremes[below(sizeof extremes)]; break;
      case 3: /* a length or a count */
        for (size_t j = at & ~(size_t)3; j < size && j < (at & ~(size_t)3) + 4; j++) data[j] = extremes[below(sizeof extremes)];
        break;
      case 4: size = below(size + 1); break;
      case 5: { /* a piece moved elsewhere: chunks doubled and swapped */
        size_t n = below(32), from = below(size), to = below(size);
        if (from + n <= size && to + n <= size) memmove(data + to, data + from, n);
        break;
      }
      default: /* all ones over a 64-bit field */
        for (size_t j = at; j < size && j < at + 8; j++) data[j] = 0xFF;
        break;
    }
  }
  return size;
}

/* Reads everything through buffers that are exactly as large as promised, so that the sanitizer sees a step beyond. */
static void read_all(int fd, const lp_pcm_format *f, uint64_t round, const char *file) {
  int64_t step = 1 + (int64_t)below(700);
  float peaks_out[3 * LP_PEAKS_MAX_PLANES];
  for (int64_t first = 0; first < f->frames; first += step) {
    int64_t want = f->frames - first < step ? f->frames - first : step;
    uint8_t *raw = malloc((size_t)(want * f->frame_bytes));
    float *planes[8];
    int16_t *shorts[8];
    for (uint32_t c = 0; c < f->channels; c++) {
      planes[c] = malloc((size_t)want * sizeof(float));
      shorts[c] = malloc((size_t)want * sizeof(int16_t));
    }
    if (lp_pcm_read(fd, f, first, want, raw) != want) fail("a promised frame is not there", round, file);
    lp_pcm_to_f32(f, raw, want, planes);
    if (lp_pcm_is_s16(f)) {
      lp_pcm_to_s16(f, raw, want, shorts);
      for (uint32_t c = 0; c < f->channels; c++)
        for (int64_t i = 0; i < want; i++)
          if ((float)shorts[c][i] / 32768 != planes[c][i]) fail("s16 and float differ", round, file);
    }
    lp_peaks bucket;
    lp_peaks_reset(&bucket);
    lp_peaks_add(&bucket, f, raw, want);
    lp_peaks_result(&bucket, f, peaks_out);
    for (uint32_t p = 0; p < lp_peaks_planes(f); p++)
      if (!(peaks_out[3 * p] <= peaks_out[3 * p + 1]) || !(peaks_out[3 * p + 2] >= 0)) fail("peaks out of order", round, file);
    for (uint32_t c = 0; c < f->channels; c++) {
      free(planes[c]);
      free(shorts[c]);
    }
    free(raw);
  }
}

static void check_format(const lp_pcm_format *f, size_t size, uint64_t round, const char *file) {
  if (f->channels < 1 || f->channels > 8) fail("channels", round, file);
  if (f->sample_rate < 1 || f->sample_rate > 768000) fail("rate", round, file);
  if (f->bits < 1 || f->bits > f->sample_bytes * 8) fail("bits", round, file);
  if (f->frame_bytes != f->sample_bytes * f->channels) fail("frame bytes", round, file);
  if (f->frames < 1 || f->data_offset < 0) fail("no frames", round, file);
  if (f->data_offset + f->frames * f->frame_bytes > (int64_t)size) fail("frames beyond the file", round, file);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  state = strtoull(argv[1], NULL, 10);
  uint64_t rounds = strtoull(argv[2], NULL, 10), opened = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    const char *file = argv[3 + below((uint64_t)argc - 3)];
    FILE *in = fopen(file, "rb");
    if (in == NULL) return 2;
    static uint8_t data[1 << 16];
    size_t size = damage(data, fread(data, 1, sizeof data, in));
    fclose(in);
    int memory = memfd_create("fuzz", 0);
    if (memory < 0 || write(memory, data, size) != (ssize_t)size) return 2;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    int fd;
    lp_pcm_format format;
    lp_identity identity;
    uint32_t why;
    double value;
    int r = lp_pcm_open(path, &fd, &format, &identity, &why, &value);
    if (r == LP_OK) {
      check_format(&format, size, round, file);
      read_all(fd, &format, round, file);
      close(fd);
      opened++;
    } else {
      if (r != LP_E_UNSUPPORTED && r != LP_E_UNREADABLE) fail("an unexpected result", round, file);
      if (why < LP_WHY_EMPTY || why > LP_WHY_TRUNCATED_HEADER) fail("no reason given", round, file);
      if (fd != -1) fail("a file left open", round, file);
    }
    close(memory);
  }
  printf("%llu rounds, %llu opened\n", (unsigned long long)rounds, (unsigned long long)opened);
  return 0;
}
