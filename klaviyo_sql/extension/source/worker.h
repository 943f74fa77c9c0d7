/* The worker process, one for each process that has the extension, and the lines to it, one for each connection. */
#ifndef KLAVIYO_WORKER_H
#define KLAVIYO_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include "message.h"

typedef struct Line {
  int socket; /* -1 when there is none */
  pid_t owner; /* the process that it belongs to: a forked child has a copy that it must not use */
  uint32_t session;
  uint32_t worker; /* which of the workers that this process has had */
  uint32_t number; /* of the last request */
  Unframer unframer;
} Line;

/* A line to the worker, which is started if there is none. 0, or an error whose text, from malloc, is put into `error`. */
int line_open(Line *line, char **error);
/* Nothing more will be asked; what the worker is doing for this line ends. */
void line_close(Line *line);
/* End the request of that number, if it is still being answered. */
void line_cancel(const Line *line, uint32_t number);
/* The worker has answered: what it writes to standard error goes to its log from now on. */
void line_answered(const Line *line);
/* What the worker wrote before it died without an answer, its last line, from malloc; NULL for nothing. */
char *line_last_words(const Line *line);

/* Send a whole frame. While the worker does not take it, what it sends is received and kept by `keep`. 0, or -1 when the line is broken. */
int line_send(Line *line, const Writer *request, void (*keep)(void *, Frame *), void *context);
/* The next frame that has come, from malloc. NULL with `broken` 0 after so many milliseconds without one, with 1 when the line is broken. */
Frame *line_receive(Line *line, int milliseconds, int *broken);

#endif
