#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "table.h"

enum { PROTOCOL = 4 };
enum { LOOK_MILLISECONDS = 25 }; /* between two looks whether the statement was interrupted */
enum { ENDING_SECONDS = 20 }; /* for which what comes after a statement that was given up waits until the worker has heard of that */

void host_release(void *pointer) {
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

void name_release(void *pointer) {
  Name *name = pointer;
  host_release(name->host);
  sqlite3_free(name);
}

Name *name_of(Host *host, const char *text) {
  size_t length = strlen(text) + 1;
  Name *name = sqlite3_malloc64(sizeof *name + length);
  if (!name) return NULL;
  name->host = host;
  name->text = memcpy(name + 1, text, length);
  host->references++;
  return name;
}

void say(char **place, const char *text) {
  sqlite3_free(*place);
  *place = sqlite3_mprintf("%s", text);
}

void say_and_free(char **place, char *text) {
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

void put_aside(void *context, Frame *frame) {
  Host *host = context;
  if (frame->number == host->cancelled) host->cancelled = 0;
  if (!cursor_keep(host, frame)) free(frame);
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

int broken(Host *host, int is_running, char **error) {
  char *words = line_last_words(&host->line);
  forget_worker(host);
  sqlite3_free(*error);
  *error = sqlite3_mprintf("klaviyo: the worker process ended during the statement%s%s. %s", words ? ": " : "", words ? words : "; its log tells more",
                           is_running == SENDING ? "Whether it was carried out, or a part of it, is not known: look in Klaviyo before you do it again."
                                                 : "The next statement starts another.");
  free(words);
  return SQLITE_ERROR;
}

int await(Host *host, uint32_t number, int is_running, double seconds, Frame **reply, char **error) {
  double began = now();
  int is_ending = 0;
  for (;;) {
    int is_broken;
    Frame *frame = line_receive(&host->line, LOOK_MILLISECONDS, &is_broken);
    if (is_broken) return broken(host, is_running, error);
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
      say(error, is_ending ? "interrupted, before the worker said what it has sent: klaviyo_writes tells of it" : "interrupted");
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

uint32_t send_request(Host *host, Writer *request) {
  if (++host->line.number == 0) host->line.number = 1;
  writer_number(request, host->line.number);
  if (request->failed || line_send(&host->line, request, put_aside, host)) return 0;
  return host->line.number;
}

int greet(Host *host, char **error) {
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
  write_array(&request, 4);
  write_integer(&request, PROTOCOL);
  write_integer(&request, sqlite3_libversion_number());
  write_string(&request, file);
  write_integer(&request, host->may_write);
  uint32_t number = send_request(host, &request);
  writer_end(&request);
  int code = number ? await(host, number, 0, GREETING_SECONDS, &reply, error) : broken(host, BETWEEN, error);
  if (code == SQLITE_OK) line_answered(&host->line);
  else forget_worker(host);
  free(reply);
  return code;
}

int ask(Host *host, Writer *request, uint8_t kind, int is_running, Frame **reply, char **error) {
  uint32_t number = 0;
  *reply = NULL;
  if (request->failed) {
    writer_end(request);
    return SQLITE_NOMEM;
  }
  int code = host->line.socket >= 0 && host->line.owner == getpid() ? SQLITE_OK : SQLITE_MISUSE;
  if (code == SQLITE_OK) {
    number = send_request(host, request);
    code = number ? await(host, number, is_running, is_running ? 0 : GREETING_SECONDS, reply, error) : broken(host, is_running, error);
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

int unreadable(char **error) {
  say(error, "klaviyo: the worker sent an answer that cannot be read.");
  return SQLITE_ERROR;
}

void write_value(Writer *writer, sqlite3_value *value) {
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

void give(sqlite3_context *context, const Value *value) {
  switch (value->type) {
    case VALUE_INTEGER: sqlite3_result_int64(context, value->is.integer); break;
    case VALUE_REAL: sqlite3_result_double(context, value->is.real); break;
    case VALUE_TEXT: sqlite3_result_text64(context, (const char *)value->is.bytes, value->length, SQLITE_TRANSIENT, SQLITE_UTF8); break;
    case VALUE_BLOB: sqlite3_result_blob64(context, value->is.bytes, value->length, SQLITE_TRANSIENT); break;
    default: sqlite3_result_null(context);
  }
}

/* Whether a statement has begun since the worker was last told so: one is running that was not then, or runs anew.
 *
 * A statement that was prepared meanwhile may be where another was, and be in its first run as that was. One that only inserts is not planned: it shows in
 * the rows that those before it have changed, which are looked at where something is WRITTEN, for a statement that reads may go on while others write.
 */
static int has_begun(Host *host, int how) {
  int count = 0, fresh = how == CERTAINLY || host->prepared != host->prepared_then || (how == WRITTEN && host->changes_then != sqlite3_total_changes(host->db));
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

void write_begun(Writer *request, Host *host, int how) {
  uint32_t count = 0;
  if (!has_begun(host, how)) {
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

const char *sole_statement(Host *host) {
  sqlite3_stmt *found = NULL;
  for (sqlite3_stmt *statement = sqlite3_next_stmt(host->db, NULL); statement; statement = sqlite3_next_stmt(host->db, statement)) {
    if (!sqlite3_stmt_busy(statement)) continue;
    if (found) return NULL;
    found = statement;
  }
  return found ? sqlite3_sql(found) : NULL;
}
