/* That the sanitizer of realtime code sees what a callback must not do: realtime_main <sin> <device|caller>. Plays, and from within the render function of
 * a device's callback, or of one who calls lp_render, does what <sin> says. Without the sanitizer, and with "none", it ends with 0. */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "store_support.h"
#include "tap.h"

enum { PATIENCE_MS = 60000, PERIOD = 256 };

static const char *sin_to_do = "none";
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool done;
static void *volatile kept;

static void do_it(void) {
  char byte;
  if (!strcmp(sin_to_do, "malloc")) kept = malloc(100);
  if (!strcmp(sin_to_do, "free")) free(kept);
  if (!strcmp(sin_to_do, "pthread_mutex_lock")) pthread_mutex_lock(&mutex);
  if (!strcmp(sin_to_do, "read")) CHECK(read(0, &byte, 0) == 0, "reading nothing");
  if (!strcmp(sin_to_do, "open")) CHECK(open("/nowhere/at/all", O_RDONLY) < 0, "opening what is not there");
  if (!strcmp(sin_to_do, "nanosleep")) nanosleep(&(struct timespec){ 0, 1 }, NULL);
  if (!strcmp(sin_to_do, "mmap")) CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED, "mapping");
}

/* Stands in the place of the tap at the end of the render function (linked with --wrap). */
void __real_lp_tap_pass(lp_tap *t, const float *in, uint32_t frames);
void __wrap_lp_tap_pass(lp_tap *t, const float *in, uint32_t frames);
void __wrap_lp_tap_pass(lp_tap *t, const float *in, uint32_t frames) {
  if (!atomic_load(&done)) {
    do_it();
    atomic_store(&done, true);
  }
  __real_lp_tap_pass(t, in, frames);
}

int main(int argc, char **argv) {
  CHECK(argc == 3, "realtime_main <sin> <device|caller>");
  sin_to_do = argv[1];
  kept = malloc(10);
  int32_t engine = lp_engine_create(RATE, 1e6, 1, 0);
  CHECK(engine > 0, "engine: %d", engine);
  int32_t renderer = lp_renderer_create((uint32_t)engine, 0);
  CHECK(renderer > 0, "renderer: %d", renderer);
  if (!strcmp(argv[2], "device")) {
    lp_device_config config = { .backend = LP_BACKEND_NULL, .period_frames = PERIOD };
    CHECK(lp_device_open((uint32_t)renderer, (uint8_t *)&config, sizeof config) == LP_OK, "the device");
    for (int i = 0; i < PATIENCE_MS && !atomic_load(&done); i++) sleep_ms(1);
  } else {
    static float out[PERIOD * 2];
    CHECK(lp_render((uint32_t)renderer, out, PERIOD) == LP_OK, "rendering");
  }
  CHECK(atomic_load(&done), "nobody rendered");
  CHECK(lp_engine_close((uint32_t)engine) == 0, "threads left");
  printf("did %s\n", sin_to_do);
  return 0;
}
