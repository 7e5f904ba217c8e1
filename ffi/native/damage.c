#include "damage.h"

#include <pthread.h>
#include <string.h>

#include "engine.h"

#define LOG_ENTRIES 1024
#define RECORD 11 /* f64 */

typedef struct entry {
  uint64_t number; /* of the news, 0: empty */
  lp_identity identity;
  uint32_t runs;
  int64_t first, samples;
} entry;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* Under it: in order of number. */
static entry entries[LOG_ENTRIES];
static uint32_t entry_count;
static uint64_t last_number;

enum lp_damage_news lp_damage_add(lp_damage *d, int64_t from, int64_t to) {
  for (uint32_t i = 0; i < d->runs; i++)
    if (from >= d->from[i] && to <= d->to[i]) return LP_DAMAGE_KNOWN;
  uint32_t kept = 0;
  enum lp_damage_news news = LP_DAMAGE_NEW;
  for (uint32_t i = 0; i < d->runs; i++) {
    if (d->to[i] < from || d->from[i] > to) {
      d->from[kept] = d->from[i];
      d->to[kept++] = d->to[i];
      continue;
    }
    news = LP_DAMAGE_LONGER;
    if (d->from[i] < from) from = d->from[i];
    if (d->to[i] > to) to = d->to[i];
  }
  d->runs = kept;
  if (to <= from || kept == LP_DAMAGE_RUNS) return LP_DAMAGE_KNOWN;
  d->from[kept] = from;
  d->to[kept] = to;
  d->runs++;
  return news;
}

void lp_damage_tell(const lp_identity *identity, const lp_damage *d) {
  entry e = {.identity = *identity, .runs = d->runs, .first = INT64_MAX};
  for (uint32_t i = 0; i < d->runs; i++) {
    if (d->from[i] < e.first) e.first = d->from[i];
    e.samples += d->to[i] - d->from[i];
  }
  pthread_mutex_lock(&mutex);
  uint32_t at = 0;
  while (at < entry_count && !lp_identity_equal(&entries[at].identity, identity)) at++;
  if (at == LOG_ENTRIES) at = 0; /* the oldest goes */
  if (at < entry_count)
    memmove(&entries[at], &entries[at + 1], (entry_count - at - 1) * sizeof *entries);
  else
    entry_count++;
  e.number = ++last_number;
  entries[entry_count - 1] = e;
  pthread_mutex_unlock(&mutex);
}

int32_t lp_damage_since(double since, double *out, uint32_t count) {
  if (!(since >= 0) || out == NULL) return LP_E_ARGUMENT;
  int32_t done = 0;
  pthread_mutex_lock(&mutex);
  for (uint32_t i = 0; i < entry_count && ((uint32_t)done + 1) * RECORD <= count; i++) {
    const entry *e = &entries[i];
    if ((double)e->number <= since) continue;
    const lp_identity *id = &e->identity;
    double *r = out + RECORD * (uint32_t)done++;
    r[0] = (double)e->number;
    r[1] = (double)id->device;
    r[2] = (double)id->inode;
    r[3] = (double)id->size_bytes;
    r[4] = (double)id->mtime_s;
    r[5] = (double)id->mtime_ns;
    r[6] = (double)id->ctime_s;
    r[7] = (double)id->ctime_ns;
    r[8] = e->runs;
    r[9] = (double)e->first;
    r[10] = (double)e->samples;
  }
  pthread_mutex_unlock(&mutex);
  return done;
}
