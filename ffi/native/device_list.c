/* The list of devices. A backend whose device is open is asked over the connection that is there already. */
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "engine_internal.h"

/* Entries written so far, and how many there are. */
typedef struct listing {
  uint8_t *out;
  uint32_t room, total;
} listing;

/* What a device runs at and has, where asking is cheap: ALSA would open it, and JACK tells with the list. */
static void native_format(ma_context *context, uint32_t backend, ma_device_info *info) {
  if (info->nativeDataFormatCount || backend == LP_BACKEND_ALSA) return;
  ma_device_info more;
  if (ma_context_get_device_info(context, ma_device_type_playback, &info->id, &more) != MA_SUCCESS) return;
  memcpy(info->nativeDataFormats, more.nativeDataFormats, sizeof info->nativeDataFormats);
  info->nativeDataFormatCount = more.nativeDataFormatCount;
}

static void list_context(listing *l, ma_context *context, uint32_t backend) {
  ma_device_info *infos = NULL;
  ma_uint32 count = 0;
  if (ma_context_get_devices(context, &infos, &count, NULL, NULL) != MA_SUCCESS) return;
  for (ma_uint32 i = 0; i < count; i++, l->total++) {
    if (l->total >= l->room) continue;
    native_format(context, backend, &infos[i]);
    lp_device_entry e;
    memset(&e, 0, sizeof e);
    e.backend = backend;
    e.is_default = infos[i].isDefault ? 1 : 0;
    e.index = i;
    if (infos[i].nativeDataFormatCount) {
      e.sample_rate = infos[i].nativeDataFormats[0].sampleRate;
      e.channels = infos[i].nativeDataFormats[0].channels;
    }
    lp_backend_id_text(backend, &infos[i].id, (char *)e.id, sizeof e.id);
    e.id_bytes = (uint32_t)strlen((const char *)e.id);
    e.name_bytes = lp_backend_copy_text(e.name, sizeof e.name, infos[i].name);
    memcpy(l->out + (size_t)l->total * sizeof e, &e, sizeof e);
  }
}

int32_t lp_device_list(uint32_t handle, uint32_t backend, uint8_t *out, uint32_t out_bytes) {
  lp_renderer *r = lp_handle_get(handle, LP_KIND_RENDERER);
  if (!r) return LP_E_HANDLE;
  listing l = { .out = out, .room = out_bytes / (uint32_t)sizeof(lp_device_entry) };
  lp_device *d = lp_device_use(r);
  int32_t result = LP_OK;
  for (size_t b = 0; b < LP_BACKENDS && !result; b++) {
    if (backend != LP_BACKEND_AUTO && backend != lp_backends[b].lp) continue;
    if (d && d->backend == lp_backends[b].lp) {
      pthread_mutex_lock(&d->context_lock);
      list_context(&l, &d->context, d->backend);
      pthread_mutex_unlock(&d->context_lock);
      continue;
    }
    ma_context *context = malloc(sizeof *context);
    if (!context) result = LP_E_MEMORY;
    if (context && lp_backend_open(context, &lp_backends[b])) {
      list_context(&l, context, lp_backends[b].lp);
      lp_backend_close(context);
    }
    free(context);
  }
  if (d) lp_device_leave(d);
  return result ? result : (int32_t)l.total;
}
