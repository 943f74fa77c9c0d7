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

#include "functions.h"
#include "order.h"
#include "procedures.h"
#include "table.h"

SQLITE_EXTENSION_INIT1

#define OLDEST 3031000
#if SQLITE_VERSION_NUMBER < OLDEST
#error "klaviyo.so needs the headers of SQLite 3.31 or newer"
#endif

#define READING TABLE_READING, .xConnect = table_connect
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
#define PROCEDURE(name, is_gathering)
#include "names.h"
#undef TABLE
#undef PROCEDURE
};

int add_module(Host *host, const char *text, const sqlite3_module *module) {
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
  if (code == SQLITE_OK) code = add_functions(host);
  if (code == SQLITE_OK) code = add_procedures(host);
  if (code == SQLITE_OK) code = add_collations(host);
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
