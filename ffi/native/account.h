/* What the fill pool did, for those who ask: histograms, what sources and volumes took, what was late. Everything is under the store's mutex. */
#ifndef LP_ACCOUNT_H
#define LP_ACCOUNT_H

#include "store_internal.h"

/* A job was chosen: a thread begins it now. */
void lp_account_begin(lp_store *st, lp_worker *w);
/* Its thread is back. outcome: 0 or -errno; read_ns: of waiting for the disk, decode_ns: of everything else. */
void lp_account_end(lp_store *st, lp_worker *w, int outcome, uint64_t read_ns, uint64_t decode_ns);
/* It was found hanging. */
void lp_account_stall(lp_store *st, const lp_worker *w);

#endif
