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

enum { TABLE_READ = 0, TABLE_WRITTEN = 1, TABLE_MAYBE_WRITTEN = 2 };

static const struct {
  const char *name;
  int kind;
} tables[] = {
#define TABLE(name, kind) {name, kind},
#define PROCEDURE(name, is_gathering)
#include "names.h"
#undef TABLE
#undef PROCEDURE
};

int add_module(Host *host, const char *text, const sqlite3_module *module) {
  Name *name = name_of(host, text);
  return name ? sqlite3_create_module_v2(host->db, text, module, name, name_release) : SQLITE_NOMEM;
}

/* What the settings may say, as far as it has to be known before there is a worker: whether writing is allowed, so that tables of several keys can be written to,
 * and whether there are accounts, whose tables only the worker knows. A word that is there in another sense does no harm: the worker reads the settings.
 */
static void look_at_settings(int *may_write, int *may_have_accounts) {
  const char *writes = getenv("KLAVIYO_SQL_WRITE");
  *may_write = writes && *writes && strcmp(writes, "0") != 0;
  *may_have_accounts = 0;
  const char *named = getenv("KLAVIYO_SQL_CONFIG"), *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  char *path = named && *named                            ? sqlite3_mprintf("%s", named)
               : folder && *folder == '/'                 ? sqlite3_mprintf("%s/klaviyo-sql/config.toml", folder)
               : home && *home                            ? sqlite3_mprintf("%s/.config/klaviyo-sql/config.toml", home)
                                                          : NULL;
  FILE *file = path ? fopen(path, "r") : NULL;
  if (file) {
    char text[65536];
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = 0;
    int is_cut = length == sizeof text - 1;
    *may_write = *may_write || is_cut || strstr(text, "write") != NULL;
    *may_have_accounts = is_cut || strstr(text, "accounts") != NULL;
    fclose(file);
  }
  sqlite3_free(path);
}

/* What the worker says there is beside the names that are known: tables of named accounts, as "shop_a.profiles". */
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
    int kind = (int)read_integer(&reader);
    if (reader.bad || parts != 2 || !text || kind < TABLE_READ || kind > TABLE_WRITTEN) code = unreadable(error);
    else code = add_module(host, text, kind == TABLE_WRITTEN ? &written : &read_only);
    free(text);
  }
  free(reply);
  return code;
}

static int add_everything(Host *host, char **error) {
  int code = SQLITE_OK, may_have_accounts;
  look_at_settings(&host->may_write, &may_have_accounts);
  const sqlite3_module *maybe = host->may_write ? &written : &read_only, *maybe_made = host->may_write ? &made_and_written : &made;
  for (size_t n = 0; n < sizeof tables / sizeof *tables && code == SQLITE_OK; n++)
    code = add_module(host, tables[n].name, tables[n].kind == TABLE_WRITTEN ? &written : tables[n].kind == TABLE_READ ? &read_only : maybe);
  if (code == SQLITE_OK) code = add_module(host, "klaviyo", maybe_made);
  if (code == SQLITE_OK) code = add_module(host, "klaviyo_link", maybe_made);
  if (code == SQLITE_OK) code = add_module(host, "klaviyo_table", &made_and_written);
  if (code == SQLITE_OK) code = add_functions(host);
  if (code == SQLITE_OK) code = add_procedures(host);
  if (code == SQLITE_OK) code = add_collations(host);
  return code == SQLITE_OK && may_have_accounts ? add_more(host, error) : code;
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
