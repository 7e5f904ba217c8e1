/* Windows: stretches of sources that stay resident for as long as somebody wants them to (ClipWindows). */
#ifndef LP_WINDOW_H
#define LP_WINDOW_H

#include "store.h"

typedef struct lp_window lp_window;

/* [control] A window on source frames [from_frame, to_frame), cut to the source; the pages that hold them. rate: at which it will be played, below zero backwards,
 * which tells when each page is due. looping: its end joins its begin, and where it begins is due whenever it ends: the first half second is
 * realtime, whatever the tier of the rest. LP_E_LIMIT: all windows together would want more than lp_window_most_units. */
int lp_window_open(lp_store *store, lp_source *source, int64_t from_frame, int64_t to_frame, uint8_t tier, double rate, bool looping, lp_window **out);
/* [control] Its pages may go again. Before its store. */
void lp_window_close(lp_window *w);
/* [control] Pins what has come, and asks for what has not, or no more. Call it now and then until it is true: all pages are held. */
bool lp_window_look(lp_window *w, int64_t *pages, int64_t *held);

/* [any] Whether a page is there and held, by a window or by a fill under way: nobody needs room for it. */
bool lp_window_holds(lp_store *store, const lp_source *source, int64_t page);

/* [any] Units that windows may want, and that they do; a page that several want counts once. */
uint32_t lp_window_most_units(const lp_store *store);
uint32_t lp_window_units(const lp_store *store);

#endif
