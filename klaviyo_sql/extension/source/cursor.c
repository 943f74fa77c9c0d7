#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "order.h"
#include "procedures.h"
#include "table.h"

struct Cursor {
  sqlite3_vtab_cursor base;
  Cursor *next;
  uint32_t id;
  uint32_t greeting;
  int begun;
  Frame *batch;
  Reader reader;
  uint32_t left; /* rows of the batch behind the current one */
  int64_t times; /* for how many rows each of them stands */
  int64_t again; /* for how many more the current one stands */
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

enum { MOST_TIMES = 1 << 16 }; /* rows that one may stand for: a number that makes no sense would keep SQLite busy for years */
enum { BATCH_LAST = 0, BATCH_AT_HAND = 1, BATCH_ASK = 2 };

int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **made) {
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

int cursor_close(sqlite3_vtab_cursor *base) {
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

/* Ask for the batch behind this one, or for the current row and those behind it with all columns; the answer is waited for by somebody else. */
static int ask_ahead(Cursor *cursor, int is_read) {
  Host *host = ((Table *)cursor->base.pVtab)->host;
  Writer request;
  writer_begin(&request, 'N');
  write_array(&request, 2);
  write_integer(&request, cursor->id);
  if (is_read) write_integer(&request, cursor->row);
  else write_null(&request);
  cursor->asked = send_request(host, &request);
  writer_end(&request);
  return cursor->asked != 0;
}

static int step(Cursor *cursor, char **error) {
  if (!cursor->left) return SQLITE_OK;
  if (!read_row(&cursor->reader, cursor->cells, cursor->columns)) return unreadable(error);
  cursor->left--;
  cursor->again = cursor->times - 1;
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
  if (reader.bad || parts != 4 || state < BATCH_LAST || state > BATCH_ASK) return unreadable(error);
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
  cursor->times = read_integer(&reader);
  cursor->left = read_array(&reader);
  if (reader.bad || cursor->times < 1 || cursor->times > MOST_TIMES || (cursor->left == 0 && state != BATCH_LAST)) return unreadable(error);
  cursor->reader = reader;
  cursor->state = state;
  cursor->at_end = cursor->left == 0;
  cursor->again = 0;
  if (state == BATCH_AT_HAND && !ask_ahead(cursor, 0)) return broken(((Table *)cursor->base.pVtab)->host, RUNNING, error);
  return step(cursor, error);
}

int cursor_filter(sqlite3_vtab_cursor *base, int lists, const char *agreed, int count, sqlite3_value **values) {
  Cursor *cursor = (Cursor *)base;
  Table *table = (Table *)base->pVtab;
  Host *host = table->host;
  char **error = &table->base.zErrMsg;
  cursor_clear(cursor);
  int code = declare(table, error);
  if (code != SQLITE_OK) return code;
  if ((code = complaint(host, error)) != SQLITE_OK) return code;
  if (table->is_call && (code = may_call(host, error)) != SQLITE_OK) return code;
  Writer request;
  writer_begin(&request, 'S');
  write_array(&request, 7);
  write_integer(&request, cursor->id);
  write_integer(&request, table->id);
  write_begun(&request, host, LOOKED_AT);
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
  /* What is done to the table: rows that the statement names by their key, and does not look at, need not be read. */
  write_string(&request, table->is_writing ? sole_statement(host) : NULL);
  cursor->begun = 1;
  cursor->greeting = host->greeting;
  cursor->row = 0;
  Frame *reply;
  code = ask(host, &request, 'b', table->is_call ? SENDING : RUNNING, &reply, error);
  return code == SQLITE_OK ? take(cursor, reply, error) : code;
}

/* The next batch: the one behind the current one, or the current row and those behind it with all columns. */
static int turn(Cursor *cursor, int is_read) {
  Table *table = (Table *)cursor->base.pVtab;
  Host *host = table->host;
  char **error = &table->base.zErrMsg;
  if (cursor->state == BATCH_LAST && !is_read) {
    cursor->at_end = 1;
    return SQLITE_OK;
  }
  if (cursor->greeting != host->greeting || host->line.socket < 0) {
    say(error, "klaviyo: the worker process ended during the statement: run it again.");
    return SQLITE_ERROR;
  }
  if (host->line.owner != getpid()) return greet(host, error);
  if (is_read) {
    free(cursor->came); /* what was asked for ahead has too few columns */
    cursor->came = NULL;
    cursor->asked = 0;
  }
  if (!cursor->asked && !ask_ahead(cursor, is_read)) return broken(host, RUNNING, error);
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

int cursor_next(sqlite3_vtab_cursor *base) {
  Cursor *cursor = (Cursor *)base;
  Host *host = ((Table *)base->pVtab)->host;
  if (host->bad_time) return complaint(host, &base->pVtab->zErrMsg);
  cursor->row++;
  if (cursor->again > 0) {
    cursor->again--;
    return SQLITE_OK;
  }
  return cursor->left ? step(cursor, &base->pVtab->zErrMsg) : turn(cursor, 0);
}

int cursor_eof(sqlite3_vtab_cursor *base) { return ((Cursor *)base)->at_end; }

static int is_there(const Cursor *cursor, int column) {
  return column >= 0 && (uint32_t)column < cursor->known && cursor->positions[column] < cursor->columns;
}

int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column) {
  Cursor *cursor = (Cursor *)base;
  if (sqlite3_vtab_nochange(context)) return SQLITE_OK; /* an UPDATE that leaves it alone: the value need not be known */
  if (!is_there(cursor, column)) { /* of rows that might only have been counted */
    int code = turn(cursor, 1);
    if (code != SQLITE_OK) return code;
    if (cursor->at_end || !is_there(cursor, column)) {
      sqlite3_result_error(context, "klaviyo: a column is read that the scan was not asked for", -1);
      return SQLITE_INTERNAL;
    }
  }
  give(context, &cursor->cells[cursor->positions[column]]);
  return SQLITE_OK;
}

int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *row) {
  *row = ((Cursor *)base)->row;
  return SQLITE_OK;
}

int cursor_keep(Host *host, Frame *frame) {
  for (Cursor *cursor = host->cursors; cursor; cursor = cursor->next) {
    if (cursor->asked && cursor->asked == frame->number && !cursor->came) {
      cursor->came = frame;
      return 1;
    }
  }
  return 0;
}

int cursor_is_open(const Host *host, uint32_t newest) {
  for (const Cursor *cursor = host->cursors; cursor; cursor = cursor->next) {
    if (cursor->id <= newest) return 1;
  }
  return 0;
}
