#include "procedures.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The place of the mark among what SQLite keeps for a statement that runs: below zero it belongs to no argument, and goes when the run ends. */
enum { MARK = -1802265974 };
enum { ROWS_TOGETHER = 500, BYTES_TOGETHER = 1 << 18 }; /* how many rows of an aggregate go in one message, at most about */

int may_call(Host *host, char **error) {
  int code = greet(host, error), is_broken;
  if (code != SQLITE_OK) return code;
  if (is_lost(host)) return lost(error);
  Frame *frame = line_receive(&host->line, 0, &is_broken);
  if (frame) put_aside(host, frame);
  if (!is_broken) return SQLITE_OK;
  broken(host, BETWEEN, error);
  say(error, "klaviyo: the worker process has ended. Nothing was sent for this call, and the next statement starts another.");
  return SQLITE_ERROR;
}

/* Whether this is the first call of the run of a statement.
 *
 * The worker makes the same call once in a statement, and a statement that calls and reads none of our tables begins without a word. -1: the worker that knew
 * of the statement is not there any more.
 */
static int is_first(Host *host, sqlite3_context *context) {
  uint32_t *mark = sqlite3_get_auxdata(context, MARK);
  if (mark) return *mark == host->greeting ? 0 : -1;
  mark = sqlite3_malloc(sizeof *mark);
  if (mark) {
    *mark = host->greeting;
    sqlite3_set_auxdata(context, MARK, mark, sqlite3_free);
  }
  return 1;
}

static void fail(sqlite3_context *context, int code, char *error) {
  sqlite3_result_error(context, error ? error : "klaviyo: the worker cannot be asked", -1);
  sqlite3_result_error_code(context, code);
  sqlite3_free(error);
}

/* What the worker says that the call gave. */
static void give_reply(sqlite3_context *context, Frame *reply) {
  Reader reader = reader_of(reply->payload, reply->length);
  Value value = read_value(&reader);
  give(context, &value);
  free(reply);
}

static const char ended[] = "klaviyo: the worker process ended during the statement, which has made other calls before: look in Klaviyo which.";

/* Begin a request about the procedure whose function is called: its name, and whether a statement begins. */
static int begin(sqlite3_context *context, Writer *request, uint8_t kind, uint32_t parts, int is_end, char **error) {
  Name *name = sqlite3_user_data(context);
  int code = may_call(name->host, error);
  if (code != SQLITE_OK) return code;
  int first = is_end ? 0 : is_first(name->host, context); /* at its end a function has no statement that could keep a mark: asking for one is a crash */
  if (first < 0) {
    say(error, ended);
    return SQLITE_ERROR;
  }
  writer_begin(request, kind);
  write_array(request, parts);
  write_string(request, name->text);
  write_begun(request, name->host, first ? CERTAINLY : LOOKED_AT);
  return SQLITE_OK;
}

static void write_values(Writer *request, int count, sqlite3_value **values) {
  write_array(request, (uint32_t)count);
  for (int n = 0; n < count; n++) write_value(request, values[n]);
}

/* A function of a row */

static void call_once(sqlite3_context *context, int count, sqlite3_value **values) {
  Name *name = sqlite3_user_data(context);
  char *error = NULL;
  Frame *reply;
  Writer request;
  int code = begin(context, &request, 'X', 3, 0, &error);
  if (code == SQLITE_OK) {
    write_values(&request, count, values);
    code = ask(name->host, &request, 'v', SENDING, &reply, &error);
  }
  if (code == SQLITE_OK) give_reply(context, reply);
  else fail(context, code, error);
}

/* A function of many rows
 *
 * SQLite ends it after an error just as after the last row, and no function is told which it is. But a statement that fails closes its cursors before that: as
 * long as one of ours is open that was open at the first row, the statement goes on. A statement that has none of ours is only taken when nothing of it is left
 * to fail, which the worker reads in its text.
 */
typedef struct Group {
  uint32_t id; /* 0 before the first row */
  uint32_t greeting;
  uint32_t cursor; /* the newest when the first row came; 0 when none of ours is open */
  int has_failed;
  uint32_t count; /* of the rows that wait to be sent to the worker */
  size_t counted_at; /* where their number belongs */
  Writer rows;
} Group;

static int is_same_line(const Host *host, const Group *group) {
  return host->line.socket >= 0 && host->greeting == group->greeting && host->line.owner == getpid();
}

static void begin_rows(Group *group) {
  writer_begin(&group->rows, 'G');
  write_array(&group->rows, 2);
  write_integer(&group->rows, group->id);
  group->counted_at = group->rows.used + 1;
  write_array(&group->rows, 0);
  group->count = 0;
}

/* Send the rows that wait, as a request of that kind. */
static int send_rows(Host *host, Group *group, uint8_t kind, int is_running, Frame **reply, char **error) {
  if (!is_same_line(host, group)) {
    writer_end(&group->rows);
    say(error, "klaviyo: the worker process ended during the statement, which has sent nothing: run it again.");
    return SQLITE_ERROR;
  }
  if (!group->rows.failed) {
    group->rows.bytes[4] = kind;
    for (int n = 0; n < 4; n++) group->rows.bytes[group->counted_at + (size_t)n] = (uint8_t)(group->count >> (24 - 8 * n));
  }
  return ask(host, &group->rows, 'v', is_running, reply, error);
}

/* The first row, or the end where there was none: whether the procedure may be called, and whether the end of the statement can be told. */
static int begin_group(sqlite3_context *context, Group *group, int is_end, char **error) {
  Host *host = ((Name *)sqlite3_user_data(context))->host;
  Writer request;
  Frame *reply;
  int code = begin(context, &request, 'J', 4, is_end, error);
  if (code != SQLITE_OK) return code;
  if (++host->last_group == 0) host->last_group = 1;
  group->id = host->last_group;
  group->greeting = host->greeting;
  const char *text = sole_statement(host);
  group->cursor = text && host->cursors ? host->last_cursor : 0;
  write_integer(&request, group->id);
  if (group->cursor || is_end) write_null(&request); /* without a row there is nothing to send */
  else write_string(&request, text ? text : "");
  code = ask(host, &request, 'v', RUNNING, &reply, error);
  if (code != SQLITE_OK) return code;
  free(reply);
  begin_rows(group);
  return SQLITE_OK;
}

static void gather(sqlite3_context *context, int count, sqlite3_value **values) {
  Host *host = ((Name *)sqlite3_user_data(context))->host;
  Group *group = sqlite3_aggregate_context(context, sizeof *group);
  if (!group) {
    sqlite3_result_error_nomem(context);
    return;
  }
  if (group->has_failed) return;
  char *error = NULL;
  int code = group->id ? SQLITE_OK : begin_group(context, group, 0, &error);
  if (code == SQLITE_OK) {
    write_values(&group->rows, count, values);
    group->count++;
    if (group->count >= ROWS_TOGETHER || group->rows.used >= BYTES_TOGETHER) {
      Frame *reply;
      code = send_rows(host, group, 'G', RUNNING, &reply, &error);
      if (code == SQLITE_OK) {
        free(reply);
        begin_rows(group);
      }
    }
  }
  if (code != SQLITE_OK) {
    group->has_failed = 1;
    fail(context, code, error);
  }
}

/* The worker forgets what it has of the group: there is no answer. */
static void drop(Host *host, Group *group) {
  writer_end(&group->rows);
  if (!group->id || !is_same_line(host, group)) return;
  Writer request;
  writer_begin(&request, 'D');
  write_array(&request, 1);
  write_integer(&request, group->id);
  send_request(host, &request);
  writer_end(&request);
}

static void end_group(sqlite3_context *context) {
  Host *host = ((Name *)sqlite3_user_data(context))->host;
  Group *group = sqlite3_aggregate_context(context, 0), none;
  char *error = NULL;
  Frame *reply;
  int code = SQLITE_OK;
  if (group && (group->has_failed || (group->cursor && !cursor_is_open(host, group->cursor)))) {
    drop(host, group);
    /* Heard only if the statement has not failed: it has closed the cursor and opened it anew, for a subquery. */
    if (!group->has_failed)
      sqlite3_result_error(context, "klaviyo: whether the statement has read all of its rows cannot be told, and nothing was sent. Gather them before: WHERE "
                                    "input = (SELECT json_group_array(…) FROM …).", -1);
    return;
  }
  if (!group) { /* there was no row */
    memset(&none, 0, sizeof none);
    group = &none;
    code = begin_group(context, group, 1, &error);
  }
  if (code == SQLITE_OK) code = may_call(host, &error);
  if (code == SQLITE_OK) code = send_rows(host, group, 'E', SENDING, &reply, &error);
  else drop(host, group);
  if (code == SQLITE_OK) give_reply(context, reply);
  else fail(context, code, error);
}

/* A function that returns a table */

static int call_connect(sqlite3 *db, void *name, int count, const char *const *arguments, sqlite3_vtab **made, char **error) {
  int code = table_connect(db, name, count, arguments, made, error);
  if (code != SQLITE_OK) return code;
  ((Table *)*made)->is_call = 1;
  return sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY); /* a view or a trigger in a database file must not act */
}

static const sqlite3_module table_module = {TABLE_READING, .xConnect = call_connect};

static const struct {
  const char *name;
  int is_gathering;
} procedures[] = {
#define TABLE(name, is_written)
#define PROCEDURE(name, is_gathering) {name, is_gathering},
#include "names.h"
#undef TABLE
#undef PROCEDURE
};

int add_procedures(Host *host) {
  int code = SQLITE_OK, flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
  for (size_t n = 0; n < sizeof procedures / sizeof *procedures && code == SQLITE_OK; n++) {
    const char *text = procedures[n].name;
    Name *name = name_of(host, text);
    if (!name) return SQLITE_NOMEM;
    code = procedures[n].is_gathering ? sqlite3_create_function_v2(host->db, text, -1, flags, name, NULL, gather, end_group, name_release)
                                      : sqlite3_create_function_v2(host->db, text, -1, flags, name, call_once, NULL, NULL, name_release);
    if (code == SQLITE_OK) code = add_module(host, text, &table_module);
  }
  return code;
}
