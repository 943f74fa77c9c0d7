/* Procedures: each is a function of a row, or of many rows, and a function that returns a table. */
#ifndef KLAVIYO_PROCEDURES_H
#define KLAVIYO_PROCEDURES_H

#include "table.h"

/* Make them known to the connection under all their names; SQLite's code. */
int add_procedures(Host *host);
/* Make sure, before a call, that it can be sent to the worker that knows what the statement did before; SQLite's code, with its text. */
int may_call(Host *host, char **error);

#endif
