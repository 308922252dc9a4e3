/* The mark by which the library is known: see sources.py. */

#include "hot_path.h"

EXPORTED const char mark_of_sources[] = SOURCES_MARK;
