/* Storms: storm_main <seed> [publications] [careless]. 200 publications a second and as many seeks and turns of a loop between them, in a store that holds a tenth of
 * what plays, so that pages are evicted under the head all the time, while devices of every period and other rates come and go, are asked for their latency and listed, and all
 * that may be read from any thread is read, and ever new plans of what may be wanted come. Then peace: the last edit is heard, at the place that was sought last. `careless` adds a race of the program's own, for
 * who looks for races to find. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "engine.h"
#include "packer.h"
#include "store_support.h"

enum { FILES = 4, FRAMES = 400000, STORM_MS = 5, PATIENCE_MS = 120000 };
#define SLAB_BYTES 600e3

static uint32_t engine, renderer;
static _Atomic bool stop;
static _Atomic uint32_t devices, answers;
static bool careless;
static uint32_t unguarded;

static uint32_t whole(uint64_t *random, uint32_t n) { return (uint32_t)((uint64_t)next_random(random) * n >> 32); }

/* [its own thread] Leaves a device open. */
static void *device_main(void *context) {
  uint64_t random = *(uint64_t *)context + 1;
  while (!atomic_load(&stop)) {
    const uint32_t rates[] = { 0, 44100, 96000, 48001 };
    lp_device_config config = { .backend = LP_BACKEND_NULL, .period_frames = 64 << whole(&random, 5), .sample_rate = rates[whole(&random, 4)] };
    CHECK(lp_device_open(renderer, (uint8_t *)&config, sizeof config) == LP_OK, "opening device %u", atomic_load(&devices));
    atomic_fetch_add(&devices, 1);
    for (uint32_t i = whole(&random, 80); i > 0 && !atomic_load(&stop); i--) sleep_ms(1);
    if (!atomic_load(&stop)) CHECK(lp_device_close(renderer) == LP_OK, "closing device %u", atomic_load(&devices));
  }
  return NULL;
}

/* A plan of what may be wanted: a dozen stretches of any files, more than there is room for. Returns its number. */
static int32_t anticipate(uint64_t *random, const mix_model *model) {
  double records[12 * 4];
  for (uint32_t i = 0; i < 12; i++) {
    const double from = whole(random, FRAMES);
    const double record[4] = { model->sources[whole(random, model->source_count)], from, from + whole(random, 60000), i * 100.0 };
    memcpy(&records[i * 4], record, sizeof record);
  }
  return lp_anticipate_set(engine, records, 12);
}

/* [its own thread] */
static void *ask_main(void *context) {
  uint64_t random = *(uint64_t *)context + 2;
  static uint8_t list[64 * 1024];
  while (!atomic_load(&stop)) {
    double position[16], counters[25], status[LP_DEVICE_STATUS], store[16];
    const int32_t measured = lp_device_measure(renderer);
    CHECK(measured >= 0 || measured == LP_E_STATE, "measuring: %d", measured);
    if (whole(&random, 20) == 0) CHECK(lp_device_list(renderer, LP_BACKEND_NULL, list, sizeof list) >= 0, "listing");
    CHECK(lp_position(renderer, position, 16) == LP_OK && position[10] <= position[11], "position");
    CHECK(lp_counters(renderer, counters, 25) == 25 && lp_store_counters(engine, store, 16) == 16, "counters");
    CHECK(lp_device_status(renderer, status, LP_DEVICE_STATUS) == LP_DEVICE_STATUS, "status");
    double plan[6];
    CHECK(lp_anticipate_read(engine, plan, 6) == 6, "the plan's state");
    if (careless) unguarded++;
    atomic_fetch_add(&answers, 1);
    sleep_ms(whole(&random, 3));
  }
  return NULL;
}

static void publish(const packed *p) {
  const int32_t result = lp_publish(renderer, p->bytes, (uint32_t)p->count);
  CHECK(result == LP_OK, "publishing %zu bytes: %d", p->count, result);
}

static void take_reports(void) {
  static lp_event events[300];
  static uint8_t meters[32 + 16 * 1025];
  while (lp_events(renderer, (uint8_t *)events, sizeof events) == 300) continue;
  (void)lp_meters(renderer, meters, sizeof meters);
}

static double evictions(void) {
  double store[16];
  CHECK(lp_store_counters(engine, store, 16) == 16, "store counters");
  return store[4];
}

int main(int argc, char **argv) {
  atexit(end_files);
  uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, random = seed * 0x9E3779B97F4A7C15ull + 1;
  const uint32_t publications = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 600;
  careless = argc > 3 && !strcmp(argv[3], "careless");
  int32_t made = lp_engine_create(RATE, SLAB_BYTES, 4, 0);
  CHECK(made > 0, "engine: %d", made);
  engine = (uint32_t)made;
  made = lp_renderer_create(engine, 0);
  CHECK(made > 0, "renderer: %d", made);
  renderer = (uint32_t)made;

  static mix_model model;
  mix_init(&model, seed);
  model.source_frames = FRAMES;
  static sound files[FILES];
  for (uint32_t i = 0; i < FILES; i++) {
    files[i] = (sound){ .kind = (enum kind)(i % 3), .seed = i + 1, .channels = 2, .frames = FRAMES };
    char name[32];
    snprintf(name, sizeof name, "storm%u", i);
    make_sound(&files[i], name);
    lp_source_info info;
    made = lp_source_open(engine, (const uint8_t *)files[i].path, (uint32_t)strlen(files[i].path), (uint8_t *)&info, sizeof info);
    CHECK(made > 0, "%s: %d", files[i].path, made);
    model.sources[model.source_count++] = (uint32_t)made;
  }
  packed p = { 0 };
  mix_full(&model, &p);
  publish(&p);
  CHECK(lp_transport_play(renderer, (double)model.around, NAN) == LP_OK, "playing");
  pthread_t device, asker;
  CHECK(pthread_create(&device, NULL, device_main, &seed) == 0 && pthread_create(&asker, NULL, ask_main, &seed) == 0, "threads");

  /* The storm goes on until everything has happened that it is made of, however slow the machine. */
  const uint64_t until = real_now(NULL) + PATIENCE_MS * 1000000ull;
  uint32_t i = 0;
  int32_t plans = 0;
  for (; i < publications || evictions() < 200 || atomic_load(&devices) < 10 || atomic_load(&answers) < 100; i++) {
    CHECK(real_now(NULL) < until, "%u publications, %g evictions, %u devices, %u answers", i, evictions(), atomic_load(&devices), atomic_load(&answers));
    const double near = (double)(model.around + whole(&random, 200000));
    mix_any(&model, &p);
    publish(&p);
    if (i % 2) CHECK(lp_transport_seek(renderer, near) == LP_OK, "seeking");
    if (i % 5 == 0) CHECK(lp_transport_loop(renderer, whole(&random, 2), near, near + 1 + whole(&random, whole(&random, 2) ? 300 : 30000)) == LP_OK, "a loop");
    if (i % 11 == 0) lp_store_drop(engine);
    if (i % 3 == 0) CHECK((plans = anticipate(&random, &model)) > 0, "a plan");
    if (i % 13 == 0) CHECK(lp_transport_pause(renderer) == LP_OK, "pausing");
    CHECK(lp_transport_play(renderer, NAN, NAN) == LP_OK, "playing on");
    take_reports();
    if (careless) unguarded++;
    sleep_ms(STORM_MS);
  }

  atomic_store(&stop, true);
  pthread_join(device, NULL);
  pthread_join(asker, NULL);
  CHECK(lp_transport_loop(renderer, 0, 0, 0) == LP_OK && lp_transport_seek(renderer, 5000) == LP_OK && lp_transport_pause(renderer) == LP_OK, "the last words");
  double position[16] = { 0 };
  while (position[10] < position[11] || position[11] == 0) {
    CHECK(real_now(NULL) < until, "publication %g of %g is heard", position[10], position[11]);
    take_reports();
    CHECK(lp_position(renderer, position, 16) == LP_OK, "position");
    sleep_ms(1);
  }
  CHECK(position[4] == model.revision && position[0] == 5000 && position[3] == 1, "revision %g at %g in state %g, not %g", position[4], position[0], position[3],
        model.revision);
  double plan[6] = { 0 };
  while (plan[4] < plans || plan[5] == 0) {
    CHECK(real_now(NULL) < until, "plan %g of %d has come to rest: %g", plan[4], plans, plan[5]);
    lp_anticipate_read(engine, plan, 6);
    sleep_ms(1);
  }
  printf("ok %u publications, %g evictions, %u devices, %u answers\n", i, evictions(), atomic_load(&devices), atomic_load(&answers));
  CHECK(lp_engine_close(engine) == 0, "threads left");
  free(p.bytes);
  return 0;
}
