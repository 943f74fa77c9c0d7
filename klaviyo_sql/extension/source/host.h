/* One connection of the host's, and what it asks the worker. */
#ifndef KLAVIYO_HOST_H
#define KLAVIYO_HOST_H

#include <sqlite3ext.h>

#include <stdint.h>

#include "message.h"
#include "worker.h"

/* klaviyo.c has the one definition of what SQLite's functions are called through. */
extern const sqlite3_api_routines *sqlite3_api;

enum { GREETING_SECONDS = 60 }; /* after which a worker that was asked for what takes no request is hung */
enum { MEMOS = 64, INSTANTS = 1024 };

typedef struct Cursor Cursor;

/* What was asked and answered once. */
typedef struct Memo {
  uint8_t *request; /* from malloc */
  size_t length;
  Frame *reply;
} Memo;

/* A text that is not in a usual form of time, and where it stands in the order of times. */
typedef struct Instant {
  char *text; /* from malloc; the key is behind it */
  int length;
  char *key;
  char *complaint; /* what is said when it is compared with a time and is none; NULL for a time */
} Instant;

/* A run of a statement, as SQLite counts them. */
typedef struct Run {
  sqlite3_stmt *statement;
  int count;
  int is_reading;
} Run;

/* What the modules, functions and collating sequences of a connection share. */
typedef struct Host {
  sqlite3 *db;
  int references;
  int may_write; /* whether tables of several keys are registered as such that can be written to */
  Line line;
  uint32_t greeting; /* counts the lines: what the worker knows of tables is of one of them */
  uint32_t cancelled; /* a request that was cancelled and not answered yet; 0 for none */
  Cursor *cursors;
  uint32_t last_cursor;
  uint32_t last_group;
  Run *runs; /* the statements that were running when the worker was last told that one begins */
  int run_count;
  uint32_t prepared; /* how often statements were prepared */
  uint32_t prepared_then;
  int changes_then; /* rows that had been changed when the worker was last told so */
  int writers; /* tables that the transaction writes to */
  uint32_t writing; /* the line on which the first of them said so: the worker has the changes on that one only */
  char *bad_time;
  Memo memos[MEMOS];
  Instant instants[INSTANTS];
} Host;

/* What a module is registered with: its name and the connection. */
typedef struct Name {
  Host *host;
  const char *text;
} Name;

/* Whoever is registered with SQLite has a reference, which SQLite gives back through one of these. */
void host_release(void *host);
void name_release(void *name);
/* A name of the connection, from sqlite3_malloc, ended by name_release; NULL when there is no memory. */
Name *name_of(Host *host, const char *text);

/* SQLite wants messages in memory of its own. */
void say(char **place, const char *text);
/* The same for one from malloc, which is freed. */
void say_and_free(char **place, char *text);
/* What is said of an answer that is not what `wire.py` has, and of a line that is broken. */
int unreadable(char **error);
int broken(Host *host, int is_running, char **error);

/* What a request is part of: nothing that could be interrupted, a statement that is running, or one that sends what was written, or is to be done. */
enum { BETWEEN = 0, RUNNING = 1, SENDING = 2 };

/* A reply that nobody waits for just now: the next rows of a cursor, or the answer to what was given up. */
void put_aside(void *host, Frame *frame);

/* Make sure that there is a line to the worker. */
int greet(Host *host, char **error);
/* Send a request; its number, or 0 when the line is broken. */
uint32_t send_request(Host *host, Writer *request);
/* Wait for the answer to a request. SQLITE_OK and the frame; else what went wrong, with its text.
 *
 * When sending is interrupted, the worker is told, and heard out: it says what was sent.
 */
int await(Host *host, uint32_t number, int is_running, double seconds, Frame **reply, char **error);
/* A request and its answer; the request is ended. `kind` is what the answer has to be. */
int ask(Host *host, Writer *request, uint8_t kind, int is_running, Frame **reply, char **error);

void write_value(Writer *writer, sqlite3_value *value);
/* Whether a statement begins, as the worker is told it: NULL, or the texts of those that run and write, for an UPDATE without a WHERE is refused. */
void write_begun(Writer *request, Host *host, int how);
/* How it is known: from what runs, also from what was changed, for something is written, or because it is known to begin. */
enum { LOOKED_AT = 0, WRITTEN = 1, CERTAINLY = 2 };
/* The text of the statement that runs, when it is the only one: what happens then is part of it. Else NULL. */
const char *sole_statement(Host *host);

/* What a function or a column gives SQLite; it is copied, for SQLite may keep a text longer than the message that it is in. */
void give(sqlite3_context *context, const Value *value);

#endif
