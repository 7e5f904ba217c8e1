/* What the callback may call. LP_NONBLOCKING stands behind the parameters of a function, or of a pointer to one, that neither allocates nor locks nor
 * waits nor calls the system. A clang that knows the attribute (20 or later) proves it with -Wfunction-effects (ffi/effects.ts), all that such
 * a function calls included: what is defined in the same file is looked into, what is declared elsewhere must bear the mark too. RTSan watches them while they run.
 * For other compilers it is nothing. */
#ifndef LP_NONBLOCKING_H
#define LP_NONBLOCKING_H

#if defined(__has_attribute)
#if __has_attribute(nonblocking)
#define LP_NONBLOCKING __attribute__((nonblocking))
#endif
#endif
#ifndef LP_NONBLOCKING
#define LP_NONBLOCKING
#endif

/* Around a statement that cannot be proven. Each use says why it does not block. */
#if defined(__clang__)
#define LP_TRUSTED_BEGIN _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wunknown-warning-option\"") _Pragma("clang diagnostic ignored \"-Wfunction-effects\"")
#define LP_TRUSTED_END _Pragma("clang diagnostic pop")
#else
#define LP_TRUSTED_BEGIN
#define LP_TRUSTED_END
#endif

#endif
