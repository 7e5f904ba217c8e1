/* Tests in C of what is had when there is too little, of time or of memory: supply_main <test> … or all. Each ends the process with 1 at its first failure. */
#include <math.h>
#include <string.h>

#include "engine_internal.h"
#include "packer.h"
#include "slow_disk.h"
#include "store_support.h"

#define S 1000000000ull

/* ---- decisions ---------------------------------------------------------------------------------------------------------- */

/* Passes every 20 ms for a time with a slack. */
static void hold(lp_readahead *r, lp_supply *s, uint64_t slack_ns, uint64_t ns) {
  s->slack_ns = slack_ns;
  for (uint64_t t = 0; t < ns; t += 20 * MS) {
    s->now_ns += 20 * MS;
    lp_readahead_step(r, s);
  }
}

static void test_readahead(void) {
  CHECK(lp_readahead_ns(0) == 10 * S && lp_readahead_ns(1) == 15 * S && lp_readahead_ns(2) == 20 * S && lp_readahead_ns(3) == 30 * S, "the steps");
  lp_readahead r = { 0 };
  lp_supply s = { .now_ns = 5 * S, .wanted_ns = 10 * S };
  hold(&r, &s, 4 * S, S);
  CHECK(r.level == 0, "a moment is not enough");
  hold(&r, &s, 9 * S, 100 * MS);
  hold(&r, &s, 4 * S, S);
  CHECK(r.level == 0, "it begins anew after a good moment");
  hold(&r, &s, 4 * S, 40 * MS);
  CHECK(r.level == 1, "level %u", r.level);
  s.wanted_ns = 15 * S;
  hold(&r, &s, 7 * S, 3 * S);
  CHECK(r.level == 3, "level %u: a step a second", r.level);
  hold(&r, &s, 0, 10 * S);
  CHECK(r.level == 3, "no further");
  /* Neither late nor calm: it stays. */
  s.wanted_ns = 30 * S;
  hold(&r, &s, 18 * S, 60 * S);
  CHECK(r.level == 3, "level %u", r.level);
  hold(&r, &s, UINT64_MAX, 9 * S);
  hold(&r, &s, 18 * S, 20 * MS);
  hold(&r, &s, UINT64_MAX, 9 * S);
  CHECK(r.level == 3, "not calm for long enough");
  hold(&r, &s, 23 * S, 11 * S);
  CHECK(r.level == 2, "level %u", r.level);
  hold(&r, &s, UINT64_MAX, 60 * S);
  CHECK(r.level == 0, "back to the base, and no less");
  /* A read that hangs presses, whatever is there still. */
  s.stalled = true;
  hold(&r, &s, UINT64_MAX, S + 40 * MS);
  CHECK(r.level == 1, "level %u", r.level);
  lp_readahead first = { 0 };
  lp_supply zero = { .wanted_ns = 10 * S };
  lp_readahead_step(&first, &zero);
  CHECK(first.level == 0, "the clock begins at 0");
  lp_readahead_pause(&r);
  hold(&r, &s, UINT64_MAX, S);
  CHECK(r.level == 1, "what was before a pause does not count");
}

static uint32_t turns; /* of slow_disk */
static void hold_disk(lp_slow_disk *d, lp_supply *s, uint64_t slack_ns, uint64_t ns) {
  s->slack_ns = slack_ns;
  for (uint64_t t = 0; t < ns; t += 20 * MS) {
    bool before = d->slow;
    s->now_ns += 20 * MS;
    lp_slow_disk_step(d, s);
    turns += d->slow != before;
  }
}

static void test_slow_disk(void) {
  lp_slow_disk d = { 0 };
  lp_supply s = { .now_ns = S, .wanted_ns = 10 * S };
  hold_disk(&d, &s, 1100 * MS, 10 * S);
  hold_disk(&d, &s, 0, 80 * MS);
  CHECK(!d.slow, "right after a seek there is nothing for a moment");
  hold_disk(&d, &s, UINT64_MAX, S);
  hold_disk(&d, &s, 900 * MS, 140 * MS);
  CHECK(d.slow && turns == 1, "slow");
  /* Between little and enough nothing changes, and a good moment is not enough. */
  hold_disk(&d, &s, 1900 * MS, 10 * S);
  hold_disk(&d, &s, 5 * S, 400 * MS);
  hold_disk(&d, &s, 1900 * MS, 20 * MS);
  hold_disk(&d, &s, 5 * S, 400 * MS);
  CHECK(d.slow && turns == 1, "%u turns", turns);
  hold_disk(&d, &s, 2100 * MS, 600 * MS);
  CHECK(!d.slow && turns == 2, "fast");
  /* Where a read hangs it does not wait. */
  s.stalled = true;
  hold_disk(&d, &s, 1900 * MS, 20 * MS);
  CHECK(d.slow, "at once");
  hold_disk(&d, &s, UINT64_MAX, 10 * S);
  CHECK(d.slow, "not back while it hangs");
  s.stalled = false;
  hold_disk(&d, &s, UINT64_MAX, 600 * MS);
  CHECK(!d.slow, "back");
  /* With a budget of two pages a voice all of it is smaller. */
  s.wanted_ns = 170 * MS;
  hold_disk(&d, &s, 50 * MS, 10 * S);
  CHECK(!d.slow, "a quarter is there");
  hold_disk(&d, &s, 40 * MS, 140 * MS);
  CHECK(d.slow, "less");
  hold_disk(&d, &s, 85 * MS, 600 * MS);
  CHECK(!d.slow, "half of it is enough");
  CHECK(lp_slow_disk_skip_ns(10 * S) == 500 * MS && lp_slow_disk_skip_ns(170 * MS) == 42500000, "what is skipped");
}

/* --------------------------------------------------------------------------------------------------------------------------- */

typedef struct test {
  const char *name;
  void (*run)(void);
} test;

static const test TESTS[] = {
  { "readahead", test_readahead },
  { "slow-disk", test_slow_disk },
};

int main(int argc, char **argv) {
  atexit(end_files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  bool all = argc > 1 && strcmp(argv[1], "all") == 0;
  int run = 0;
  for (unsigned i = 0; i < sizeof TESTS / sizeof *TESTS; i++) {
    bool named = all;
    for (int a = 1; a < argc; a++) named = named || strcmp(argv[a], TESTS[i].name) == 0;
    if (!named) continue;
    uint64_t begun = real_now(NULL);
    TESTS[i].run();
    printf("ok %s (%llu ms)\n", TESTS[i].name, (unsigned long long)((real_now(NULL) - begun) / MS));
    run++;
  }
  if (!run) fputs("usage: supply_main all | <test> ...\n", stderr);
  return run ? 0 : 2;
}
