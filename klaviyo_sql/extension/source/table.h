/* A table as SQLite knows it: planned in table.c, scanned in cursor.c, written to in writing.c. */
#ifndef KLAVIYO_TABLE_H
#define KLAVIYO_TABLE_H

#include "host.h"

enum { MOST_IN = 31 }; /* the bits of idxNum that say which values are lists */

typedef struct Table {
  sqlite3_vtab base;
  Host *host;
  Writer declared; /* the request that made it known */
  char *ddl;
  uint32_t greeting;
  uint32_t id;
  int is_writing; /* whether the transaction writes to it */
  int is_call; /* whether scanning it calls a procedure */
} Table;

/* Make the table known to the worker on the line that there is. */
int declare(Table *table, char **error);
int table_connect(sqlite3 *db, void *name, int count, const char *const *arguments, sqlite3_vtab **made, char **error);
int table_create(sqlite3 *db, void *name, int count, const char *const *arguments, sqlite3_vtab **made, char **error);
int table_disconnect(sqlite3_vtab *table);
int table_best_index(sqlite3_vtab *table, sqlite3_index_info *info);

int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **made);
int cursor_close(sqlite3_vtab_cursor *cursor);
int cursor_filter(sqlite3_vtab_cursor *cursor, int lists, const char *agreed, int count, sqlite3_value **values);
int cursor_next(sqlite3_vtab_cursor *cursor);
int cursor_eof(sqlite3_vtab_cursor *cursor);
int cursor_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column);
int cursor_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *row);
/* Whether the frame is what a cursor has asked for ahead, which keeps it then. */
int cursor_keep(Host *host, Frame *frame);
/* Whether one of the cursors is open that were when this one was the newest. */
int cursor_is_open(const Host *host, uint32_t newest);

/* What every module has, but for xConnect. */
#define TABLE_READING                                                                                                                       \
  .iVersion = 2, .xBestIndex = table_best_index, .xDisconnect = table_disconnect, .xOpen = cursor_open, .xClose = cursor_close,             \
  .xFilter = cursor_filter, .xNext = cursor_next, .xEof = cursor_eof, .xColumn = cursor_column, .xRowid = cursor_rowid

/* Make a table that is there without being made known to the connection; SQLite's code. */
int add_module(Host *host, const char *text, const sqlite3_module *module);

/* Whether the worker that has the transaction's changes has ended: what comes after would be sent without what came before. What is said of it. */
int is_lost(Host *host);
int lost(char **error);
int table_update(sqlite3_vtab *table, int count, sqlite3_value **values, sqlite3_int64 *row);
int table_begin(sqlite3_vtab *table);
int table_sync(sqlite3_vtab *table);
int table_commit(sqlite3_vtab *table);
int table_rollback(sqlite3_vtab *table);
int table_savepoint(sqlite3_vtab *table, int savepoint);
int table_release(sqlite3_vtab *table, int savepoint);
int table_rollback_to(sqlite3_vtab *table, int savepoint);

#endif
