/* Faults, heard: fault_main <test> … or all. Each ends the process with 1 at its first failure.
 *
 * A scene plays the same mix on two engines in step, block by block: the live one with its threads, in a store that holds a second of what plays, and a control one whose files no
 * fault touches and that has every page before it needs it. What no fault touches sounds on the left alone, what one does on the right alone. Before each block the scene waits
 * until the untouched frames of it are in memory: a fault that kept them away would be waited for in vain. So nothing hangs on how fast or busy the machine is.
 *
 * Of each fault it is checked on the samples: the left is the control's, bit for bit, throughout; the right is what is on disk, sunk by fades that start before a hole and after it,
 * and when the fault is over it is the control's again. And of the counters: nothing of the untouched tracks is missing or faded; what is missing is the same by cause, by track
 * and by the gaps that were told, and frames that were silent are as many as were missing. When all is over nothing is left: no page, file, thread or descriptor. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "engine.h"
#include "fill_queue.h"
#include "packer.h"
#include "store_support.h"

enum {
  BLOCK = 256,
  FADE = 720,
  THREADS = 4,
  WELL = 3,        /* untouched tracks */
  MOST = 64,       /* tracks of a scene */
  LENGTH = 192000, /* of a loop, of each file */
  PATIENCE_MS = 240000,
};

/* ---- what sounds ------------------------------------------------------------------------------------------------------------- */

typedef struct part {
  uint32_t source;
  int64_t at, length;
  float left, right;      /* gains */
  const uint32_t *chain;  /* else sources of that length, one after another */
  uint32_t chained;
} part;

/* One side of a scene. */
typedef struct player {
  uint32_t engine, renderer;
  uint32_t source[MOST];
  uint32_t next_id;
  double revision;
  double told; /* frames of the gaps that were told */
  uint32_t gaps;
  bool stepped; /* by hand, else by threads */
  float out[2 * BLOCK];
} player;

/* Publishes one clip a track; track i is slot i, its clip i + 1. The first `kept` tracks are as they were published last. */
static void publish(player *p, const part *parts, uint32_t count, uint32_t kept) {
  packed b = { 0 };
  uint32_t clips = 0;
  for (uint32_t i = kept; i < count; i++) clips += parts[i].chain ? parts[i].chained : 1;
  packed_u32(&b, 0x314B504Cu);
  packed_u32(&b, 32 + kept * 24 + (count - kept) * (40 + 24 + 24) + clips * 64);
  packed_f64(&b, ++p->revision);
  packed_u32(&b, 0);
  packed_u32(&b, count - kept);
  packed_u32(&b, count);
  packed_u32(&b, 0);
  for (uint32_t i = kept; i < count; i++) {
    packed_u32(&b, p->next_id + i);
    for (int k = 0; k < 3; k++) packed_u32(&b, 0);
    packed_f64(&b, 0);
    packed_f64(&b, 0);
    const uint32_t n = parts[i].chain ? parts[i].chained : 1;
    packed_u32(&b, n);
    packed_u32(&b, 0);
    for (uint32_t c = 0; c < n; c++) {
      packed_u32(&b, c * MOST + i + 1);
      packed_u32(&b, parts[i].chain ? parts[i].chain[c] : parts[i].source);
      packed_f64(&b, (double)(c * parts[i].length));
      packed_f64(&b, (double)parts[i].length);
      packed_f64(&b, 0);
      packed_f64(&b, 1);
      for (int k = 0; k < 2; k++) packed_f64(&b, 0);
      packed_f32(&b, 1);
      packed_u32(&b, 0);
    }
  }
  for (uint32_t i = 0; i < count; i++) {
    packed_u32(&b, i);
    packed_u32(&b, i >= kept);
    packed_f32(&b, parts[i].left);
    packed_f32(&b, parts[i].right);
    packed_u32(&b, i < kept);
    packed_u32(&b, 0);
    if (i < kept) continue;
    packed_u32(&b, 1);
    packed_u32(&b, p->next_id + i);
    packed_u32(&b, 0);
    packed_u32(&b, 0);
    packed_f64(&b, (double)parts[i].at);
  }
  p->next_id += count;
  const int32_t result = lp_publish(p->renderer, b.bytes, (uint32_t)b.count);
  CHECK(result == LP_OK, "publish: %d", result);
  free(b.bytes);
}

static player open_player(double slab_bytes, uint32_t flags) {
  int32_t e = lp_engine_create(RATE, slab_bytes, THREADS, LP_ENGINE_MANUAL_CLOCK | flags);
  CHECK(e > 0, "engine: %d", e);
  int32_t r = lp_renderer_create((uint32_t)e, 0);
  CHECK(r > 0, "renderer: %d", r);
  return (player){ .engine = (uint32_t)e, .renderer = (uint32_t)r, .next_id = 1, .stepped = (flags & LP_ENGINE_SINGLE_STEP) != 0 };
}

static uint32_t open_path(uint32_t engine, const char *path) {
  lp_source_info info;
  int32_t handle = lp_source_open(engine, (const uint8_t *)path, (uint32_t)strlen(path), (uint8_t *)&info, sizeof info);
  CHECK(handle > 0, "%s: %d", path, handle);
  return (uint32_t)handle;
}

static double counter(const player *p, int i) {
  double c[25];
  CHECK(lp_counters(p->renderer, c, 25) == 25, "counters");
  return c[i];
}

static double store_counter(const player *p, int i) {
  double c[19];
  CHECK(lp_store_counters(p->engine, c, 19) == 19, "counters of the store");
  return c[i];
}

static double position_field(const player *p, int i) {
  double f[16];
  CHECK(lp_position(p->renderer, f, 16) == LP_OK, "position");
  return f[i];
}

/* Takes what was told of gaps; each must be of a cause in the set. */
static void take_gaps(player *p, uint32_t causes) {
  static lp_event events[256];
  int32_t n;
  do {
    n = lp_events(p->renderer, (uint8_t *)events, sizeof events);
    for (int32_t i = 0; i < n; i++) {
      CHECK(events[i].kind != LP_EV_LOST, "events were lost");
      if (events[i].kind != LP_EV_GAP_BEGIN && events[i].kind != LP_EV_GAP_END) continue;
      CHECK(causes >> events[i].cause & 1, "a gap of track %u by cause %u", events[i].track, events[i].cause);
      CHECK(events[i].clip == events[i].track + 1, "clip %u of track %u", events[i].clip, events[i].track);
      p->gaps += events[i].kind == LP_EV_GAP_BEGIN;
      if (events[i].kind == LP_EV_GAP_END) p->told += events[i].b;
    }
  } while (n == 256);
}

/* All that was missing is explained: by cause, by track, by what was told; and so is what faded. No track before `well` lost anything. */
static void check_accounts(player *p, uint32_t tracks, uint32_t well, uint32_t causes) {
  double by_cause[2] = { 0 }, by_track[2] = { 0 };
  for (int kind = 0; kind < 2; kind++)
    for (int cause = 0; cause < LP_CAUSES; cause++) {
      const double n = counter(p, 4 + kind * LP_CAUSES + cause);
      by_cause[kind] += n;
      CHECK(n == 0 || causes >> cause & 1, "%g frames %s by cause %d", n, kind ? "faded" : "missing", cause);
    }
  for (uint32_t i = 0; i < tracks; i++) {
    double n[2];
    CHECK(lp_track_counters(p->renderer, i, n, 2) >= 0, "track %u", i);
    CHECK(i >= well || (n[0] == 0 && n[1] == 0), "track %u: %g missing, %g faded", i, n[0], n[1]);
    by_track[0] += n[0];
    by_track[1] += n[1];
  }
  const double missing = counter(p, 2), faded = counter(p, 3);
  CHECK(by_cause[0] == missing && by_track[0] == missing && p->told == missing, "%g missing, %g by cause, %g by track, %g told", missing, by_cause[0],
        by_track[0], p->told);
  CHECK(by_cause[1] == faded && by_track[1] == faded, "%g faded, %g by cause, %g by track", faded, by_cause[1], by_track[1]);
}

/* ---- what is left ------------------------------------------------------------------------------------------------------------ */

static uint32_t entries(const char *path) {
  uint32_t n = 0;
  DIR *d = opendir(path);
  CHECK(d, "%s", path);
  while (readdir(d)) n++;
  closedir(d);
  return n;
}

static uint32_t descriptors(void) { return entries("/proc/self/fd"); }
static uint32_t threads(void) { return entries("/proc/self/task"); }

/* The system forgets a thread a moment after it was joined. */
static void check_left(uint32_t fds, uint32_t tasks) {
  const uint64_t until = real_now(NULL) + PATIENCE_MS * MS;
  while (threads() > tasks && real_now(NULL) < until) sleep_ms(1);
  CHECK(descriptors() == fds && threads() == tasks, "%u descriptors and %u threads, not %u and %u", descriptors(), threads(), fds, tasks);
}

/* Nothing of the engine is in use any more once its mix and sources are gone; closes it. */
static void close_player(player *p) {
  publish(p, NULL, 0, 0);
  for (int i = 0; i < MOST; i++)
    if (p->source[i]) CHECK(lp_source_close(p->engine, p->source[i]) == LP_OK, "source %d", i);
  const uint64_t until = real_now(NULL) + PATIENCE_MS * MS;
  for (;;) {
    /* The old mix goes when the callback has left it, and somebody looks. */
    (void)lp_step_follow(p->engine);
    CHECK(lp_render(p->renderer, p->out, BLOCK) == LP_OK, "render");
    if (store_counter(p, 1) == store_counter(p, 0) && store_counter(p, 2) == 0 && store_counter(p, 9) == 0 && store_counter(p, 11) == 0 &&
        (store_counter(p, 18) == THREADS || store_counter(p, 18) == 0))
      break;
    CHECK(real_now(NULL) < until, "%g of %g units free, %g pages, %g queued, %g files open, %g threads", store_counter(p, 1), store_counter(p, 0), store_counter(p, 2),
          store_counter(p, 9), store_counter(p, 11), store_counter(p, 18));
    sleep_ms(1);
  }
  CHECK(lp_engine_close(p->engine) == 0, "threads are left");
}

/* ---- scenes ------------------------------------------------------------------------------------------------------------------- */

typedef struct scene {
  player live, control;
  uint32_t sick; /* tracks that the fault touches, after the WELL ones */
  uint32_t causes;
  part parts[MOST], control_parts[MOST];
  sound files[MOST];
  uint32_t descriptors, threads;
  int64_t frame;  /* rendered since the loop began to be played */
  bool exact;     /* the right is one track that is old sound or sunk or silent: presence is followed */
  float presence; /* of the last frame */
  uint64_t silent; /* frames of the right that were silent while it was followed */
  uint64_t held;  /* frames without a break in which the right was the control's */
} scene;

/* Of the sick files. */
static uint32_t sick_channels = 1;

static const sound *well_sound(uint32_t i) {
  static sound sounds[WELL] = {
    { .kind = S16, .seed = 701, .channels = 2, .frames = LENGTH },
    { .kind = S24, .seed = 702, .channels = 1, .frames = LENGTH },
    { .kind = S16, .seed = 703, .channels = 1, .frames = LENGTH * 147 / 160, .rate = 44100 },
  };
  if (!sounds[i].path[0]) {
    char name[32];
    snprintf(name, sizeof name, "well%u", i);
    make_sound(&sounds[i], name);
  }
  return &sounds[i];
}

static uint64_t inode_of(const char *path) {
  struct stat st;
  CHECK(stat(path, &st) == 0, "%s", path);
  return st.st_ino;
}

static void start(player *p, const part *parts, uint32_t count) {
  publish(p, parts, count, 0);
  CHECK(lp_transport_loop(p->renderer, 1, 0, LENGTH) == LP_OK && lp_transport_play(p->renderer, 0, NAN) == LP_OK, "play");
}

static void settle(const player *p) {
  for (int pass = 0; pass < 2; pass++) {
    lp_step_follow(p->engine);
    while (lp_step_fill(p->engine) > 0) continue;
  }
}

static double clock_ms(void) { return (double)real_now(NULL) / 1e6; }

/* Frames from `at` on that are there, of at most n, round the loop. */
static int64_t run_of(const player *p, uint32_t source, int64_t at, int64_t n) {
  int64_t here = n < LENGTH - at ? n : LENGTH - at;
  int64_t run = (int64_t)lp_source_resident(p->engine, source, (double)at, (double)here);
  return run < here || here == n ? run : run + run_of(p, source, 0, n - here);
}

/* Waits until frames of these tracks are there; by default what the next block plays and how far it looks ahead for a fade. */
static void supply_frames(const player *p, const part *parts, uint32_t from, uint32_t to, int64_t at, int64_t n) {
  const double until = clock_ms() + PATIENCE_MS;
  if (p->stepped) settle(p);
  /* All at once: in a small store one may go while another comes. */
  for (uint32_t i = from; i < to;) {
    if (run_of(p, parts[i].source, at, n) >= n) {
      i++;
      continue;
    }
    CHECK(!p->stepped && clock_ms() < until, "track %u does not get what it plays at frame %lld", i, (long long)at);
    sleep_ms(1);
    i = from;
  }
}

static void supply(const player *p, const part *parts, uint32_t from, uint32_t to, int64_t at) { supply_frames(p, parts, from, to, at, BLOCK + FADE); }

/* Follows how far the sick track is faded, on what was heard of it. */
static void follow_presence(scene *s, int64_t at, float right, float whole) {
  if (whole == 0) return;
  const float p = right / whole;
  CHECK(p >= 0 && p <= 1.000001f, "frame %lld is %g where the file has %g", (long long)at, (double)right, (double)whole);
  s->silent += right == 0;
  /* What lies beyond a jump is not looked at ahead of it, so there a hole may begin at once. */
  const bool jumps = at == 0 && p < s->presence;
  CHECK(jumps || fabsf(p - s->presence) <= 1.001f / FADE, "from %g to %g at frame %lld", (double)s->presence, (double)p, (long long)at);
  s->presence = p;
}

/* Renders one block on both. all: the sick tracks are waited for too. */
static void block(scene *s, bool all) {
  const uint32_t tracks = WELL + s->sick;
  const int64_t at = s->frame % LENGTH;
  supply(&s->live, s->parts, 0, all ? tracks : WELL, at);
  settle(&s->control);
  CHECK(lp_render(s->live.renderer, s->live.out, BLOCK) == LP_OK && lp_render(s->control.renderer, s->control.out, BLOCK) == LP_OK, "render");
  for (int i = 0; i < BLOCK; i++) {
    const float left = s->live.out[2 * i], right = s->live.out[2 * i + 1], whole = s->control.out[2 * i + 1];
    CHECK(left == s->control.out[2 * i], "the left at frame %lld is %g, not %g", (long long)(at + i), (double)left, (double)s->control.out[2 * i]);
    s->held = right == whole ? s->held + 1 : 0;
    if (s->exact) follow_presence(s, (at + i) % LENGTH, right, whole);
  }
  s->frame += BLOCK;
  take_gaps(&s->live, s->causes);
}

static void blocks(scene *s, uint32_t n, bool all) {
  while (n-- > 0) block(s, all);
}

/* Renders until the right has been the control's for a whole turn. */
static void heal(scene *s) {
  const double until = clock_ms() + PATIENCE_MS;
  for (s->held = 0; s->held < LENGTH;) {
    CHECK(clock_ms() < until, "it does not heal");
    block(s, false);
    /* The threads need time; where they have had it nobody waits. */
    if (run_of(&s->live, s->parts[WELL].source, s->frame % LENGTH, LENGTH / 8) < LENGTH / 8) sleep_ms(2);
  }
}

/* A scene of so many sick tracks, that has played for a while as it should. */
static void open_scene_in(scene *s, uint32_t sick, double slab_bytes, uint32_t causes, uint32_t flags) {
  *s = (scene){ .sick = sick, .causes = causes, .exact = sick == 1, .presence = 1, .descriptors = descriptors(), .threads = threads() };
  s->live = open_player(slab_bytes, flags);
  s->control = open_player(256e6, LP_ENGINE_SINGLE_STEP);
  for (uint32_t i = 0; i < WELL + sick; i++) {
    sound *f = &s->files[i];
    const bool well = i < WELL;
    if (well) {
      *f = *well_sound(i);
      s->control.source[i] = open_path(s->control.engine, f->path);
    } else {
      *f = (sound){ .kind = sick_channels > 2 ? F32 : S16, .seed = 710 + i, .channels = sick_channels, .frames = LENGTH };
      char name[32];
      snprintf(name, sizeof name, "control%u", i);
      make_sound(f, name);
      s->control.source[i] = open_path(s->control.engine, f->path);
      snprintf(name, sizeof name, "sick%u", i);
      make_sound(f, name);
      if (i - WELL < FAULTY_FILES) atomic_store(&faulty_inodes[i - WELL], inode_of(f->path));
    }
    s->live.source[i] = open_path(s->live.engine, f->path);
    /* Powers of two: exact. */
    s->parts[i] = (part){ s->live.source[i], 0, LENGTH, well ? 0.25f : 0, well ? 0 : 1 };
    s->control_parts[i] = s->parts[i];
    s->control_parts[i].source = s->control.source[i];
  }
  start(&s->live, s->parts, WELL + sick);
  start(&s->control, s->control_parts, WELL + sick);
  const double until = clock_ms() + PATIENCE_MS;
  while (position_field(&s->live, 15) != 0 || run_of(&s->live, s->parts[WELL].source, 0, BLOCK + FADE) < BLOCK + FADE) {
    CHECK(clock_ms() < until, "it does not begin");
    if (s->live.stepped) settle(&s->live);
    else sleep_ms(1);
  }
  blocks(s, 40, true);
  CHECK(s->held == s->frame && counter(&s->live, 2) == 0 && counter(&s->live, 3) == 0, "without a fault all is heard");
}

static void open_scene(scene *s, uint32_t sick, double slab_bytes, uint32_t causes) { open_scene_in(s, sick, slab_bytes, causes, 0); }

static void close_scene(scene *s) {
  const bool silent = s->exact;
  publish(&s->live, s->parts, WELL, WELL);
  s->exact = false;
  blocks(s, 8, false);
  if (silent) CHECK((double)s->silent == counter(&s->live, 2), "%llu frames were silent, %g counted", (unsigned long long)s->silent, counter(&s->live, 2));
  check_accounts(&s->live, WELL + s->sick, WELL, s->causes);
  CHECK(counter(&s->control, 2) == 0 && counter(&s->control, 3) == 0, "the control has all");
  close_player(&s->live);
  close_player(&s->control);
  for (int i = 0; i < FAULTY_FILES; i++) atomic_store(&faulty_inodes[i], 0);
  check_left(s->descriptors, s->threads);
}

#define CAUSE(name) (1u << LP_CAUSE_##name)
/* What a page that is asked for too late, or evicted for another, is missing by. */
#define LATE (CAUSE(QUEUE) | CAUSE(READ) | CAUSE(BUDGET))
/* Holds about a second of what plays. */
#define A_SECOND 1.2e6

/* Renders until the right has missed so many frames more, by a cause (< 0: by any). */
static void miss_by(scene *s, int cause, double frames) {
  const int i = cause < 0 ? 2 : 4 + cause;
  const double until = clock_ms() + PATIENCE_MS, enough = counter(&s->live, i) + frames;
  while (counter(&s->live, i) < enough) {
    CHECK(clock_ms() < until, "nothing is missing by cause %d", cause);
    block(s, false);
    if (cause >= 0) sleep_ms(1); /* it is known only when somebody has tried */
  }
}

static void miss(scene *s, double frames) { miss_by(s, -1, frames); }

/* ---- faults of reads -------------------------------------------------------------------------------------------------------------- */

static void test_delay(void) {
  scene s;
  open_scene(&s, 1, A_SECOND, LATE);
  atomic_store(&read_delay_ms, 20);
  blocks(&s, 1500, false);
  atomic_store(&read_delay_ms, 0);
  heal(&s);
  close_scene(&s);
}

/* wide: the file takes so many reads that it could hold up more threads than its whole volume may, on which the untouched lie too. */
static void hang_once(bool wide) {
  scene s;
  sick_channels = wide ? LP_MAX_CHANNELS : 1;
  open_scene(&s, 1, wide ? 20e6 : A_SECOND, LATE | CAUSE(STALLED));
  atomic_store(&reads_hang, true);
  if (wide) {
    /* All of it was read already. It stops without a fade then: no fault does that. */
    s.exact = false;
    lp_store_drop(s.live.engine);
  }
  miss(&s, 20000);
  const double until = clock_ms() + PATIENCE_MS;
  while (store_counter(&s.live, 15) < 1) {
    CHECK(clock_ms() < until, "a read that hangs is not found stalled");
    sleep_ms(1);
  }
  /* By now as many hang as may. What the others need is read all the same. */
  if (wide) lp_store_drop(s.live.engine);
  miss_by(&s, LP_CAUSE_STALLED, 1);
  CHECK(atomic_load(&reads_hanging) <= THREADS + 2, "%d hang", atomic_load(&reads_hanging));
  atomic_store(&reads_hang, false);
  heal(&s);
  close_scene(&s);
  sick_channels = 1;
}

static void test_hang(void) { hang_once(false); }
static void test_hang_wide(void) { hang_once(true); }

static void test_eio(void) {
  scene s;
  open_scene(&s, 1, A_SECOND, LATE);
  atomic_store(&read_fault, -EIO);
  miss_by(&s, LP_CAUSE_READ, 20000);
  atomic_store(&read_fault, 0);
  heal(&s);
  close_scene(&s);
}

static void test_short_reads(void) {
  scene s;
  open_scene(&s, 1, A_SECOND, LATE);
  atomic_store(&read_shortfall, 7);
  miss(&s, 40000);
  atomic_store(&read_shortfall, 0);
  heal(&s);
  close_scene(&s);
}

/* Waits until frames of the sick track are there. */
static void await_run(const scene *s, int64_t at, int64_t n) {
  const double until = clock_ms() + PATIENCE_MS;
  while (run_of(&s->live, s->parts[WELL].source, at, n) < n) {
    CHECK(clock_ms() < until, "frame %lld does not come", (long long)at);
    sleep_ms(1);
  }
}

/* One bad spot costs no more than its page. */
static void test_bad_spot(void) {
  scene s;
  open_scene(&s, 1, A_SECOND, LATE);
  const int64_t page = 5, first = page * LP_S16_PAGE_FRAMES, end = first + LP_S16_PAGE_FRAMES;
  atomic_store(&bad_frame, first + 1000);
  /* It may be there for a turn, until it gives way to what comes. */
  while (s.frame % LENGTH != 0 || counter(&s.live, 2) == 0) {
    const int64_t at = s.frame % LENGTH;
    const bool near = at + BLOCK + FADE > first && at < end;
    if (near && at < first) await_run(&s, at, first - at);
    if (near && at + BLOCK + FADE > end) await_run(&s, end, at + BLOCK + FADE - end);
    block(&s, !near);
  }
  atomic_store(&bad_frame, -1);
  CHECK(counter(&s.live, 2) <= LP_S16_PAGE_FRAMES && s.live.gaps == 1, "%g missing in %u gaps", counter(&s.live, 2), s.live.gaps);
  heal(&s);
  close_scene(&s);
}

/* Every thread of the pool is held by reads that hang, and as many as may take their place; what is due elsewhere is read all the same. */
static void test_every_slot(void) {
  scene s;
  atomic_store(&volumes_by_size, true);
  open_scene(&s, 14, 4 * A_SECOND, LATE | CAUSE(STALLED));
  lp_store_drop(s.live.engine);
  atomic_store(&reads_hang, true);
  const double until = clock_ms() + PATIENCE_MS;
  /* What was dropped is asked for anew. */
  CHECK(lp_transport_play(s.live.renderer, NAN, NAN) == LP_OK, "play");
  CHECK(lp_transport_play(s.control.renderer, NAN, NAN) == LP_OK, "play");
  while (atomic_load(&reads_hanging) < THREADS) {
    CHECK(clock_ms() < until, "%d hang", atomic_load(&reads_hanging));
    sleep_ms(1);
  }
  const int most = THREADS + 8;
  for (int i = 0; i < 1000; i++) {
    block(&s, false);
    CHECK(atomic_load(&reads_hanging) <= most, "%d hang", atomic_load(&reads_hanging));
  }
  CHECK(counter(&s.live, 2) > 0, "nothing is missing");
  atomic_store(&reads_hang, false);
  heal(&s);
  close_scene(&s);
  atomic_store(&volumes_by_size, false);
}

/* ---- faults of files ---------------------------------------------------------------------------------------------------------------- */

/* The file becomes another one; what is heard is the old one or nothing until it is opened anew, as Pulse does when it sees it, and the new one from then on. */
static void test_changed_file(void) {
  for (int way = 0; way < 3; way++) {
    scene s;
    open_scene(&s, 1, A_SECOND, LATE | CAUSE(ABSENT));
    sound *f = &s.files[WELL], other = *f;
    other.seed = 900 + (uint32_t)way;
    sleep_ms(20); /* past the granularity of the file system's times */
    if (way == 0) {
      CHECK(truncate(f->path, 44 + LENGTH) == 0, "truncate");
      other = *f;
      other.frames = LENGTH / 2;
    } else if (way == 1) {
      snprintf(other.path, sizeof other.path, "%s/replacement.wav", folder());
      make_sound(&other, NULL);
      CHECK(rename(other.path, f->path) == 0, "rename");
    } else {
      make_sound(&other, NULL);
    }
    miss_by(&s, LP_CAUSE_ABSENT, 20000);
    CHECK(lp_source_stale(s.live.engine, s.parts[WELL].source) == 1 && lp_source_stale(s.live.engine, s.parts[0].source) == 0, "the changed one is stale");
    CHECK((double)s.silent == counter(&s.live, 2), "%llu frames were silent, %g counted", (unsigned long long)s.silent, counter(&s.live, 2));
    s.exact = false; /* both sound while one goes over into the other */
    CHECK(lp_source_close(s.live.engine, s.parts[WELL].source) == LP_OK && lp_source_close(s.control.engine, s.control_parts[WELL].source) == LP_OK, "close");
    s.parts[WELL].source = s.live.source[WELL] = open_path(s.live.engine, f->path);
    snprintf(other.path, sizeof other.path, "%s/new control%d.wav", folder(), way);
    make_sound(&other, NULL);
    s.control_parts[WELL].source = s.control.source[WELL] = open_path(s.control.engine, other.path);
    publish(&s.live, s.parts, WELL + 1, WELL);
    publish(&s.control, s.control_parts, WELL + 1, WELL);
    heal(&s);
    close_scene(&s);
  }
}

/* A volume that goes while it is read, and comes back with the same files, is heard again without anybody's doing. */
static void test_unmounted(void) {
  scene s;
  open_scene(&s, 1, A_SECOND, LATE | CAUSE(ABSENT));
  close_player(&s.live);
  char place[200], elsewhere[200], path[256];
  snprintf(place, sizeof place, "%s/volume", folder());
  snprintf(elsewhere, sizeof elsewhere, "%s/nowhere", folder());
  snprintf(path, sizeof path, "%s/sick%d.wav", place, WELL);
  CHECK(symlink(folder(), place) == 0, "symlink");
  close_player(&s.control);
  /* The same scene, its sick file by way of a link that can be taken away. */
  s = (scene){ .sick = 1, .causes = s.causes, .exact = true, .presence = 1, .descriptors = s.descriptors, .threads = s.threads };
  s.live = open_player(A_SECOND, 0);
  s.control = open_player(256e6, LP_ENGINE_SINGLE_STEP);
  for (uint32_t i = 0; i <= WELL; i++) {
    char control[256];
    snprintf(control, sizeof control, "%s/control%u.wav", folder(), i);
    s.live.source[i] = open_path(s.live.engine, i < WELL ? well_sound(i)->path : path);
    s.control.source[i] = open_path(s.control.engine, i < WELL ? well_sound(i)->path : control);
    s.parts[i] = (part){ s.live.source[i], 0, LENGTH, i < WELL ? 0.25f : 0, i < WELL ? 0 : 1 };
    s.control_parts[i] = s.parts[i];
    s.control_parts[i].source = s.control.source[i];
  }
  start(&s.live, s.parts, WELL + 1);
  start(&s.control, s.control_parts, WELL + 1);
  supply(&s.live, s.parts, 0, WELL + 1, 0);
  blocks(&s, 40, true);
  atomic_store(&read_fault, -ENOTCONN);
  CHECK(rename(place, elsewhere) == 0, "rename");
  miss_by(&s, LP_CAUSE_ABSENT, 20000);
  atomic_store(&read_fault, 0);
  miss(&s, 10000);
  CHECK(rename(elsewhere, place) == 0, "rename");
  heal(&s);
  close_scene(&s);
  unlink(place);
}

/* How much of a file the system has in memory, 0 … 1. */
static double cached_share(int fd) {
  struct stat st;
  CHECK(fstat(fd, &st) == 0 && st.st_size > 0, "size");
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = ((size_t)st.st_size + page - 1) / page;
  void *mapped = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
  unsigned char *there = malloc(pages);
  CHECK(mapped != MAP_FAILED && there && mincore(mapped, (size_t)st.st_size, there) == 0, "mincore");
  size_t cached = 0;
  for (size_t i = 0; i < pages; i++) cached += there[i] & 1;
  free(there);
  munmap(mapped, (size_t)st.st_size);
  return (double)cached / (double)pages;
}

/* What the system has in memory of the files goes: what follows is read from the disk. False where files live in memory alone. */
static bool empty_system_cache(const scene *s) {
  bool gone = true;
  for (uint32_t i = 0; i < WELL + s->sick; i++) {
    const int fd = open(s->files[i].path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0, "%s", s->files[i].path);
    struct statfs volume;
    CHECK(fstatfs(fd, &volume) == 0, "statfs");
    const double left = cached_share(fd);
    if (volume.f_type == TMPFS_MAGIC)
      gone = false;
    else
      CHECK(left < 0.25, "%g of %s is still cached", left, s->files[i].path);
    close(fd);
  }
  return gone;
}

static void test_cold(void) {
  scene s;
  open_scene(&s, 1, A_SECOND, 0);
  for (int i = 0; i < 8; i++) {
    if (!empty_system_cache(&s) && i == 0) printf("  the files are in memory alone: nothing is cold\n");
    lp_store_drop(s.live.engine);
    blocks(&s, 200, true);
  }
  CHECK(s.held == (uint64_t)s.frame, "all of it is heard");
  close_scene(&s);
}

/* ---- storms ------------------------------------------------------------------------------------------------------------------------ */

/* Where two heads are during a fade, as blocks of 5 ms have it, of which a fade takes three. */
typedef struct heads {
  int64_t now, old, next; /* < 0: none */
  int fade_blocks;
} heads;

enum { STEP = 240 };

static void storm_block(scene *s, heads *h) {
  if (h->next >= 0 && h->fade_blocks == 0) *h = (heads){ .now = h->next, .old = h->now, .next = -1, .fade_blocks = FADE / STEP };
  const uint32_t tracks = WELL + s->sick;
  const double until = clock_ms() + PATIENCE_MS;
  do {
    CHECK(clock_ms() < until, "the gate does not open");
    supply(&s->live, s->parts, 0, tracks, h->now);
    if (h->fade_blocks) supply_frames(&s->live, s->parts, 0, tracks, h->old, h->fade_blocks * STEP);
  } while (position_field(&s->live, 15) != 0);
  settle(&s->control);
  CHECK(lp_render(s->live.renderer, s->live.out, STEP) == LP_OK && lp_render(s->control.renderer, s->control.out, STEP) == LP_OK, "render");
  CHECK(memcmp(s->live.out, s->control.out, 2 * STEP * sizeof(float)) == 0, "what is heard at frame %lld", (long long)h->now);
  h->now += STEP;
  if (h->fade_blocks && h->fade_blocks--) h->old += STEP;
  take_gaps(&s->live, 0);
}

/* 1,000 seeks in 10 s of sound, in a store that holds a second of it and is stepped by hand: what is heard is what a store that holds everything gives, to the bit. */
static void test_seeks(void) {
  scene s;
  open_scene_in(&s, 1, A_SECOND, 0, LP_ENGINE_SINGLE_STEP);
  uint64_t random = 11;
  for (player *p = &s.live;; p = &s.control) {
    CHECK(lp_transport_loop(p->renderer, 0, 0, 0) == LP_OK, "loop");
    if (p == &s.control) break;
  }
  heads h = { .now = s.frame % LENGTH, .old = -1, .next = s.frame % LENGTH, .fade_blocks = 0 };
  /* Turning the loop off is a swap too. */
  for (int i = 0; i < 4; i++) storm_block(&s, &h);
  for (int i = 0; i < 1000; i++) {
    const int64_t to = next_random(&random) % (LENGTH - 20000);
    CHECK(lp_transport_seek(s.live.renderer, (double)to) == LP_OK && lp_transport_seek(s.control.renderer, (double)to) == LP_OK, "seek");
    h.next = to;
    storm_block(&s, &h);
    storm_block(&s, &h);
  }
  CHECK(store_counter(&s.live, 4) > 200, "%g evictions", store_counter(&s.live, 4));
  CHECK(counter(&s.live, 2) == 0 && counter(&s.live, 3) == 0, "%g missing, %g faded", counter(&s.live, 2), counter(&s.live, 3));
  check_accounts(&s.live, WELL + 1, WELL + 1, 0);
  close_player(&s.live);
  close_player(&s.control);
  atomic_store(&faulty_inodes[0], 0);
  check_left(s.descriptors, s.threads);
}

/* 200 publications a second for 10 s, each of which changes what one track plays: the others are not touched by one bit, and in the end the last edit is heard. */
static void test_publications(void) {
  scene s;
  open_scene(&s, 1, A_SECOND, LATE);
  s.exact = false; /* one edit goes over into the next all the time */
  const part last = s.parts[WELL];
  uint64_t random = 12;
  for (int i = 0; i < 2000; i++) {
    s.parts[WELL] = last;
    s.parts[WELL].at = next_random(&random) % 50000;
    s.parts[WELL].length = LENGTH - s.parts[WELL].at;
    publish(&s.live, s.parts, WELL + 1, WELL);
    block(&s, false);
  }
  CHECK(counter(&s.live, 18) > 500, "%g of them were taken", counter(&s.live, 18));
  s.parts[WELL] = last;
  publish(&s.live, s.parts, WELL + 1, WELL);
  heal(&s);
  close_scene(&s);
}

/* What a head sought away from is not fetched any more, and what another head needs as well stays protected through the passes in which the first loses interest. */
static void test_abandoned(void) {
  sound f = { .kind = S16, .seed = 850, .channels = 1, .frames = LP_S16_PAGE_FRAMES * 20 };
  make_sound(&f, "abandoned");
  _Atomic uint64_t clock = 1000 * MS;
  lp_store *st = make_stepped(4 * LP_UNIT_BYTES, &clock);
  lp_source *source = open_sound(st, &f);
  lp_origin a = { .tick = 5 }, b = { .tick = 5 }, sticky = { .sticky = true };
  want(st, &a, source, 3, LP_TIER_REALTIME, 100 * MS);
  want(st, &a, source, 5, LP_TIER_REALTIME, 100 * MS);
  want(st, &sticky, source, 5, LP_TIER_ANTICIPATIVE, UINT64_MAX);
  a.tick++;
  want(st, &a, source, 7, LP_TIER_REALTIME, 200 * MS);
  lp_store_forget_old(st, &a);
  CHECK(counter_of(st, 9) == 2, "%g are queued", counter_of(st, 9));
  while (lp_store_step(st)) continue;
  CHECK(!is_resident(source, 3) && is_resident(source, 7) && is_resident(source, 5), "what is wanted, and what somebody else wants too");
  lp_store_drop_all(st);

  /* Two heads need one page, one of them sooner, which then goes elsewhere. */
  want(st, &a, source, 0, LP_TIER_REALTIME, 100 * MS);
  want(st, &b, source, 0, LP_TIER_REALTIME, 200 * MS);
  for (int64_t page = 2; page <= 6; page += 2) want(st, &b, source, page, LP_TIER_REALTIME, 150 * MS);
  while (lp_store_step(st)) continue;
  CHECK(lp_store_units_free(st) == 0, "the store is full");
  for (int pass = 0; pass < 4; pass++) {
    a.tick++;
    want(st, &a, source, 10, LP_TIER_REALTIME, 300 * MS);
    while (lp_store_step(st)) continue;
    CHECK(is_resident(source, 0) && !is_resident(source, 10), "in pass %d what is to be heard gave way to what comes later", pass);
    b.tick++;
    for (int64_t page = 0; page <= 6; page += 2) want(st, &b, source, page, LP_TIER_REALTIME, page ? 150 * MS : 200 * MS);
  }
  lp_store_remove_origin(st, &a);
  lp_store_remove_origin(st, &b);
  lp_source_unref(source);
  CHECK(lp_store_destroy(st) == 0, "threads are left");
}

/* ---- little room ------------------------------------------------------------------------------------------------------------------- */

/* One, two and three pages in the whole store, of which a tenth is kept free. Two are enough for a voice; with less it cannot go from page to page, and each frame that is lost is
 * counted. Something smaller is then heard as ever. */
static void test_pages(void) {
  const uint32_t channels[] = { 4, 2, 2, 4 }, units[] = { 4, 4, 6, 16 };
  for (int k = 0; k < 4; k++) {
    const uint32_t fds = descriptors();
    sound f = { .kind = S16, .seed = 800 + (uint32_t)k, .channels = channels[k], .frames = LENGTH }, small = { .kind = S16, .seed = 810, .channels = 1, .frames = LENGTH };
    char name[32];
    snprintf(name, sizeof name, "pages%d", k);
    make_sound(&f, name);
    make_sound(&small, "small");
    player live = open_player(units[k] * LP_UNIT_BYTES, LP_ENGINE_SINGLE_STEP), control = open_player(64e6, LP_ENGINE_SINGLE_STEP);
    for (int round = 0; round < 2; round++) {
      const char *path = round ? small.path : f.path;
      live.source[round] = open_path(live.engine, path);
      control.source[round] = open_path(control.engine, path);
      const part a = { .source = live.source[round], .length = LENGTH, .right = 1 }, b = { .source = control.source[round], .length = LENGTH, .right = 1 };
      start(&live, &a, 1);
      start(&control, &b, 1);
      for (int i = 0; i < 40; i++) {
        settle(&live);
        settle(&control);
        CHECK(lp_render(live.renderer, live.out, BLOCK) == LP_OK && lp_render(control.renderer, control.out, BLOCK) == LP_OK, "render");
      }
      const double missed = counter(&live, 2);
      uint64_t silent = 0, wrong = 0;
      for (int i = 0; i < 4 * LENGTH / BLOCK; i++) {
        settle(&live);
        settle(&control);
        CHECK(lp_render(live.renderer, live.out, BLOCK) == LP_OK && lp_render(control.renderer, control.out, BLOCK) == LP_OK, "render");
        for (int n = 0; n < BLOCK; n++) {
          const float heard = live.out[2 * n + 1], whole = control.out[2 * n + 1];
          silent += heard == 0 && whole != 0;
          wrong += heard != whole;
          CHECK(whole == 0 || (heard / whole >= 0 && heard / whole <= 1.000001f), "frame %d is %g where the file has %g", n, (double)heard, (double)whole);
        }
        take_gaps(&live, LATE);
      }
      const double missing = counter(&live, 2) - missed;
      /* A frame of a sum of channels may be 0 by itself, and then nobody knows. */
      CHECK(channels[k] > 2 || round || (double)silent == missing, "%llu frames were silent, %g counted", (unsigned long long)silent, missing);
      CHECK((double)wrong <= missing + counter(&live, 3), "%llu frames were wrong, %g missing, %g faded", (unsigned long long)wrong, missing, counter(&live, 3));
      CHECK(round == 0 && k < 2 ? missing > 0 : wrong == 0, "with %u units: %llu frames wrong", units[k], (unsigned long long)wrong);
    }
    publish(&live, NULL, 0, 0);
    CHECK(lp_render(live.renderer, live.out, BLOCK) == LP_OK, "render");
    take_gaps(&live, LATE);
    check_accounts(&live, 1, 0, LATE);
    close_player(&live);
    close_player(&control);
    CHECK(descriptors() == fds, "%u descriptors, not %u", descriptors(), fds);
  }
}

/* What tracks of full stereo sound sum up to: exact in any order, since each is scaled by a power of two. */
static void check_sum(const player *p, const sound *files, uint32_t count, int64_t at, int64_t turn, float gain) {
  for (int i = 0; i < BLOCK; i++)
    for (uint32_t side = 0; side < 2; side++) {
      float sum = 0;
      for (uint32_t k = 0; k < count; k++) sum += expected(&files[k], (at + i) % turn, side) * gain;
      CHECK(p->out[2 * i + (int)side] == sum, "frame %lld of side %u is %g, not %g", (long long)at + i, side, (double)p->out[2 * i + (int)side], (double)sum);
    }
}

/* 64 tracks, each of a file of its own, in 8 MB, which hold two thirds of what they play: none misses a frame. */
static void test_small_memory(void) {
  enum { TRACKS = 64, TURN = 48000 };
  const uint32_t fds = descriptors(), tasks = threads();
  static sound files[TRACKS];
  part parts[TRACKS];
  player p = open_player(8e6, 0);
  for (uint32_t i = 0; i < TRACKS; i++) {
    files[i] = (sound){ .kind = S16, .seed = 1000 + i, .channels = 2, .frames = TURN };
    char name[32];
    snprintf(name, sizeof name, "memory%u", i);
    make_sound(&files[i], name);
    p.source[i] = open_path(p.engine, files[i].path);
    parts[i] = (part){ .source = p.source[i], .length = TURN, .left = 1.0f / 64, .right = 1.0f / 64 };
  }
  publish(&p, parts, TRACKS, 0);
  CHECK(lp_transport_loop(p.renderer, 1, 0, TURN) == LP_OK && lp_transport_play(p.renderer, 0, NAN) == LP_OK, "play");
  for (int64_t frame = 0; frame < 3 * TURN; frame += BLOCK) {
    const double until = clock_ms() + PATIENCE_MS;
    for (uint32_t i = 0; i < TRACKS; i++)
      for (int64_t at = frame % TURN, end = at + BLOCK + FADE; at < end;) {
        const int64_t here = at % TURN, n = end - at < TURN - here ? end - at : TURN - here;
        if ((int64_t)lp_source_resident(p.engine, p.source[i], (double)here, (double)n) == n) {
          at += n;
          continue;
        }
        CHECK(clock_ms() < until, "track %u does not get what it plays at frame %lld", i, (long long)here);
        sleep_ms(1);
      }
    while (frame == 0 && position_field(&p, 15) != 0) sleep_ms(1);
    CHECK(lp_render(p.renderer, p.out, BLOCK) == LP_OK, "render");
    check_sum(&p, files, TRACKS, frame, TURN, 1.0f / 64);
    take_gaps(&p, 0);
  }
  CHECK(store_counter(&p, 14) == 0 && store_counter(&p, 4) > 100, "%g voices refused, %g evictions", store_counter(&p, 14), store_counter(&p, 4));
  check_accounts(&p, TRACKS, TRACKS, 0);
  close_player(&p);
  check_left(fds, tasks);
}

/* 2,000 files where a process may have 256 open. */
static void test_files(void) {
  enum { TRACKS = 8, FILES = 250, EACH = 2400 };
  struct rlimit before, few;
  getrlimit(RLIMIT_NOFILE, &before);
  few = (struct rlimit){ .rlim_cur = 256, .rlim_max = before.rlim_max };
  CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0, "rlimit");
  const uint32_t fds = descriptors(), tasks = threads();
  static sound files[TRACKS][FILES];
  static uint32_t sources[TRACKS][FILES];
  part parts[TRACKS];
  player p = open_player(4e6, 0);
  for (uint32_t t = 0; t < TRACKS; t++) {
    for (uint32_t i = 0; i < FILES; i++) {
      files[t][i] = (sound){ .kind = S16, .seed = t * FILES + i + 1, .channels = 2, .frames = EACH };
      char name[32];
      snprintf(name, sizeof name, "few%u-%u", t, i);
      make_sound(&files[t][i], name);
      sources[t][i] = open_path(p.engine, files[t][i].path);
      CHECK(store_counter(&p, 11) <= 128, "%g files are open", store_counter(&p, 11));
    }
    parts[t] = (part){ .chain = sources[t], .chained = FILES, .length = EACH, .left = 0.125f, .right = 0.125f };
  }
  publish(&p, parts, TRACKS, 0);
  CHECK(lp_transport_play(p.renderer, 0, NAN) == LP_OK, "play");
  for (int64_t frame = 0; frame + BLOCK <= FILES * EACH; frame += BLOCK) {
    const double until = clock_ms() + PATIENCE_MS;
    for (uint32_t t = 0; t < TRACKS; t++)
      for (int64_t i = frame / EACH; i <= (frame + BLOCK + FADE) / EACH && i < FILES; i++)
        while ((int64_t)lp_source_resident(p.engine, sources[t][i], 0, EACH) < EACH) {
          CHECK(clock_ms() < until, "track %u does not get its file %lld", t, (long long)i);
          sleep_ms(1);
        }
    while (frame == 0 && position_field(&p, 15) != 0) sleep_ms(1);
    CHECK(lp_render(p.renderer, p.out, BLOCK) == LP_OK, "render");
    for (int i = 0; i < BLOCK; i++)
      for (uint32_t side = 0; side < 2; side++) {
        float sum = 0;
        for (uint32_t t = 0; t < TRACKS; t++) sum += expected(&files[t][(frame + i) / EACH], (frame + i) % EACH, side) * 0.125f;
        CHECK(p.out[2 * i + (int)side] == sum, "frame %lld is %g, not %g", (long long)frame + i, (double)p.out[2 * i + (int)side], (double)sum);
      }
    take_gaps(&p, 0);
    CHECK(store_counter(&p, 11) <= 128, "%g files are open", store_counter(&p, 11));
  }
  CHECK(store_counter(&p, 12) == 0, "%g errors", store_counter(&p, 12));
  check_accounts(&p, TRACKS, TRACKS, 0);
  for (uint32_t t = 0; t < TRACKS; t++)
    for (uint32_t i = 0; i < FILES; i++) CHECK(lp_source_close(p.engine, sources[t][i]) == LP_OK, "close");
  close_player(&p);
  check_left(fds, tasks);
  setrlimit(RLIMIT_NOFILE, &before);
}

/* --------------------------------------------------------------------------------------------------------------------------- */

static const test TESTS[] = {
  { "delay", test_delay },
  { "hang", test_hang },
  { "hang-wide", test_hang_wide },
  { "eio", test_eio },
  { "short-reads", test_short_reads },
  { "bad-spot", test_bad_spot },
  { "every-slot", test_every_slot },
  { "changed-file", test_changed_file },
  { "unmounted", test_unmounted },
  { "cold", test_cold },
  { "seeks", test_seeks },
  { "publications", test_publications },
  { "abandoned", test_abandoned },
  { "pages", test_pages },
  { "small-memory", test_small_memory },
  { "files", test_files },
};

static void *nothing(void *context) { return context; }

int main(int argc, char **argv) {
  atexit(end_files);
  /* With its first thread a sanitizer starts one of its own, which stays. */
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread");
  setvbuf(stdout, NULL, _IOLBF, 0);
  return run_tests("fault_main", TESTS, sizeof TESTS / sizeof *TESTS, argc, argv);
}
