#include "seek_index.h"

#include <pthread.h>
#include <stdlib.h>

#include "damage.h"

/* Indexes that nobody uses and that are kept all the same: a file that is looked at once is often opened next. */
#define MOST_UNUSED 64

struct lp_seek_index {
  pthread_mutex_t mutex;
  /* Under it: */
  lp_seek_point *points;
  int64_t count, room;
  lp_seek_point frontier;
  bool complete;
  lp_damage *damage; /* NULL: none is known */
  /* Constant: */
  int64_t spacing;
  lp_identity identity;
  /* Under the table's mutex: */
  uint32_t users;
  lp_seek_index *prev, *next; /* newest use first */
};

static pthread_mutex_t table_mutex = PTHREAD_MUTEX_INITIALIZER;
static lp_seek_index *newest, *oldest;
static uint32_t unused;
static _Atomic uint64_t bytes_held;

static void unlist(lp_seek_index *x) {
  if (x->prev)
    x->prev->next = x->next;
  else
    newest = x->next;
  if (x->next)
    x->next->prev = x->prev;
  else
    oldest = x->prev;
}

static void list(lp_seek_index *x) {
  x->prev = NULL;
  x->next = newest;
  if (newest)
    newest->prev = x;
  else
    oldest = x;
  newest = x;
}

static void destroy(lp_seek_index *x) {
  bytes_held -= sizeof *x + (uint64_t)x->room * sizeof *x->points + (x->damage ? sizeof *x->damage : 0);
  pthread_mutex_destroy(&x->mutex);
  free(x->damage);
  free(x->points);
  free(x);
}

lp_seek_index *lp_seek_index_get(const lp_identity *identity, int64_t offset, int64_t spacing) {
  pthread_mutex_lock(&table_mutex);
  lp_seek_index *x = newest;
  while (x && !lp_identity_equal(&x->identity, identity)) x = x->next;
  if (x) {
    if (x->users++ == 0) unused--;
    unlist(x);
    list(x);
  } else if ((x = calloc(1, sizeof *x)) != NULL) {
    x->room = 16;
    x->points = malloc((size_t)x->room * sizeof *x->points);
    if (!x->points || pthread_mutex_init(&x->mutex, NULL) != 0) {
      free(x->points);
      free(x);
      x = NULL;
    } else {
      bytes_held += sizeof *x + (uint64_t)x->room * sizeof *x->points;
      x->points[0] = x->frontier = (lp_seek_point){0, offset};
      x->count = 1;
      x->spacing = spacing;
      x->identity = *identity;
      x->users = 1;
      list(x);
    }
  }
  pthread_mutex_unlock(&table_mutex);
  return x;
}

void lp_seek_index_put(lp_seek_index *x) {
  if (!x) return;
  lp_seek_index *victim = NULL;
  pthread_mutex_lock(&table_mutex);
  if (--x->users == 0 && ++unused > MOST_UNUSED) {
    for (victim = oldest; victim->users; victim = victim->prev) continue; /* x at least has none */
    unlist(victim);
    unused--;
  }
  pthread_mutex_unlock(&table_mutex);
  if (victim) destroy(victim);
}

lp_seek_point lp_seek_index_find(lp_seek_index *x, int64_t first) {
  pthread_mutex_lock(&x->mutex);
  int64_t lo = 0, hi = x->count; /* points[lo] is at or before, points[hi] is not */
  while (hi - lo > 1) {
    int64_t middle = lo + (hi - lo) / 2;
    if (x->points[middle].first <= first)
      lo = middle;
    else
      hi = middle;
  }
  lp_seek_point point = x->frontier.first <= first ? x->frontier : x->points[lo];
  pthread_mutex_unlock(&x->mutex);
  return point;
}

lp_seek_point lp_seek_index_frontier(lp_seek_index *x, bool *complete) {
  pthread_mutex_lock(&x->mutex);
  lp_seek_point point = x->frontier;
  *complete = x->complete;
  pthread_mutex_unlock(&x->mutex);
  return point;
}

void lp_seek_index_add(lp_seek_index *x, lp_seek_point at, lp_seek_point next) {
  pthread_mutex_lock(&x->mutex);
  if (!x->complete && x->frontier.first == at.first && x->frontier.offset == at.offset && next.first > at.first && next.offset > at.offset) {
    x->frontier = next;
    if (next.first >= x->points[x->count - 1].first + x->spacing) {
      if (x->count == x->room) {
        lp_seek_point *more = realloc(x->points, (size_t)x->room * 2 * sizeof *more);
        if (more) {
          bytes_held += (uint64_t)x->room * sizeof *more;
          x->points = more;
          x->room *= 2;
        }
      }
      if (x->count < x->room) x->points[x->count++] = next; /* without memory for it, seeking walks further */
    }
  }
  pthread_mutex_unlock(&x->mutex);
}

void lp_seek_index_end(lp_seek_index *x, lp_seek_point at) {
  pthread_mutex_lock(&x->mutex);
  if (x->frontier.first == at.first && x->frontier.offset == at.offset) x->complete = true;
  pthread_mutex_unlock(&x->mutex);
}

bool lp_seek_index_note_broken(lp_seek_index *x, int64_t from, int64_t to) {
  pthread_mutex_lock(&x->mutex);
  if (!x->damage && (x->damage = calloc(1, sizeof *x->damage)) != NULL) bytes_held += sizeof *x->damage;
  enum lp_damage_news news = x->damage ? lp_damage_add(x->damage, from, to) : LP_DAMAGE_KNOWN;
  if (news != LP_DAMAGE_KNOWN) lp_damage_tell(&x->identity, x->damage);
  pthread_mutex_unlock(&x->mutex);
  return news == LP_DAMAGE_NEW;
}

uint64_t lp_seek_index_bytes(void) { return bytes_held; }
