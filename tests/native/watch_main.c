/* Watches the machine while a test measures in real time. One thread a processor, at the fill pool's priority, works for a moment every two milliseconds;
 * whatever else makes it late, the engine does not: it is another process. When standard input ends it prints for each time it was late by more than
 * LATE_MS the begin and the end, in milliseconds of CLOCK_MONOTONIC.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS 2.0
#define WORK_MS 0.05
#define LATE_MS 2.0
#define MOST 100000
#define MOST_PROCESSORS 256

typedef struct watch {
  pthread_t thread;
  int processor;
  unsigned count;
  double begin[MOST], end[MOST];
} watch;

static watch *watches[MOST_PROCESSORS];
static volatile int stop;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void *run(void *argument) {
  watch *w = argument;
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(w->processor, &only);
  (void)sched_setaffinity(0, sizeof only, &only); /* where it may not: wherever the system lets it run */
  (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), getpriority(PRIO_PROCESS, 0) + 5);
  while (!stop) {
    const double begin = now_ms();
    const struct timespec pause = { 0, (long)(STEP_MS * 1e6) };
    nanosleep(&pause, NULL);
    for (double from = now_ms(); now_ms() - from < WORK_MS;);
    const double end = now_ms();
    if (end - begin < STEP_MS + WORK_MS + LATE_MS || w->count == MOST) continue;
    w->begin[w->count] = begin;
    w->end[w->count++] = end;
  }
  return NULL;
}

int main(void) {
  cpu_set_t ours;
  if (sched_getaffinity(0, sizeof ours, &ours) != 0) return 1;
  int count = 0;
  for (int i = 0; i < CPU_SETSIZE && count < MOST_PROCESSORS; i++) {
    if (!CPU_ISSET(i, &ours)) continue;
    watch *w = watches[count] = calloc(1, sizeof *w);
    if (!w) return 1;
    w->processor = i;
    if (pthread_create(&w->thread, NULL, run, w) != 0) return 1;
    count++;
  }
  puts("watching");
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0);
  stop = 1;
  for (int i = 0; i < count; i++) {
    pthread_join(watches[i]->thread, NULL);
    for (unsigned k = 0; k < watches[i]->count; k++) printf("%.3f %.3f\n", watches[i]->begin[k], watches[i]->end[k]);
  }
  return 0;
}
