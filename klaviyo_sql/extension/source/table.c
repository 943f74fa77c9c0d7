#include "table.h"

#include <stdlib.h>
#include <string.h>

int declare(Table *table, char **error) {
  Host *host = table->host;
  int code = greet(host, error);
  if (code != SQLITE_OK || table->greeting == host->greeting) return code;
  Frame *reply = NULL;
  uint32_t number = send_request(host, &table->declared);
  code = number ? await(host, number, 0, GREETING_SECONDS, &reply, error) : broken(host, BETWEEN, error);
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

int table_disconnect(sqlite3_vtab *base) {
  Table *table = (Table *)base;
  writer_end(&table->declared);
  free(table->ddl);
  sqlite3_free(base->zErrMsg); /* SQLite takes no text from the end of a transaction, nor from savepoints */
  host_release(table->host);
  sqlite3_free(table);
  return SQLITE_OK;
}

int table_connect(sqlite3 *db, void *context, int count, const char *const *arguments, sqlite3_vtab **made, char **error) {
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
int table_create(sqlite3 *db, void *context, int count, const char *const *arguments, sqlite3_vtab **made, char **error) {
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

int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info) {
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
