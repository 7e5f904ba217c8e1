/* Threads that work ahead of time. */
#include "engine.h"

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <pthread.h>
#include <pthread/qos.h>
#endif

/* [any] Below the fill pool (pool_threads.c): what nobody waits for has whatever time is left. */
int32_t lp_thread_lower(void) {
#if defined(__linux__)
  if (setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10) != 0) return LP_E_STATE;
#elif defined(__APPLE__)
  if (pthread_set_qos_class_self_np(QOS_CLASS_BACKGROUND, 0) != 0) return LP_E_STATE;
#endif
  return LP_OK;
}
