/* A device as a driver of a renderer: what its callback owns, what is asked of it, and the audio systems behind it. */
#ifndef LP_DEVICE_H
#define LP_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "device_clock.h"
#include "master_rate.h"
#include "renderer.h"

#define MA_NO_ENGINE
#define MA_NO_NODE_GRAPH
#define MA_NO_RESOURCE_MANAGER
#define MA_NO_GENERATION
#define MA_NO_ENCODING
#include "miniaudio.h"

typedef struct lp_backend_entry {
  uint32_t lp; /* lp_backend */
  ma_backend ma;
} lp_backend_entry;

/* In the order in which AUTO tries them; null is last. */
#define LP_BACKENDS 6
extern const lp_backend_entry lp_backends[LP_BACKENDS];

/* Where the callback stands, for other threads: an even sequence before and after means a whole mark. */
typedef struct lp_device_mark {
  _Atomic uint32_t sequence;
  _Atomic uint64_t given;     /* device frames put out */
  _Atomic int64_t origin_ns;  /* of the clock */
  _Atomic uint32_t lines;     /* that the clock has begun */
  _Atomic uint64_t first_ns;  /* begin of the first callback, 0: none yet */
  _Atomic uint64_t last_ns;   /* of the last */
  _Atomic uint64_t callbacks;
} lp_device_mark;

#define LP_LATENCIES 5u /* answers that the median goes over */

struct lp_device {
  ma_context context;
  ma_device device;
  lp_renderer *renderer;
  uint32_t backend; /* lp_backend */
  uint32_t period, periods;
  uint32_t rate;    /* what it runs at */
  uint32_t queued;  /* device frames between the callback and the sound, as far as the buffer tells */
  uint32_t stream;  /* PulseAudio's number of the stream */

  /* [callback] */
  bool flushed; /* denormals are off on its thread */
  lp_device_clock clock;
  lp_master_rate *front; /* NULL: the device runs at the project's rate */
  uint64_t given;
  uint64_t due_ns; /* null device: when its next callback is due */

  /* Shared. */
  lp_device_mark mark;
  _Atomic bool stopping; /* a stop notice is ours */
  _Atomic bool lost;

  /* Under the renderer's lock. */
  uint32_t users; /* who asks something of it: it is not freed meanwhile */

  pthread_mutex_t context_lock; /* whoever uses the context, whose connection serves one at a time */
  /* Under context_lock. */
  double latencies[LP_LATENCIES];
  uint32_t latency_count; /* since the clock's line began */
  uint32_t latency_line;
  uint64_t asked_at; /* callbacks */
};

/* ---- device_backend.c ---- */

/* [blocking] Connects with an audio system. */
bool lp_backend_open(ma_context *context, const lp_backend_entry *b);
/* [blocking] */
void lp_backend_close(ma_context *context);
/* [any] A device's id as text of at most room - 1 bytes. */
void lp_backend_id_text(uint32_t backend, const ma_device_id *id, char *out, size_t room);
/* [any] Copies text, cut to fit between characters of UTF-8, the rest zeros. Returns its bytes. */
uint32_t lp_backend_copy_text(uint8_t *out, size_t room, const char *text);

/* ---- device_latency.c ---- */

enum lp_asked {
  LP_ASKED_NOTHING = 0, /* the audio system does not tell, or not now */
  LP_ASKED_LATENCY = 1, /* *out: device frames by which what is heard lags behind the clock of the callbacks */
  LP_ASKED_GONE = 2     /* the stream is not there any more */
};
/* [blocking, at most a second] Asks the audio system, over the context's own connection; under context_lock. */
enum lp_asked lp_device_ask(lp_device *d, double *out);
/* [any] A whole mark. */
typedef struct lp_device_place {
  uint64_t given, first_ns, last_ns, callbacks;
  int64_t origin_ns;
  uint32_t lines;
} lp_device_place;
lp_device_place lp_device_place_of(lp_device *d);

/* ---- device.c ---- */

/* [blocking] The device of a renderer, kept until lp_device_leave; NULL if none is open. */
lp_device *lp_device_use(lp_renderer *r);
void lp_device_leave(lp_device *d);

#endif
