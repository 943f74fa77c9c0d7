/* A Klaviyo account's tables in any program's SQLite.
 *
 * This library is the part that has to be in the host's process; everything that knows Klaviyo is in a worker process, which is asked over a socket
 * (klaviyo_sql/extension/wire.py has the messages). Nothing is decided twice: how a scan is planned, what a text means as a time, and what an error says
 * is the worker's. Needs SQLite 3.31; what came later is used where it is there.
 */
#include <sqlite3ext.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "instant.h"
#include "message.h"
#include "worker.h"

SQLITE_EXTENSION_INIT1

#define OLDEST 3031000
#if SQLITE_VERSION_NUMBER < OLDEST
#error "klaviyo.so needs the headers of SQLite 3.31 or newer"
#endif

enum { PROTOCOL = 2 };
enum { LOOK_MILLISECONDS = 25 }; /* between two looks whether the statement was interrupted */
enum { GREETING_SECONDS = 60 }; /* after which a worker that was asked for what takes no request is hung */
enum { ENDING_SECONDS = 20 }; /* for which what comes after a statement that was given up waits until the worker has heard of that */
enum { MEMOS = 64, INSTANTS = 1024 };
enum { MOST_IN = 31 }; /* the bits of idxNum that say which values are lists */

typedef struct Host Host;
typedef struct Table Table;
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

/* One connection of the host's: what its modules, functions and collating sequences share. */
struct Host {
  sqlite3 *db;
  int references;
  Line line;
  uint32_t greeting; /* counts the lines: what the worker knows of tables is of one of them */
  uint32_t cancelled; /* a request that was cancelled and not answered yet; 0 for none */
  Cursor *cursors;
  uint32_t last_cursor;
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
};

/* What a module is registered with: its name and the connection. */
typedef struct Name {
  Host *host;
  const char *text;
} Name;

struct Table {
  sqlite3_vtab base;
  Host *host;
  Writer declared; /* the request that made it known */
  char *ddl;
  uint32_t greeting;
  uint32_t id;
  int is_writing; /* whether the transaction writes to it */
};

struct Cursor {
  sqlite3_vtab_cursor base;
  Cursor *next;
  uint32_t id;
  uint32_t greeting;
  int begun;
  Frame *batch;
  Reader reader;
  uint32_t left; /* rows of the batch behind the current one */
  int state; /* what comes after the batch */
  int at_end;
  uint32_t asked; /* the number of the request for the next batch, when it was sent ahead */
  Frame *came;
  uint32_t columns;
  uint32_t *positions; /* where in the row each column is, by its number; those that were not agreed on are beyond it */
  uint32_t known;
  Value *cells;
  sqlite3_int64 row; /* the current one, counted from the beginning of the scan */
};

enum { BATCH_LAST = 0, BATCH_AT_HAND = 1, BATCH_ASK = 2 };

/* Memory and messages */

static void host_release(void *pointer) {
  Host *host = pointer;
  if (--host->references > 0) return;
  line_close(&host->line);
  for (int n = 0; n < MEMOS; n++) {
    free(host->memos[n].request);
    free(host->memos[n].reply);
  }
  for (int n = 0; n < INSTANTS; n++) free(host->instants[n].text);
  free(host->runs);
  free(host->bad_time);
  sqlite3_free(host);
}

static void name_release(void *pointer) {
  Name *name = pointer;
  host_release(name->host);
  sqlite3_free(name);
}

/* SQLite wants messages in memory of its own. */
static void say(char **place, const char *text) {
  sqlite3_free(*place);
  *place = sqlite3_mprintf("%s", text);
}

/* The same for one from malloc, which is freed. */
static void say_and_free(char **place, char *text) {
  if (text) say(place, text);
  free(text);
}

static void forget_worker(Host *host) {
  line_close(&host->line);
  host->cancelled = 0;
  for (int n = 0; n < MEMOS; n++) {
    free(host->memos[n].request);
    free(host->memos[n].reply);
    memset(&host->memos[n], 0, sizeof host->memos[n]);
  }
}

/* A reply that nobody waits for just now: the next rows of a cursor, or the answer to what was given up. */
static void put_aside(void *context, Frame *frame) {
  Host *host = context;
  if (frame->number == host->cancelled) host->cancelled = 0;
  for (Cursor *cursor = host->cursors; cursor; cursor = cursor->next) {
    if (cursor->asked && cursor->asked == frame->number && !cursor->came) {
      cursor->came = frame;
      return;
    }
  }
  free(frame);
}

/* Whether the running statement was interrupted, or its progress handler wants it to end.
 *
 * SQLite looks for that between the steps of its own machine, of which none is done while the worker is waited for. So a few thousand are done.
 */
static int is_interrupted(Host *host, int is_running) {
#if SQLITE_VERSION_NUMBER >= 3041000
  if (sqlite3_libversion_number() >= 3041000 && sqlite3_is_interrupted(host->db)) return 1;
#endif
  if (!is_running) return 0; /* a statement that begins while none is running takes back the interrupt */
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(host->db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT count(i) FROM n", -1, &statement,
                                NULL);
  if (code == SQLITE_OK) code = sqlite3_step(statement);
  sqlite3_finalize(statement);
  return code == SQLITE_INTERRUPT;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int broken(Host *host, char **error) {
  char *words = line_last_words(&host->line);
  forget_worker(host);
  sqlite3_free(*error);
  *error = sqlite3_mprintf("klaviyo: the worker process ended during the statement%s%s. The next statement starts another.", words ? ": " : "",
                           words ? words : "; its log tells more");
  free(words);
  return SQLITE_ERROR;
}

/* What a request is part of: nothing that could be interrupted, a statement that is running, or one that sends what was written. */
enum { BETWEEN = 0, RUNNING = 1, SENDING = 2 };

/* Wait for the answer to a request. SQLITE_OK and the frame; else what went wrong, with its text.
 *
 * When sending is interrupted, the worker is told, and heard out: it says what was sent.
 */
static int await(Host *host, uint32_t number, int is_running, double seconds, Frame **reply, char **error) {
  double began = now();
  int is_ending = 0;
  for (;;) {
    int is_broken;
    Frame *frame = line_receive(&host->line, LOOK_MILLISECONDS, &is_broken);
    if (is_broken) return broken(host, error);
    if (frame && frame->number == number) {
      *reply = frame;
      if (frame->kind != 'e') return SQLITE_OK;
      Reader reader = reader_of(frame->payload, frame->length);
      int code = read_array(&reader) == 2 ? (int)read_integer(&reader) : SQLITE_ERROR;
      char *text = read_text(&reader);
      say(error, text && !reader.bad ? text : "klaviyo: the worker sent an error that cannot be read.");
      free(text);
      free(frame);
      *reply = NULL;
      return code > 0 && code < 1 << 24 && code != SQLITE_ROW && code != SQLITE_DONE ? code : SQLITE_ERROR;
    }
    if (frame) {
      put_aside(host, frame);
      continue;
    }
    if (is_ending && now() - began < ENDING_SECONDS) continue;
    if (is_ending || is_interrupted(host, is_running)) {
      if (!is_ending) line_cancel(&host->line, number);
      if (is_running == SENDING && !is_ending) {
        is_ending = 1;
        began = now();
        continue;
      }
      host->cancelled = number;
      say(error, "interrupted");
      return SQLITE_INTERRUPT;
    }
    if (seconds > 0 && now() - began > seconds) {
      free(line_last_words(&host->line));
      forget_worker(host);
      say(error, "klaviyo: the worker process does not answer. The next statement starts another.");
      return SQLITE_ERROR;
    }
    if (host->cancelled && host->cancelled != number && now() - began > ENDING_SECONDS) {
      forget_worker(host); /* other connections may be well: only this line is given up */
      say(error, "klaviyo: the worker process is still busy with a statement that was interrupted. The next statement does not wait for it.");
      return SQLITE_ERROR;
    }
  }
}

/* Send a request; its number, or 0 when the line is broken. */
static uint32_t send_request(Host *host, Writer *request) {
  if (++host->line.number == 0) host->line.number = 1;
  writer_number(request, host->line.number);
  if (request->failed || line_send(&host->line, request, put_aside, host)) return 0;
  return host->line.number;
}

/* Make sure that there is a line to the worker. */
static int greet(Host *host, char **error) {
  if (host->line.socket >= 0) {
    if (host->line.owner == getpid()) return SQLITE_OK;
    say(error, "klaviyo: the connection belongs to the process that opened it: open one in this process, after the fork.");
    return SQLITE_MISUSE;
  }
  char *problem = NULL;
  if (line_open(&host->line, &problem)) {
    say_and_free(error, problem);
    return SQLITE_ERROR;
  }
  free(problem);
  host->greeting++;
  Writer request;
  Frame *reply = NULL;
  const char *file = sqlite3_db_filename(host->db, "main");
  writer_begin(&request, 'H');
  write_array(&request, 3);
  write_integer(&request, PROTOCOL);
  write_integer(&request, sqlite3_libversion_number());
  write_string(&request, file);
  uint32_t number = send_request(host, &request);
  writer_end(&request);
  int code = number ? await(host, number, 0, GREETING_SECONDS, &reply, error) : broken(host, error);
  if (code == SQLITE_OK) line_answered(&host->line);
  else forget_worker(host);
  free(reply);
  return code;
}

/* A request and its answer; the request is ended. `kind` is what the answer has to be. */
static int ask(Host *host, Writer *request, uint8_t kind, int is_running, Frame **reply, char **error) {
  uint32_t number = 0;
  *reply = NULL;
  if (request->failed) {
    writer_end(request);
    return SQLITE_NOMEM;
  }
  int code = host->line.socket >= 0 && host->line.owner == getpid() ? SQLITE_OK : SQLITE_MISUSE;
  if (code == SQLITE_OK) {
    number = send_request(host, request);
    code = number ? await(host, number, is_running, is_running ? 0 : GREETING_SECONDS, reply, error) : broken(host, error);
  }
  writer_end(request);
  if (code == SQLITE_OK && (*reply)->kind != kind) {
    free(*reply);
    *reply = NULL;
    say(error, "klaviyo: the worker sent another answer than was asked for.");
    code = SQLITE_ERROR;
  }
  return code;
}

static int unreadable(char **error) {
  say(error, "klaviyo: the worker sent an answer that cannot be read.");
  return SQLITE_ERROR;
}

static void write_value(Writer *writer, sqlite3_value *value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: write_integer(writer, sqlite3_value_int64(value)); break;
    case SQLITE_FLOAT: write_real(writer, sqlite3_value_double(value)); break;
    case SQLITE_TEXT: {
      const char *text = (const char *)sqlite3_value_text(value);
      write_text(writer, text, (size_t)sqlite3_value_bytes(value));
      break;
    }
    case SQLITE_BLOB: {
      const void *bytes = sqlite3_value_blob(value);
      write_blob(writer, bytes, (size_t)sqlite3_value_bytes(value));
      break;
    }
    default: write_null(writer);
  }
}

/* SQLite may keep a text longer than the batch that it is in: it is copied. */
static void result(sqlite3_context *context, const Value *value) {
  switch (value->type) {
    case VALUE_INTEGER: sqlite3_result_int64(context, value->is.integer); break;
    case VALUE_REAL: sqlite3_result_double(context, value->is.real); break;
    case VALUE_TEXT: sqlite3_result_text64(context, (const char *)value->is.bytes, value->length, SQLITE_TRANSIENT, SQLITE_UTF8); break;
    case VALUE_BLOB: sqlite3_result_blob64(context, value->is.bytes, value->length, SQLITE_TRANSIENT); break;
    default: sqlite3_result_null(context);
  }
}

/* Tables */

/* Make the table known to the worker on the line that there is. */
static int declare(Table *table, char **error) {
  Host *host = table->host;
  int code = greet(host, error);
  if (code != SQLITE_OK || table->greeting == host->greeting) return code;
  Frame *reply = NULL;
  uint32_t number = send_request(host, &table->declared);
  code = number ? await(host, number, 0, GREETING_SECONDS, &reply, error) : broken(host, error);
  if (code != SQLITE_OK) return code;
  Reader reader = reader_of(reply->payload, reply->length);
  int complete = reply->kind == 't' && read_array(&reader) == 2;
  uint32_t id = complete ? (uint32_t)read_integer(&reader) : 0;
  char *ddl = complete ? read_text(&reader) : NULL;
  free(reply);
  if (reader.bad || !ddl) {
    free(ddl);
    return unreadable(error);
  }
  if (table->ddl && strcmp(table->ddl, ddl) != 0) {
    free(ddl);
    say(error, "klaviyo: the table has other columns now than when it was first used: open a new connection.");
    return SQLITE_ERROR;
  }
  free(table->ddl);
  table->ddl = ddl;
  table->id = id;
  table->greeting = host->greeting;
  return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *base) {
  Table *table = (Table *)base;
  writer_end(&table->declared);
  free(table->ddl);
  host_release(table->host);
  sqlite3_free(table);
  return SQLITE_OK;
}

static int table_connect(sqlite3 *db, void *context, int count, const char *const *arguments, sqlite3_vtab **made, char **error) {
  Name *name = context;
  Table *table = sqlite3_malloc(sizeof *table);
  if (!table) return SQLITE_NOMEM;
  memset(table, 0, sizeof *table);
  table->host = name->host;
  name->host->references++;
  writer_begin(&table->declared, 'T');
  write_array(&table->declared, 4);
  write_string(&table->declared, name->text);
  for (int n = 1; n <= 2; n++) write_string(&table->declared, arguments[n]);
  write_array(&table->declared, (uint32_t)(count - 3));
  for (int n = 3; n < count; n++) write_string(&table->declared, arguments[n]);
  int code = table->declared.failed ? SQLITE_NOMEM : declare(table, error);
  if (code == SQLITE_OK) {
    code = sqlite3_declare_vtab(db, table->ddl);
    if (code == SQLITE_OK) sqlite3_vtab_config(db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1); /* OR IGNORE and OR REPLACE are carried out by the worker */
    if (code != SQLITE_OK) say(error, sqlite3_errmsg(db));
  }
  if (code == SQLITE_OK) *made = &table->base;
  else table_disconnect(&table->base);
  return code;
}

/* The same function as xConnect would make an ordinary module a name for queries as well; this one is only for CREATE VIRTUAL TABLE. */
static int table_create(sqlite3 *db, void *context, int count, const char *const *arguments, sqlite3_vtab **made, char **error) {
  return table_connect(db, context, count, arguments, made, error);
}

/* Planning */

static Memo *memo_of(Host *host, const uint8_t *request, size_t length) {
  uint32_t hash = 2166136261u;
  for (size_t n = 0; n < length; n++) hash = (hash ^ request[n]) * 16777619u;
  return &host->memos[hash % MEMOS];
}

static void write_terms(Writer *request, sqlite3_index_info *info) {
  write_array(request, (uint32_t)info->nConstraint);
  for (int n = 0; n < info->nConstraint; n++) {
    int listed = 0;
    sqlite3_value *other_side = NULL;
#if SQLITE_VERSION_NUMBER >= 3038000
    if (sqlite3_libversion_number() >= 3038000) {
      listed = n < MOST_IN && sqlite3_vtab_in(info, n, -1);
      if (sqlite3_vtab_rhs_value(info, n, &other_side) != SQLITE_OK) other_side = NULL;
    }
#endif
    write_array(request, 6);
    write_integer(request, info->aConstraint[n].iColumn);
    write_integer(request, info->aConstraint[n].op);
    write_boolean(request, info->aConstraint[n].usable);
    write_boolean(request, listed);
    write_string(request, info->aConstraint[n].iColumn >= 0 ? sqlite3_vtab_collation(info, n) : NULL);
    if (other_side) write_value(request, other_side);
    else write_null(request);
  }
  write_array(request, (uint32_t)info->nOrderBy);
  for (int n = 0; n < info->nOrderBy; n++) {
    write_array(request, 2);
    write_integer(request, info->aOrderBy[n].iColumn);
    write_boolean(request, info->aOrderBy[n].desc);
  }
  write_unsigned(request, info->colUsed);
}

/* The worker's answer, put where SQLite reads it; SQLITE_CONSTRAINT when the table cannot be scanned in this way. */
static int agree(sqlite3_index_info *info, const Frame *reply, char **error) {
  Reader reader = reader_of(reply->payload, reply->length);
  int possible = read_array(&reader) == 8 ? (int)read_integer(&reader) : 0;
  if (reader.bad) return unreadable(error);
  if (!possible) return SQLITE_CONSTRAINT;
  if (read_array(&reader) != (uint32_t)info->nConstraint) return unreadable(error);
  int lists = 0;
  for (int n = 0; n < info->nConstraint; n++) {
    if (read_array(&reader) != 3) return unreadable(error);
    int position = (int)read_integer(&reader), omit = (int)read_integer(&reader), listed = (int)read_integer(&reader);
    if (reader.bad || position < 0 || position > info->nConstraint) return unreadable(error);
    info->aConstraintUsage[n].argvIndex = position;
    info->aConstraintUsage[n].omit = (unsigned char)omit;
#if SQLITE_VERSION_NUMBER >= 3038000
    if (listed && position > 0 && position <= MOST_IN && sqlite3_libversion_number() >= 3038000) {
      sqlite3_vtab_in(info, n, 1);
      lists |= (int)(1u << (position - 1));
    }
#else
    (void)listed;
#endif
  }
  info->idxNum = lists;
  info->estimatedCost = read_real(&reader);
  info->estimatedRows = read_integer(&reader);
  info->idxFlags = (int)read_integer(&reader);
  info->orderByConsumed = (int)read_integer(&reader);
  char *agreed = read_text(&reader);
  if (reader.bad || !agreed) {
    free(agreed);
    return unreadable(error);
  }
  info->idxStr = sqlite3_mprintf("%s", agreed);
  info->needToFreeIdxStr = 1;
  free(agreed);
  return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

/* Whether an answer holds as long as the worker does: its last part. */
static int is_lasting(const Frame *reply) { return reply->length > 0 && reply->payload[reply->length - 1] == 0xc3; }

static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info) {
  Table *table = (Table *)base;
  Host *host = table->host;
  host->prepared++;
  int code = declare(table, &base->zErrMsg);
  if (code != SQLITE_OK) return code;
  Writer request;
  writer_begin(&request, 'P');
  write_array(&request, 4);
  write_integer(&request, table->id);
  write_terms(&request, info);
  if (request.failed) {
    writer_end(&request);
    return SQLITE_NOMEM;
  }
  const uint8_t *key = request.bytes + FRAME_HEADER;
  size_t length = request.used - FRAME_HEADER;
  Memo *memo = memo_of(host, key, length);
  if (memo->reply && memo->length == length && memcmp(memo->request, key, length) == 0) {
    writer_end(&request);
    return agree(info, memo->reply, &base->zErrMsg);
  }
  uint8_t *copy = malloc(length);
  if (copy) memcpy(copy, key, length);
  Frame *reply;
  code = ask(host, &request, 'p', 0, &reply, &base->zErrMsg);
  if (code != SQLITE_OK) {
    free(copy);
    return code;
  }
  code = agree(info, reply, &base->zErrMsg);
  if (copy && is_lasting(reply) && (code == SQLITE_OK || code == SQLITE_CONSTRAINT)) {
    free(memo->request);
    free(memo->reply);
    memo->request = copy;
    memo->length = length;
    memo->reply = reply;
  } else {
    free(copy);
    free(reply);
  }
  return code;
}

/* Scanning */

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **made) {
  Host *host = ((Table *)base)->host;
  Cursor *cursor = sqlite3_malloc(sizeof *cursor);
  if (!cursor) return SQLITE_NOMEM;
  memset(cursor, 0, sizeof *cursor);
  if (!host->cursors) {
    free(host->bad_time); /* a comparison after the last row of a statement before */
    host->bad_time = NULL;
  }
  cursor->id = ++host->last_cursor;
  cursor->next = host->cursors;
  cursor->at_end = 1;
  host->cursors = cursor;
  *made = &cursor->base;
  return SQLITE_OK;
}

static void cursor_clear(Cursor *cursor) {
  free(cursor->batch);
  free(cursor->came);
  free(cursor->positions);
  free(cursor->cells);
  cursor->batch = cursor->came = NULL;
  cursor->positions = NULL;
  cursor->cells = NULL;
  cursor->asked = 0;
  cursor->left = cursor->columns = cursor->known = 0;
  cursor->at_end = 1;
}

static int cursor_close(sqlite3_vtab_cursor *base) {
  Cursor *cursor = (Cursor *)base;
  Host *host = ((Table *)base->pVtab)->host;
  Cursor **place = &host->cursors;
  while (*place && *place != cursor) place = &(*place)->next;
  if (*place) *place = cursor->next;
  if (cursor->begun && cursor->greeting == host->greeting && host->line.socket >= 0 && host->line.owner == getpid()) {
    Writer request;
    writer_begin(&request, 'C');
    write_array(&request, 1);
    write_integer(&request, cursor->id);
    send_request(host, &request); /* no answer: a line that is broken shows with the next request */
    writer_end(&request);
  }
  cursor_clear(cursor);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

/* Whether a statement has begun since the worker was last told so: one is running that was not then, or runs anew.
 *
 * A statement that was prepared meanwhile may be where another was, and be in its first run as that was. One that only inserts is not planned: it shows in
 * the rows that those before it have changed, which are looked at where something `is_written`, for a statement that reads may go on while others write.
 */
static int has_begun(Host *host, int is_written) {
  int count = 0, fresh = host->prepared != host->prepared_then || (is_written && host->changes_then != sqlite3_total_changes(host->db));
  for (sqlite3_stmt *statement = sqlite3_next_stmt(host->db, NULL); statement; statement = sqlite3_next_stmt(host->db, statement)) {
    if (!sqlite3_stmt_busy(statement)) continue;
    Run run = {statement, sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_RUN, 0), sqlite3_stmt_readonly(statement)};
    int known = 0;
    for (int n = 0; n < host->run_count && !known; n++) {
      const Run *other = &host->runs[n];
      known = other->statement == run.statement && other->count == run.count && other->is_reading == run.is_reading;
    }
    fresh |= !known;
    count++;
  }
  if (!fresh) return 0;
  host->prepared_then = host->prepared;
  host->changes_then = sqlite3_total_changes(host->db);
  Run *runs = realloc(host->runs, sizeof *runs * (size_t)(count ? count : 1));
  if (!runs) return 1;
  host->runs = runs;
  host->run_count = 0;
  for (sqlite3_stmt *statement = sqlite3_next_stmt(host->db, NULL); statement && host->run_count < count; statement = sqlite3_next_stmt(host->db, statement)) {
    if (!sqlite3_stmt_busy(statement)) continue;
    Run run = {statement, sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_RUN, 0), sqlite3_stmt_readonly(statement)};
    host->runs[host->run_count++] = run;
  }
  return 1;
}

/* Whether a statement begins, as the worker is told it: NULL, or the texts of those that run and write, for an UPDATE without a WHERE is refused. */
static void write_begun(Writer *request, Host *host, int is_written) {
  uint32_t count = 0;
  if (!has_begun(host, is_written)) {
    write_null(request);
    return;
  }
  for (int n = 0; n < host->run_count; n++) count += !host->runs[n].is_reading && sqlite3_sql(host->runs[n].statement);
  write_array(request, count);
  for (int n = 0; n < host->run_count; n++) {
    const char *text = host->runs[n].is_reading ? NULL : sqlite3_sql(host->runs[n].statement);
    if (text) write_string(request, text);
  }
}

/* SQLite cannot be told of it where it compares: a time was compared with what is none. */
static int complaint(Host *host, char **error) {
  if (!host->bad_time) return SQLITE_OK;
  say_and_free(error, host->bad_time);
  host->bad_time = NULL;
  return SQLITE_ERROR;
}

/* Ask for the batch behind this one; the answer is waited for by somebody else. */
static int ask_ahead(Cursor *cursor) {
  Host *host = ((Table *)cursor->base.pVtab)->host;
  Writer request;
  writer_begin(&request, 'N');
  write_array(&request, 1);
  write_integer(&request, cursor->id);
  cursor->asked = send_request(host, &request);
  writer_end(&request);
  return cursor->asked != 0;
}

static int step(Cursor *cursor, char **error) {
  if (!cursor->left) return SQLITE_OK;
  if (!read_row(&cursor->reader, cursor->cells, cursor->columns)) return unreadable(error);
  cursor->left--;
  return SQLITE_OK;
}

/* Take a batch over: its first row is the current one, or there is none any more. */
static int take(Cursor *cursor, Frame *reply, char **error) {
  Reader reader = reader_of(reply->payload, reply->length);
  free(cursor->batch);
  cursor->batch = reply;
  cursor->at_end = 1;
  uint32_t parts = read_array(&reader);
  int state = (int)read_integer(&reader);
  Value columns = read_value(&reader);
  if (reader.bad || parts != 3 || state < BATCH_LAST || state > BATCH_ASK) return unreadable(error);
  if (columns.type == VALUE_ARRAY) {
    uint32_t known = 0;
    Reader again = reader;
    for (uint32_t n = 0; n < columns.length; n++) {
      int64_t column = read_integer(&reader);
      if (reader.bad || column < 0 || column > 32767) return unreadable(error); /* SQLite has no more */
      if ((uint32_t)column >= known) known = (uint32_t)column + 1;
    }
    free(cursor->positions);
    free(cursor->cells);
    cursor->positions = malloc(sizeof *cursor->positions * (known ? known : 1));
    cursor->cells = malloc(sizeof *cursor->cells * (columns.length ? columns.length : 1));
    cursor->columns = columns.length;
    cursor->known = cursor->positions ? known : 0;
    if (!cursor->positions || !cursor->cells) return SQLITE_NOMEM;
    for (uint32_t n = 0; n < known; n++) cursor->positions[n] = columns.length;
    for (uint32_t n = 0; n < columns.length; n++) cursor->positions[read_integer(&again)] = n;
  } else if (columns.type != VALUE_NULL || !cursor->cells) {
    return unreadable(error);
  }
  cursor->left = read_array(&reader);
  if (reader.bad || (cursor->left == 0 && state != BATCH_LAST)) return unreadable(error);
  cursor->reader = reader;
  cursor->state = state;
  cursor->at_end = cursor->left == 0;
  if (state == BATCH_AT_HAND && !ask_ahead(cursor)) return broken(((Table *)cursor->base.pVtab)->host, error);
  return step(cursor, error);
}

static int cursor_filter(sqlite3_vtab_cursor *base, int lists, const char *agreed, int count, sqlite3_value **values) {
  Cursor *cursor = (Cursor *)base;
  Table *table = (Table *)base->pVtab;
  Host *host = table->host;
  char **error = &table->base.zErrMsg;
  cursor_clear(cursor);
  int code = declare(table, error);
  if (code != SQLITE_OK) return code;
  if ((code = complaint(host, error)) != SQLITE_OK) return code;
  Writer request;
  writer_begin(&request, 'S');
  write_array(&request, 6);
  write_integer(&request, cursor->id);
  write_integer(&request, table->id);
  write_begun(&request, host, 0);
  write_string(&request, agreed);
  write_array(&request, (uint32_t)count);
  for (int n = 0; n < count; n++) {
#if SQLITE_VERSION_NUMBER >= 3038000
    if (n < MOST_IN && lists & (int)(1u << n)) {
      sqlite3_value *value = NULL;
      uint32_t length = 0;
      for (int more = sqlite3_vtab_in_first(values[n], &value); more == SQLITE_OK && value; more = sqlite3_vtab_in_next(values[n], &value)) length++;
      write_array(&request, length);
      for (int more = sqlite3_vtab_in_first(values[n], &value); more == SQLITE_OK && value; more = sqlite3_vtab_in_next(values[n], &value))
        write_value(&request, value);
      continue;
    }
#else
    (void)lists;
#endif
    write_value(&request, values[n]);
  }
  /* Where the others stand: what an inner loop will ask for next is below them. */
  uint32_t standing = 0;
  for (Cursor *other = host->cursors; other; other = other->next) standing += other != cursor && !other->at_end;
  write_array(&request, standing);
  for (Cursor *other = host->cursors; other; other = other->next) {
    if (other == cursor || other->at_end) continue;
    write_array(&request, 2);
    write_integer(&request, other->id);
    write_integer(&request, other->row);
  }
  cursor->begun = 1;
  cursor->greeting = host->greeting;
  cursor->row = 0;
  Frame *reply;
  code = ask(host, &request, 'b', 1, &reply, error);
  return code == SQLITE_OK ? take(cursor, reply, error) : code;
}

/* The batch behind the current one. */
static int turn(Cursor *cursor) {
  Table *table = (Table *)cursor->base.pVtab;
  Host *host = table->host;
  char **error = &table->base.zErrMsg;
  if (cursor->state == BATCH_LAST) {
    cursor->at_end = 1;
    return SQLITE_OK;
  }
  if (cursor->greeting != host->greeting || host->line.socket < 0) {
    say(error, "klaviyo: the worker process ended during the statement: run it again.");
    return SQLITE_ERROR;
  }
  if (host->line.owner != getpid()) return greet(host, error);
  if (!cursor->asked && !ask_ahead(cursor)) return broken(host, error);
  Frame *reply = cursor->came;
  uint32_t number = cursor->asked;
  cursor->came = NULL;
  cursor->asked = 0;
  int code = SQLITE_OK;
  if (reply && reply->kind == 'b') return take(cursor, reply, error);
  if (reply) {
    Reader reader = reader_of(reply->payload, reply->length);
    code = reply->kind == 'e' && read_array(&reader) == 2 ? (int)read_integer(&reader) : SQLITE_ERROR;
    say_and_free(error, read_text(&reader));
    free(reply);
    return code > 0 && code < 1 << 24 ? code : SQLITE_ERROR;
  }
  code = await(host, number, 1, 0, &reply, error);
  if (code != SQLITE_OK) {
    cursor->state = BATCH_LAST;
    return code;
  }
  if (reply->kind == 'b') return take(cursor, reply, error);
  free(reply);
  return unreadable(error);
}

static int cursor_next(sqlite3_vtab_cursor *base) {
  Cursor *cursor = (Cursor *)base;
  Host *host = ((Table *)base->pVtab)->host;
  if (host->bad_time) return complaint(host, &base->pVtab->zErrMsg);
  cursor->row++;
  return cursor->left ? step(cursor, &base->pVtab->zErrMsg) : turn(cursor);
}

static int cursor_eof(sqlite3_vtab_cursor *base) { return ((Cursor *)base)->at_end; }

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column) {
  Cursor *cursor = (Cursor *)base;
  if (sqlite3_vtab_nochange(context)) return SQLITE_OK; /* an UPDATE that leaves it alone: the value need not be known */
  if (column < 0 || (uint32_t)column >= cursor->known || cursor->positions[column] >= cursor->columns) {
    sqlite3_result_error(context, "klaviyo: a column is read that the scan was not asked for", -1);
    return SQLITE_INTERNAL;
  }
  result(context, &cursor->cells[cursor->positions[column]]);
  return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *row) {
  *row = ((Cursor *)base)->row;
  return SQLITE_OK;
}

/* Writing: the worker has the transaction, and SQLite says when it begins and ends. */

/* Whether the worker that has the transaction's changes has ended: what comes after would be sent without what came before. */
static int is_lost(Host *host) { return host->writers > 0 && (host->line.socket < 0 || host->writing != host->greeting); }

static int lost(char **error) {
  say(error, "klaviyo: the worker process ended during the transaction, and nothing of it is sent from here on: ROLLBACK, and begin it again. If it ended "
             "during COMMIT, some may have been sent before.");
  return SQLITE_ERROR;
}

static int transact(sqlite3_vtab *base, uint8_t kind, int savepoint, int is_running) {
  Table *table = (Table *)base;
  Host *host = table->host;
  int code = declare(table, &base->zErrMsg);
  if (code != SQLITE_OK) return code;
  if (is_lost(host)) return lost(&base->zErrMsg);
  Writer request;
  Frame *reply;
  writer_begin(&request, kind);
  write_array(&request, 3);
  write_integer(&request, table->id);
  write_integer(&request, savepoint);
  write_begun(&request, host, 1);
  code = ask(host, &request, 'v', is_running, &reply, &base->zErrMsg);
  free(reply);
  return code;
}

static int table_begin(sqlite3_vtab *base) {
  Table *table = (Table *)base;
  int code = transact(base, 'B', -1, BETWEEN);
  if (code != SQLITE_OK) return code;
  table->is_writing = 1;
  if (table->host->writers++ == 0) table->host->writing = table->host->greeting;
  return SQLITE_OK;
}

/* A table that was made in the transaction is told of its end without having been told of its beginning. */
static int transact_if_writing(sqlite3_vtab *base, uint8_t kind, int savepoint, int is_running) {
  return ((Table *)base)->is_writing ? transact(base, kind, savepoint, is_running) : SQLITE_OK;
}

/* The end of the transaction: nobody asks what came of this. What the worker has lost needs no taking back. */
static int finish(sqlite3_vtab *base, uint8_t kind) {
  Table *table = (Table *)base;
  Host *host = table->host;
  if (!table->is_writing) return SQLITE_OK;
  if (host->line.socket >= 0 && !is_lost(host)) transact(base, kind, -1, BETWEEN);
  table->is_writing = 0;
  host->writers--;
  return SQLITE_OK;
}

static int table_sync(sqlite3_vtab *base) { return transact_if_writing(base, 'Y', -1, SENDING); }
static int table_commit(sqlite3_vtab *base) { return finish(base, 'M'); }
static int table_rollback(sqlite3_vtab *base) { return finish(base, 'R'); }
static int table_savepoint(sqlite3_vtab *base, int savepoint) { return transact_if_writing(base, 's', savepoint, BETWEEN); }
static int table_release(sqlite3_vtab *base, int savepoint) { return transact_if_writing(base, 'r', savepoint, BETWEEN); }
static int table_rollback_to(sqlite3_vtab *base, int savepoint) { return transact_if_writing(base, 'o', savepoint, BETWEEN); }

static int table_update(sqlite3_vtab *base, int count, sqlite3_value **values, sqlite3_int64 *row) {
  Table *table = (Table *)base;
  int code = declare(table, &base->zErrMsg);
  if (code != SQLITE_OK) return code;
  if (is_lost(table->host)) return lost(&base->zErrMsg);
  Writer request;
  Frame *reply;
  writer_begin(&request, 'U');
  write_array(&request, 4);
  write_integer(&request, table->id);
  write_begun(&request, table->host, 1);
  write_integer(&request, sqlite3_vtab_on_conflict(table->host->db));
  write_array(&request, (uint32_t)count);
  for (int n = 0; n < count; n++) {
    if (count > 1 && sqlite3_value_nochange(values[n])) write_no_change(&request);
    else write_value(&request, values[n]);
  }
  code = ask(table->host, &request, 'v', 1, &reply, &base->zErrMsg);
  if (code != SQLITE_OK) return code;
  Reader reader = reader_of(reply->payload, reply->length);
  Value made = read_value(&reader);
  if (made.type == VALUE_INTEGER) *row = made.is.integer;
  free(reply);
  return SQLITE_OK;
}

/* Functions */

static void call(sqlite3_context *context, int count, sqlite3_value **values) {
  Name *name = sqlite3_user_data(context);
  Host *host = name->host;
  char *error = NULL;
  Frame *reply = NULL;
  int code = greet(host, &error);
  if (code == SQLITE_OK) {
    Writer request;
    writer_begin(&request, 'F');
    write_array(&request, 2);
    write_string(&request, name->text);
    write_array(&request, (uint32_t)count);
    for (int n = 0; n < count; n++) write_value(&request, values[n]);
    code = ask(host, &request, 'v', 1, &reply, &error);
  }
  if (code == SQLITE_OK) {
    Reader reader = reader_of(reply->payload, reply->length);
    Value value = read_value(&reader);
    result(context, &value);
  } else {
    sqlite3_result_error(context, error ? error : "klaviyo: the worker cannot be asked", -1);
    sqlite3_result_error_code(context, code);
  }
  free(reply);
  sqlite3_free(error);
}

/* Times */

/* What the worker says of a text that is in none of the usual forms; remembered, because a scan compares each of its rows with the same few. */
static const Instant *asked_instant(Host *host, const char *text, int length) {
  uint32_t hash = 2166136261u;
  for (int n = 0; n < length; n++) hash = (hash ^ (uint8_t)text[n]) * 16777619u;
  Instant *found = &host->instants[hash % INSTANTS];
  if (found->text && found->length == length && memcmp(found->text, text, (size_t)length) == 0) return found;
  char *error = NULL;
  Frame *reply = NULL;
  Writer request;
  char *key = NULL, *complaint_text = NULL;
  if (greet(host, &error) == SQLITE_OK) {
    writer_begin(&request, 'I');
    write_array(&request, 1);
    write_text(&request, text, (size_t)length);
    if (ask(host, &request, 'i', 0, &reply, &error) == SQLITE_OK) {
      Reader reader = reader_of(reply->payload, reply->length);
      if (read_array(&reader) == 2) {
        key = read_text(&reader);
        complaint_text = read_text(&reader);
      }
      free(reply);
    }
  }
  sqlite3_free(error);
  size_t key_length = key ? strlen(key) + 1 : 0, complaint_length = complaint_text ? strlen(complaint_text) + 1 : 0;
  char *kept = malloc((size_t)length + 1 + key_length + complaint_length);
  if (kept) {
    free(found->text);
    memcpy(kept, text, (size_t)length);
    found->text = kept;
    found->length = length;
    found->key = key ? memcpy(kept + length + 1, key, key_length) : NULL;
    found->complaint = complaint_text ? memcpy(kept + length + 1 + key_length, complaint_text, complaint_length) : NULL;
  }
  free(key);
  free(complaint_text);
  return kept ? found : NULL;
}

typedef struct Rank {
  int is_time;
  char key[INSTANT_KEY];
} Rank;

static Rank rank_of(Host *host, const char *text, int length, int may_be_text) {
  Rank rank = {1, ""};
  if (usual_instant(text, length, rank.key)) return rank;
  const Instant *found = asked_instant(host, text, length);
  if (found && found->key) {
    strncpy(rank.key, found->key, sizeof rank.key - 1);
    return rank;
  }
  rank.is_time = 0;
  if (!may_be_text && found && found->complaint && !host->bad_time) host->bad_time = strdup(found->complaint);
  return rank;
}

static int ordered(const char *left, int left_length, const char *right, int right_length) {
  int order = memcmp(left, right, (size_t)(left_length < right_length ? left_length : right_length));
  return order ? order : left_length - right_length;
}

/* Texts that are no times come after all times, in their own order. */
static int compare(Host *host, int may_be_text, int left_length, const char *left, int right_length, const char *right) {
  if (left_length == right_length && is_canonical(left, left_length) && is_canonical(right, right_length)) return memcmp(left, right, (size_t)left_length);
  Rank first = rank_of(host, left, left_length, may_be_text), second = rank_of(host, right, right_length, may_be_text);
  if (first.is_time != second.is_time) return first.is_time ? -1 : 1;
  return first.is_time ? strcmp(first.key, second.key) : ordered(left, left_length, right, right_length);
}

static int compare_instants(void *host, int left_length, const void *left, int right_length, const void *right) {
  return compare(host, 0, left_length, left, right_length, right);
}

static int compare_anything(void *host, int left_length, const void *left, int right_length, const void *right) {
  return compare(host, 1, left_length, left, right_length, right);
}

/* Everything by its name */

#define READING                                                                                                                             \
  .iVersion = 2, .xConnect = table_connect, .xBestIndex = table_best_index, .xDisconnect = table_disconnect, .xOpen = cursor_open,          \
  .xClose = cursor_close, .xFilter = cursor_filter, .xNext = cursor_next, .xEof = cursor_eof, .xColumn = cursor_column, .xRowid = cursor_rowid
#define WRITING                                                                                                                             \
  .xUpdate = table_update, .xBegin = table_begin, .xSync = table_sync, .xCommit = table_commit, .xRollback = table_rollback,                \
  .xSavepoint = table_savepoint, .xRelease = table_release, .xRollbackTo = table_rollback_to
#define MAKING .xCreate = table_create, .xDestroy = table_disconnect

/* Tables that are there without being made, and those that CREATE VIRTUAL TABLE makes. What is written is written as far as the connection may. */
static const sqlite3_module read_only = {READING};
static const sqlite3_module written = {READING, WRITING};
static const sqlite3_module made = {READING, MAKING};
static const sqlite3_module made_and_written = {READING, WRITING, MAKING};

static const struct {
  const char *name;
  int is_written;
} tables[] = {
#define TABLE(name, is_written) {name, is_written},
#include "names.h"
#undef TABLE
};

/* Those that act or tell of this machine are for statements only; what the newest row is called may be used in triggers and views. */
static const struct {
  const char *name;
  int flags;
} functions[] = {{"refresh", SQLITE_DIRECTONLY}, {"klaviyo_worker", SQLITE_DIRECTONLY}, {"last_insert_id", 0}};

static Name *name_of(Host *host, const char *text) {
  size_t length = strlen(text) + 1;
  Name *name = sqlite3_malloc64(sizeof *name + length);
  if (!name) return NULL;
  name->host = host;
  name->text = memcpy(name + 1, text, length);
  host->references++;
  return name;
}

static int add_module(Host *host, const char *text, const sqlite3_module *module) {
  Name *name = name_of(host, text);
  return name ? sqlite3_create_module_v2(host->db, text, module, name, name_release) : SQLITE_NOMEM;
}

/* Whether there may be tables that only the worker knows: those of accounts in the settings file, and those of several keys, which can be written to where
 * the settings allow writing.
 */
static int may_have_more(void) {
  const char *writes = getenv("KLAVIYO_SQL_WRITE");
  if (writes && *writes && strcmp(writes, "0") != 0) return 1;
  const char *named = getenv("KLAVIYO_SQL_CONFIG"), *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  char *path = named && *named                            ? sqlite3_mprintf("%s", named)
               : folder && *folder == '/'                 ? sqlite3_mprintf("%s/klaviyo-sql/config.toml", folder)
               : home && *home                            ? sqlite3_mprintf("%s/.config/klaviyo-sql/config.toml", home)
                                                          : NULL;
  FILE *file = path ? fopen(path, "r") : NULL;
  int found = 0;
  if (file) {
    char text[65536];
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = 0;
    /* A word that is there in no other sense than this one costs the start of the worker. */
    found = length == sizeof text - 1 || strstr(text, "accounts") != NULL || strstr(text, "write") != NULL;
    fclose(file);
  }
  sqlite3_free(path);
  return found;
}

/* What the worker says there is beside the names that are known: tables of named accounts, as "shop_a.profiles", and what can be written to here. */
static int add_more(Host *host, char **error) {
  Writer request;
  Frame *reply = NULL;
  int code = greet(host, error);
  if (code != SQLITE_OK) return code;
  writer_begin(&request, 'A');
  write_array(&request, 0);
  code = ask(host, &request, 'a', 0, &reply, error);
  if (code != SQLITE_OK) return code;
  Reader reader = reader_of(reply->payload, reply->length);
  uint32_t count = read_array(&reader);
  for (uint32_t n = 0; n < count && code == SQLITE_OK; n++) {
    uint32_t parts = read_array(&reader);
    char *text = read_text(&reader);
    const sqlite3_module *const kinds[] = {&read_only, &written, &made_and_written};
    int kind = (int)read_integer(&reader);
    code = reader.bad || parts != 2 || !text || kind < 0 || kind > 2 ? unreadable(error) : add_module(host, text, kinds[kind]);
    free(text);
  }
  free(reply);
  return code;
}

static int add_everything(Host *host, char **error) {
  int code = SQLITE_OK;
  for (size_t n = 0; n < sizeof tables / sizeof *tables && code == SQLITE_OK; n++)
    code = add_module(host, tables[n].name, tables[n].is_written ? &written : &read_only);
  if (code == SQLITE_OK) code = add_module(host, "klaviyo", &made);
  if (code == SQLITE_OK) code = add_module(host, "klaviyo_link", &made);
  if (code == SQLITE_OK) code = add_module(host, "klaviyo_table", &made_and_written);
  for (size_t n = 0; n < sizeof functions / sizeof *functions && code == SQLITE_OK; n++) {
    Name *name = name_of(host, functions[n].name);
    int flags = SQLITE_UTF8 | functions[n].flags;
    code = name ? sqlite3_create_function_v2(host->db, functions[n].name, -1, flags, name, call, NULL, NULL, name_release) : SQLITE_NOMEM;
  }
  static const struct {
    const char *name;
    int (*compare)(void *, int, const void *, int, const void *);
  } collations[] = {{"INSTANT", compare_instants}, {"INSTANT_OR_TEXT", compare_anything}};
  for (int n = 0; n < 2 && code == SQLITE_OK; n++) {
    host->references++;
    code = sqlite3_create_collation_v2(host->db, collations[n].name, SQLITE_UTF8, host, collations[n].compare, host_release);
    if (code != SQLITE_OK) host_release(host); /* SQLite releases it for functions and modules that it does not take, and not here */
  }
  return code == SQLITE_OK && may_have_more() ? add_more(host, error) : code;
}

#ifdef _WIN32
__declspec(dllexport)
#else
__attribute__((visibility("default")))
#endif
int sqlite3_klaviyo_init(sqlite3 *db, char **error, const sqlite3_api_routines *routines) {
  SQLITE_EXTENSION_INIT2(routines);
  if (sqlite3_libversion_number() < OLDEST) {
    *error = sqlite3_mprintf("klaviyo: this program has SQLite %s, and 3.31 is the oldest that will do.", sqlite3_libversion());
    return SQLITE_ERROR;
  }
  Host *host = sqlite3_malloc(sizeof *host);
  if (!host) return SQLITE_NOMEM;
  memset(host, 0, sizeof *host);
  host->db = db;
  host->references = 1;
  host->line.socket = -1;
  int code = add_everything(host, error);
  host_release(host);
  /* SQLite would unload the library with the connection, and what it knows of the worker process with it. */
  return code == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : code;
}
