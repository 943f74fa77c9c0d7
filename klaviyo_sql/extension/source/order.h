/* The order of times in SQLite: what instant.c does not know, the worker is asked. */
#ifndef KLAVIYO_ORDER_H
#define KLAVIYO_ORDER_H

#include "host.h"

/* Make the collating sequences known to the connection; SQLite's code. */
int add_collations(Host *host);
/* SQLite cannot be told of it where it compares: a time was compared with what is none. Said at the next step of a scan. */
int complaint(Host *host, char **error);

#endif
