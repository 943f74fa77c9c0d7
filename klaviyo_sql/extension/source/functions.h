/* Functions, which the worker answers. */
#ifndef KLAVIYO_FUNCTIONS_H
#define KLAVIYO_FUNCTIONS_H

#include "host.h"

/* Make those known to the connection that are no procedures; SQLite's code. */
int add_functions(Host *host);

#endif
