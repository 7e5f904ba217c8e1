/* What lp_source_columns says of pages that cannot be read, and while pages come and go. Ends with 1 at its first failure. */
#include <errno.h>
#include <string.h>

#include "engine.h"
#include "store_support.h"

#define PAGE 8192
#define PAGES 8

static double first[PAGES], end[PAGES];

static void check_columns(uint32_t engine, uint32_t source, const char *expected) {
  uint8_t out[PAGES] = {0};
  CHECK(lp_source_columns(engine, source, first, end, 0, PAGES, 0, PAGES * PAGE, 0, 1, out) == LP_OK, "columns");
  for (int c = 0; c < PAGES; c++) CHECK("ipo"[out[c]] == expected[c], "column %d is %c, not as in %s", c, "ipo"[out[c]], expected);
}

static void read_page(uint32_t engine, uint32_t source, int page) {
  CHECK(lp_source_prefetch(engine, source, page * PAGE, (page + 1) * PAGE) == LP_OK, "prefetch");
  while (lp_step_fill(engine) > 0) {
  }
}

static uint32_t open_source(uint32_t engine, const sound *s) {
  lp_source_info info;
  int32_t source = lp_source_open(engine, (const uint8_t *)s->path, (uint32_t)strlen(s->path), (uint8_t *)&info, sizeof info);
  CHECK(source > 0, "open: %d", source);
  return (uint32_t)source;
}

/* One page that cannot be read is told from its neighbours; three failures in a row are the file's; a read that succeeds mends it. */
static void test_failures(void) {
  sound s = {.kind = S16, .seed = 3, .channels = 1, .frames = PAGES * PAGE};
  make_sound(&s, "failures");
  int32_t made = lp_engine_create(RATE, 4 * MIB, 1, LP_ENGINE_SINGLE_STEP | LP_ENGINE_MANUAL_CLOCK);
  CHECK(made > 0, "engine: %d", made);
  uint32_t engine = (uint32_t)made, source = open_source(engine, &s);
  check_columns(engine, source, "pppppppp");
  read_page(engine, source, 1);
  read_fault = -EIO;
  read_page(engine, source, 3);
  check_columns(engine, source, "pipopppp");
  /* Two columns a page, and one column for all: the worst counts. */
  uint8_t out[2] = {0};
  const double half[2] = {3 * PAGE, 3.5 * PAGE}, half_end[2] = {3.5 * PAGE, 4 * PAGE};
  CHECK(lp_source_columns(engine, source, half, half_end, 0, 2, 0, PAGES * PAGE, 0, 1, out) == LP_OK, "halves");
  CHECK(out[0] == LP_UNREADABLE && out[1] == LP_UNREADABLE, "halves %u %u", out[0], out[1]);
  out[0] = LP_READY;
  const double all = 0, all_end = PAGES * PAGE;
  CHECK(lp_source_columns(engine, source, &all, &all_end, 0, 1, 0, PAGES * PAGE, 0, 1, out) == LP_OK && out[0] == LP_UNREADABLE, "all");
  /* Moved: what stands at frame 0 is the source's third page, and behind the last one is silence. */
  uint8_t moved[PAGES] = {0};
  CHECK(lp_source_columns(engine, source, first, end, 0, PAGES, 0, PAGES * PAGE, 3 * PAGE, 1, moved) == LP_OK, "moved");
  for (int c = 0; c < PAGES; c++) CHECK("ipo"[moved[c]] == "oppppiii"[c], "moved column %d is %u", c, moved[c]);
  /* What was raised is never lowered, and columns beside are left alone. */
  uint8_t kept[PAGES] = {LP_NOT_READ, LP_NOT_READ, 0, 0, 0, LP_UNREADABLE, 0, 0};
  CHECK(lp_source_columns(engine, source, first, end, 1, 2, 0, PAGES * PAGE, 0, 1, kept) == LP_OK, "kept");
  CHECK(kept[0] == LP_NOT_READ && kept[1] == LP_NOT_READ && kept[2] == 0 && kept[5] == LP_UNREADABLE, "kept");
  /* The file as a whole. */
  read_page(engine, source, 5);
  read_page(engine, source, 7);
  check_columns(engine, source, "oioooooo");
  read_fault = 0;
  CHECK(lp_clock_set(engine, 10000) == LP_OK, "clock");
  read_page(engine, source, 0);
  check_columns(engine, source, "iipopopo"); /* which pages failed is remembered until they are read */
  for (int page = 0; page < PAGES; page++) read_page(engine, source, page);
  check_columns(engine, source, "iiiiiiii");
  CHECK(lp_source_columns(engine, source + 1, first, end, 0, PAGES, 0, 1, 0, 1, out) == LP_E_HANDLE, "no source");
  CHECK(lp_source_columns(engine + 1, source, first, end, 0, PAGES, 0, 1, 0, 1, out) == LP_E_HANDLE, "no engine");
  CHECK(lp_source_columns(engine, source, first, end, 2, 1, 0, 1, 0, 1, out) == LP_E_ARGUMENT, "columns backwards");
  CHECK(lp_source_columns(engine, source, first, end, 0, 1, 0.0 / 0.0, 1, 0, 1, out) == LP_E_ARGUMENT, "not a number");
  CHECK(lp_engine_close(engine) == 0, "close");
}

/* Asked without end while pages come and go: nothing but the three answers, and no data race. */
static void test_churn(void) {
  sound s = {.kind = S16, .seed = 4, .channels = 1, .frames = PAGES * PAGE};
  make_sound(&s, "churn");
  int32_t made = lp_engine_create(RATE, MIB, 3, 0);
  CHECK(made > 0, "engine: %d", made);
  uint32_t engine = (uint32_t)made, source = open_source(engine, &s);
  uint32_t seen[3] = {0};
  for (int turn = 0; turn < 2000 || !seen[LP_READY] || !seen[LP_NOT_READ]; turn++) {
    uint8_t out[PAGES] = {0};
    CHECK(lp_source_prefetch(engine, source, 0, PAGES * PAGE) == LP_OK, "prefetch");
    CHECK(lp_source_columns(engine, source, first, end, 0, PAGES, 0, PAGES * PAGE, 0, 1, out) == LP_OK, "columns");
    for (int c = 0; c < PAGES; c++) {
      CHECK(out[c] <= LP_NOT_READ, "column %d is %u", c, out[c]);
      seen[out[c]]++;
    }
    if (turn % 8 == 7) CHECK(lp_store_drop(engine) >= 0, "drop");
  }
  CHECK(lp_engine_close(engine) == 0, "close");
}

int main(void) {
  for (int c = 0; c < PAGES; c++) {
    first[c] = c * PAGE;
    end[c] = (c + 1) * PAGE;
  }
  test_failures();
  test_churn();
  end_files();
  return 0;
}
