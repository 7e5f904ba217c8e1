/* Tests of the page store in C: store_main <test> … or all. Each ends the process with 1 at its first failure. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fill_queue.h"
#include "fold.h"
#include "heap.h"
#include "store_support.h"
#include "window.h"

/* ---- order ------------------------------------------------------------------------------------------------------ */

static int key_order(const void *context, uint32_t a, uint32_t b) {
  const uint32_t *keys = context;
  return keys[a] < keys[b] ? -1 : keys[a] > keys[b];
}

static void test_heap(void) {
  enum { N = 200 };
  uint32_t keys[N + 1] = {0}, items[N + 1], at[N + 1] = {0};
  bool in[N + 1] = {false};
  lp_heap h = {.items = items, .at = at, .order = key_order, .context = keys};
  uint64_t random = 1;
  for (int step = 0; step < 50000; step++) {
    uint32_t id = 1 + next_random(&random) % N;
    if (!in[id]) {
      keys[id] = next_random(&random) % 1000;
      lp_heap_push(&h, id);
      in[id] = true;
    } else if (next_random(&random) % 2) {
      lp_heap_remove(&h, id);
      in[id] = false;
    } else {
      keys[id] = next_random(&random) % 1000;
      lp_heap_fix(&h, id);
    }
    uint32_t least = 0;
    for (uint32_t i = 1; i <= N; i++) {
      if (in[i] && (!least || keys[i] < keys[least])) least = i;
    }
    CHECK((least == 0) == (lp_heap_top(&h) == 0), "emptiness at step %d", step);
    CHECK(!least || keys[lp_heap_top(&h)] == keys[least], "top at step %d", step);
  }
}

static lp_fill_key random_key(uint64_t *random) {
  const uint64_t s = 1000000000ull;
  const uint64_t near = next_random(random) % 40 * s / 2 + next_random(random) % 3, kind = next_random(random) % 8;
  return (lp_fill_key){.tier = (uint8_t)(next_random(random) % 2),
                       .deadline_ns = kind == 0 ? UINT64_MAX : kind == 1 ? LP_RANK_NS + near : near,
                       .source_frames = next_random(random) % 3 * 1000,
                       .known_cached = next_random(random) % 2,
                       .asked_ns = 1 + next_random(random) % 30 * s};
}

static void test_order(void) {
  const uint64_t now = 20000000000ull, s = 1000000000ull;
  lp_fill_key base = {.tier = LP_TIER_REALTIME, .deadline_ns = now + s, .source_frames = 1000, .asked_ns = now};
  lp_fill_key k = base;
  k.tier = LP_TIER_ANTICIPATIVE;
  k.deadline_ns = now;
  k.asked_ns = now - 1;
  CHECK(lp_fill_order(&base, &k, now) < 0, "realtime goes before anticipative that is due too, while it is near");
  k = base;
  k.deadline_ns = now + s / 2;
  CHECK(lp_fill_order(&k, &base, now) < 0, "the earlier deadline goes first");
  k = base;
  k.source_frames = 10;
  k.deadline_ns += 1;
  CHECK(lp_fill_order(&k, &base, now) < 0, "in one bucket the short source goes first");
  k.deadline_ns += s;
  CHECK(lp_fill_order(&base, &k, now) < 0, "a short source does not overtake a whole bucket");
  k = base;
  k.known_cached = true;
  k.deadline_ns += 1;
  CHECK(lp_fill_order(&k, &base, now) < 0, "what is known to be cached goes first");
  k = base;
  k.asked_ns++;
  CHECK(lp_fill_order(&base, &k, now) < 0 && lp_fill_order(&k, &base, now) > 0, "who asked first goes first");
  CHECK(lp_fill_order(&base, &base, now) == 0, "equal to itself");

  lp_fill_key old = {.tier = LP_TIER_ANTICIPATIVE, .deadline_ns = UINT64_MAX, .source_frames = 1, .asked_ns = 1};
  lp_fill_key far = base;
  far.deadline_ns = now + 5 * s;
  CHECK(lp_fill_order(&old, &far, now) < 0, "aged work goes before realtime work with time to spare");
  CHECK(lp_fill_order(&base, &old, now) < 0, "but not before what is near");
  old.asked_ns = now - s;
  CHECK(lp_fill_order(&far, &old, now) < 0, "young anticipative work waits");

  lp_fill_key planned = old;
  planned.deadline_ns = LP_RANK_NS;
  planned.asked_ns = 1;
  CHECK(lp_fill_order(&far, &planned, now) < 0 && lp_fill_order(&old, &planned, now) < 0, "what has but a rank never gets urgent");
  k = planned;
  k.deadline_ns += s;
  k.asked_ns = 0;
  CHECK(lp_fill_order(&planned, &k, now) < 0, "and goes by its rank, whoever asked first");

  uint64_t random = 7;
  for (int i = 0; i < 200000; i++) {
    lp_fill_key a = random_key(&random), b = random_key(&random), c = random_key(&random);
    int ab = lp_fill_order(&a, &b, now), ba = lp_fill_order(&b, &a, now), bc = lp_fill_order(&b, &c, now), ac = lp_fill_order(&a, &c, now);
    CHECK((ab < 0) == (ba > 0) && (ab == 0) == (ba == 0), "antisymmetry");
    CHECK(!(ab <= 0 && bc <= 0) || ac <= 0, "transitivity");
  }
}

/* The queue gives the same order as sorting by lp_fill_order would, under random changes, and is bounded. */
static void test_queue(void) {
  enum { N = 64 };
  lp_fill_queue q;
  CHECK(lp_fill_queue_init(&q, N), "memory");
  const uint64_t now = 20000000000ull;
  uint64_t random = 3;
  uint32_t refused = 0, displaced_in_all = 0;
  for (int step = 0; step < 100000; step++) {
    uint32_t kind = next_random(&random) % 8;
    if (kind < 4) {
      lp_fill_key key = random_key(&random);
      uint32_t displaced, full = q.free == 0;
      uint32_t node = lp_fill_queue_alloc(&q, &key, now, &displaced);
      if (displaced) {
        CHECK(full && !node, "displaced without need");
        CHECK(lp_fill_order(&key, &q.nodes[displaced].key, now) < 0, "displaced a better one");
        lp_fill_queue_release(&q, displaced);
        node = lp_fill_queue_alloc(&q, &key, now, &displaced);
        CHECK(node && !displaced, "no node though one was released");
        displaced_in_all++;
      } else if (!node) {
        refused++;
      }
      if (node) {
        q.nodes[node].volume = next_random(&random) % LP_VOLUMES;
        CHECK(lp_fill_queue_add_volume(&q, q.nodes[node].volume), "memory");
        lp_fill_queue_put(&q, node, now);
      }
    } else {
      uint32_t node = 1 + next_random(&random) % N;
      if (q.nodes[node].state == LP_NODE_QUEUED) {
        if (kind < 6) {
          lp_fill_queue_rekey(&q, node, (uint8_t)(next_random(&random) % 2), next_random(&random) * 10ull);
        } else if (kind == 6) {
          lp_fill_queue_take(&q, node);
          lp_fill_queue_release(&q, node);
        } else {
          lp_fill_queue_park(&q, node, !q.nodes[node].parked);
        }
      }
    }
    uint32_t best = 0, queued = 0;
    const lp_volume_set but[2] = {next_random(&random) & next_random(&random), next_random(&random) & next_random(&random)};
    for (uint32_t i = 1; i <= N; i++) {
      if (q.nodes[i].state != LP_NODE_QUEUED) continue;
      queued++;
      if (q.nodes[i].parked) continue;
      if (but[q.nodes[i].key.tier] >> q.nodes[i].volume & 1) continue;
      if (!best || lp_fill_order(&q.nodes[i].key, &q.nodes[best].key, now) < 0) best = i;
    }
    uint32_t got = lp_fill_queue_best(&q, now, but);
    CHECK(queued == q.queued, "length at step %d", step);
    CHECK((best == 0) == (got == 0), "emptiness at step %d", step);
    CHECK(!best || lp_fill_order(&q.nodes[best].key, &q.nodes[got].key, now) == 0, "best at step %d", step);
  }
  CHECK(refused > 100 && displaced_in_all > 100, "the queue never overflowed both ways: %u %u", refused, displaced_in_all);
  lp_fill_queue_free(&q);
}

static void test_fold(void) {
  float f[8][2];
  lp_fold_default(1, 0, f);
  CHECK(f[0][0] == 1 && f[0][1] == 1, "mono");
  lp_fold_default(2, 0, f);
  CHECK(f[0][0] == 1 && f[0][1] == 0 && f[1][0] == 0 && f[1][1] == 1, "stereo");
  lp_fold_default(6, 0, f);
  CHECK(f[2][0] > 0.707f && f[2][0] < 0.7072f && f[2][0] == f[2][1] && f[3][0] == 0 && f[4][0] == f[2][0] && f[4][1] == 0 && f[5][1] == f[2][0], "5.1");
  lp_fold_default(6, 0x60f, f); /* side surrounds */
  CHECK(f[4][0] > 0.7f && f[4][1] == 0 && f[5][1] > 0.7f, "5.1 with sides");
  lp_fold_default(8, 0x3, f); /* a mask that names too few */
  CHECK(f[7][1] > 0.7f && f[3][0] == 0, "7.1 without a good mask");
}

/* ---- contents --------------------------------------------------------------------------------------------------- */

static void check_samples(const sound *s, lp_source *source, int64_t frame, int32_t n, bool may_be_silent) {
  static __thread float memory[LP_MAX_CHANNELS][4096];
  float *planes[LP_MAX_CHANNELS];
  for (int c = 0; c < LP_MAX_CHANNELS; c++) planes[c] = memory[c];
  lp_source_read(source, frame, n, planes);
  for (uint32_t c = 0; c < s->channels; c++) {
    for (int32_t i = 0; i < n; i++) {
      float e = expected(s, frame + i, c);
      CHECK(planes[c][i] == e || (may_be_silent && planes[c][i] == 0), "frame %lld channel %u of %s: %g, not %g", (long long)frame + i, c, s->path,
            (double)planes[c][i], (double)e);
    }
  }
}

static void test_linear(void) {
  sound sounds[] = {{.kind = S16, .seed = 1, .channels = 2, .frames = 100000},
                    {.kind = S24, .seed = 2, .channels = 1, .frames = 50001},
                    {.kind = F32, .seed = 3, .channels = 6, .frames = 4096 * 3},
                    {.kind = S16, .seed = 4, .channels = 1, .frames = 1}};
  _Atomic uint64_t clock = 1;
  lp_store *st = make_stepped(64 * MIB, &clock);
  lp_origin o = {.sticky = true};
  for (unsigned i = 0; i < sizeof sounds / sizeof *sounds; i++) {
    sound *s = &sounds[i];
    char name[32];
    snprintf(name, sizeof name, "linear%u", i);
    make_sound(s, name);
    lp_source *source = open_sound(st, s);
    uint32_t cause = 99;
    CHECK(lp_source_run(source, 0, 1, &cause) == 0 && cause == LP_CAUSE_QUEUE, "nothing is there yet");
    CHECK(lp_source_run(source, -500, 1000, &cause) == 500, "before the start is silence");
    CHECK(lp_source_run(source, -500, 400, &cause) == 400, "before the start is silence");
    CHECK(lp_source_run(source, s->frames, 1000, &cause) == 1000, "after the end is silence");
    CHECK(lp_source_hole(source, 0, INT64_MAX / 2) == s->frames, "all is a hole");
    for (int64_t p = 0; p < source->pages; p++) want(st, &o, source, p, LP_TIER_ANTICIPATIVE, UINT64_MAX);
    while (lp_store_step(st)) {
    }
    for (int64_t p = 0; p < source->pages; p++) {
      uint64_t h = 0;
      CHECK(lp_store_page_hash(st, source, p, &h) == LP_OK, "page %lld is not whole", (long long)p);
      CHECK(h == expected_hash(s, p), "page %lld of %s", (long long)p, s->path);
    }
    CHECK(lp_source_run(source, -10, s->frames + 1000, NULL) == s->frames + 1000, "all is there");
    CHECK(lp_source_hole(source, 0, s->frames) == 0, "no hole");
    for (int64_t f = -3000; f < s->frames + 3000; f += 1777) check_samples(s, source, f, 1777, false);
    lp_source_unref(source);
  }
  CHECK(lp_store_units_free(st) == lp_store_units(st), "units leaked");
  CHECK(lp_store_destroy(st) == 0, "threads?");
}

/* A view answers as the source does, as far as it reaches; and what it does not cover is not there. */
static void test_view(void) {
  sound s = {.kind = S24, .seed = 22, .channels = 2, .frames = 4096 * 10 + 100};
  make_sound(&s, "view");
  _Atomic uint64_t clock = 1;
  lp_store *st = make_stepped(16 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {.sticky = true};
  static const int64_t pages[] = {0, 1, 2, 3, 4, 8, 10};
  for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++) want(st, &o, source, pages[i], LP_TIER_REALTIME, 1);
  while (lp_store_step(st)) {
  }
  lp_origin fleeting = {.tick = 1};
  lp_want part = {.source = source, .page = 7, .first_frame = 1000, .deadline_ns = 1};
  lp_store_want(st, &fleeting, &part, 1, NULL);
  CHECK(lp_store_step(st) == 1, "a part of page 7");
  fleeting.tick += 2;
  CHECK(lp_store_step(st) == 0 && lp_source_run(source, 7 * 4096 + 999, 1, NULL) == 0, "and no more of it");
  static float a[2][16000], b[2][16000];
  float *pa[2] = {a[0], a[1]}, *pb[2] = {b[0], b[1]};
  uint64_t random = 4;
  int holes = 0, parts = 0;
  for (int i = 0; i < 3000; i++) {
    int64_t frame = (int64_t)(next_random(&random) % 44000) - 1500;
    int64_t n = 1 + next_random(&random) % 12288;
    lp_view v;
    CHECK(lp_view_look(&v, source, frame, n) == n, "three pages are always covered");
    uint32_t ca = 99, cb = 99;
    int64_t run = lp_source_run(source, frame, n, &ca);
    CHECK(lp_view_run(&v, frame, n, &cb) == run && ca == cb, "run");
    CHECK(lp_view_hole(&v, frame + run, n - run) == lp_source_hole(source, frame + run, n - run), "hole");
    lp_source_read(source, frame, (int32_t)n, pa);
    lp_view_read(&v, frame, (int32_t)n, pb);
    CHECK(memcmp(a[0], b[0], (size_t)n * 4) == 0 && memcmp(a[1], b[1], (size_t)n * 4) == 0, "read");
    for (int64_t f = 0; f < n; f++) {
      bool there = lp_source_run(source, frame + f, 1, NULL) == 1;
      CHECK(a[0][f] == (there ? expected(&s, frame + f, 0) : 0), "frame %lld", (long long)(frame + f));
      holes += !there;
      parts += there;
    }
  }
  CHECK(holes > 100000 && parts > 100000, "%d %d", holes, parts);
  lp_view v;
  CHECK(lp_view_look(&v, source, 100, 40000) == 4 * 4096 - 100, "no more than four");
  CHECK(lp_view_run(&v, 100, 40000, NULL) == 4 * 4096 - 100, "what is beyond is not there");
  CHECK(lp_view_look(&v, source, -100, 50) == 50 && v.count == 0 && lp_view_run(&v, -100, 50, NULL) == 50, "before the start");
  CHECK(lp_view_look(&v, source, s.frames, 50) == 50 && lp_view_run(&v, s.frames, 50, NULL) == 50, "after the end");
  lp_source_unref(source);
  lp_store_destroy(st);
}

/* Pages filled in random order, from random first frames, by any number of threads are the same. */
static void test_random_order(void) {
  sound sounds[] = {{.kind = S16, .seed = 11, .channels = 2, .frames = 700001}, {.kind = S24, .seed = 12, .channels = 2, .frames = 300007}};
  uint32_t threads[] = {1, 2, 8};
  for (int i = 0; i < 2; i++) make_sound(&sounds[i], i ? "random1" : "random0");
  for (int t = 0; t < 3; t++) {
    lp_store *st = make_store(64 * MIB, threads[t]);
    lp_source *sources[2];
    lp_origin o = {.sticky = true};
    uint64_t random = 99 + (uint64_t)t;
    for (int i = 0; i < 2; i++) sources[i] = open_sound(st, &sounds[i]);
    for (int n = 0; n < 2000; n++) {
      int i = (int)(next_random(&random) % 2);
      lp_want w = {.source = sources[i],
                   .page = next_random(&random) % sources[i]->pages,
                   .first_frame = next_random(&random) % 2 ? 0 : (int32_t)(next_random(&random) % 8192),
                   .tier = (uint8_t)(next_random(&random) % 2),
                   .deadline_ns = real_now(NULL) + next_random(&random) % 100 * MS};
      lp_store_want(st, &o, &w, 1, NULL);
    }
    for (int i = 0; i < 2; i++) {
      for (int64_t p = 0; p < sources[i]->pages; p++) {
        want(st, &o, sources[i], p, LP_TIER_ANTICIPATIVE, UINT64_MAX);
        await_page(st, sources[i], p);
        uint64_t h = 0;
        CHECK(lp_store_page_hash(st, sources[i], p, &h) == LP_OK && h == expected_hash(&sounds[i], p), "page %lld", (long long)p);
      }
      lp_source_unref(sources[i]);
    }
    CHECK(lp_store_destroy(st) == 0, "threads left");
  }
}

/* From the first frame asked for, then what lies before it; adjacent pages in one read. */
static void test_valid_range(void) {
  sound s = {.kind = S16, .seed = 21, .channels = 2, .frames = 8192 * 20};
  make_sound(&s, "range");
  _Atomic uint64_t clock = 1;
  lp_store *st = make_stepped(16 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {.sticky = true};
  lp_want w = {.source = source, .page = 2, .first_frame = 5000, .deadline_ns = 5 * MS};
  uint32_t missing = 99;
  lp_store_want(st, &o, &w, 1, &missing);
  CHECK(missing == 1, "missing %u", missing);
  CHECK(lp_store_step(st) == 1, "no step");
  CHECK(lp_source_run(source, 2 * 8192 + 5000, 10000, NULL) == 3192, "from the first frame to the end of the page");
  CHECK(lp_source_run(source, 2 * 8192 + 4999, 1, NULL) == 0, "not before it");
  CHECK(lp_source_hole(source, 2 * 8192, 8192) == 5000, "a hole up to it");
  check_samples(&s, source, 2 * 8192 + 5000, 3192, false);
  uint64_t h;
  CHECK(lp_store_page_hash(st, source, 2, &h) == LP_E_STATE, "a part has no hash");
  lp_store_want(st, &o, &w, 1, &missing);
  CHECK(missing == 1, "a part is still missing");
  /* What lies behind is not urgent: another head's page goes before it. */
  want(st, &o, source, 10, LP_TIER_REALTIME, 900 * MS);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 10) && !is_resident(source, 2), "what is ahead goes first");
  CHECK(lp_store_step(st) == 1 && is_resident(source, 2), "then the rest");
  CHECK(lp_store_step(st) == 0, "and that is all");
  CHECK(lp_store_page_hash(st, source, 2, &h) == LP_OK && h == expected_hash(&s, 2), "the same page");
  lp_store_want(st, &o, &w, 1, &missing);
  CHECK(missing == 0, "it is whole");
  /* 256 KiB hold eight pages of 16-bit stereo. */
  double reads = counter_of(st, 6);
  for (int64_t p = 11; p < 19; p++) want(st, &o, source, p, LP_TIER_REALTIME, 900 * MS);
  CHECK(lp_store_step(st) == 1 && lp_store_step(st) == 0, "one step");
  CHECK(counter_of(st, 6) == reads + 1, "one read");
  for (int64_t p = 11; p < 19; p++) CHECK(is_resident(source, p), "page %lld", (long long)p);
  lp_source_unref(source);
  lp_store_destroy(st);
}

/* The first page to be read is the one that must be: tier, deadline, length. */
static void test_step_order(void) {
  sound longer = {.kind = S16, .seed = 31, .channels = 1, .frames = 8192 * 100}, brief = {.kind = S16, .seed = 32, .channels = 1, .frames = 8192 * 4};
  make_sound(&longer, "long");
  make_sound(&brief, "short");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(16 * MIB, &clock);
  lp_source *l = open_sound(st, &longer), *b = open_sound(st, &brief);
  lp_origin o = {.tick = 5};
  want(st, &o, l, 10, LP_TIER_ANTICIPATIVE, 0);
  want(st, &o, l, 20, LP_TIER_REALTIME, 2000 * MS);
  want(st, &o, l, 30, LP_TIER_REALTIME, 1500 * MS);
  want(st, &o, b, 1, LP_TIER_REALTIME, 2000 * MS + 1);
  lp_store_step(st);
  CHECK(is_resident(l, 30), "the earliest deadline first");
  lp_store_step(st);
  CHECK(is_resident(b, 1) && !is_resident(l, 20), "then the short source");
  lp_store_step(st);
  CHECK(is_resident(l, 20) && !is_resident(l, 10), "then the long");
  lp_store_step(st);
  CHECK(is_resident(l, 10), "anticipative last");
  /* A repeated want moves a node; a stale one goes. */
  want(st, &o, l, 40, LP_TIER_REALTIME, 3000 * MS);
  want(st, &o, l, 50, LP_TIER_REALTIME, 2500 * MS);
  want(st, &o, l, 60, LP_TIER_REALTIME, 1100 * MS);
  o.tick = 6;
  want(st, &o, l, 40, LP_TIER_REALTIME, 1200 * MS);
  lp_store_step(st);
  CHECK(is_resident(l, 60), "one tick is no reason to drop");
  o.tick = 7;
  lp_store_step(st);
  CHECK(is_resident(l, 40) && !is_resident(l, 50), "moved forward");
  CHECK(lp_store_step(st) == 0 && !is_resident(l, 50), "stale");
  CHECK(counter_of(st, 10) == 1 && counter_of(st, 9) == 0, "dropped %g queued %g", counter_of(st, 10), counter_of(st, 9));
  lp_source_unref(l);
  lp_source_unref(b);
  lp_store_destroy(st);
}

/* ---- budget ------------------------------------------------------------------------------------------------------ */

static void test_rank(void) {
  sound s = {.kind = S16, .seed = 41, .channels = 1, .frames = 8192 * 50};
  make_sound(&s, "rank");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * LP_UNIT_BYTES, &clock);
  CHECK(lp_store_units(st) == 4, "units");
  lp_source *source = open_sound(st, &s);
  lp_origin head = {.tick = 5}, other = {.tick = 9}, shelf = {.sticky = true};
  for (int i = 0; i < 4; i++) want(st, &head, source, 2 * i, LP_TIER_REALTIME, (2000 + 100 * (uint64_t)i) * MS);
  while (lp_store_step(st)) {
  }
  CHECK(lp_store_units_free(st) == 0 && counter_of(st, 2) == 4, "the slab is full");
  /* Ranks below all: refused, nobody evicted. */
  want(st, &head, source, 20, LP_TIER_REALTIME, 2300 * MS);
  want(st, &shelf, source, 22, LP_TIER_ANTICIPATIVE, 0);
  CHECK(lp_store_step(st) == 0, "refusing is not a read");
  CHECK(counter_of(st, 4) == 0 && cause_at(source, 20) == LP_CAUSE_BUDGET && cause_at(source, 22) == LP_CAUSE_BUDGET, "refused by budget");
  /* Ranks before the last of them: that one goes. */
  want(st, &other, source, 20, LP_TIER_REALTIME, 2250 * MS);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 20) && !is_resident(source, 6), "the latest of the due goes");
  CHECK(cause_at(source, 6) == LP_CAUSE_BUDGET, "and the budget is the cause");
  CHECK(is_resident(source, 0) && is_resident(source, 2) && is_resident(source, 4), "the others stay");
  /* What was passed goes before anything else, whatever its mark in an older pass. */
  head.tick++;
  want(st, &head, source, 2, LP_TIER_REALTIME, 2100 * MS);
  want(st, &head, source, 4, LP_TIER_REALTIME, 2200 * MS);
  lp_store_passed(st, source, 0);
  lp_store_passed(st, source, 2); /* due to another head in this pass: stays */
  want(st, &shelf, source, 24, LP_TIER_ANTICIPATIVE, UINT64_MAX);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 24) && !is_resident(source, 0) && is_resident(source, 2), "what was passed goes first");
  /* A sticky request of the same tick does not displace another one. */
  want(st, &shelf, source, 26, LP_TIER_ANTICIPATIVE, UINT64_MAX);
  CHECK(lp_store_step(st) == 0 && is_resident(source, 24), "no thrash among equals");
  shelf.tick++;
  want(st, &shelf, source, 26, LP_TIER_ANTICIPATIVE, UINT64_MAX);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 26) && !is_resident(source, 24), "a new request displaces an old one's");
  /* A head that moved away protects nothing any more. */
  head.tick += 2;
  other.tick += 2;
  lp_origin late = {.tick = 1};
  for (int i = 0; i < 3; i++) want(st, &late, source, 30 + 2 * i, LP_TIER_ANTICIPATIVE, UINT64_MAX);
  while (lp_store_step(st)) {
  }
  CHECK(is_resident(source, 30) && is_resident(source, 32) && is_resident(source, 34) && is_resident(source, 26), "dead marks give way, the live one does not");
  /* Pins hold against everything. */
  CHECK(lp_store_pin(st, source, 30) == LP_OK && lp_store_pin(st, source, 40) == LP_E_STATE, "pin");
  want(st, &head, source, 40, LP_TIER_REALTIME, 1);
  want(st, &head, source, 42, LP_TIER_REALTIME, 2);
  want(st, &head, source, 44, LP_TIER_REALTIME, 3);
  want(st, &head, source, 46, LP_TIER_REALTIME, 4);
  while (lp_store_step(st)) {
  }
  CHECK(is_resident(source, 30) && is_resident(source, 44) && !is_resident(source, 46), "a pinned page stays");
  CHECK(lp_store_drop_all(st) == 3 && is_resident(source, 30), "drop leaves it");
  lp_store_unpin(st, source, 30);
  CHECK(lp_store_drop_all(st) == 1 && lp_store_units_free(st) == 4, "all is free");
  lp_source_unref(source);
  lp_store_destroy(st);
}

/* A page has two ranks, a head's and a plan's: it falls back to the second when the head leaves it, and is dropped by the first when the plan is another. */
static void test_plan_marks(void) {
  sound s = {.kind = S16, .seed = 44, .channels = 1, .frames = 8192 * 50};
  make_sound(&s, "marks");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * LP_UNIT_BYTES, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin head = {.tick = 5}, plan = {.sticky = true, .plan = true};
  for (int i = 0; i < 4; i++) want(st, &plan, source, 2 * i, LP_TIER_ANTICIPATIVE, LP_RANK_NS + (uint64_t)i * MS);
  while (lp_store_step(st)) {
  }
  CHECK(counter_of(st, 2) == 4, "the slab is full");
  want(st, &head, source, 4, LP_TIER_REALTIME, 2000 * MS);
  want(st, &head, source, 6, LP_TIER_REALTIME, 2100 * MS);
  want(st, &head, source, 20, LP_TIER_REALTIME, 2200 * MS);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 20) && !is_resident(source, 2), "of what no head needs the plan's last goes");
  /* The head is somewhere else: what it left is the plan's again, save what is in no plan. */
  head.tick += 2;
  lp_store_passed(st, source, 4);
  want(st, &plan, source, 30, LP_TIER_ANTICIPATIVE, LP_RANK_NS + 9 * MS);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 30) && !is_resident(source, 20), "a head's page of old goes first");
  want(st, &plan, source, 32, LP_TIER_ANTICIPATIVE, LP_RANK_NS + 10 * MS);
  CHECK(lp_store_step(st) == 0, "the plan evicts nothing that ranks before");
  want(st, &plan, source, 34, LP_TIER_ANTICIPATIVE, LP_RANK_NS + 1);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 34) && !is_resident(source, 30) && is_resident(source, 4), "and of itself what ranks last");
  /* Another plan: while it is being gone through both count, afterwards it alone. */
  atomic_store(&plan.replacing, true);
  plan.tick++;
  want(st, &plan, source, 6, LP_TIER_ANTICIPATIVE, LP_RANK_NS + 5);
  want(st, &plan, source, 40, LP_TIER_ANTICIPATIVE, LP_RANK_NS + 20 * MS);
  CHECK(lp_store_step(st) == 0, "nothing gives way yet");
  atomic_store(&plan.replacing, false);
  for (int i = 0; i < 4; i++) want(st, &plan, source, 40 + 2 * i, LP_TIER_ANTICIPATIVE, LP_RANK_NS + 20 * MS + (uint64_t)i);
  while (lp_store_step(st)) {
  }
  CHECK(is_resident(source, 6) && is_resident(source, 40) && is_resident(source, 42) && is_resident(source, 44) && !is_resident(source, 46), "the old plan's go");
  lp_source_unref(source);
  lp_store_destroy(st);
}

/* When an edit is published, what sounds is wanted by another origin than before. It is due to that one at once, however urgent it was to the first: else the pages
 * that the edited timeline has just passed, and what sounds still plays, would be taken from it. */
static void test_handed_over(void) {
  sound s = {.kind = S16, .seed = 45, .channels = 1, .frames = 8192 * 50};
  make_sound(&s, "handed");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * LP_UNIT_BYTES, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin before = {.tick = 5}, after = {.tick = 5};
  for (int i = 0; i < 4; i++) want(st, &before, source, 2 * i, LP_TIER_REALTIME, (1000 + 100 * (uint64_t)i) * MS);
  while (lp_store_step(st)) {
  }
  before.tick++;
  after.tick++;
  want(st, &after, source, 0, LP_TIER_REALTIME, 1040 * MS);
  lp_store_passed(st, source, 0);
  lp_store_passed(st, source, 2);
  want(st, &before, source, 20, LP_TIER_REALTIME, 1050 * MS);
  want(st, &before, source, 22, LP_TIER_REALTIME, 1051 * MS);
  want(st, &before, source, 24, LP_TIER_REALTIME, 1052 * MS);
  while (lp_store_step(st)) {
  }
  CHECK(is_resident(source, 20) && is_resident(source, 22) && is_resident(source, 24), "there was room");
  CHECK(is_resident(source, 0), "what sounds was taken for passed");
  /* Who comes later in the same pass and needs it earlier is heard, too. */
  want(st, &before, source, 0, LP_TIER_REALTIME, 1030 * MS);
  want(st, &after, source, 26, LP_TIER_REALTIME, 1035 * MS);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 0) && !is_resident(source, 24), "the latest of the due goes");
  /* What waits to be read is handed over likewise. */
  lp_store_drop_all(st);
  want(st, &before, source, 30, LP_TIER_REALTIME, 1100 * MS);
  want(st, &before, source, 34, LP_TIER_REALTIME, 1100 * MS);
  before.tick++;
  after.tick++;
  want(st, &after, source, 30, LP_TIER_REALTIME, 1110 * MS);
  lp_store_forget_old(st, &before);
  lp_store_forget_old(st, &after);
  while (lp_store_step(st)) {
  }
  CHECK(is_resident(source, 30) && !is_resident(source, 34), "what is asked for now was dropped with what was before");
  lp_source_unref(source);
  lp_store_destroy(st);
}

/* Linear playback with a loop's page wanted again and again: the loop stays, the scan goes. */
static void test_scan(void) {
  sound s = {.kind = S16, .seed = 42, .channels = 1, .frames = 8192 * 200};
  make_sound(&s, "scan");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(8 * LP_UNIT_BYTES, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin head = {.tick = 1};
  /* Page 0 is played, left, and played again: twice wanted while it was there. */
  want(st, &head, source, 0, LP_TIER_REALTIME, 0);
  lp_store_step(st);
  head.tick++;
  lp_store_passed(st, source, 0);
  head.tick++;
  want(st, &head, source, 0, LP_TIER_REALTIME, 0);
  head.tick++;
  lp_store_passed(st, source, 0);
  double fills = counter_of(st, 3);
  for (int64_t p = 1; p < 100; p++) {
    head.tick++;
    want(st, &head, source, p, LP_TIER_REALTIME, 0);
    lp_store_step(st);
    CHECK(is_resident(source, p), "page %lld", (long long)p);
    if (p > 1) lp_store_passed(st, source, p - 1);
    CHECK(is_resident(source, 0), "the scan drove out what is used again, at page %lld", (long long)p);
  }
  CHECK(counter_of(st, 3) == fills + 99, "each page was read once");
  lp_source_unref(source);
  lp_store_destroy(st);
}

static void test_overflow(void) {
  sound s = {.kind = S16, .channels = 1, .frames = 8192 * 3000ll, .silent = true};
  make_sound(&s, "overflow");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * LP_UNIT_BYTES, &clock); /* the least queue: 1,024 */
  lp_source *source = open_sound(st, &s);
  lp_origin o = {.sticky = true};
  for (int64_t p = 0; p < 3000; p++) want(st, &o, source, p, LP_TIER_ANTICIPATIVE, UINT64_MAX - (uint64_t)p * 100 * MS);
  CHECK(counter_of(st, 9) == 1024, "length %g", counter_of(st, 9));
  want(st, &o, source, 1234, LP_TIER_REALTIME, 1);
  CHECK(counter_of(st, 9) == 1024 && counter_of(st, 10) == 3000 + 1 - 1024, "dropped %g", counter_of(st, 10));
  CHECK(lp_store_step(st) == 1 && is_resident(source, 1234), "the realtime one got in, and goes first");
  lp_source_unref(source);
  CHECK(lp_store_units_free(st) == 4 && lp_store_destroy(st) == 0, "clean");
}

static void test_tiny_budget(void) {
  sound s = {.kind = S16, .seed = 61, .channels = 2, .frames = 8192 * 40};
  make_sound(&s, "tiny");
  lp_store *st = make_store(6 * LP_UNIT_BYTES, 2); /* three pages */
  lp_source *source = open_sound(st, &s);
  lp_epoch epoch = {0};
  lp_store_add_epoch(st, &epoch);
  lp_origin o = {.tick = 1};
  uint64_t random = 5;
  int heard = 0;
  for (int round = 0; round < 300; round++) {
    o.tick++;
    lp_want wants[30];
    uint64_t now = real_now(NULL);
    for (int i = 0; i < 30; i++)
      wants[i] = (lp_want){.source = source, .page = next_random(&random) % 40, .deadline_ns = now + (uint64_t)i * 30 * MS};
    uint64_t seen = lp_store_fill_count(st);
    lp_store_want(st, &o, wants, 30, NULL);
    for (uint64_t until = now + 5000 * MS; !is_resident(source, wants[0].page) && real_now(NULL) < until;) {
      seen = lp_store_wait_fill(st, seen, 20 * MS);
      lp_store_want(st, &o, wants, 30, NULL);
    }
    CHECK(is_resident(source, wants[0].page), "the first of round %d never came", round);
    lp_epoch_enter(&epoch);
    if (lp_source_run(source, wants[0].page * 8192, 4096, NULL) == 4096) {
      check_samples(&s, source, wants[0].page * 8192, 4096, true);
      heard++;
    }
    lp_epoch_exit(&epoch);
    CHECK(counter_of(st, 2) <= 3, "more pages than fit: %g", counter_of(st, 2));
  }
  CHECK(heard > 250, "heard only %d", heard);
  lp_store_remove_epoch(st, &epoch);
  lp_source_unref(source);
  CHECK(lp_store_destroy(st) == 0, "threads left");
}

/* ---- epochs ------------------------------------------------------------------------------------------------------ */

static void test_limbo(void) {
  sound s = {.kind = S16, .seed = 71, .channels = 1, .frames = 8192 * 50};
  make_sound(&s, "limbo");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * LP_UNIT_BYTES, &clock);
  lp_source *source = open_sound(st, &s);
  lp_epoch a = {0}, b = {0};
  lp_store_add_epoch(st, &a);
  lp_store_add_epoch(st, &b);
  lp_origin o = {.tick = 1};
  for (int i = 0; i < 4; i++) want(st, &o, source, 2 * i, LP_TIER_REALTIME, (uint64_t)i);
  while (lp_store_step(st)) {
  }
  lp_epoch_enter(&a);
  lp_view v;
  CHECK(lp_view_look(&v, source, 0, 8192) == 8192 && lp_view_run(&v, 0, 8192, NULL) == 8192, "it is there");
  CHECK(lp_store_drop_all(st) == 4, "all four go");
  CHECK(!is_resident(source, 0) && lp_store_units_free(st) == 0, "unlinked, but not free while a reader is inside");
  o.tick += 2;
  for (int i = 0; i < 4; i++) want(st, &o, source, 20 + 2 * i, LP_TIER_REALTIME, (uint64_t)i);
  CHECK(lp_store_step(st) == 0 && !is_resident(source, 20), "nothing may be written over what it reads");
  /* What it saw is still what it hears. */
  float memory[8192];
  float *planes[1] = {memory};
  CHECK(lp_view_run(&v, 0, 8192, NULL) == 8192, "the view holds");
  lp_view_read(&v, 0, 8192, planes);
  for (int i = 0; i < 8192; i++) CHECK(memory[i] == expected(&s, i, 0), "frame %d", i);
  /* The other reader coming and going is not enough. */
  lp_epoch_enter(&b);
  lp_epoch_exit(&b);
  CHECK(lp_store_step(st) == 0, "the other reader is not the one");
  lp_epoch_exit(&a);
  lp_epoch_enter(&a); /* inside again, but it has moved on */
  CHECK(lp_store_step(st) == 1 && is_resident(source, 20), "now it may");
  lp_epoch_exit(&a);
  lp_store_remove_epoch(st, &a);
  lp_store_remove_epoch(st, &b);
  lp_source_unref(source);
  CHECK(lp_store_units_free(st) == 4, "all is free");
  lp_store_destroy(st);
}

enum { STORM_SOUNDS = 6 };
typedef struct storm {
  lp_store *st;
  sound sounds[STORM_SOUNDS];
  lp_source *sources[STORM_SOUNDS];
  lp_epoch epoch[2];
  _Atomic bool stop;
  _Atomic uint64_t heard, passes;
  _Atomic int callbacks;
} storm;

/* A simulated callback: whatever it finds resident must be the right samples, however long it takes. */
static void *callback_main(void *argument) {
  storm *w = argument;
  int me = atomic_fetch_add(&w->callbacks, 1);
  uint64_t random = 1000 + (uint64_t)me;
  static __thread float memory[LP_MAX_CHANNELS][2048];
  float *planes[LP_MAX_CHANNELS];
  for (int c = 0; c < LP_MAX_CHANNELS; c++) planes[c] = memory[c];
  while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
    lp_epoch_enter(&w->epoch[me]);
    for (int i = 0; i < 4; i++) {
      uint32_t k = next_random(&random) % STORM_SOUNDS;
      const sound *s = &w->sounds[k];
      lp_source *source = w->sources[k];
      int64_t frame = (int64_t)(next_random(&random) % (uint32_t)(s->frames + 1000)) - 500;
      int32_t n = 1 + (int32_t)(next_random(&random) % 2048);
      lp_view v;
      lp_view_look(&v, source, frame, n);
      int64_t run = lp_view_run(&v, frame, n, NULL);
      CHECK(run >= 0 && run <= n, "run");
      if (next_random(&random) % 4 == 0) sleep_ms(0);
      if (run == 0) continue;
      lp_view_read(&v, frame, (int32_t)run, planes);
      for (uint32_t c = 0; c < s->channels; c++) {
        for (int64_t f = 0; f < run; f++) {
          float e = expected(s, frame + f, c);
          CHECK(planes[c][f] == e, "frame %lld channel %u of %s: %g, not %g", (long long)(frame + f), c, s->path, (double)planes[c][f], (double)e);
        }
      }
      atomic_fetch_add_explicit(&w->heard, (uint64_t)run, memory_order_relaxed);
    }
    lp_epoch_exit(&w->epoch[me]);
    atomic_fetch_add_explicit(&w->passes, 1, memory_order_relaxed);
    if (next_random(&random) % 8 == 0) sleep_ms(1);
  }
  return NULL;
}

static void start_storm(storm *w, const char *name, double slab_bytes, uint32_t threads) {
  w->st = make_store(slab_bytes, threads);
  for (int i = 0; i < STORM_SOUNDS; i++) {
    w->sounds[i] = (sound){.kind = i % 2 ? S24 : S16, .seed = 100 + (uint32_t)i, .channels = 1 + (uint32_t)i % 3, .frames = 120000 + 7777 * i};
    char file[32];
    snprintf(file, sizeof file, "%s%d", name, i);
    make_sound(&w->sounds[i], file);
    w->sources[i] = open_sound(w->st, &w->sounds[i]);
  }
  for (int i = 0; i < 2; i++) lp_store_add_epoch(w->st, &w->epoch[i]);
}

static void test_storm(void) {
  static storm w;
  start_storm(&w, "storm", 40 * LP_UNIT_BYTES, 2);
  pthread_t callbacks[2];
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&callbacks[i], NULL, callback_main, &w) == 0, "thread");
  lp_origin o = {.tick = 1};
  uint64_t random = 17, began = real_now(NULL), until = began + (QUICK ? 2500 : 2000) * MS;
  /* For a while, and until enough has happened: on a busy machine that takes longer. A store that stands still ends it too, and fails below. */
  while (real_now(NULL) < until ||
         ((w.heard <= 100000 || counter_of(w.st, 4) <= 200) && real_now(NULL) < began + 60000 * MS)) {
    atomic_fetch_add(&o.tick, 1);
    lp_want wants[12];
    uint64_t now = real_now(NULL);
    for (int i = 0; i < 12; i++) {
      lp_source *source = w.sources[next_random(&random) % STORM_SOUNDS];
      wants[i] = (lp_want){.source = source,
                           .page = next_random(&random) % source->pages,
                           .first_frame = (int32_t)(next_random(&random) % 8192),
                           .tier = (uint8_t)(next_random(&random) % 2),
                           .deadline_ns = now + next_random(&random) % 50 * MS};
    }
    lp_store_want(w.st, &o, wants, 12, NULL);
    lp_source *source = w.sources[next_random(&random) % STORM_SOUNDS];
    lp_store_passed(w.st, source, next_random(&random) % source->pages);
    if (next_random(&random) % 64 == 0) lp_store_drop_all(w.st);
    if (next_random(&random) % 4 == 0) sleep_ms(1);
    CHECK(counter_of(w.st, 9) <= 1024, "queue");
  }
  atomic_store(&w.stop, true);
  for (int i = 0; i < 2; i++) pthread_join(callbacks[i], NULL);
  printf("  heard %llu frames in %llu passes, %g fills, %g evictions\n", (unsigned long long)w.heard, (unsigned long long)w.passes, counter_of(w.st, 3),
         counter_of(w.st, 4));
  CHECK(w.heard > 100000 && counter_of(w.st, 4) > 200, "too little happened");
  for (int i = 0; i < STORM_SOUNDS; i++) lp_source_unref(w.sources[i]);
  for (int i = 0; i < 2; i++) lp_store_remove_epoch(w.st, &w.epoch[i]);
  for (int i = 0; i < 300000 && counter_of(w.st, 2) > 0; i++) sleep_ms(1);
  lp_store_want(w.st, &o, NULL, 0, NULL);
  CHECK(lp_store_destroy(w.st) == 0, "threads left");
}

/* Sources come and go while their pages are being filled. */
static void test_unref(void) {
  sound sounds[4];
  for (int i = 0; i < 4; i++) {
    sounds[i] = (sound){.kind = i % 2 ? S24 : S16, .seed = 200 + (uint32_t)i, .channels = 2, .frames = 200000};
    char name[32];
    snprintf(name, sizeof name, "unref%d", i);
    make_sound(&sounds[i], name);
  }
  lp_store *st = make_store(220 * LP_UNIT_BYTES, 3);
  lp_origin o = {.tick = 1, .sticky = true};
  uint64_t random = 23;
  int rounds = QUICK ? 150 : 600;
  for (int round = 0; round < rounds; round++) {
    const sound *s = &sounds[next_random(&random) % 4];
    lp_source *source = open_sound(st, s);
    for (int64_t p = 0; p < source->pages; p++) want(st, &o, source, p, (uint8_t)(next_random(&random) % 2), next_random(&random) % 1000 * MS);
    o.tick++;
    if (round % 3 == 0) {
      await_page(st, source, 0);
      check_samples(s, source, 0, 4000, true);
    }
    if (round % 5 == 0) lp_store_pin(st, source, 0);
    lp_source_unref(source);
  }
  for (int i = 0; i < 300000 && (counter_of(st, 2) > 0 || lp_store_units_free(st) != lp_store_units(st) || counter_of(st, 11) > 0); i++) sleep_ms(1);
  CHECK(counter_of(st, 2) == 0 && counter_of(st, 9) == 0, "pages %g queue %g", counter_of(st, 2), counter_of(st, 9));
  CHECK(lp_store_units_free(st) == lp_store_units(st), "units leaked: %u", lp_store_units_free(st));
  CHECK(counter_of(st, 11) == 0, "files left open: %g", counter_of(st, 11));
  CHECK(lp_store_destroy(st) == 0, "threads left");
}

static void test_origins(void) {
  sound s = {.kind = S16, .seed = 81, .channels = 1, .frames = 8192 * 30};
  make_sound(&s, "origins");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(16 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin *o = calloc(1, sizeof *o);
  lp_origin shelf = {.sticky = true};
  want(st, o, source, 0, LP_TIER_REALTIME, 0);
  lp_store_step(st);
  want(st, o, source, 5, LP_TIER_REALTIME, 0);
  want(st, o, source, 7, LP_TIER_REALTIME, 0);
  want(st, &shelf, source, 7, LP_TIER_ANTICIPATIVE, UINT64_MAX);
  lp_store_remove_origin(st, o);
  free(o); /* with the sanitizer: nobody looks at it again */
  CHECK(lp_store_step(st) == 1 && is_resident(source, 7), "what somebody else asked for too stays");
  CHECK(lp_store_step(st) == 0 && !is_resident(source, 5), "the rest went");
  CHECK(lp_store_drop_all(st) == 2, "two pages");
  /* Asked for by a head that lost interest, and by a shelf that never does. */
  lp_origin head = {.tick = 1};
  want(st, &shelf, source, 9, LP_TIER_ANTICIPATIVE, UINT64_MAX);
  want(st, &head, source, 9, LP_TIER_REALTIME, 0);
  want(st, &head, source, 11, LP_TIER_REALTIME, 0);
  head.tick = 3;
  while (lp_store_step(st)) {
  }
  CHECK(is_resident(source, 9) && !is_resident(source, 11), "the shelf still wants it");
  lp_source_unref(source);
  lp_store_destroy(st);
}

/* ---- gate, stop -------------------------------------------------------------------------------------------------- */

static void test_gate(void) {
  sound s = {.kind = S16, .seed = 91, .channels = 1, .frames = 8192 * 100};
  make_sound(&s, "gate");
  lp_store *st = make_store(16 * MIB, 2);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {.sticky = true};
  lp_store_gate(st, true);
  for (int64_t p = 0; p < 40; p += 2) want(st, &o, source, p, LP_TIER_REALTIME, real_now(NULL) + (uint64_t)p * 100 * MS);
  sleep_ms(30);
  CHECK(counter_of(st, 6) == 0 && counter_of(st, 2) == 0, "the gate leaks");
  want(st, &o, source, 90, LP_TIER_REALTIME, 1);
  lp_store_gate_release(st, 1);
  await_page(st, source, 90);
  sleep_ms(20);
  CHECK(counter_of(st, 6) == 1, "one read was released: %g", counter_of(st, 6));
  lp_store_gate(st, false);
  await_page(st, source, 38);
  lp_store_gate(st, true);
  for (int64_t p = 41; p < 80; p += 2) want(st, &o, source, p, LP_TIER_REALTIME, 1);
  lp_source_unref(source);
  CHECK(lp_store_destroy(st) == 0, "threads hang at the gate");

  _Atomic uint64_t clock = 1;
  st = make_stepped(16 * MIB, &clock);
  source = open_sound(st, &s);
  lp_store_gate(st, true);
  want(st, &o, source, 1, LP_TIER_REALTIME, 1);
  want(st, &o, source, 3, LP_TIER_REALTIME, 2);
  CHECK(lp_store_step(st) == 0, "closed");
  lp_store_gate_release(st, 1);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 1) && lp_store_step(st) == 0, "one");
  lp_store_gate(st, false);
  CHECK(lp_store_step(st) == 1 && is_resident(source, 3), "open");
  lp_source_unref(source);
  lp_store_destroy(st);
}

static void test_hang(void) {
  sound s = {.kind = S16, .seed = 92, .channels = 1, .frames = 8192 * 100}, t = {.kind = S16, .seed = 93, .channels = 1, .frames = 8192 * 100};
  make_sound(&s, "hang0");
  make_sound(&t, "hang1");
  /* A read that hangs is stalled after half a second, gives back what it holds, and does no harm when it returns. */
  lp_store *st = make_store(16 * MIB, 2);
  lp_source *source = open_sound(st, &s), *other = open_sound(st, &t);
  lp_origin o = {.sticky = true};
  atomic_store(&reads_hang, true);
  want(st, &o, source, 3, LP_TIER_REALTIME, 1);
  while (atomic_load(&reads_hanging) == 0) sleep_ms(1);
  atomic_store(&reads_hang, false);
  await_page(st, source, 3);
  lp_store_drop_all(st);
  atomic_store(&reads_hang, true);
  want(st, &o, source, 3, LP_TIER_REALTIME, 1);
  while (atomic_load(&reads_hanging) == 0) sleep_ms(1);
  CHECK(cause_at(source, 3) == LP_CAUSE_READ, "it is being read");
  CHECK(lp_store_units_free(st) == lp_store_units(st) - 1, "it holds a unit");
  sleep_ms(600);
  want(st, &o, other, 0, LP_TIER_ANTICIPATIVE, UINT64_MAX);
  CHECK(counter_of(st, 15) == 1 && cause_at(source, 3) == LP_CAUSE_STALLED, "stalled");
  while (atomic_load(&reads_hanging) < 2) sleep_ms(1);
  CHECK(lp_store_units_free(st) == lp_store_units(st) - 1, "only the other one holds a unit");
  atomic_store(&reads_hang, false);
  await_page(st, source, 3);
  await_page(st, other, 0);
  check_samples(&s, source, 3 * 8192, 4096, false);
  CHECK(lp_store_units_free(st) == lp_store_units(st) - 2, "units");
  /* Hanging for ever: destroy gives up after two seconds and says so. */
  atomic_store(&reads_hang, true);
  want(st, &o, source, 50, LP_TIER_REALTIME, 1);
  while (atomic_load(&reads_hanging) == 0) sleep_ms(1);
  uint64_t begun = real_now(NULL);
  static lp_store *volatile left; /* so that a leak checker finds it */
  left = st;
  CHECK(lp_store_destroy(left) == 1, "one thread must be left");
  uint64_t took = real_now(NULL) - begun;
  CHECK(took > 1500 * MS, "it took %llu ms", (unsigned long long)(took / MS));
  atomic_store(&clock_is_gone, true); /* an engine may free what its clock needs now */
  atomic_store(&reads_hang, false);
  for (int i = 0; i < 300000 && atomic_load(&reads_hanging); i++) sleep_ms(1);
  sleep_ms(50); /* it returns into what was leaked for it */
  atomic_store(&clock_is_gone, false);
}

/* Volumes that hang take their share of the threads, whatever is asked of them; the others are served as if nothing were, and so is what is about to be
 * heard from another file of the same volume. When they answer again, all is as it was. */
static void test_bulkhead(void) {
  enum { THREADS = 2, PAGES = 40 };
  sound dead = {.kind = S16, .seed = 94, .channels = 1, .frames = 8192 * PAGES}, deader = {.kind = S16, .seed = 95, .channels = 3, .frames = 8192 * PAGES},
        alive = {.kind = S16, .seed = 96, .channels = 2, .frames = 8192 * PAGES};
  make_sound(&dead, "dead");
  make_sound(&deader, "deader");
  make_sound(&alive, "alive");
  for (int same = 0; same < 2; same++) {
    atomic_store(&volumes_by_size, !same);
    lp_store *st = make_store(64 * MIB, THREADS);
    lp_source *one = open_sound(st, &dead), *two = open_sound(st, &deader), *other = open_sound(st, &alive);
    lp_origin o = {.sticky = true};
    atomic_store(&reads_hang_if_odd, true);
    atomic_store(&reads_hang, true);
    for (int64_t page = 0; page < PAGES; page += 2) {
      want(st, &o, one, page, LP_TIER_ANTICIPATIVE, 1);
      want(st, &o, two, page, LP_TIER_ANTICIPATIVE, 1);
    }
    while (atomic_load(&reads_hanging) < THREADS) sleep_ms(1);
    uint64_t longest = 0;
    for (int64_t page = 0; page < PAGES; page++) {
      uint64_t begun = real_now(NULL);
      want(st, &o, other, page, LP_TIER_REALTIME, 0);
      await_page(st, other, page);
      uint64_t took = real_now(NULL) - begun;
      if (took > longest) longest = took;
    }
    printf("  %s volume: a page beside all threads that hang after at most %.1f ms\n", same ? "the same" : "another", (double)longest / 1e6);
    check_samples(&alive, other, 0, 4096, false);
    /* Each dead volume has its share; after half a second those that are stalled are made up for, up to the cap. */
    const int share = same ? THREADS : 2 * THREADS, cap = same ? THREADS + 8 : 2 * (THREADS + 8);
    while (atomic_load(&reads_hanging) < share) sleep_ms(1);
    CHECK(atomic_load(&reads_hanging) <= cap, "%d hang", atomic_load(&reads_hanging));
    while (counter_of(st, 15) < 1) {
      sleep_ms(20);
      want(st, &o, other, 0, LP_TIER_REALTIME, 0);
    }
    CHECK(cause_at(one, 0) == LP_CAUSE_STALLED || cause_at(two, 0) == LP_CAUSE_STALLED, "cause");
    lp_store_drop_all(st);
    want(st, &o, other, 7, LP_TIER_REALTIME, 0);
    await_page(st, other, 7);
    CHECK(atomic_load(&reads_hanging) <= cap, "%d hang", atomic_load(&reads_hanging));
    atomic_store(&reads_hang, false);
    for (int64_t page = 0; page < PAGES; page += 2) {
      await_page(st, one, page);
      await_page(st, two, page);
    }
    check_samples(&deader, two, 8192 * 38, 4096, false);
    while (counter_of(st, 18) > THREADS) sleep_ms(20);
    lp_store_remove_origin(st, &o);
    lp_source_unref(one);
    lp_source_unref(two);
    lp_source_unref(other);
    CHECK(lp_store_destroy(st) == 0, "threads are left");
  }
  atomic_store(&reads_hang_if_odd, false);
  atomic_store(&volumes_by_size, false);
}

/* A file that hangs holds up two threads, also of what is asked for once and for all: prefetches, windows, plans. That waits until the file answers, or until it is
 * dropped; the rest of the volume is read meanwhile, though it is due later. */
static void test_hung_file(void) {
  enum { THREADS = 2, PAGES = 40 };
  sound hung = {.kind = S16, .seed = 97, .channels = 1, .frames = 8192 * PAGES}, well = {.kind = S16, .seed = 98, .channels = 2, .frames = 8192 * PAGES};
  make_sound(&hung, "hung");
  make_sound(&well, "well");
  for (int dropped = 0; dropped < 2; dropped++) {
    lp_store *st = make_store(64 * MIB, THREADS);
    lp_source *one = open_sound(st, &hung), *other = open_sound(st, &well);
    lp_origin o = {.sticky = true}, p = {.sticky = true};
    atomic_store(&reads_hang_if_odd, true);
    atomic_store(&reads_hang, true);
    for (int64_t page = 0; page < PAGES; page += 2) want(st, &o, one, page, LP_TIER_ANTICIPATIVE, 1);
    while (counter_of(st, 15) < THREADS) { /* all that may are found stalled, by who asks for something */
      sleep_ms(20);
      want(st, &p, other, 0, LP_TIER_REALTIME, 0);
    }
    for (int64_t page = 0; page < PAGES; page += 2) want(st, &p, other, page, LP_TIER_ANTICIPATIVE, UINT64_MAX / 4);
    for (int64_t page = 0; page < PAGES; page += 2) await_page(st, other, page);
    CHECK(atomic_load(&reads_hanging) == THREADS, "%d hang", atomic_load(&reads_hanging));
    CHECK(cause_at(one, PAGES - 2) == LP_CAUSE_STALLED, "the cause of what waits");
    CHECK(counter_of(st, 9) == PAGES / 2 - THREADS, "%g wait", counter_of(st, 9));
    if (dropped) lp_store_drop_all(st);
    atomic_store(&reads_hang, false);
    atomic_store(&reads_hang_if_odd, false);
    if (dropped)
      for (int64_t page = 0; page < PAGES; page += 2) want(st, &o, one, page, LP_TIER_ANTICIPATIVE, 1);
    for (int64_t page = 0; page < PAGES; page += 2) await_page(st, one, page);
    check_samples(&hung, one, 8192 * (PAGES - 2), 4096, false);
    lp_store_remove_origin(st, &o);
    lp_store_remove_origin(st, &p);
    lp_source_unref(one);
    lp_source_unref(other);
    CHECK(lp_store_destroy(st) == 0, "threads are left");
  }
}

typedef struct budget_watch {
  lp_store *st;
  _Atomic bool ends;
  _Atomic uint32_t greatest;
} budget_watch;

/* What the follower does: it looks without the mutex. */
static void *watch_budget(void *context) {
  budget_watch *w = context;
  while (!atomic_load(&w->ends)) {
    const uint32_t units = lp_window_units(w->st);
    if (units > atomic_load(&w->greatest)) atomic_store(&w->greatest, units);
  }
  return NULL;
}

/* Units that windows want, page by page. */
static uint32_t count_pages(lp_window *const *windows, const int *of, const int64_t *first, const int64_t *length, uint32_t count, int64_t pages) {
  uint32_t units = 0;
  for (int k = 0; k < 2; k++)
    for (int64_t page = 0; page < pages; page++) {
      bool wanted = false;
      for (uint32_t i = 0; i < count; i++) wanted = wanted || (windows[i] && of[i] == k && page >= first[i] && page < first[i] + length[i]);
      units += wanted ? (k == 0 ? 2 : 1) : 0;
    }
  return units;
}

/* Windows that come, change places and go while everything else is read and dropped: what they hold stays, nothing stays behind, and nobody ever sees them want
 * more than they may. */
static void test_windows(void) {
  enum { PAGES = 60, WINDOWS = 8 };
  sound s = {.kind = S16, .seed = 97, .channels = 2, .frames = 8192 * PAGES - 5}, t = {.kind = F32, .seed = 98, .channels = 1, .frames = 4096 * PAGES};
  make_sound(&s, "window0");
  make_sound(&t, "window1");
  lp_store *st = make_store(2 * MIB, 3); /* 128 units; windows may hold 102 */
  lp_source *sources[] = {open_sound(st, &s), open_sound(st, &t)};
  const sound *sounds[] = {&s, &t};
  lp_origin o = {0};
  uint64_t random = 98;
  lp_window *windows[WINDOWS] = {NULL};
  int of[WINDOWS] = {0};
  int64_t first[WINDOWS] = {0}, length[WINDOWS] = {0};
  uint32_t refused = 0, whole = 0;
  budget_watch watch = {.st = st};
  pthread_t watcher;
  CHECK(pthread_create(&watcher, NULL, watch_budget, &watch) == 0, "no thread");
  /* However busy the machine is: until enough has happened. */
  for (int step = 0; step < (QUICK ? 1500 : 6000) || refused <= 10 || whole <= 50; step++) {
    int k = (int)(next_random(&random) % WINDOWS);
    if (!windows[k]) {
      of[k] = (int)(next_random(&random) % 2);
      first[k] = next_random(&random) % PAGES;
      length[k] = next_random(&random) % 30;
      lp_source *source = sources[of[k]];
      int r = lp_window_open(st, source, first[k] * source->page_frames, (first[k] + length[k]) * source->page_frames, next_random(&random) % 2, next_random(&random) % 2 ? 1 : -2, next_random(&random) % 2, &windows[k]);
      CHECK((r == LP_OK) == (windows[k] != NULL) && (r == LP_OK || r == LP_E_LIMIT), "opening: %d", r);
      refused += r == LP_E_LIMIT;
    } else if (next_random(&random) % 8 == 0) {
      lp_window_close(windows[k]);
      windows[k] = NULL;
    } else {
      int64_t pages, held;
      bool all = lp_window_look(windows[k], &pages, &held);
      CHECK(held >= 0 && held <= pages && all == (held == pages), "%lld of %lld pages", (long long)held, (long long)pages);
      if (next_random(&random) % 4 == 0) lp_store_drop_all(st);
      for (int64_t i = 0; all && i < pages; i++) CHECK(is_resident(sources[of[k]], first[k] + i), "page %lld of a window went", (long long)(first[k] + i));
      whole += all && pages;
    }
    for (int i = 0; i < 4; i++) want(st, &o, sources[next_random(&random) % 2], next_random(&random) % PAGES, LP_TIER_REALTIME, next_random(&random));
    const uint32_t wanted = count_pages(windows, of, first, length, WINDOWS, PAGES);
    CHECK(lp_window_units(st) == wanted && wanted <= lp_window_most_units(st), "%u units of %u", lp_window_units(st), wanted);
    if (next_random(&random) % 16 == 0) sleep_ms(1);
  }
  atomic_store(&watch.ends, true);
  pthread_join(watcher, NULL);
  CHECK(atomic_load(&watch.greatest) <= lp_window_most_units(st), "%u units were seen", atomic_load(&watch.greatest));
  printf("  %u windows were refused, %u times one was whole\n", refused, whole);
  for (int k = 0; k < WINDOWS; k++)
    if (windows[k]) lp_window_close(windows[k]);
  CHECK(lp_window_units(st) == 0, "%u units", lp_window_units(st));
  for (int i = 0; i < 2; i++) {
    want(st, &o, sources[i], 7, LP_TIER_REALTIME, 0);
    await_page(st, sources[i], 7);
    check_samples(sounds[i], sources[i], 7 * sources[i]->page_frames, 4096, false);
  }
  lp_store_remove_origin(st, &o);
  for (int i = 0; i < 2; i++) lp_source_unref(sources[i]);
  CHECK(lp_store_destroy(st) == 0, "threads are left");
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void test_descriptors(void) {
  struct rlimit before, small = {.rlim_cur = 64, .rlim_max = 64};
  getrlimit(RLIMIT_NOFILE, &before);
  small.rlim_max = before.rlim_max;
  CHECK(setrlimit(RLIMIT_NOFILE, &small) == 0, "rlimit");
  enum { FILES = 500 };
  static sound sounds[FILES];
  static lp_source *sources[FILES];
  lp_store *st = make_store(32 * MIB, 4);
  lp_origin o = {.sticky = true};
  for (int i = 0; i < FILES; i++) {
    sounds[i] = (sound){.kind = S16, .seed = 300 + (uint32_t)i, .channels = 1, .frames = 8192 + i};
    char name[32];
    snprintf(name, sizeof name, "many%d", i);
    make_sound(&sounds[i], name);
    sources[i] = open_sound(st, &sounds[i]);
    CHECK(counter_of(st, 11) <= 32, "%g files open", counter_of(st, 11));
  }
  uint64_t random = 3;
  for (int n = 0; n < 3000; n++) {
    int i = (int)(next_random(&random) % FILES);
    want(st, &o, sources[i], next_random(&random) % 2, LP_TIER_REALTIME, real_now(NULL));
    if (n % 100 == 0) CHECK(counter_of(st, 11) <= 32, "%g files open", counter_of(st, 11));
  }
  for (int i = 0; i < FILES; i++) {
    for (int64_t p = 0; p < 2 && p < sources[i]->pages; p++) {
      want(st, &o, sources[i], p, LP_TIER_REALTIME, real_now(NULL));
      await_page(st, sources[i], p);
      uint64_t h = 0;
      CHECK(lp_store_page_hash(st, sources[i], p, &h) == LP_OK && h == expected_hash(&sounds[i], p), "file %d", i);
    }
  }
  CHECK(counter_of(st, 12) == 0, "%g errors", counter_of(st, 12));
  CHECK(counter_of(st, 11) <= 32 && counter_of(st, 11) > 8, "%g files open", counter_of(st, 11));
  for (int i = 0; i < FILES; i++) lp_source_unref(sources[i]);
  CHECK(lp_store_destroy(st) == 0, "threads left");

  /* As many threads as there may be open files: all are being read, and nobody closes what another one reads. */
  small.rlim_cur = 18;
  CHECK(setrlimit(RLIMIT_NOFILE, &small) == 0, "rlimit");
  st = make_store(32 * MIB, 16);
  atomic_store(&reads_hang, true);
  for (int i = 0; i < 100; i++) {
    sources[i] = open_sound(st, &sounds[i]);
    want(st, &o, sources[i], 0, LP_TIER_REALTIME, real_now(NULL));
    if (i == 50) {
      while (atomic_load(&reads_hanging) < 9) sleep_ms(1);
    }
    CHECK(counter_of(st, 11) <= 9, "%g files open", counter_of(st, 11));
  }
  atomic_store(&reads_hang, false);
  for (int i = 0; i < 100; i++) await_page(st, sources[i], 0);
  CHECK(counter_of(st, 12) == 0, "%g errors", counter_of(st, 12));
  for (int i = 0; i < 100; i++) lp_source_unref(sources[i]);
  CHECK(lp_store_destroy(st) == 0, "threads left");
  setrlimit(RLIMIT_NOFILE, &before);
}

/* Steps until nothing is left to do. Returns how many there were. */
static int run_dry(lp_store *st) {
  int n = 0;
  while (lp_store_step(st)) n++;
  return n;
}

static void test_changed(void) {
  _Atomic uint64_t clock = 1000 * MS;
  sound s = {.kind = S16, .seed = 401, .channels = 1, .frames = 8192 * 20}, later = s;
  /* 0 truncated, 1 overwritten in place, 2 replaced by rename, 3 deleted, 4 replaced by a pipe while its descriptor was closed. */
  for (int way = 0; way < 5; way++) {
    char name[32];
    snprintf(name, sizeof name, "changed%d", way);
    make_sound(&s, name);
    lp_store *st = make_stepped(16 * MIB, &clock);
    lp_source *source = open_sound(st, &s);
    lp_origin o = {.sticky = true};
    want(st, &o, source, 0, LP_TIER_REALTIME, 0);
    run_dry(st);
    CHECK(is_resident(source, 0), "first page");
    sleep_ms(20); /* past the granularity of the file system's times */
    later = s;
    later.seed = 999;
    if (way == 0) {
      CHECK(truncate(s.path, 44 + 8192 * 2 * 4) == 0, "truncate");
    } else if (way == 1) {
      make_sound(&later, NULL);
    } else if (way == 2) {
      snprintf(later.path, sizeof later.path, "%s/replacement.wav", folder());
      make_sound(&later, NULL);
      CHECK(rename(later.path, s.path) == 0, "rename");
    } else {
      CHECK(unlink(s.path) == 0, "unlink");
      if (way == 4) {
        CHECK(mkfifo(s.path, 0600) == 0, "mkfifo");
        atomic_store(&read_fault, -EIO);
        want(st, &o, source, 1, LP_TIER_REALTIME, 0);
        run_dry(st);
        atomic_store(&read_fault, 0);
        CHECK(counter_of(st, 11) == 0 && cause_at(source, 1) == LP_CAUSE_READ, "the descriptor is closed");
        atomic_fetch_add(&clock, 150 * MS);
      }
    }
    for (int64_t p = 1; p < 20; p += 3) want(st, &o, source, p, LP_TIER_REALTIME, 0);
    run_dry(st);
    for (int64_t p = 1; p < 20; p += 3) {
      CHECK(!is_resident(source, p), "way %d: page %lld of the new file is heard", way, (long long)p);
      CHECK(cause_at(source, p) == LP_CAUSE_ABSENT, "way %d: cause %u", way, cause_at(source, p));
    }
    check_samples(&s, source, 0, 4096, false); /* the old page still is the old file */
    double tries = counter_of(st, 12);
    CHECK(tries == (way == 4 ? 2 : 1) && counter_of(st, 9) == 0, "one try for all of them: %g", tries);
    /* Asked again at once: no try. Asked again later: one. */
    want(st, &o, source, 5, LP_TIER_REALTIME, 0);
    CHECK(counter_of(st, 9) == 0 && run_dry(st) == 0, "no try while it backs off");
    atomic_fetch_add(&clock, way == 4 ? 350 * MS : 150 * MS);
    CHECK(run_dry(st) == 0, "nothing is tried that nobody asks for");
    want(st, &o, source, 5, LP_TIER_REALTIME, 0);
    run_dry(st);
    CHECK(!is_resident(source, 5) && counter_of(st, 12) == tries + 1, "one more try: %g", counter_of(st, 12));
    atomic_fetch_add(&clock, 150 * MS);
    want(st, &o, source, 5, LP_TIER_REALTIME, 0);
    CHECK(run_dry(st) == 0, "it backs off for longer");
    CHECK(counter_of(st, 11) == 0, "the descriptor of what is no more is closed: %g", counter_of(st, 11));
    lp_source_unref(source);
    lp_store_destroy(st);
  }
  /* A volume that goes and comes back with the same file: it plays on. */
  char link[200], elsewhere[200];
  snprintf(link, sizeof link, "%s/volume", folder());
  snprintf(elsewhere, sizeof elsewhere, "%s/nowhere", folder());
  make_sound(&s, "mounted");
  CHECK(symlink(folder(), link) == 0, "symlink");
  snprintf(s.path, sizeof s.path, "%s/mounted.wav", link);
  lp_store *st = make_stepped(16 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {.sticky = true};
  atomic_store(&read_fault, -EIO); /* so that its descriptor is dropped */
  want(st, &o, source, 0, LP_TIER_REALTIME, 0);
  run_dry(st);
  CHECK(cause_at(source, 0) == LP_CAUSE_READ && counter_of(st, 11) == 0, "EIO");
  atomic_store(&read_fault, 0);
  CHECK(rename(link, elsewhere) == 0, "rename");
  atomic_fetch_add(&clock, 3000 * MS);
  want(st, &o, source, 0, LP_TIER_REALTIME, 0);
  run_dry(st);
  CHECK(cause_at(source, 0) == LP_CAUSE_ABSENT, "gone");
  CHECK(rename(elsewhere, link) == 0, "rename");
  atomic_fetch_add(&clock, 3000 * MS);
  want(st, &o, source, 0, LP_TIER_REALTIME, 0);
  run_dry(st);
  CHECK(is_resident(source, 0), "back");
  check_samples(&s, source, 0, 4096, false);
  lp_source_unref(source);
  lp_store_destroy(st);
  unlink(link);
}

static void test_read_faults(void) {
  sound s = {.kind = S24, .seed = 402, .channels = 2, .frames = 4096 * 20};
  make_sound(&s, "faults");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(16 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {.sticky = true};
  uint64_t begun = atomic_load(&reads_begun);
  atomic_store(&read_fault, -EIO);
  /* A hundred passes of 10 ms that ask each time: a handful of tries, not a hundred. */
  for (int i = 0; i < 100; i++) {
    for (int64_t p = 0; p < 10; p++) want(st, &o, source, p, LP_TIER_REALTIME, 0);
    run_dry(st);
    atomic_fetch_add(&clock, 10 * MS);
  }
  uint64_t tries = atomic_load(&reads_begun) - begun;
  CHECK(tries >= 3 && tries <= 12, "%llu tries in a second", (unsigned long long)tries);
  CHECK(cause_at(source, 3) == LP_CAUSE_READ, "cause %u", cause_at(source, 3));
  atomic_store(&read_fault, 0);
  atomic_store(&read_shortfall, 7);
  atomic_fetch_add(&clock, 3000 * MS);
  want(st, &o, source, 0, LP_TIER_REALTIME, 0);
  run_dry(st);
  CHECK(!is_resident(source, 0), "a short read of an unchanged file is an error");
  atomic_store(&read_shortfall, 0);
  atomic_fetch_add(&clock, 3000 * MS);
  for (int64_t p = 0; p < 20; p++) want(st, &o, source, p, LP_TIER_REALTIME, 0);
  run_dry(st);
  for (int64_t p = 0; p < 20; p++) {
    uint64_t h = 0;
    CHECK(lp_store_page_hash(st, source, p, &h) == LP_OK && h == expected_hash(&s, p), "healed: page %lld", (long long)p);
  }
  lp_source_unref(source);
  CHECK(lp_store_units_free(st) == lp_store_units(st), "units leaked");
  lp_store_destroy(st);
}

/* One bad spot on a disk costs its page, not the file. */
static void test_bad_page(void) {
  sound s = {.kind = S16, .seed = 403, .channels = 2, .frames = 8192 * 20};
  make_sound(&s, "bad");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(16 * MIB, &clock);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {.sticky = true};
  atomic_store(&bad_frame, 5 * 8192 + 1000);
  uint64_t begun = atomic_load(&reads_begun);
  for (int64_t p = 0; p < 20; p++) want(st, &o, source, p, LP_TIER_REALTIME, (uint64_t)p);
  run_dry(st);
  for (int64_t p = 0; p < 20; p++) CHECK(is_resident(source, p) == (p != 5), "page %lld", (long long)p);
  CHECK(cause_at(source, 5) == LP_CAUSE_READ, "cause %u", cause_at(source, 5));
  CHECK(atomic_load(&reads_begun) - begun <= 12, "%llu reads", (unsigned long long)(atomic_load(&reads_begun) - begun));
  begun = atomic_load(&reads_begun);
  for (int i = 0; i < 100; i++) {
    want(st, &o, source, 5, LP_TIER_REALTIME, 0);
    run_dry(st);
    atomic_fetch_add(&clock, 10 * MS);
  }
  uint64_t tries = atomic_load(&reads_begun) - begun;
  CHECK(tries >= 2 && tries <= 4, "%llu tries in a second", (unsigned long long)tries);
  atomic_store(&bad_frame, -1);
  atomic_fetch_add(&clock, 3000 * MS);
  want(st, &o, source, 5, LP_TIER_REALTIME, 0);
  run_dry(st);
  CHECK(is_resident(source, 5), "healed");
  check_samples(&s, source, 5 * 8192 - 100, 4096, false);
  lp_source_unref(source);
  lp_store_destroy(st);
}

static void test_open_errors(void) {
  _Atomic uint64_t clock = 1;
  lp_store *st = make_stepped(16 * MIB, &clock);
  lp_source *out;
  lp_source_info info;
  CHECK(lp_store_open_source(st, "/nowhere/at/all.wav", 1, &out, &info) == LP_E_ABSENT && !out, "absent");
  CHECK(lp_store_open_source(st, folder(), 1, &out, &info) < 0 && info.why == LP_WHY_NOT_A_FILE, "folder");
  CHECK(counter_of(st, 11) == 0, "files left open: %g", counter_of(st, 11));
  sound s = {.kind = S16, .seed = 1, .channels = 2, .frames = 100, .rate = 4000};
  make_sound(&s, "rate");
  lp_store_config c = {.sample_rate = 44100, .slab_bytes = MIB, .single_step = true, .now_ns = set_now, .context = &clock};
  lp_store *slow = lp_store_create(&c);
  CHECK(lp_store_open_source(slow, s.path, 1, &out, &info) == LP_E_UNSUPPORTED && info.why == LP_WHY_RATE && info.why_value == 4000, "rate");
  CHECK(counter_of(slow, 11) == 0, "files left open");
  lp_store_destroy(slow);
  c.slab_bytes = 3 * LP_UNIT_BYTES;
  CHECK(!lp_store_create(&c), "too small a slab");
  c.slab_bytes = 1e18;
  CHECK(!lp_store_create(&c), "too large a slab");
  lp_store_destroy(st);
}

/* The same requests at the same times give the same reads in the same order. */
static uint64_t play_script(uint64_t seed) {
  static const char *names[] = {"det0", "det1", "det2"};
  static sound sounds[3];
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(10 * LP_UNIT_BYTES, &clock);
  lp_source *sources[3];
  for (int i = 0; i < 3; i++) {
    if (!sounds[i].frames) {
      sounds[i] = (sound){.kind = i == 1 ? S24 : S16, .seed = 500 + (uint32_t)i, .channels = 1 + (uint32_t)i % 2, .frames = 150000 + 50000 * i};
      make_sound(&sounds[i], names[i]);
    }
    sources[i] = open_sound(st, &sounds[i]);
  }
  lp_origin o = {.tick = 1};
  uint64_t random = seed, trace = 1469598103934665603ull;
  for (int i = 0; i < 2000; i++) {
    uint32_t kind = next_random(&random) % 10;
    lp_source *s = sources[next_random(&random) % 3];
    int64_t page = next_random(&random) % s->pages;
    if (kind < 5) {
      lp_want w = {.source = s,
                   .page = page,
                   .first_frame = (int32_t)(next_random(&random) % 8192),
                   .tier = (uint8_t)(next_random(&random) % 2),
                   .deadline_ns = atomic_load(&clock) + next_random(&random) % 300 * MS};
      lp_store_want(st, &o, &w, 1, NULL);
    } else if (kind < 8) {
      lp_store_step(st);
    } else if (kind == 8) {
      o.tick++;
      atomic_fetch_add(&clock, 10 * MS);
    } else {
      lp_store_passed(st, s, page);
    }
    for (int k = 0; k < 3; k++) {
      for (int64_t p = 0; p < sources[k]->pages; p++) {
        uint64_t word = (uint64_t)lp_source_run(sources[k], p * sources[k]->page_frames + sources[k]->page_frames / 2, 9000, NULL) * 8 + cause_at(sources[k], p);
        trace = (trace ^ word) * 1099511628211ull;
      }
    }
  }
  for (int i = 0; i < 3; i++) lp_source_unref(sources[i]);
  lp_store_destroy(st);
  return trace;
}

static void test_determinism(void) {
  CHECK(play_script(5) == play_script(5), "two runs differ");
  CHECK(play_script(5) != play_script(6), "the trace sees nothing");
}

/* ---- speed: not a test, for people ---------------------------------------------------------------------------------- */

static void bench(void) {
  sound s = {.kind = S16, .seed = 601, .channels = 2, .frames = 8192 * 400};
  make_sound(&s, "bench");
  lp_store *st = make_store(64 * MIB, 1);
  lp_source *source = open_sound(st, &s);
  lp_origin o = {.sticky = true};
  lp_want wants[400];
  for (int64_t p = 0; p < 400; p++) wants[p] = (lp_want){.source = source, .page = p, .tier = LP_TIER_REALTIME, .deadline_ns = (uint64_t)p * 170 * MS};
  uint64_t begun = real_now(NULL);
  lp_store_want(st, &o, wants, 400, NULL);
  uint64_t asked = real_now(NULL);
  await_page(st, source, 399);
  uint64_t filled = real_now(NULL);
  printf("  want: %.0f ns a page queued; fill: %.2f us a page (%g reads, read %.2f us, convert %.2f us a page)\n", (double)(asked - begun) / 400,
         (double)(filled - asked) / 400 / 1000, counter_of(st, 6), counter_of(st, 7) / 400 / 1000, counter_of(st, 8) / 400 / 1000);
  begun = real_now(NULL);
  for (int i = 0; i < 100; i++) {
    o.tick++;
    lp_store_want(st, &o, wants, 400, NULL);
  }
  printf("  want: %.0f ns a page that is there\n", (double)(real_now(NULL) - begun) / 40000);
  static float memory[2][4096];
  float *planes[2] = {memory[0], memory[1]};
  uint64_t random = 1;
  enum { N = 200000 };
  static int64_t frames[N];
  for (int i = 0; i < N; i++) frames[i] = next_random(&random) % (uint32_t)(s.frames - 2000);
  int64_t sum = 0;
  begun = real_now(NULL);
  for (int i = 0; i < N; i++) sum += lp_source_run(source, frames[i], 976, NULL);
  uint64_t ran = real_now(NULL);
  for (int i = 0; i < N; i++) lp_source_read(source, frames[i], 256, planes);
  uint64_t read = real_now(NULL);
  for (int i = 0; i < N; i++) {
    lp_view v;
    lp_view_look(&v, source, frames[i], 976);
    sum += lp_view_run(&v, frames[i], 976, NULL);
    lp_view_read(&v, frames[i], 256, planes);
  }
  uint64_t viewed = real_now(NULL);
  printf("  run of 976 frames: %.1f ns; read of 256 stereo s16 frames: %.1f ns; look, run and read by view: %.1f ns (%lld)\n", (double)(ran - begun) / N,
         (double)(read - ran) / N, (double)(viewed - read) / N, (long long)sum);
  lp_source_unref(source);
  lp_store_destroy(st);

  /* As a callback does it: many voices, each at its own place, 256 frames further each time. */
  enum { VOICES = 1000, PASSES = 60 };
  sound all = {.kind = S16, .channels = 2, .frames = 8192ll * 2 * VOICES, .silent = true};
  make_sound(&all, "voices");
  st = make_store(68 * MIB, 2);
  source = open_sound(st, &all);
  for (int64_t p = 0; p < source->pages; p++) want(st, &o, source, p, LP_TIER_REALTIME, 0);
  for (int64_t p = 0; p < source->pages; p++) await_page(st, source, p);
  uint64_t least = UINT64_MAX;
  for (int pass = 0; pass < PASSES; pass++) {
    begun = real_now(NULL);
    for (int64_t v = 0; v < VOICES; v++) {
      int64_t frame = v * 16384 + pass * 256;
      lp_view view;
      lp_view_look(&view, source, frame, 976);
      sum += lp_view_run(&view, frame, 976, NULL);
      lp_view_read(&view, frame, 256, planes);
    }
    uint64_t took = real_now(NULL) - begun;
    if (took < least) least = took;
  }
  printf("  1,000 voices of stereo s16: %.1f ns a voice and callback of 256 frames (%lld)\n", (double)least / VOICES, (long long)sum);
  lp_source_unref(source);
  lp_store_destroy(st);
}

/* --------------------------------------------------------------------------------------------------------------------- */

static const test TESTS[] = {
    {"heap", test_heap},
    {"order", test_order},
    {"queue", test_queue},
    {"fold", test_fold},
    {"linear", test_linear},
    {"view", test_view},
    {"random-order", test_random_order},
    {"valid-range", test_valid_range},
    {"step-order", test_step_order},
    {"rank", test_rank},
    {"plan-marks", test_plan_marks},
    {"handed-over", test_handed_over},
    {"scan", test_scan},
    {"overflow", test_overflow},
    {"tiny-budget", test_tiny_budget},
    {"limbo", test_limbo},
    {"storm", test_storm},
    {"unref", test_unref},
    {"origins", test_origins},
    {"gate", test_gate},
    {"descriptors", test_descriptors},
    {"changed", test_changed},
    {"read-faults", test_read_faults},
    {"bad-page", test_bad_page},
    {"open-errors", test_open_errors},
    {"determinism", test_determinism},
    {"windows", test_windows},
    {"bulkhead", test_bulkhead},
    {"hung-file", test_hung_file},
    {"hang", test_hang}, /* leaks a store on purpose */
};

int main(int argc, char **argv) {
  atexit(end_files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1 && strcmp(argv[1], "list") == 0) {
    for (unsigned i = 0; i < sizeof TESTS / sizeof *TESTS; i++) puts(TESTS[i].name);
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "bench") == 0) {
    bench();
    return 0;
  }
  return run_tests("store_main list | bench |", TESTS, sizeof TESTS / sizeof *TESTS, argc, argv);
}
