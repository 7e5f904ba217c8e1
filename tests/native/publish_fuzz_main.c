/* lp_publish takes packed bytes from outside. publish_fuzz_main <seed> <publications>: valid edits, and edits damaged by flipped bits, cuts, foreign
 * pieces and extreme numbers. Two renderers get what was accepted; only the first also gets what was refused. So if both sound the same and stand
 * at the same place, what was refused has changed nothing. Sanitizers see to the rest. */
#include <math.h>
#include <string.h>

#include "engine.h"
#include "packer.h"
#include "store_support.h"

enum { SOURCES = 3, FRAMES = 40000, PERIOD = 256 };

static uint32_t engine, tried, other;

static uint32_t whole(uint64_t *random, uint32_t n) { return (uint32_t)((uint64_t)next_random(random) * n >> 32); }

static const double EXTREMES[] = { 0,        -0.0, 0.5,  -1,      1,    9007199254740992.0, -9007199254740992.0, 9007199254740993.0 * 2, 9223372036854775808.0, -9223372036854775808.0,
                                   INFINITY, -INFINITY, NAN, 1e300, -1e300, 4294967296.0, 2147483648.0, 1e15,  5e-324, 4503599627370496.0 };
static const uint32_t WORDS[] = { 0, 1, 2, 3, 7, 255, 256, 257, 1023, 1024, 1025, 2047, 2048, 2049, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000, 0xFFFFFFFE };

static void damage(packed *p, packed *from, uint64_t *random) {
  for (uint32_t times = 1 + whole(random, 3); times > 0 && p->count; times--) {
    size_t at = whole(random, (uint32_t)p->count);
    switch (whole(random, 8)) {
      case 0:
      case 1: p->bytes[at] ^= (uint8_t)(1u << whole(random, 8)); break;
      case 2: p->bytes[at] = (uint8_t)next_random(random); break;
      case 3: /* an extreme number in a place of one */
        if (p->count >= 8) memcpy(p->bytes + at / 8 % (p->count / 8) * 8, &EXTREMES[whole(random, sizeof EXTREMES / sizeof *EXTREMES)], 8);
        break;
      case 4:
        if (p->count >= 4) memcpy(p->bytes + at / 4 % (p->count / 4) * 4, &WORDS[whole(random, sizeof WORDS / sizeof *WORDS)], 4);
        break;
      case 5: p->count = whole(random, 2) ? at : at / 8 * 8; break;
      case 6: /* a piece of itself or of an earlier one elsewhere */ {
        packed *source = whole(random, 2) ? p : from;
        if (!source->count) break;
        size_t begin = whole(random, (uint32_t)source->count) / 8 * 8, n = 8 * (1 + whole(random, 12));
        if (n > source->count - begin) n = source->count - begin;
        if (n > p->count - at / 8 * 8) n = p->count - at / 8 * 8;
        memmove(p->bytes + at / 8 * 8, source->bytes + begin, n);
        break;
      }
      default: /* more of it */
        for (uint32_t n = 1 + whole(random, 6); n > 0; n--) packed_u32(p, WORDS[whole(random, sizeof WORDS / sizeof *WORDS)]);
        break;
    }
  }
  /* A length that lies is found at once: mostly it tells the truth. */
  uint32_t all = (uint32_t)p->count;
  if (p->count >= 8 && whole(random, 10)) memcpy(p->bytes + 4, &all, sizeof all);
}

/* Ids of blocks that are kept. */
typedef struct kept_blocks {
  uint32_t ids[64], count;
} kept_blocks;
static kept_blocks kept_now;

/* Has an edit keep blocks of what was published last, or let go of some that are kept; damaged ones name kept blocks, too, and any others. */
static void keep(packed *p, const mix_model *last, bool damages, uint64_t *random) {
  if (p->count < 32) return;
  uint32_t steps, ids[8], flags[8], n = 0, wants = 1 + whole(random, 7);
  memcpy(&steps, p->bytes + 16, sizeof steps);
  const size_t at = 32 + (size_t)steps * 24;
  const bool lets_go = kept_now.count == 64 || whole(random, 3) == 0;
  if (steps > 2000 || at > p->count) return;
  for (uint32_t i = 0; i < wants; i++) {
    const mix_track *t = last->count ? &last->tracks[whole(random, last->count)] : NULL;
    if (lets_go && kept_now.count) {
      const uint32_t k = whole(random, kept_now.count);
      ids[n] = kept_now.ids[k];
      flags[n++] = 0;
      kept_now.ids[k] = kept_now.ids[--kept_now.count];
    } else if (!lets_go && t && t->count) {
      ids[n] = t->blocks[whole(random, t->count)].id;
      flags[n++] = 1;
    }
  }
  for (uint32_t i = 0; damages && i < n; i++) {
    if (whole(random, 12) == 0) flags[i] = whole(random, 3);
    if (whole(random, 6)) continue;
    ids[i] = WORDS[whole(random, sizeof WORDS / sizeof *WORDS)];
    if (flags[i] == 1) flags[i] = 0; /* none is kept by a damaged id: that of a valid one would be taken for good */
  }
  for (uint32_t i = 0; i < n * 2; i++) packed_u32(p, 0);
  memmove(p->bytes + at + n * 8, p->bytes + at, p->count - n * 8 - at);
  for (uint32_t i = 0; i < n; i++) {
    memcpy(p->bytes + at + i * 8, &ids[i], 4);
    memcpy(p->bytes + at + i * 8 + 4, &flags[i], 4);
    bool known = flags[i] != 1 || kept_now.count == 64;
    for (uint32_t k = 0; k < kept_now.count; k++) known = known || kept_now.ids[k] == ids[i];
    if (!known) kept_now.ids[kept_now.count++] = ids[i];
  }
  for (uint32_t i = 0; damages && kept_now.count && i < whole(random, 3); i++) /* a base, or a piece, by luck */
    memcpy(p->bytes + whole(random, (uint32_t)p->count / 4) * 4, &kept_now.ids[whole(random, kept_now.count)], 4);
  const uint32_t all = (uint32_t)p->count;
  memcpy(p->bytes + 4, &all, sizeof all);
  memcpy(p->bytes + 28, &n, sizeof n);
}

/* Everything pushed far, on top of what earlier ones have pushed: sums must not overflow. */
static void push_far(mix_model *m, packed *p, uint64_t *random) {
  const double far = EXTREMES[whole(random, sizeof EXTREMES / sizeof *EXTREMES)], shift = whole(random, 2) ? 9007199254740992.0 : -9007199254740992.0;
  uint32_t steps = whole(random, 3) ? whole(random, 4) : 1200;
  p->count = 0;
  packed_u32(p, 0x314B504Cu);
  packed_u32(p, 0);
  packed_f64(p, ++m->revision);
  packed_u32(p, steps);
  packed_u32(p, 0);
  packed_u32(p, m->count);
  packed_u32(p, 0);
  for (uint32_t i = 0; i < steps; i++) {
    packed_f64(p, whole(random, 2) ? 0 : far);
    packed_f64(p, whole(random, 4) ? 0 : far);
    packed_f64(p, whole(random, 4) ? 9007199254740992.0 : far);
  }
  for (uint32_t t = 0; t < m->count; t++) {
    packed_u32(p, m->tracks[t].slot);
    packed_u32(p, 2);
    packed_f32(p, 1);
    packed_f32(p, whole(random, 8) ? 1 : 3e38f);
    packed_u32(p, 0);
    packed_u32(p, 0);
    for (uint32_t i = 0; i < 2; i++) { /* the same places twice, the second time far off */
      packed_u32(p, 0);
      packed_u32(p, 0);
      packed_u32(p, m->tracks[t].count);
      packed_u32(p, 0);
      packed_f64(p, i ? shift : whole(random, 2) ? 0 : far);
    }
  }
  uint32_t all = (uint32_t)p->count;
  memcpy(p->bytes + 4, &all, sizeof all);
}

static int32_t publish(uint32_t renderer, const packed *p) {
  /* Exactly as long as it says, so that a read beyond it is seen. */
  uint8_t *exact = malloc(p->count ? p->count : 1);
  CHECK(exact, "no memory");
  if (p->count) memcpy(exact, p->bytes, p->count);
  int32_t result = lp_publish(renderer, exact, (uint32_t)p->count);
  free(exact);
  return result;
}

static void same_sound(uint64_t round) {
  static float a[PERIOD * 2], b[PERIOD * 2];
  double pa[16], pb[16];
  for (int pass = 0; pass < 2; pass++) {
    lp_step_follow(engine);
    while (lp_step_fill(engine) > 0) {
    }
  }
  CHECK(lp_render(tried, a, PERIOD) == LP_OK && lp_render(other, b, PERIOD) == LP_OK, "round %llu", (unsigned long long)round);
  for (int i = 0; i < PERIOD * 2; i++) CHECK(isfinite(a[i]), "round %llu: sample %d is %g", (unsigned long long)round, i, (double)a[i]);
  CHECK(!memcmp(a, b, sizeof a), "round %llu: what was refused is heard", (unsigned long long)round);
  CHECK(lp_position(tried, pa, 16) == LP_OK && lp_position(other, pb, 16) == LP_OK, "position");
  for (int i = 0; i < 16; i++)
    CHECK(i == 1 || pa[i] == pb[i], "round %llu: field %d of the position is %.17g, not %.17g", (unsigned long long)round, i, pa[i], pb[i]);
  static uint8_t events[64 * 1024];
  CHECK(lp_events(tried, events, sizeof events) >= 0 && lp_events(other, events, sizeof events) >= 0, "events");
}

int main(int argc, char **argv) {
  atexit(end_files);
  uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
  uint64_t random = seed * 2654435761u + 1;
  engine = (uint32_t)lp_engine_create(RATE, 4e6, 1, LP_ENGINE_SINGLE_STEP | LP_ENGINE_MANUAL_CLOCK);
  CHECK((int32_t)engine > 0, "no engine");
  tried = (uint32_t)lp_renderer_create(engine, 0);
  other = (uint32_t)lp_renderer_create(engine, 0);
  CHECK((int32_t)tried > 0 && (int32_t)other > 0, "no renderers");
  static mix_model model;
  mix_init(&model, seed);
  model.source_frames = FRAMES;
  for (uint32_t i = 0; i < SOURCES; i++) {
    sound s = { .kind = i == 1 ? S24 : S16, .seed = i + 1, .channels = i == 2 ? 1 : 2, .frames = FRAMES };
    char name[32];
    snprintf(name, sizeof name, "fuzz%u", i);
    make_sound(&s, name);
    lp_source_info info;
    int32_t handle = lp_source_open(engine, (const uint8_t *)s.path, (uint32_t)strlen(s.path), (uint8_t *)&info, sizeof info);
    CHECK(handle > 0, "%s: %d", s.path, handle);
    model.sources[model.source_count++] = (uint32_t)handle;
  }
  for (int i = 0; i < 2; i++) {
    uint32_t r = i ? other : tried;
    float out[2];
    lp_render(r, out, 1); /* from here on it is a caller that drives */
    CHECK(lp_transport_loop(r, 1, 1000, 50000) == LP_OK && lp_transport_play(r, 0, NAN) == LP_OK, "transport");
  }
  packed p = { 0 }, last = { 0 };
  bool fresh = true; /* the model does not stand for what was published */
  uint64_t accepted = 0, refused = 0, damaged = 0, kept = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    mix_model before = model;
    /* What is made on top of a damaged one may be refused or not; now and then all is made anew, and is valid again. */
    bool unsure = fresh && whole(&random, 3), damages = (unsure || !fresh) && whole(&random, 10);
    if (fresh && !unsure) mix_full(&model, &p);
    else mix_any(&model, &p);
    if (damages) {
      if (whole(&random, 8)) damage(&p, &last, &random);
      else push_far(&model, &p, &random);
      damaged++;
    }
    const kept_blocks kept_before = kept_now;
    if (whole(&random, 3) == 0) keep(&p, &before, damages, &random);
    double pa[16], pb[16];
    lp_position(tried, pa, 16);
    int32_t result = publish(tried, &p);
    lp_position(tried, pb, 16);
    CHECK(result == LP_OK || result == LP_E_ARGUMENT || result == LP_E_LIMIT, "round %llu: result %d", (unsigned long long)round, result);
    if (result == LP_OK) {
      int32_t again = publish(other, &p);
      CHECK(again == LP_OK, "round %llu: accepted by one, %d by the other", (unsigned long long)round, again);
      accepted++;
      kept += damages;
      if (damages) { /* nobody knows what is kept, and under which ids */
        kept_now.count = 0;
        model.next_id += 1000 + whole(&random, 1000000);
      }
      fresh = damages || unsure;
      if (whole(&random, 4) == 0) same_sound(round);
    } else {
      CHECK(pa[11] == pb[11], "round %llu: refused, and published all the same", (unsigned long long)round);
      /* A damaged id may have been taken before its turn; else what is valid is accepted. */
      CHECK(damages || fresh, "round %llu: a valid edit was refused with %d", (unsigned long long)round, result);
      kept_now = kept_before;
      if (damages || unsure) model = before;
      else model.next_id += 1000 + whole(&random, 1000000);
      refused++;
      if (whole(&random, 64) == 0) same_sound(round);
    }
    last.count = 0;
    for (size_t i = 0; i + 4 <= p.count; i += 4) {
      uint32_t v;
      memcpy(&v, p.bytes + i, sizeof v);
      packed_u32(&last, v);
    }
    if (whole(&random, 100) == 0) {
      double to = (double)whole(&random, 60000);
      if (whole(&random, 3) == 0) to = 9007199254740992.0 - to;
      lp_transport_seek(tried, to);
      lp_transport_seek(other, to);
    }
  }
  same_sound(rounds);
  CHECK(refused > rounds / 4 && accepted > rounds / 20, "too one-sided: %llu accepted, %llu refused", (unsigned long long)accepted,
        (unsigned long long)refused);
  printf("ok %llu publications: %llu damaged, %llu of them accepted; %llu refused\n", (unsigned long long)rounds, (unsigned long long)damaged,
         (unsigned long long)kept, (unsigned long long)refused);
  free(p.bytes);
  free(last.bytes);
  CHECK(lp_engine_close(engine) == 0, "threads left");
  return 0;
}
