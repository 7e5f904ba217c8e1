/* Audio systems: connecting with them without noise, and what they call their devices. */
#include <stdio.h>
#include <string.h>

#include "device.h"

#if defined(__linux__)
#include <dlfcn.h>
#endif

const lp_backend_entry lp_backends[LP_BACKENDS] = {
  { LP_BACKEND_COREAUDIO, ma_backend_coreaudio }, { LP_BACKEND_WASAPI, ma_backend_wasapi }, { LP_BACKEND_PULSEAUDIO, ma_backend_pulseaudio },
  { LP_BACKEND_ALSA, ma_backend_alsa },           { LP_BACKEND_JACK, ma_backend_jack },     { LP_BACKEND_NULL, ma_backend_null },
};

#if defined(__linux__)
/* libasound and libjack print whatever fails to stderr, which on a desktop without a card or a server is a page a listing. Each has one handler for the
 * process, so ours are set once, before anything of theirs is used. The libraries stay loaded: what their threads run must not go. */
static void say_nothing_alsa(const char *file, int line, const char *function, int error, const char *format, ...) {
  (void)file, (void)line, (void)function, (void)error, (void)format;
}
static void say_nothing_jack(const char *text) { (void)text; }

static void *keep_loaded(const char *const *names) {
  for (; *names; names++) {
    void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library) return library;
  }
  return NULL;
}

typedef void (*set_jack)(void (*)(const char *));
typedef int (*set_alsa)(void (*)(const char *, int, const char *, int, const char *, ...));

static void call_jack_setter(void *library, const char *name) {
  set_jack set = (set_jack)(uintptr_t)dlsym(library, name);
  if (set) set(say_nothing_jack);
}

static void quieten(void) {
  /* In miniaudio's own order of names: what it opens next is then the same library. */
  static const char *const alsa[] = { "libasound.so.2", "libasound.so", NULL }, *const jack[] = { "libjack.so", "libjack.so.0", NULL },
                    *const pulse[] = { "libpulse.so", "libpulse.so.0", NULL };
  void *library = keep_loaded(alsa);
  set_alsa set = library ? (set_alsa)(uintptr_t)dlsym(library, "snd_lib_error_set_handler") : NULL;
  if (set) set(say_nothing_alsa);
  library = keep_loaded(jack);
  if (library) {
    call_jack_setter(library, "jack_set_error_function");
    call_jack_setter(library, "jack_set_info_function");
  }
  (void)keep_loaded(pulse);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
#endif

bool lp_backend_open(ma_context *context, const lp_backend_entry *b) {
#if defined(__linux__)
  if (b->lp != LP_BACKEND_NULL) pthread_once(&once, quieten);
#endif
  ma_context_config config = ma_context_config_init();
  config.threadPriority = ma_thread_priority_realtime;
  config.pulse.pApplicationName = "Loophole";
  config.pulse.tryAutoSpawn = MA_FALSE; /* starting a sound server is the user's business */
  config.jack.pClientName = "Loophole";
  config.jack.tryStartServer = MA_FALSE;
  return ma_context_init(&b->ma, 1, &config, context) == MA_SUCCESS;
}

void lp_backend_close(ma_context *context) { ma_context_uninit(context); }

uint32_t lp_backend_copy_text(uint8_t *out, size_t room, const char *text) {
  size_t n = strlen(text);
  if (n >= room) {
    n = room - 1;
    while (n && ((uint8_t)text[n] & 0xC0) == 0x80) n--;
  }
  memset(out, 0, room);
  memcpy(out, text, n);
  return (uint32_t)n;
}

void lp_backend_id_text(uint32_t backend, const ma_device_id *id, char *out, size_t room) {
  switch (backend) {
    case LP_BACKEND_PULSEAUDIO: snprintf(out, room, "%s", id->pulse); break;
    case LP_BACKEND_ALSA: snprintf(out, room, "%s", id->alsa); break;
    case LP_BACKEND_JACK: snprintf(out, room, "%d", id->jack); break;
    case LP_BACKEND_NULL: snprintf(out, room, "%d", id->nullbackend); break;
    case LP_BACKEND_COREAUDIO: snprintf(out, room, "%s", id->coreaudio); break;
    default: { /* wide or binary: hex, without trailing zeros */
      const uint8_t *bytes = (const uint8_t *)id;
      size_t n = sizeof *id, at = 0;
      while (n && !bytes[n - 1]) n--;
      if (n > (room - 1) / 2) n = (room - 1) / 2;
      for (size_t i = 0; i < n; i++) at += (size_t)snprintf(out + at, room - at, "%02x", bytes[i]);
      out[at] = 0;
    }
  }
}
