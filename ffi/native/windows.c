/* The public side of windows: handles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "window.h"

/* At a time. */
#define MOST_WINDOWS 1024u

typedef struct lp_engine_window {
  lp_engine *engine;
  lp_window *window;
  uint32_t handle;
  struct lp_engine_window *next;
} lp_engine_window;

int32_t lp_window_request(uint32_t engine, uint32_t source, double start_frame, double end_frame, uint32_t flags, double rate) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  if (!(start_frame >= 0) || !(end_frame >= start_frame) || end_frame > 9007199254740992.0 || !(fabs(rate) > 0) || fabs(rate) > 64 || flags > 3) return LP_E_ARGUMENT;
  pthread_mutex_lock(&e->source_lock);
  lp_source *s = lp_engine_source(e, source);
  if (s) lp_source_ref(s);
  pthread_mutex_unlock(&e->source_lock);
  if (!s) return LP_E_HANDLE;
  uint32_t open = 0;
  for (const lp_engine_window *w = e->windows; w; w = w->next) open++;
  lp_engine_window *w = calloc(1, sizeof *w);
  int result = !w ? LP_E_MEMORY : open >= MOST_WINDOWS ? LP_E_STATE : LP_OK;
  if (result == LP_OK)
    result = lp_window_open(e->store, s, (int64_t)start_frame, (int64_t)end_frame, flags & LP_WINDOW_ANTICIPATIVE ? LP_TIER_ANTICIPATIVE : LP_TIER_REALTIME, rate,
                            (flags & LP_WINDOW_LOOPING) != 0, &w->window);
  lp_source_unref(s);
  if (result == LP_OK && !(w->handle = lp_handle_make(LP_KIND_WINDOW, w))) {
    lp_window_close(w->window);
    result = LP_E_STATE;
  }
  if (result != LP_OK) {
    free(w);
    return result;
  }
  w->engine = e;
  w->next = e->windows;
  e->windows = w;
  return (int32_t)w->handle;
}

int32_t lp_window_state(uint32_t handle, double *out, uint32_t count) {
  lp_engine_window *w = lp_handle_get(handle, LP_KIND_WINDOW);
  if (!w) return LP_E_HANDLE;
  if (count < 2) return LP_E_ARGUMENT;
  int64_t pages, held;
  bool whole = lp_window_look(w->window, &pages, &held);
  out[0] = (double)pages;
  out[1] = (double)held;
  return whole;
}

static void end(lp_engine_window *w) {
  for (lp_engine_window **link = &w->engine->windows; *link; link = &(*link)->next) {
    if (*link != w) continue;
    *link = w->next;
    break;
  }
  lp_handle_free(w->handle);
  lp_window_close(w->window);
  free(w);
}

int32_t lp_window_release(uint32_t handle) {
  lp_engine_window *w = lp_handle_get(handle, LP_KIND_WINDOW);
  if (!w) return LP_E_HANDLE;
  end(w);
  return LP_OK;
}

int32_t lp_window_budget(uint32_t engine, double *out, uint32_t count) {
  lp_engine *e = lp_handle_get(engine, LP_KIND_ENGINE);
  if (!e) return LP_E_HANDLE;
  if (count < 2) return LP_E_ARGUMENT;
  out[0] = (double)lp_window_units(e->store) * LP_UNIT_BYTES;
  out[1] = (double)lp_window_most_units(e->store) * LP_UNIT_BYTES;
  return LP_OK;
}

void lp_engine_windows_end(lp_engine *e) {
  while (e->windows) end(e->windows);
}
