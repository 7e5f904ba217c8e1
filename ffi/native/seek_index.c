#include "seek_index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "engine.h"
#include "pcm_header.h"

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

/* ---- packed --------------------------------------------------------------------------------------------------- */

#define HEAD_BYTES 88
#define POINT_BYTES 16
#define SUM_BYTES 8

static void put64(uint8_t *p, uint64_t x) {
  for (int i = 0; i < 8; i++) p[i] = (uint8_t)(x >> 8 * i);
}

static uint64_t checksum(const uint8_t *p, uint64_t n) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (uint64_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3ull;
  return h;
}

static const uint8_t HEAD[16] = {'L', 'P', 'S', 'I', 1, 0, 0, 0, POINT_BYTES};

uint64_t lp_seek_index_pack(lp_seek_index *x, uint8_t *out, uint64_t room) {
  uint64_t bytes = 0;
  pthread_mutex_lock(&x->mutex);
  /* The end, unless it is a point already. */
  bool end = x->frontier.first > x->points[x->count - 1].first;
  int64_t count = x->count + end;
  if (x->complete) bytes = HEAD_BYTES + (uint64_t)count * POINT_BYTES + SUM_BYTES;
  if (bytes > 0 && bytes <= room) {
    const lp_identity *id = &x->identity;
    const uint64_t fields[9] = {id->device, id->inode, (uint64_t)id->size_bytes, (uint64_t)id->mtime_s, (uint64_t)id->mtime_ns, (uint64_t)id->ctime_s,
                                (uint64_t)id->ctime_ns, (uint64_t)x->spacing, (uint64_t)count};
    memcpy(out, HEAD, sizeof HEAD);
    for (int i = 0; i < 9; i++) put64(out + sizeof HEAD + 8 * i, fields[i]);
    for (int64_t i = 0; i < count; i++) {
      lp_seek_point p = i < x->count ? x->points[i] : x->frontier;
      put64(out + HEAD_BYTES + i * POINT_BYTES, (uint64_t)p.first);
      put64(out + HEAD_BYTES + i * POINT_BYTES + 8, (uint64_t)p.offset);
    }
    put64(out + bytes - SUM_BYTES, checksum(out, bytes - SUM_BYTES));
  }
  pthread_mutex_unlock(&x->mutex);
  return bytes;
}

/* Points that grow and stay within the file. NULL: they do not, or no memory (*memory). */
static lp_seek_point *read_points(const uint8_t *p, int64_t count, int64_t size_bytes, bool *memory) {
  lp_seek_point *points = malloc((size_t)count * sizeof *points);
  *memory = !points;
  if (!points) return NULL;
  for (int64_t i = 0; i < count; i++, p += POINT_BYTES) {
    points[i] = (lp_seek_point){(int64_t)lp_le64(p), (int64_t)lp_le64(p + 8)};
    bool grows = i == 0 ? points[i].first == 0 && points[i].offset >= 0 : points[i].first > points[i - 1].first && points[i].offset > points[i - 1].offset;
    if (grows && points[i].offset <= size_bytes && points[i].first < 1ll << 53) continue;
    free(points);
    return NULL;
  }
  return points;
}

int lp_seek_index_unpack(const uint8_t *bytes, uint64_t n) {
  if (n < HEAD_BYTES + POINT_BYTES + SUM_BYTES || memcmp(bytes, HEAD, sizeof HEAD) != 0) return LP_E_ARGUMENT;
  if (checksum(bytes, n - SUM_BYTES) != lp_le64(bytes + n - SUM_BYTES)) return LP_E_ARGUMENT;
  uint64_t f[9];
  for (int i = 0; i < 9; i++) f[i] = lp_le64(bytes + sizeof HEAD + 8 * i);
  lp_identity identity = {.device = f[0], .inode = f[1], .size_bytes = (int64_t)f[2], .mtime_s = (int64_t)f[3], .mtime_ns = (int64_t)f[4],
                          .ctime_s = (int64_t)f[5], .ctime_ns = (int64_t)f[6]};
  if (f[8] != (n - HEAD_BYTES - SUM_BYTES) / POINT_BYTES || (n - HEAD_BYTES - SUM_BYTES) % POINT_BYTES != 0) return LP_E_ARGUMENT;
  int64_t count = (int64_t)f[8];
  bool memory;
  lp_seek_point *points = read_points(bytes + HEAD_BYTES, count, identity.size_bytes, &memory);
  if (!points) return memory ? LP_E_MEMORY : LP_E_ARGUMENT;
  int result = LP_E_ABSENT;
  pthread_mutex_lock(&table_mutex);
  lp_seek_index *x = newest;
  while (x && !lp_identity_equal(&x->identity, &identity)) x = x->next;
  if (x) {
    pthread_mutex_lock(&x->mutex);
    result = x->spacing == (int64_t)f[7] && x->points[0].offset == points[0].offset ? LP_OK : LP_E_ARGUMENT;
    if (result == LP_OK && !x->complete) {
      lp_seek_point *before = x->points;
      bytes_held += ((uint64_t)count - (uint64_t)x->room) * sizeof *points;
      x->points = points;
      x->count = x->room = count;
      x->frontier = points[count - 1];
      x->complete = true;
      points = before;
    }
    pthread_mutex_unlock(&x->mutex);
  }
  pthread_mutex_unlock(&table_mutex);
  free(points);
  return result;
}

uint64_t lp_seek_index_bytes(void) { return bytes_held; }
