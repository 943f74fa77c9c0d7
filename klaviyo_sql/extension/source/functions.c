#include "functions.h"

#include <stdlib.h>

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
    give(context, &value);
  } else {
    sqlite3_result_error(context, error ? error : "klaviyo: the worker cannot be asked", -1);
    sqlite3_result_error_code(context, code);
  }
  free(reply);
  sqlite3_free(error);
}

/* Those that act or tell of this machine are for statements only; what the newest row is called may be used in triggers and views. */
static const struct {
  const char *name;
  int flags;
} functions[] = {{"refresh", SQLITE_DIRECTONLY}, {"klaviyo_worker", SQLITE_DIRECTONLY}, {"last_insert_id", 0}};

int add_functions(Host *host) {
  int code = SQLITE_OK;
  for (size_t n = 0; n < sizeof functions / sizeof *functions && code == SQLITE_OK; n++) {
    Name *name = name_of(host, functions[n].name);
    int flags = SQLITE_UTF8 | functions[n].flags;
    code = name ? sqlite3_create_function_v2(host->db, functions[n].name, -1, flags, name, call, NULL, NULL, name_release) : SQLITE_NOMEM;
  }
  return code;
}
