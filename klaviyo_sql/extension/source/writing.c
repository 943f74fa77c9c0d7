/* The worker has the transaction, and SQLite says when it begins and ends. */
#include <stdlib.h>

#include "table.h"

int is_lost(Host *host) { return host->writers > 0 && (host->line.socket < 0 || host->writing != host->greeting); }

int lost(char **error) {
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
  write_begun(&request, host, WRITTEN);
  code = ask(host, &request, 'v', is_running, &reply, &base->zErrMsg);
  free(reply);
  return code;
}

int table_begin(sqlite3_vtab *base) {
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

int table_sync(sqlite3_vtab *base) { return transact_if_writing(base, 'Y', -1, SENDING); }
int table_commit(sqlite3_vtab *base) { return finish(base, 'M'); }
int table_rollback(sqlite3_vtab *base) { return finish(base, 'R'); }
int table_savepoint(sqlite3_vtab *base, int savepoint) { return transact_if_writing(base, 's', savepoint, BETWEEN); }
int table_release(sqlite3_vtab *base, int savepoint) { return transact_if_writing(base, 'r', savepoint, BETWEEN); }
int table_rollback_to(sqlite3_vtab *base, int savepoint) { return transact_if_writing(base, 'o', savepoint, BETWEEN); }

int table_update(sqlite3_vtab *base, int count, sqlite3_value **values, sqlite3_int64 *row) {
  Table *table = (Table *)base;
  int code = declare(table, &base->zErrMsg);
  if (code != SQLITE_OK) return code;
  if (is_lost(table->host)) return lost(&base->zErrMsg);
  Writer request;
  Frame *reply;
  writer_begin(&request, 'U');
  write_array(&request, 4);
  write_integer(&request, table->id);
  write_begun(&request, table->host, WRITTEN);
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
